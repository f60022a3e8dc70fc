"""No job of one test keeps the machine busy during the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.web import jobs


@pytest.fixture(autouse=True)
def _nothing_goes_on() -> Iterator[None]:
    yield
    for job in list(jobs.desk()._jobs.values()):
        if not job.ended:
            job.cancel()
