"""Objectives against figures that have no end: kept, failed or open as the law of the figure is."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from simulator.decide.advice import at_a_glance
from simulator.findings.comparison import simulate
from simulator.findings.estimates import estimate
from simulator.findings.means import Strata
from simulator.findings.results import Results
from simulator.findings.verdict import _endless, judge, recommend
from simulator.report.judged import judged
from simulator.words.objectives import parse
from simulator.words.reading import load

# Without capacity headroom has no end; half of the bad releases are too quiet to be detected.
SCENARIO, STRATEGY = "quiet-api", "10 %, 5 min"


@cache
def played() -> Results:
    quiet = load(SCENARIO).with_("follow_up", "15m").with_("detection", "{}")
    return simulate(quiet, 100, 1, [STRATEGY])


def judgement(text: str) -> tuple[bool, bool, bool]:
    found = judge(played(), parse(text), STRATEGY)
    return found.passed, found.decided, found.endless


@pytest.mark.parametrize("statistic", ["mean", "p50", "p99", "cvar95"])
def test_headroom_without_end_is_more_than_any_number(statistic: str) -> None:
    given = played().risk()[STRATEGY].all
    assert getattr(given.min_headroom, statistic).value is None
    assert not given.min_headroom.restricted
    assert judgement(f"min_headroom {statistic} > 900%") == (True, True, True)
    assert judgement(f"min_headroom {statistic} < 900%") == (False, True, True)


def test_a_quantile_of_a_time_is_decided_by_how_many_have_no_end() -> None:
    detect = played().risk()[STRATEGY].given_defect.time_to_detect
    censored = detect.censored
    assert censored.low is not None
    assert censored.high is not None
    assert 0.1 < censored.low < censored.value < censored.high < 0.9
    assert judgement("time_to_detect p95 < 1h given defect") == (False, True, True)
    assert judgement("time_to_detect p95 > 1h given defect") == (True, True, True)
    assert detect.mean.value is not None
    assert detect.restricted


@pytest.mark.parametrize(
    ("text", "passed", "decided"),
    [("p99 < 10s", False, True), ("p99 < 99s", False, False), ("p99 > 99s", True, False)],
)
def test_what_is_too_much_at_its_least_is_decided_as_well(
    text: str, passed: bool, decided: bool
) -> None:
    """Two of a hundred have no end: the quantile may be finite, but not as little as 10 s."""
    values = [*np.linspace(1.0, 98.0, 98), math.inf, math.inf]
    known = estimate(values, Strata.of(np.zeros(100, dtype=int), [1.0]))
    assert known.p99.value is None
    found = _endless(parse(f"time_to_detect {text}"), "it", known.p99, known)
    assert (found.passed, found.decided) == (passed, decided)


def test_it_is_said_in_words() -> None:
    texts = "[min_headroom > 10%, time_to_detect p95 < 1h given defect]"
    scenario = played().scenario.with_("objectives", texts)
    found = judged(at_a_glance(simulate(scenario, 100, 1, [STRATEGY])))
    assert found[0].sentence.endswith("keeps min_headroom > 10%: without end.")
    assert found[1].value == "without end"
    texts = "[time_to_detect p50 < 1h given defect]"
    few = judged(at_a_glance(simulate(scenario.with_("objectives", texts), 9, 1, fewest=9)))
    assert [row.value for row in few][:2] == ["more than 5 min", "30 min"]


def test_a_recommendation_that_keeps_nothing_says_so() -> None:
    scenario = load("textbook").with_("objectives", "[time_to_deploy p95 < 1s given good]")
    results = simulate(scenario.with_("costs", "{}"), 20, 1, fewest=5)
    found = recommend(results)
    assert found is not None
    assert found.because == (
        "it keeps none of 1 objectives (not time_to_deploy p95 < 1s given good), but no other "
        "misses fewer; it is the fastest of those that miss as few"
    )


def test_the_smallest_loss_is_said_of_whom_it_is() -> None:
    """The textbook's cheapest strategy takes a fortnight: it misses an objective of ten minutes."""
    scenario = load("textbook").with_("costs.failed_request", "1").with_("costs.delay", "0/h")
    free = recommend(simulate(scenario.with_("objectives", "[]"), 20, 1, fewest=5))
    bound = simulate(scenario.with_("objectives", "[time_to_deploy p95 < 20m given good]"), 20, 1)
    found = recommend(bound)
    assert free is not None
    assert found is not None
    assert free.strategy != found.strategy
    assert "its expected loss is the smallest, " in free.because
    assert "its expected loss is the smallest of those that keep as many, " in found.because
