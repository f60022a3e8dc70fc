"""Some seconds of `make fuzz` in the suite."""

from __future__ import annotations

from collections import Counter

from tests.bring.fuzz import cases, outcome

COUNT = 1000


def test_mutated_manifests_are_read_or_refused_with_a_reason() -> None:
    told = {case: outcome(case) for case in cases(COUNT, seed=2)}
    wrong = [
        f"{case.number} {case.source}: {what}"
        for case, what in told.items()
        if what not in ("read", "refused")
    ]
    assert wrong == []
    assert min(Counter(told.values()).values()) > COUNT / 50
