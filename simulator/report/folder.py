"""The run folder: everything needed to read, check and recompute a comparison."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from simulator import __version__
from simulator.report.export import document
from simulator.report.page import page
from simulator.words.writing import dump

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison

_PACKAGES = ("simpy", "numpy", "scipy", "pandas", "pydantic")


def save(comparison: Comparison, where: str, command: str) -> Path:
    """Write scenario, manifest, replications, summary and report; returns the folder.

    Names contain no clock, so the same run gives the same files. Raises OSError when the folder
    cannot be written.
    """
    folder = Path(where)
    folder.mkdir(parents=True, exist_ok=True)
    results, scenario = comparison.results, comparison.scenario
    (folder / "scenario.yaml").write_text(dump(scenario), "utf-8")
    manifest = {
        "engine_version": __version__,
        "command": command,
        "seed": results.seed,
        "replications": results.replications,
        "strategies": list(results.names),
        "scenario": {"name": scenario.name, "sha256": scenario.sha256},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    summary = json.dumps(document(comparison), indent=1, allow_nan=False)
    (folder / "summary.json").write_text(summary + "\n", "utf-8")
    results.frame.to_parquet(folder / "replications.parquet", index=False)
    (folder / "report.html").write_text(page(comparison, command), "utf-8")
    return folder
