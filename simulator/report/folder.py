"""The run folder: everything needed to read, check and recompute a comparison."""

from __future__ import annotations

import json
import platform
from functools import cache
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from simulator import __version__
from simulator.findings.engine import engine
from simulator.findings.runs import tidy, write
from simulator.report.export import document, text
from simulator.report.page import page
from simulator.words.writing import dump

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison

_MANIFEST = "manifest.json"
_PACKAGES = ("simpy", "numpy", "scipy", "pandas", "pydantic")


def save(comparison: Comparison, where: str, command: str) -> Path:
    """Write scenario, manifest, replications, summary and report; returns the folder.

    Names contain no clock, so the same run gives the same files; each is whole or not there. The
    manifest comes last: where it is, the others belong to it. Raises OSError when the folder cannot
    be written.
    """
    folder = Path(where)
    folder.mkdir(parents=True, exist_ok=True)
    table = BytesIO()
    comparison.results.frame.to_parquet(table, index=False)
    files = {
        "summary.json": f"{text(document(comparison))}\n".encode(),
        "replications.parquet": table.getvalue(),
        "report.html": page(comparison, command).encode(),
        "scenario.yaml": dump(comparison.scenario).encode(),
        _MANIFEST: f"{json.dumps(_manifest(comparison, command), indent=1)}\n".encode(),
    }
    tidy(folder)
    (folder / _MANIFEST).unlink(missing_ok=True)
    for name, content in files.items():
        write(folder / name, content)
    return folder


def _manifest(comparison: Comparison, command: str) -> dict[str, object]:
    """What was played, by which engine, and how to play it again."""
    results, scenario = comparison.results, comparison.scenario
    return {
        "engine_version": __version__,
        "engine": engine(),
        "command": command,
        "seed": results.seed,
        "replications": results.replications,
        "interrupted": results.stopped,
        "strategies": list(results.names),
        "scenario": {"name": scenario.name, "sha256": scenario.sha256},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": _packages(),
    }


@cache
def _packages() -> dict[str, str]:
    """The packages that results depend on, and their versions."""
    return {name: metadata.version(name) for name in _PACKAGES}
