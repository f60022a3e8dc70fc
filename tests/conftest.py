"""What the tests of every floor share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.play import compiled


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of measured data beside the checkout; tests that need it are skipped without."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("the folder of measured data is not there")
    return folder


@pytest.fixture(scope="session")
def manifests(shared: Path) -> Path:
    """The folder of manifests of real projects."""
    return shared / "manifests"


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that alters the engine needs it in Python: machine code does not look twice."""
    if pyfuncitem.get_closest_marker("alters_engine") is None or not compiled.used():
        return None
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", pyfuncitem.nodeid],
        cwd=pyfuncitem.config.rootpath,
        env={**os.environ, "DEPLOYSIM_COMPILED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return True
