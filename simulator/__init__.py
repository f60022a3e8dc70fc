"""deploysim: simulates how a release is deployed and what it risks.

import simulator as ds
results = ds.compare(ds.load("web-shop"), replications=500, seed=1)
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_DOOR = {
    "batches": "simulator.door",
    "bring": "simulator.door",
    "load": "simulator.words.reading",
    "loads": "simulator.words.reading",
    "packaged": "simulator.words.reading",
    "Scenario": "simulator.words.scenario",
    "ScenarioError": "simulator.words.reading",
    "compare": "simulator.door",
    "exam": "simulator.door",
    "conclude": "simulator.decide.advice",
    "reconsidered": "simulator.findings.reconsider",
    "preview": "simulator.bring.preview",
    "rehearse": "simulator.play.rehearsal",
    "replay": "simulator.door",
    "sweep": "simulator.door",
    "years": "simulator.decide.years",
}

__all__ = ["__version__", *sorted(_DOOR)]


def __getattr__(name: str) -> Any:
    if name in _DOOR:
        return getattr(importlib.import_module(_DOOR[name]), name)
    raise AttributeError(f"module 'simulator' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
