"""Limits that versions share, controllers of platforms, traffic: the engine request by request.

A short form of what docs/validation.md shows: four standard errors, of at most 30 % of the value.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.request_level.agreement import Case, confront, seed
from tests.request_level.limit_cases import LIMITS
from tests.request_level.traffic_cases import TRAFFIC

WIDEST = 0.3


@pytest.mark.parametrize("case", [*LIMITS, *TRAFFIC], ids=lambda case: case.__name__)
def test_both_models_agree(case: Callable[[Random], Case]) -> None:
    number = seed()
    words = case(Random(f"{number} {case.__name__}"))
    for figure in confront(words._replace(widest=WIDEST, chunk=words.chunk // 4), number):
        assert figure.width <= WIDEST, f"too few replications to tell: {figure}"
        assert figure.agrees, f"the models differ: {figure}"
