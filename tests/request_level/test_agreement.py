"""The engine against the request-level model, parameters drawn afresh for every seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.request_level.agreement import Case, confront, seed
from tests.request_level.cases import CASES
from tests.request_level.load_cases import LOAD
from tests.request_level.trouble_cases import TROUBLE


@pytest.mark.parametrize("case", [*CASES, *TROUBLE, *LOAD], ids=lambda case: case.__name__)
def test_both_models_agree(case: Callable[[Random], Case]) -> None:
    """|A - B| <= 4 sqrt(SE_A^2 + SE_B^2) for every figure, and that bound is at most 10 %."""
    number = seed()
    for figure in confront(case(Random(f"{number} {case.__name__}")), number):
        assert figure.sharp, f"too few replications to tell: {figure}"
        assert figure.agrees, f"the models differ: {figure}"
