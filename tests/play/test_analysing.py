"""Analyses: what measurements see, when they end a release, and what they cannot see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from simulator.platforms.argo_rollouts.analysis import Metric, Result, assess, moments
from simulator.play.analysing import Tally
from simulator.play.fault import GOOD, Fault
from simulator.words.analysis import Analysis
from tests.answers.comparing import near
from tests.platforms.watching import watched
from tests.play.playing import bare, play

STEPS = "{weight: 10%}, {pause: 2h}"


def canary(analysis: str, steps: str = STEPS, start: int = 1, **more: str):  # type: ignore[no-untyped-def]
    given = {"service": "startup: 60s", "response": "decide: 0s", **more}
    beside = f"analysis: [{{{analysis}}}], " if analysis else ""
    words = f"traffic_routing: true, {beside}starting_step: {start}, steps: [{steps}]"
    return bare(strategy=f"argo_canary: {{{words}}}", **given)


def failing(rate: float = 0.2) -> Fault:
    fault = Fault("errors")
    fault.fail = rate
    return fault


RESULTS = st.lists(st.sampled_from(["successful", "failed", "error"]), max_size=14)


@given(
    results=RESULTS,
    limit=st.integers(0, 3),
    errors=st.integers(0, 4),
    count=st.none() | st.integers(4, 8),
)
@settings(deadline=None)
def test_measurements_come_to_what_the_controller_says(
    results: list[Result], limit: int, errors: int, count: int | None
) -> None:
    """The same results one after the other, until either of the two is over."""
    words = Analysis(
        above=0.5, interval=60, count=count, failure_limit=limit, error_limit=errors, window=60,
        delay=0,
    )  # fmt: skip
    metric = Metric(60, count or 0, failure_limit=limit, error_limit=errors)
    tally, generator = Tally(), np.random.default_rng(1)
    ends = {"failed": 3, "error": 4, "successful": 2}
    for number, at in enumerate(moments(metric, results)):
        many = {"successful": (0, 9), "failed": (9, 0), "error": (0, 0)}[results[number]]
        tally.cells = [(at - 5.0, at, *many)]
        verdict = tally.measure(at, words, generator)
        phase = assess(metric, results[: number + 1])
        if phase == "running":
            assert verdict == (1 if results[number] == "error" else 0)
        else:
            assert verdict == ends[phase]
            return


@given(at=st.integers(1, 99), bad=st.integers(0, 50), other=st.integers(0, 50))
def test_a_cell_that_is_cut_loses_no_request(at: int, bad: int, other: int) -> None:
    tally = Tally()
    tally.cells = [(0.0, 100.0, bad, other)]
    words = Analysis(above=0.5, window=1000, delay=100 - at)
    tally.measure(100.0, words, np.random.default_rng(2))
    assert [cell[:2] for cell in tally.cells] == [(0.0, at), (at, 100.0)]
    assert sum(cell[2] for cell in tally.cells) == bad
    assert sum(cell[3] for cell in tally.cells) == other


@pytest.mark.parametrize("limit", [0, 1, 3])
@pytest.mark.parametrize("delay", [0, 25])
def test_it_ends_at_the_first_failed_measurement_above_the_limit(limit: int, delay: int) -> None:
    """The weight is in force at 60 s; measurements are made again each 10 s until one sees
    requests, which are `delay` old: at 70 s or 90 s; then each minute. With 100 failing requests a
    second each of them has failed."""
    words = f"above: 1%, interval: 1m, failure_limit: {limit}, delay: {delay}s"
    rollout, _ = watched(canary(words), failing())
    assert rollout.caught_by == "analysis"
    assert rollout.detected_at == (70 if not delay else 90) + 60 * limit


def failed(expected: float, rate: float, above: float) -> float:
    """P(bad > above x all) of Poisson counts with this mean number of requests, of which `rate` are
    bad, given that there are any."""
    numbers = np.arange(400)
    bad = poisson.pmf(numbers, rate * expected)
    most = np.ceil(bad * 0 + numbers * (1 - above) / above - 1e-9) - 1  # good < bad (1-a)/a
    chance = float((bad * poisson.cdf(most, (1 - rate) * expected)).sum())
    return chance / (1 - math.exp(-expected))


def test_the_time_to_the_second_failed_measurement() -> None:
    """Two requests a second, 10 % of which fail, in windows of a minute that do not overlap: each
    measurement has failed with p, the first one (of ten seconds) with q. The second failure is the
    k-th measurement after the first: with q at the first p-geometric, without it negative binomial.
    """
    p, q = failed(120, 0.1, 0.1), failed(20, 0.1, 0.1)
    expected = 70 + 60 * (q / p + (1 - q) * 2 / p)
    words = "above: 10%, interval: 1m, failure_limit: 1, delay: 0s, window: 1m"
    more = {"rate": "rate: 20 rps", "defect": "{kind: errors, rate: 10%}"}
    found = [o.time_to_detect + 60 for o in play(canary(words, **more), 500)]
    assert near(found, expected)


def test_other_detectors_do_not_change_what_it_sees() -> None:
    """An alarm that never fires cuts the time into other cells; a window of 45 s takes parts of
    them. Detected at the first failed measurement: at 70 s with q, else each minute with p."""
    p, q = failed(90, 0.1, 0.15), failed(20, 0.1, 0.15)
    expected = 70 + 60 * (1 - q) / p
    words = "above: 15%, interval: 1m, delay: 0s, window: 45s"
    more = {"rate": "rate: 20 rps", "defect": "{kind: errors, rate: 10%}"}
    for alarms in ("", "alarms: [{above: 99%, period: 17s}, {above: 99%, watch: service}]"):
        found = [o.time_to_detect + 60 for o in play(canary(words, detection=alarms, **more), 300)]
        assert near(found, expected)


def test_an_analysis_as_a_step_takes_its_measurements() -> None:
    """Five of them a minute apart, the first at once: the pause before has filled the window."""
    steps = "{weight: 10%}, {pause: 10m}, {analysis: [{above: 5%, interval: 1m, count: 5}]}"
    rollout, _ = watched(canary("", steps))
    assert rollout.full_at == 60 + 600 + 240 + 60
    late = steps.replace("count: 5", "count: 5, initial_delay: 3m")
    assert watched(canary("", late))[0].full_at == rollout.full_at + 180
    bad, _ = watched(canary("", steps), failing())
    assert (bad.caught_by, bad.detected_at, bad.caught_at) == ("analysis", 660, "10%")


@pytest.mark.parametrize(("pause", "requests"), [("", 10), ("{pause: 5m}, ", 300)])
def test_a_single_measurement_right_after_a_weight_sees_ten_seconds(
    pause: str, requests: int
) -> None:
    """The newest requests it can see are 30 s old: it has no value at 0, 10, 20 and 30 s, and at
    40 s the requests of the first ten seconds. One a second, 10 % failing, above 5 %: with a pause
    of five minutes before it, it has 300 of them (the last 270 s and 30 s behind)."""
    steps = f"{{weight: 10%}}, {pause}{{analysis: [{{above: 5%}}]}}"
    words = {"rate": "rate: 10 rps", "defect": "{kind: errors, rate: 10%}"}
    outcomes = play(canary("", steps, **words), 400)
    seen = requests if requests == 10 else 270
    p = failed(seen, 0.1, 0.05)
    blind = math.exp(-seen)
    caught = [float(o.caught_by == "analysis") for o in outcomes]
    assert near(caught, p * (1 - blind))
    if requests == 10:
        assert 0.5 < p < 0.7  # four of ten bad releases pass
    else:
        assert p > 0.99


@pytest.mark.parametrize(
    ("analysis", "start", "when"),
    [
        ("above: 1%, interval: 1m, delay: 45s", 1, 60 + 40),  # older than five tries
        ("above: 1%, interval: 1m, delay: 0s", 0, 40),  # begins before a pod is there
    ],
)
def test_five_measurements_without_a_value_end_a_good_release(
    analysis: str, start: int, when: float
) -> None:
    rollout, _ = watched(canary(analysis, start=start), GOOD)
    assert (rollout.caught_by, rollout.detected_at) == ("analysis without data", when)
    later, _ = watched(canary(f"{analysis}, initial_delay: 2m", start=start), GOOD)
    assert later.caught_by == ""
    passed, _ = watched(canary(f"{analysis}, no_data: pass", start=start), GOOD)
    assert passed.caught_by == ""
    refused, _ = watched(canary(f"{analysis}, no_data: fail", start=start), GOOD)
    assert (refused.caught_by, refused.detected_at) == ("analysis", when - 40)


def test_the_service_as_a_whole_is_known_before_the_deployment() -> None:
    """It has a value at once; 20 % of a tenth of the requests are 2 % of all."""
    for above, caught in (("1%", True), ("3%", False)):
        words = f"watch: service, above: {above}, interval: 1m, window: 1m, delay: 0s"
        rollout, _ = watched(canary(words, start=0), failing())
        assert (rollout.caught_by == "analysis") == caught
    old = "watch: old, above: 1%, interval: 1m"
    assert watched(canary(old, start=0), failing())[0].caught_by == ""


def test_it_ends_with_the_promotion() -> None:
    """A defect that shows only after the last step is not its business any more."""
    steps = "{weight: 10%}, {pause: 2m}"
    words = {"defect": "{kind: leak, onset: 30m, ramp: 1s, rate: 50%}"}
    (outcome,) = play(canary("above: 1%, interval: 1m", steps, **words), 1)
    assert outcome.outcome == "escaped"
    assert outcome.caught_by == "nobody"


def test_a_script_that_nobody_watches_any_more_goes_on() -> None:
    """Something else is noticed while it measures, and nothing holds: the step takes as long as it
    would have taken, and the next weight follows until somebody decides."""
    steps = "{weight: 10%}, {analysis: [{above: 90%, interval: 1m, count: 11, no_data: pass}]}"
    more = {"detection": "noticed: {after: 3m}", "response": "page: {decide: 30m}"}
    rollout, _ = watched(canary("", steps, **more), failing())
    assert rollout.detected_at == 240
    assert [e.time for e in rollout.journal if e.verb == "shift"][:2] == [60, 60 + 600 + 60]
