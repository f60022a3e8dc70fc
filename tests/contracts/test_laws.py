"""Laws of releases with their conditions, and a counterexample for every condition."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.play.luck import Luck
from simulator.play.outcome import Outcome
from simulator.play.rehearsal import prepare, rehearse
from simulator.play.replication import replicate
from simulator.words.problems import ScenarioError
from simulator.words.reading import load
from tests.answers import oracles, oracles_trouble
from tests.answers.comparing import given as setting
from tests.answers.comparing import noticed
from tests.contracts.forms import AUDIENCE, CASES, INTERRUPTED
from tests.play.playing import bare, mean_and_error, play

SWITCH = "big_bang: {in_place: false}"
WEIGHTS = st.integers(1, 99)
DELAYS = st.integers(1, 20_000)
GENTLE = [f"{kind}: {form}" for kind, form in CASES if f"{kind} {form}" not in INTERRUPTED]
ONE_OF_EACH = list({form.split(": ", 1)[0]: form for form in reversed(GENTLE)}.values())
few = settings(max_examples=5, deadline=None, derandomize=True)
some = settings(max_examples=15, deadline=None, derandomize=True)


def same(one: Outcome, two: Outcome) -> bool:
    """Whether all figures are equal (two that do not apply are)."""
    return all(a == b or (a != a and b != b) for a, b in zip(one, two, strict=True))


def staircase(weights: list[int], bake: float) -> str:
    """A canary of these percentages."""
    steps = ", ".join(f"{{weight: {weight}%, bake: {bake:g}s}}" for weight in weights)
    return f"canary: {{steps: [{steps}]}}"


@pytest.mark.parametrize("strategy", GENTLE)
@given(
    instances=st.integers(12, 40),
    start=st.integers(0, 600),
    seed=st.integers(0, 1000),
    lag=st.sampled_from([0, 5, 45]),
)
@few
def test_a_good_release_with_room_harms_nobody(
    strategy: str, instances: int, start: float, seed: int, lag: int
) -> None:
    """No defect, no trouble, no planned interruption, ample capacity at every moment: exactly 0 of
    everything, however long anything takes."""
    scenario = setting(
        {"router.propagation": f"{lag}s"},
        instances=instances,
        service=f"utilisation: 5%, startup: {{exponential: {{mean: {start + 1:g}s}}}}, "
        "install: 45s, drain: 30s, start_failure: {timeout: 10h}",
        strategy=strategy,
    )
    (outcome,) = play(scenario, 1, seed=seed, bad=False)
    assert outcome.outcome == "deployed"
    assert outcome.failed_requests == outcome.expected_failed_requests == 0
    assert outcome.users_harmed == outcome.corrupt_writes == outcome.outage == 0
    assert outcome.degraded == outcome.budget_spent == outcome.loss_failed_requests == 0


@pytest.mark.parametrize("outer", ["phased: {within", "shadow: {then", "feature_flag: {ship"])
@pytest.mark.parametrize("inner", ONE_OF_EACH)
def test_a_strategy_inside_another_harms_nobody_either(outer: str, inner: str) -> None:
    """Unless it is refused: a good release of every pair with room harms nobody, and a bad one that
    is noticed after five minutes leaves nothing behind."""
    kind, form = inner.split(": ", 1)
    nested = f"{{kind: {kind}, {form[1:]}"
    words = {"instances": 12, "service": "startup: 30s, install: 20s"}
    try:
        scenario = bare(strategy=f"{outer}: {nested}}}", **words, **noticed(300, 60))
    except ScenarioError:
        return
    if not rehearse(scenario, next(iter(scenario.strategies))).suitable:
        return
    for outcome in play(scenario, 2, bad=False):
        assert outcome.outcome == "deployed"
        assert outcome.expected_failed_requests == outcome.outage == 0
    for outcome in play(scenario, 2):
        assert outcome.outcome == "rolled_back"
        assert outcome.unresolved == outcome.outage == 0


@given(detect=DELAYS, decide=DELAYS, share=WEIGHTS, seed=st.integers(0, 1000))
@some
def test_a_canary_of_one_whole_step_is_a_switch(
    detect: float, decide: float, share: int, seed: int
) -> None:
    """With the same luck, even the counts are the same; only its name and its fleet's time are its
    own."""
    words = {
        "defect": f"{{kind: errors, rate: {share}%}}",
        "service": "startup: {exponential: {mean: 60s}}",
        **noticed(detect, decide),
    }
    switch = play(bare(strategy="big_bang: {in_place: false, keep_old: 10h}", **words), 1, seed)[0]
    step = "{steps: [{weight: 100%, bake: 10h}]}"
    canary = play(bare(strategy=f"canary: {step}", **words), 1, seed)[0]
    for figure in (
        *("exposure_time", "peak_exposure", "time_to_detect", "time_to_recover", "rollback_90"),
        *("failed_requests", "expected_failed_requests", "users_harmed", "mixing", "degraded"),
    ):
        assert getattr(switch, figure) == pytest.approx(getattr(canary, figure), rel=1e-9)


@given(
    weights=st.lists(WEIGHTS, min_size=1, max_size=4, unique=True).map(sorted),
    smaller=WEIGHTS,
    bake=st.integers(10, 3000),
    detect=DELAYS,
    decide=st.integers(0, 600),
)
@some
def test_a_smaller_first_step_has_no_larger_peak(
    weights: list[int], smaller: int, bake: float, detect: float, decide: float
) -> None:
    """At a fixed time from the first harm to the detection the peak is the weight of the last step
    begun by then, and that does not rise when the first one is made smaller."""
    first = min(smaller, weights[0])
    words = noticed(detect, decide)
    (large,) = play(bare(strategy=staircase(weights, bake), **words), 1)
    (small,) = play(bare(strategy=staircase([first, *weights[1:]], bake), **words), 1)
    assert small.peak_exposure <= large.peak_exposure
    assert small.expected_failed_requests <= large.expected_failed_requests * (1 + 1e-9)


def test_with_counts_a_smaller_first_step_may_have_a_larger_peak() -> None:
    """Two requests/s: a step of 10 % for half an hour is judged right by its 360 requests in nearly
    all cases; 1 % for as long has 36 of them and lets more releases pass, which then reach all."""
    scenario = load("quiet-api")
    peaks = {}
    for name in ("10 %, 30 min", "1 %, 30 min"):
        strategy = scenario.strategies[name]
        assert strategy.kind == "canary"
        only = load("quiet-api", sets=[f"planned={name}"])
        picked = {name: only.strategies[name]}
        outcomes = play(only.model_copy(update={"strategies": picked}), 150)
        peaks[name] = mean_and_error([o.peak_exposure for o in outcomes])
    (large, _), (small, error) = peaks.values()
    assert small > large + 4 * error


@pytest.mark.parametrize("strategy", GENTLE)
@given(
    defect=st.sampled_from(["errors", "slow", "wrong_data"]),
    delays=st.lists(DELAYS, min_size=2, max_size=3, unique=True),
    seed=st.integers(0, 1000),
)
@few
def test_slower_detection_never_harms_less(
    strategy: str, defect: str, delays: list[float], seed: int
) -> None:
    """Errors, slowness and wrong data with a rollback that harms nobody: what is expected to be
    harmed only grows with the delay, at every strategy whose way back is no outage."""
    factor = "factor: 3, " if defect == "slow" else ""
    harms = []
    for delay in sorted(delays):
        scenario = bare(
            service="utilisation: 10%, startup: 60s, install: 45s",
            defect=f"{{kind: {defect}, {factor}rate: 20%}}",
            strategy=strategy,
            **noticed(delay),
        )
        (outcome,) = play(scenario, 1, seed)
        harms.append((outcome.exposure_time, outcome.expected_failed_requests))
    for sooner, later in pairwise(harms):
        assert all(a <= b * (1 + 1e-9) for a, b in zip(sooner, later, strict=True))


def test_mixed_versions_harm_less_when_seen_late() -> None:
    """A step at one half: seen during it, what it wrote stays in the data and the way back leads
    through the same again; seen once everybody is on the new version nothing is mixed any more."""
    harms = []
    for delay in (500, 5000):
        scenario = bare(
            defect="{kind: mixed_versions, rate: 10%, persists: 60%, repair: 2h}",
            strategy=staircase([50], 600),
            **noticed(delay),
        )
        harms.append(play(scenario, 1)[0].expected_failed_requests)
    assert harms[0] == pytest.approx(
        oracles_trouble.left_in_the_data(1000, 0.1, 0.5, 500, 0.6, 7200)
    )
    assert harms[1] == pytest.approx(oracles.mixed_versions(1000, 0.1, 0.5, 600))
    assert harms[1] < harms[0]


@given(
    instances=st.integers(1, 60),
    keep=st.integers(0, 50_000),
    bake=st.integers(0, 5000),
    start=st.integers(0, 600),
)
@some
def test_blue_green_costs_a_fleet_for_the_overlap(
    instances: int, keep: float, bake: float, start: float
) -> None:
    """From asking for green until blue is retired: start-up, bake and keeping, all of it twice."""
    scenario = bare(
        instances=instances,
        service=f"cost: 1/h, startup: {start}s",
        strategy=f"blue_green: {{smoke: none, bake: {bake}s, keep_old: {keep}s}}",
    )
    (outcome,) = play(scenario, 1, bad=False)
    exact = oracles.second_fleet(instances, 1, start + bake + keep)
    assert outcome.extra_cost == pytest.approx(exact, rel=1e-6, abs=1e-6)
    assert outcome.peak_instances == 2 * instances


@pytest.mark.parametrize(("kind", "form"), CASES)
@given(delay=DELAYS, decide=DELAYS, seed=st.integers(0, 1000))
@settings(max_examples=4, deadline=None, derandomize=True)
def test_recovering_is_detecting_and_mitigating(
    kind: str, form: str, delay: float, decide: float, seed: int
) -> None:
    """Three times of one replication: the third is the sum of the others, none is negative, and a
    fixed delay is what it says."""
    scenario = bare(
        service="startup: 60s, install: 45s, drain: 30s",
        strategy=f"{kind}: {form}",
        **noticed(delay, decide),
    )
    for outcome in play(scenario, 2, seed):
        parts = outcome.time_to_detect, outcome.time_to_mitigate
        if math.isnan(outcome.time_to_recover):
            assert any(math.isnan(part) for part in parts)
            continue
        assert outcome.time_to_recover == pytest.approx(sum(parts))
        assert parts[0] == pytest.approx(delay)
        if "delete_canary" not in form:  # which may end the harm before anybody has decided
            assert parts[1] >= decide - 1e-6


@pytest.mark.parametrize(
    ("also", "words", "exact"),
    [
        ({}, {"strategy": "blue_green: {cutover: {dns: {ttl: 60s, ignore: 0%, propagation: 0s}}, "
              "keep_old: 0s}"}, 1000 * 60 / 2),
        ({"service.sessions": "{mean: 30m, requests: 50}"},
         {"strategy": "rolling: {batch: 1, in_place: true}"}, 36_000),
        ({}, {"strategy": "big_bang: {}", "service": "install: 60s"}, 60_000),
        ({"change.schema": "{coupled: {order: together, migrate: 1m, writes_blocked: 0s}}"},
         {"strategy": staircase([40], 60)}, 1000 * 0.6 * 60),
        ({"router.cache": "{hits: 80%, ttl: 300s, shared: false}"},
         {"strategy": SWITCH, "service": "utilisation: 50%"},
         oracles_trouble.cold_cache(1000, 0.8, 300, 0.5)),
        ({"change.single_writer": "true"},
         {"strategy": staircase([50], 60), "traffic": "writes: 20%"}, 1000 * 0.5 * 0.2 * 60),
        ({"change.upgrade_routine": "{takes: 60s}"}, {"strategy": SWITCH}, 60_000),
    ],
    ids=["dns", "sessions", "in place", "schema", "cold cache", "one writer", "routine"],
)  # fmt: skip
def test_what_harms_although_the_release_is_good(
    also: dict[str, str], words: dict[str, str], exact: float
) -> None:
    """Each condition of the first law is needed: blue deleted while clients still ask for it,
    sessions in memory, everything stopped in place, a schema the old version does not work with, a
    cold cache, two writers, a routine that needs everything stopped."""
    outcomes = play(setting(also, **words), 40, bad=False)
    mean, error = mean_and_error([o.failed_requests for o in outcomes])
    assert {o.outcome for o in outcomes} == {"deployed"}
    assert abs(mean - exact) < 4 * error + 1e-6


@pytest.mark.parametrize(
    ("also", "service"),
    [
        ({"router.cache": "{hits: 80%, ttl: 300s, shared: true}"}, "utilisation: 90%"),
        ({"router.cache": "{hits: 80%, ttl: 300s, shared: false}"}, "utilisation: 15%"),
        ({"change.schema": "{coupled: {order: schema_first, writes_blocked: 0s}}"}, ""),
        ({"change.schema": "{coupled: {order: schema_last, writes_blocked: 0s}}"}, ""),
        ({"change.schema": "{expand_contract: {releases: 3}}"}, ""),
        ({"failures.tool_stall": "{mtbf: 1h, repair: 10m}", "failures.slip": "50%"}, ""),
        ({"failures.rollback": "99%"}, ""),
    ],
    ids=lambda part: next(iter(part.values()))[:30] if isinstance(part, dict) else "",
)
@pytest.mark.parametrize("strategy", ["canary: {}", "phased: {}", "blue_green: {keep_old: 12h}"])
def test_what_harms_no_good_release(strategy: str, also: dict[str, str], service: str) -> None:
    """A shared cache, a cold one with room, a schema that either version works with, stalls and
    slips of a good release."""
    for outcome in play(setting(also, strategy=strategy, service=service), 5, bad=False):
        assert outcome.outcome == "deployed"
        assert outcome.failed_requests == outcome.expected_failed_requests == 0
        assert outcome.users_harmed == outcome.corrupt_writes == 0


@pytest.mark.parametrize("strategy", ["rolling: {}", "immutable: {}", "blue_green: {}"])
def test_failures_harm_nobody_where_others_have_room(strategy: str) -> None:
    """At 20 %, wherever no version has to get by with a single instance: whoever is left in the
    pool, or in either fleet, carries everything."""
    failing = {"failures.instance": "{mtbf: 5h, repair: 10m}"}
    words = setting(failing, strategy=strategy, service="utilisation: 20%")
    assert {o.expected_failed_requests for o in play(words, 5, bad=False)} == {0}


@given(ttl=st.integers(1, 3600), hold=st.integers(1, 3600), share=WEIGHTS)
@few
def test_a_blue_that_outlives_every_cached_answer_harms_nobody(
    ttl: int, hold: int, share: int
) -> None:
    """Kept for as long as the slowest client: nobody asks for it any more when it goes."""
    record = f"{{ttl: {ttl}s, ignore: {share}%, ignore_for: {hold}s, propagation: 60s}}"
    strategy = f"blue_green: {{cutover: {{dns: {record}}}, keep_old: {max(ttl, hold) + 1}s}}"
    (outcome,) = play(bare(strategy=strategy), 1, bad=False)
    assert outcome.outcome == "deployed"
    assert outcome.failed_requests == outcome.expected_failed_requests == 0


@pytest.mark.parametrize("strategy", ["shadow: {}", "parallel_adoption: {overlap: 1h}"])
@given(share=WEIGHTS, seed=st.integers(0, 1000))
@few
def test_copies_harm_nobody(strategy: str, share: int, seed: int) -> None:
    """However bad the new version is: found in copies, nobody has met it."""
    scenario = setting(
        {},
        defect=f"{{kind: slow, factor: 9, rate: {share}%}}",
        detection="alarms: [{watch: new, metric: bad, above: 0%, phase: aligned}]",
        service="utilisation: 50%",
        strategy=strategy,
    )
    (outcome,) = play(scenario, 1, seed)
    assert outcome.outcome == "rolled_back"
    assert outcome.failed_requests == outcome.exposure_time == outcome.peak_exposure == 0


@given(poll=st.integers(0, 600), weight=WEIGHTS, delay=DELAYS)
@few
def test_a_covered_flag_is_a_canary_of_users_with_a_lag(
    poll: float, weight: int, delay: float
) -> None:
    """On for a share of the users, `poll` seconds until it is on or off: w (D + poll)."""
    strategy = (
        f"feature_flag: {{steps: [{{weight: {weight}%, bake: 10h}}], poll: {poll}s, covered: 100%}}"
    )
    (outcome,) = play(bare(strategy=strategy, **noticed(delay)), 1)
    assert outcome.exposure_time == pytest.approx(weight / 100 * (delay + poll))


TROUBLE = {
    "service.zones": "3",
    "failures": "{instance: {mtbf: 3h}, zone: {mtbf: 1d}, tool_stall: {mtbf: 1h}, slip: 20%, "
    "rollback: 20%}",
    "router.cache": "{hits: 50%, ttl: 2m, shared: false}",
    "service.sessions": "{mean: 10m, requests: 20}",
}
ROUTES = {
    "router.dns": "{ttl: 2m, ignore: 20%, ignore_for: {exponential: {mean: 10m}}}",
    "router.cache": "{hits: 70%, ttl: 3m, shared: true}",
    "change.schema": "{coupled: {order: together, migrate: 5m, restore: 10m}}",
    "change.upgrade_routine": "{takes: 2m}",
}
IN_TURN = [
    pytest.param(kind, form, also, id=f"{kind} {form} {name}")
    for number, (kind, form) in enumerate(CASES)
    for name, also in (("trouble", TROUBLE), ("routes", ROUTES))[number % 2 :][:1]
    if form != AUDIENCE or also is TROUBLE  # an audience does not go with those routes
]
DEFECTS = [
    "{kind: errors, rate: 20%}",
    "{kind: load, threshold: 20%, rate: 20%}",
    "{kind: mixed_versions, rate: 10%, persists: 60%, repair: 1h}",
    "{kind: slow, factor: 3, rate: 10%}",
]


@pytest.mark.parametrize(("kind", "form", "also"), IN_TURN)
def test_counts_are_a_martingale_whatever_goes_wrong(
    kind: str, form: str, also: dict[str, str]
) -> None:
    """What is counted is what was expected, given everything that happened: the mean difference is
    within 4.3 standard errors of 0, for four kinds of defects and for good releases."""
    surplus, luck = [], Luck(7)
    for number, defect in enumerate([*DEFECTS, None]):
        scenario = setting(
            also,
            service="utilisation: 60%, startup: 40s, install: 40s",
            strategy=f"{kind}: {form}",
            defect=defect or DEFECTS[0],
            detection="alarms: [{watch: new, above: 2%, datapoints: 2 of 3}], "
            "people: {report_rate: 1%, delay: 2m, triage: 10m}",
            response="page: {decide: 5m, acknowledge: 1m}",
            traffic="writes: 20%",
            rate="rate: 100 rps",
        )
        plan = prepare(scenario, kind)
        for again in range(4):
            luck.rekey(10 * number + again)
            played = replicate(plan, luck, scenario.change.defects[0] if defect else None, "x")
            off = played.failed_requests - played.expected_failed_requests
            surplus.append(off / math.sqrt(max(played.expected_failed_requests, 1)))
    mean, error = mean_and_error(surplus)
    assert abs(mean) < 4.3 * max(error, 1e-9)
    assert max(abs(value) for value in surplus) < 6


@pytest.mark.parametrize(("kind", "form", "also"), IN_TURN)
def test_the_same_luck_gives_the_same_outcome_whatever_goes_wrong(
    kind: str, form: str, also: dict[str, str]
) -> None:
    """Twice the same replications of a scenario in which everything can go wrong."""
    words = {"strategy": f"{kind}: {form}", "service": "utilisation: 70%", **noticed(600, 60)}
    scenario = setting(also, **words)
    once, twice = play(scenario, 2), play(scenario, 2)
    assert all(same(a, b) for a, b in zip(once, twice, strict=True))
