"""What the tests of every floor share."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from simulator.play import compiled


def pytest_collection_finish() -> None:
    """What was imported to collect the tests stays: it is not searched for garbage ever again."""
    gc.collect()
    gc.freeze()


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


@cache
def played_in_python(file: str, root: Path) -> tuple[int, str]:
    """All tests of a file that alter the engine, in Python: exit code, what was printed."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "alters_engine",
            file,
        ],
        cwd=root,
        env={**os.environ, "DEPLOYSIM_COMPILED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that alters the engine needs it in Python: machine code does not look twice."""
    if pyfuncitem.get_closest_marker("alters_engine") is None or not compiled.used():
        return None
    file, _, _ = pyfuncitem.nodeid.partition("::")
    code, told = played_in_python(file, pyfuncitem.config.rootpath)
    assert code == 0, told
    return True
