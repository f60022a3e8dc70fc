"""Spinnaker: analysis runs and their scores, and pipelines as they are played."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.findings.trial import trials
from simulator.platforms.spinnaker import rules
from simulator.platforms.spinnaker.rules import Ended, Run
from simulator.platforms.spinnaker.stages import CanaryAnalysis
from simulator.play import ranked_judge
from simulator.play.fault import Fault
from simulator.play.ranked_judge import Classified, Rule
from simulator.play.rehearsal import gates
from simulator.words.problems import ScenarioError
from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from simulator.words.units import Portion
from tests.answers.comparing import noticed
from tests.platforms.watching import watched
from tests.play.playing import bare, play
from tests.test_every_key_matters import BASE, PEOPLE_ONLY, outcomes, same

few = settings(max_examples=60, deadline=None, derandomize=True)
HOUR, MINUTE = 3600.0, 60.0
MINUTES = st.integers(1, 400).map(lambda n: n * MINUTE)


# Runs --------------------------------------------------------------------------------------


def test_the_start_values_are_three_runs_each_looking_back_to_the_beginning() -> None:
    assert rules.schedule(3 * HOUR, HOUR) == tuple(Run(0, n * HOUR) for n in (1, 2, 3))


@pytest.mark.parametrize(
    ("lifetime", "interval", "lookback", "delay", "runs"),
    [
        (3 * HOUR, 0, 0, 0, ((0, 3 * HOUR),)),  # no interval: one run at the end
        (HOUR, 2 * HOUR, 0, 0, ((0, HOUR),)),  # an interval above the lifetime is the lifetime
        (180 * 60, 50 * 60, 0, 0, ((0, 3000), (0, 6000), (0, 9000))),  # 30 minutes are left over
        (600, 300, 0, 120, ((120, 420), (120, 720))),  # growing, after the delay
        (600, 300, 60, 120, ((360, 420), (660, 720))),  # sliding, shorter than the interval
        (600, 300, 400, 120, ((20, 420), (320, 720))),  # sliding, into the delay
    ],
)
def test_runs_of_a_canary_stage(
    lifetime: float, interval: float, lookback: float, delay: float, runs: tuple[Any, ...]
) -> None:
    assert rules.schedule(lifetime, interval, lookback, delay) == runs


@given(lifetime=MINUTES, interval=MINUTES, lookback=st.just(0.0) | MINUTES, delay=MINUTES)
@few
def test_as_many_runs_as_whole_intervals(
    lifetime: float, interval: float, lookback: float, delay: float
) -> None:
    """They are an interval apart, none ends after the lifetime, another one would; windows that
    grow begin together, those that slide are as long."""
    runs = rules.schedule(lifetime, interval, lookback, delay)
    each = min(interval, lifetime)
    assert [run.end for run in runs] == [delay + each * (k + 1) for k in range(len(runs))]
    assert runs[-1].end <= delay + lifetime < runs[-1].end + each
    for run in runs:
        assert run.start == (run.end - lookback if lookback else delay)


@pytest.mark.parametrize(
    ("scores", "ended"),
    [
        ((100,), Ended(True, 1)),
        ((95,), Ended(True, 1)),  # the last one has to reach the passing score
        ((94.99,), Ended(False, 1)),
        ((80, 76, 95), Ended(True, 3)),  # between the two it goes on
        ((80, 75, 100), Ended(False, 2)),  # at the marginal score it has failed
        ((80, 75.01, 90), Ended(False, 3)),
    ],
)
def test_how_a_canary_ends(scores: tuple[float, ...], ended: Ended) -> None:
    assert rules.judged(scores) == ended


@given(marginal=st.integers(0, 9999), score=st.integers(0, 10_000))
@few
def test_above_the_marginal_score_is_a_threshold(marginal: int, score: int) -> None:
    """Scores have two digits: of all of them it parts those that fail from the others."""
    for points in (score, marginal, marginal + 1):
        reached = points / 100 >= 100 * rules.above(marginal / 10_000)
        assert reached == (not rules.fails(points / 100, marginal / 100))


# Scores ------------------------------------------------------------------------------------


def test_groups_without_a_weight_share_the_rest() -> None:
    """Errors 60 %, two others 20 % each; latency has two metrics, one of them in two groups."""
    own = (("errors",), ("latency",), ("latency", "other"))
    assert rules.weights(own, {"errors": 60}) == pytest.approx((0.6, 0.1, 0.3))
    assert rules.weights((("a",),), {}) == (1.0,)


@given(
    own=st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True), min_size=1),
    first=st.integers(0, 100),
    data=st.data(),
)
@few
def test_weights_of_metrics_give_the_judges_score(
    own: list[list[str]], first: int, data: st.DataObject
) -> None:
    """The score of groups is the sum of the weights of the metrics that pass."""
    given_ = {"a": float(first)}
    if {name for groups in own for name in groups} == {"a"}:
        given_ = {}
    passed = data.draw(st.lists(st.booleans(), min_size=len(own), max_size=len(own)))
    found = [Classified("pass" if good else "high") for good in passed]
    kinds = [Rule(groups=tuple(groups)) for groups in own]
    expected = ranked_judge.score(found, kinds, given_).points
    parts = rules.weights(own, given_)
    told = 100 * math.fsum(part for part, good in zip(parts, passed, strict=True) if good)
    assert told == pytest.approx(expected, abs=0.0051)


@given(st.floats(0, 1), st.floats(0, 0.99), st.floats(0, 1))
@few
def test_metrics_that_always_pass_move_the_threshold(
    wanted: float, unseen: float, seen: float
) -> None:
    whole = unseen + (1 - unseen) * seen
    least = rules.of_seen(wanted, unseen)
    if abs(whole - wanted) > 1e-9:
        assert (seen >= least - 1e-12) == (whole >= wanted)


def test_five_per_cent_of_the_score_can_never_fail_a_canary_at_95() -> None:
    assert rules.of_seen(0.95, 0.95) == rules.of_seen(0.95, 1.0) == 0
    assert rules.of_seen(0.95, 0.8) == pytest.approx(0.75)


def test_shares_of_instances() -> None:
    assert rules.canary_share(10, 1, 1) == pytest.approx(1 / 12)
    assert rules.canary_share(9, 1) == 0.1
    assert rules.canary_share(0, 0) == 0
    assert rules.surge(10, Portion.parse("25%")) == 3
    assert rules.missing(10, Portion.parse("25%"), 3) == 2
    assert rules.missing(2, Portion.parse("25%"), 0) == 1  # or nothing could move


# Pipelines ---------------------------------------------------------------------------------

SERVICE = "startup: 60s, drain: 30s, cost: 2/h"


def pipeline(stages: str = "", **words: Any) -> Scenario:
    told = f"stages: [{stages}]" if stages else ""
    more = words.pop("on_failure", "")
    text = ", ".join(part for part in (told, more) if part)
    return bare(strategy=f"spinnaker: {{{text}}}", **{"service": SERVICE, **words})


CANARY = "{kind: deploy_canary}, {kind: canary_analysis, interval: 5m, lifetime: 20m}"


@pytest.mark.parametrize(
    ("deploy", "deployed", "kept"),
    [
        ("keep_old: 9m", 60, 540),  # they drain while they are kept
        ("rollout: highlander", 60, 30),
        ("rollout: rolling_red_black, wait: 2m, keep_old: 9m", 2 * (60 + 120), 540 + 30),
        ("rollout: none, max_surge: 100%", 60, 0),  # all at once
        ("rollout: none", 120, 0),  # five of ten, twice
    ],
)
def test_how_long_a_good_release_takes(deploy: str, deployed: float, kept: float) -> None:
    """Start + lifetime + drain of the canary, then the rollout: a start, or one for each part."""
    stages = f"{CANARY}, {{kind: delete_canary}}, {{kind: deploy, {deploy}}}"
    (found,) = play(pipeline(stages), 1, bad=False)
    assert found.time_to_deploy == pytest.approx(60 + 1200 + 30 + deployed)
    if kept:
        assert found.time_to_finish == pytest.approx(60 + 1200 + 30 + deployed + kept)


def test_what_a_good_release_costs() -> None:
    """Canary and baseline for start + lifetime + drain, a second fleet for start + keeping:
    (2 x 1290 + 10 x 600) s x 2/h."""
    stages = f"{CANARY}, {{kind: delete_canary}}, {{kind: deploy, keep_old: 9m}}"
    (found,) = play(pipeline(stages), 1, bad=False)
    assert found.extra_cost == pytest.approx((2 * 1290 + 10 * 600) * 2 / 3600)
    assert found.peak_instances == 20


@pytest.mark.parametrize(
    ("canary", "share"),
    [
        ("", 1 / 12),
        ("baseline: false", 1 / 11),
        ("instances: 25%", 3 / 16),
        ("instances: 2, share: 5%", 0.05),
    ],
)
def test_a_canary_has_the_share_of_its_pods(canary: str, share: float) -> None:
    """Found 100 s after the traffic has shifted: exposed for share x 100 s."""
    stages = f"{{kind: deploy_canary, {canary}}}, {{kind: wait}}, {{kind: deploy}}"
    (found,) = play(pipeline(stages, **noticed(100)), 1)
    assert found.exposure_time == pytest.approx(share * 100)
    assert found.peak_exposure == pytest.approx(share)


class Recorder:
    """The samples that the judge was given, new and old, run by run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.new, self.old = list[np.ndarray](), list[np.ndarray]()
        original = ranked_judge.classify

        def classify(new: np.ndarray, old: np.ndarray, *more: Any) -> Classified:
            self.new.append(new)
            self.old.append(old)
            return original(new, old, *more)

        monkeypatch.setattr(ranked_judge, "classify", classify)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("interval: 5m", [5, 10, 15]),
        ("interval: 5m, delay: 7m", [5, 10, 15]),
        ("interval: 6m", [6, 12]),
        ("interval: 0s", [15]),
        ("interval: 5m, lookback: 5m", [5, 5, 5]),
        ("interval: 5m, lookback: 2m", [2, 2, 2]),
        ("interval: 5m, lookback: 8m", [5, 8, 8]),
        ("interval: 5m, lookback: 8m, delay: 7m", [8, 8, 8]),
        ("interval: 5m, step: 100s", [3, 6, 9]),
    ],
)
def test_runs_look_back_as_far_as_they_are_told(
    monkeypatch: pytest.MonkeyPatch, words: str, values: list[int]
) -> None:
    """A value each step of the window; what two runs look at is the same to both of them."""
    seen = Recorder(monkeypatch)
    stages = f"{{kind: deploy_canary}}, {{kind: canary_analysis, lifetime: 15m, {words}}}"
    rollout, _ = watched(pipeline(f"{stages}, {{kind: deploy}}", service="errors: 1%"))
    assert [len(new) for new in seen.new] == [len(old) for old in seen.old] == values
    verdicts = [entry.detail for entry in rollout.journal if entry.verb == "judge"]
    assert verdicts == ["pass"] * len(values)
    for samples in (seen.new, seen.old):
        if values[:2] == [5, 10]:
            assert samples[1][:5].tolist() == samples[0].tolist()
        if values[1:] == [8, 8]:
            assert samples[2][:3].tolist() == samples[1][5:].tolist()


def test_a_canary_that_fails_is_left_until_a_person_cleans_up() -> None:
    """Failed at the first run, start + 5 min; then a page, or ten seconds where stages follow."""
    for words, delay in (("", 900), ("on_failure: clean_up", 10)):
        scenario = pipeline(
            f"{CANARY}, {{kind: deploy}}",
            on_failure=words,
            response="page: {acknowledge: 5m, decide: 10m}, decide: 10s",
        )
        fault = Fault("errors")
        fault.fail = fault.users = 0.2
        fault.users = 1.0
        rollout, moments = watched(scenario, fault)
        assert (rollout.caught_by, rollout.detected_at) == ("judge", 60 + 300)
        assert rollout.decided_at == 360 + delay
        assert moments[-1][1:] == (10, 0, 10)


def test_nothing_to_compare_is_a_score_of_nothing() -> None:
    (found,) = play(pipeline(f"{CANARY}, {{kind: deploy}}", rate="rate: 1/d"), 1, bad=False)
    assert (found.outcome, found.caught_by) == ("false_alarm", "judge")


@pytest.mark.parametrize(("unseen", "caught"), [("94%", "judge"), ("95%", "nobody")])
def test_a_metric_of_no_weight_fails_no_canary(unseen: str, caught: str) -> None:
    stages = CANARY.replace("20m", f"20m, unseen: {unseen}")
    (found,) = play(pipeline(f"{stages}, {{kind: deploy}}"), 1)
    assert found.caught_by == caught


def power(periods: int, requests: float, usual: float, more: float) -> float:
    """P(low > estimate / 4) for the shift of n period values a side, each a share of so many
    requests: the Hodges-Lehmann estimate is normal with variance pi/3 (s1^2 + s2^2) / n (Lehmann
    1963), its interval of 98 % reaches 2.33 of its standard errors down, so that 3/4 of the
    estimate has to be above that.
    """
    bad = usual + more * (1 - usual)
    variance = (bad * (1 - bad) + usual * (1 - usual)) / requests
    error = math.sqrt(math.pi / 3 * variance / periods)
    return NormalDist().cdf((bad - usual) / error - NormalDist().inv_cdf(0.99) / 0.75)


@pytest.mark.parametrize("lookback", ["0s", "9m"])
def test_power_grows_with_the_lifetime(lookback: str) -> None:
    """300 requests a period a side, 2 % errors, 1 % more: one run after 9, 18 and 36 minutes; with
    a lookback of 9 minutes it stays what it was. Within 6 points and four standard errors: values
    are a multiple of 1/300 here, and normal in the closed form."""
    found, tries = [], 250
    for minutes in (9, 18, 36):
        stages = "{kind: deploy_canary, share: 10%}, {kind: canary_analysis, interval: 0s, "
        stages += f"lookback: {lookback}, lifetime: {minutes}m}}, {{kind: deploy}}"
        scenario = pipeline(
            stages, service="errors: {mean: 2%, cv: 0}", rate="rate: 50 rps",
            defect="{kind: errors, rate: 1%}",
        )  # fmt: skip
        caught = sum(one.caught_by == "judge" for one in play(scenario, tries)) / tries
        exact = power(minutes if lookback == "0s" else 9, 300, 0.02, 0.01)
        assert abs(caught - exact) < 0.06 + 4 * math.sqrt(exact * (1 - exact) / tries)
        found.append(caught)
    if lookback == "0s":
        assert found == sorted(found)
        assert found[2] > found[0] + 0.3


def test_gates_show_what_an_analysis_sees() -> None:
    """Every run of an analysis has its judge, a wait has none."""
    stages = CANARY.replace("{kind: canary", "{kind: wait, duration: 3m}, {kind: canary")
    scenario = pipeline(f"{stages}, {{kind: deploy}}")
    judged = [
        {trial.detector for trial in trials(scenario, "spinnaker", gate)} >= {"judge"}
        for gate in gates(scenario, "spinnaker")
    ]
    assert judged == [False, True, True, True, True, False]
    strategy = scenario.strategies["spinnaker"]
    judge = strategy.looks_at(0.1, 300)
    assert judge is not None
    assert judge.passing == pytest.approx(0.75005)
    assert strategy.looks_at(0.1, 180) is None


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("{kind: wait}", "deploys to production"),
        ("{kind: deploy}, {kind: deploy}", "deploys to production"),
        ("{kind: canary_analysis}, {kind: deploy}", "stage 1 needs a canary"),
        ("{kind: deploy_canary}, {kind: delete_canary}, {kind: delete_canary}, {kind: deploy}",
         "stage 3 needs a canary"),
        ("{kind: deploy_canary}, {kind: deploy_canary}, {kind: deploy}", "while there is one"),
        ("{kind: deploy, steps: [50%]}", "end with all"),
        ("{kind: deploy_canary}, {kind: canary_analysis, lifetime: 2d}, {kind: deploy}", "step"),
        ("{kind: deploy_canary}, {kind: canary_analysis, lifetime: 9s}, {kind: deploy}", "minute"),
        ("{kind: deploy_canary}, {kind: canary_analysis, marginal: 100%}, {kind: deploy}", "above"),
        ("{kind: deploy_canary}, {kind: canary_analysis, interval: 9s}, {kind: deploy}", "1m"),
    ],
)  # fmt: skip
def test_pipelines_that_cannot_be_are_refused(stages: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        pipeline(stages)


def test_the_judges_of_an_analysis_know_their_thresholds() -> None:
    """Before the last run anything above 75 will do; the last one has to reach 95."""
    usual, last = CanaryAnalysis(kind="canary_analysis").judges(True)
    assert (usual.passing, last.passing) == (pytest.approx(0.75005), 0.95)
    assert usual.against == last.against == "baseline"
    assert next(CanaryAnalysis(kind="canary_analysis").judges(False)).against == "old"


_FIRST = "kind: spinnaker, stages: [{kind: deploy_canary}, "
_ANALYSED = f"{_FIRST}{{kind: canary_analysis, lifetime: 20m, interval: 10m, step: 2m%s}}"
WORDS = [
    ("kind: spinnaker, stages: [{kind: deploy_canary%s}, {kind: wait}, {kind: deploy}]", key, value)
    for key, value in (("instances", "3"), ("baseline", "false"), ("share", "40%"))
] + [
    (f"{_FIRST}{{kind: wait%s}}, {{kind: deploy}}]", "duration", "20m"),
    (f"{_FIRST}{{kind: manual_judgment%s}}, {{kind: deploy}}]", "takes", "20m"),
] + [
    (f"{_ANALYSED}, {{kind: deploy}}]", key, value)
    for key, value in (
        ("delay", "5m"),
        ("interval", "0s"),
        ("lookback", "2m"),
        ("lifetime", "50m"),
        ("passing", "1%"),
        ("marginal", "1%"),
        ("step", "1m"),
        ("metrics", "[{metric: late}]"),
        ("unseen", "97%"),
    )
] + [
    (f"kind: spinnaker, stages: [{{kind: deploy{first}%s}}]", key, value)
    for first, key, value in (
        ("", "rollout", "highlander"),
        (", rollout: rolling_red_black", "steps", "[10%, 100%]"),
        (", rollout: rolling_red_black", "wait", "9m"),
        ("", "keep_old", "9m"),
        (", rollout: none", "max_surge", "100%"),
        (", rollout: none, max_surge: 1", "max_unavailable", "80%"),
    )
]  # fmt: skip


@pytest.mark.parametrize(("words", "key", "value"), WORDS)
def test_every_word_of_a_stage_matters(words: str, key: str, value: str) -> None:
    scenario = loads(BASE).with_(*PEOPLE_ONLY).with_("detection.people", "none")
    if key == "passing":
        words = words.replace("step: 2m", "marginal: 0%%, step: 2m")
    if key in ("marginal", "passing"):
        more = "metrics: [{metric: errors}, {metric: late}]"
        words = words.replace("step: 2m", f"{more}, step: 2m")
        scenario = scenario.with_("detection.alarms", "none")
    without, told = words % "", words % f", {key}: {value}"
    if key in ("lifetime", "interval", "step"):
        without = words % ""
        told = words.replace({"lifetime": "lifetime: 20m", "interval": "interval: 10m",
                              "step": "step: 2m"}[key], f"{key}: {value}") % ""  # fmt: skip
    before = scenario.with_("strategies.it", f"{{{without}}}")
    after = scenario.with_("strategies.it", f"{{{told}}}")
    assert not same(outcomes(before), outcomes(after))
