"""What the tests of every floor share."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest


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
