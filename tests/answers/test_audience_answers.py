"""What must come of a first step for an audience: closed forms, each derived beside it."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom

from simulator.findings.power import sights
from simulator.play.rehearsal import gates, rehearse
from simulator.play.replay import sentence
from simulator.words.reading import ScenarioError
from simulator.words.scenario import Scenario
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play

RATE, USERS, STAFF, BAD = 1000.0, 100_000, 2000, 0.02
PART = STAFF / USERS
SEEN, DECIDED, BAKE = 1800.0, 600.0, 3600.0


def first(finds: str = "100%", then: float = 0.3, **words: str) -> Scenario:
    """A canary whose first step of an hour is for 2 % of the users."""
    steps = f"{{weight: 0, audience: {STAFF} users, finds: {finds}, bake: {BAKE:g}s}}"
    given = {
        "users": f"{USERS}",
        "defect": f"{{kind: errors, rate: {100 * BAD:g}%}}",
        "strategy": f"canary: {{steps: [{steps}, {{weight: {then}, bake: {BAKE:g}s}}]}}",
        **noticed(SEEN, DECIDED),
    }
    return bare(**(given | words))


def met(seconds: float) -> float:
    """Bad requests that a user who is always on the new version expects: r p t / U."""
    return RATE * BAD * seconds / USERS


def test_harm_is_capped_to_the_audience() -> None:
    """The audience, s of the users, makes r s requests/s, of which p fail for D + R seconds:
    1 - e^(-r p (D + R)/U) of them are harmed, and nobody else whoever is sticky."""
    for traffic in ("sticky: false", "sticky: true"):
        outcomes = play(first(traffic=traffic), 40)
        length = SEEN + DECIDED
        assert near([o.failed_requests for o in outcomes], RATE * BAD * PART * length)
        harmed = PART * -math.expm1(-met(length))
        assert [o.users_harmed for o in outcomes] == pytest.approx([harmed] * 40)
        assert {o.caught_at for o in outcomes} == {"2%"}
        assert [o.exposure_time for o in outcomes] == pytest.approx([PART * length] * 40)
        assert {o.peak_exposure for o in outcomes} == {PART}


def test_a_weight_of_the_same_size_harms_others_as_well() -> None:
    """Met by chance, 2 % of the requests harm 1 - e^(-s r p t / U) of all users, here 23 times as
    many as there are in the audience."""
    rate = "{kind: errors, rate: 100%}"
    capped = play(first(defect=rate), 1)[0].users_harmed
    anybody = bare(
        users=f"{USERS}",
        defect=rate,
        strategy="canary: {steps: [{weight: 2%, bake: 1h}, {weight: 30%, bake: 1h}]}",
        **noticed(SEEN, DECIDED),
    )
    length = SEEN + DECIDED
    assert capped == pytest.approx(PART * -math.expm1(-met(length) / BAD))
    harmed = play(anybody, 1)[0].users_harmed
    assert harmed == pytest.approx(-math.expm1(-PART * met(length) / BAD))
    assert harmed > 15 * capped


def test_what_does_not_show_to_the_audience_is_met_by_the_next_step() -> None:
    """Nothing fails for an hour. Then w of the requests are on the new version: the audience, s of
    the users, with each of theirs, all others with (w - s)/(1 - s) of theirs."""
    outcomes = play(first(finds="0%"), 40)
    length, w = SEEN + DECIDED, 0.3
    assert near([o.failed_requests for o in outcomes], RATE * BAD * w * length)
    rest = (w - PART) / (1 - PART)
    harmed = PART * -math.expm1(-met(length)) + (1 - PART) * -math.expm1(-rest * met(length))
    assert [o.users_harmed for o in outcomes] == pytest.approx([harmed] * 40)
    assert {o.caught_at for o in outcomes} == {"30%"}
    assert [o.time_to_detect for o in outcomes] == pytest.approx([SEEN] * 40)
    exposed = PART * BAKE + w * length  # it is there all the time, seen or not
    assert [o.exposure_time for o in outcomes] == pytest.approx([exposed] * 40)


def test_of_all_defects_the_share_that_finds_says_shows() -> None:
    """Binomial with 60 %, which is also what is taken when it is left out; the same ones show to
    the audience of a flag that covers them."""
    count = 600
    outcomes = play(first(finds="60%"), count)
    shown = [o.caught_at == "2%" for o in outcomes]
    assert abs(sum(shown) / count - 0.6) < 4 * math.sqrt(0.24 / count)
    left_out = first().with_("strategies.canary.steps[0].finds", "none")
    assert [o.caught_at == "2%" for o in play(left_out, 50)] == shown[:50]
    steps = f"{{weight: 0, audience: {STAFF} users, bake: 1h}}, {{weight: 30%, bake: 1h}}"
    flag = first(strategy=f"feature_flag: {{covered: 100%, steps: [{steps}]}}")
    flagged = play(flag, 50)
    assert [o.caught_at == "2%" for o in flagged] == shown[:50]
    assert max(o.users_harmed for o in flagged if o.caught_at == "2%") <= PART


def test_what_a_flag_does_not_cover_does_not_wait_for_its_audience() -> None:
    """Code that is shipped to everybody fails for everybody, whoever the flag is on for."""
    steps = f"{{weight: 0, audience: {STAFF} users, finds: 0%, bake: 1h}}, {{weight: 30%}}"
    flag = first(strategy=f"feature_flag: {{covered: 0%, steps: [{steps}]}}")
    assert min(o.users_harmed for o in play(flag, 5)) > PART


def test_starts_that_crash_show_whoever_looks() -> None:
    """Health sees two failed starts in a row before anybody is served."""
    crash = first(
        finds="0%",
        defect="{kind: crash}",
        service="startup: 1m, start_failure: {probability: 0%, timeout: 5m}",
        detection="health: on",
    )
    assert {(o.caught_by, o.peak_exposure) for o in play(crash, 3)} == {("health", 0.0)}


@pytest.mark.parametrize(("fewest", "at"), [(1000, "2%"), (1500, "30%")])
def test_alarms_see_the_few_requests_that_there_are(fewest: int, at: str) -> None:
    """2 % of 1000 requests/s are 1200 a minute: enough for an alarm that asks for 1000, eight
    standard deviations too few for one that asks for 1500."""
    alarm = f"alarms: [{{above: 1%, minimum_requests: {fewest}, phase: aligned}}]"
    outcomes = play(first(detection=alarm), 20)
    assert {o.caught_at for o in outcomes} == {at}


def test_a_rehearsal_says_who_is_first_and_what_they_cannot_show() -> None:
    """72 000 requests of the audience in an hour; of all gates only theirs may hide a defect."""
    plan = rehearse(first(finds="60%"), "canary")
    said = [sentence(entry) for entry in plan.journal]
    told = "2000 users get it first; they are not representative: a defect shows to them with a"
    assert any(told in text for text in said)
    assert next(n for n in plan.requests if n) == pytest.approx(RATE * PART * BAKE)
    assert [gate.comparable for gate in gates(first(finds="60%"), "canary")][:2] == [0.6, 1.0]


@pytest.mark.parametrize("finds", ["100%", "99.99%"])
def test_a_gate_of_an_audience_hears_of_no_more_users_than_it_has(finds: str) -> None:
    """Of 2000 users 1 % report: 30 reports come with P(Binomial(2000, 1 %) >= 30) = 2.2 %, and not
    as from 2 % of the requests of all users, who would be 100 000."""
    scenario = first(finds=finds, defect="{kind: errors, rate: 60%}").with_(
        "detection", {"people": {"report_rate": "1%", "needed": 30, "delay": "0s", "triage": "0s"}}
    )
    sight = sights(scenario, "canary", replications=100, fewest=100)[0]
    assert sight.gate.audience
    assert sight.power.value is not None
    assert sight.power.value <= float(binom.sf(29, STAFF, 0.01)) + 4 * math.sqrt(0.022 / 100)


_WEIGHTS = "{weight: 30%, bake: 1h}"


@pytest.mark.parametrize(
    ("steps", "remedy"),
    [
        ("{weight: 5%, audience: 500 users}, {weight: 30%}", "write weight: 0, and the weight"),
        ("{weight: 0, finds: 60%}, {weight: 30%}", "finds needs an audience: add"),
        ("{weight: 0}, {weight: 30%, bake: 1h}, {weight: 0, audience: 5}", "weights must rise"),
        ("{weight: 0, audience: 40k users}, {weight: 30%}", "raise that weight, or lower the aud"),
        ("{weight: 0, audience: 100k users}", r"the audience is everybody \(100000 users\): lower"),
        ("{weight: 0, audience: 5 people}, {weight: 30%}", "'5 people' is not a whole number"),
    ],
)
def test_an_audience_that_cannot_be_is_refused(steps: str, remedy: str) -> None:
    with pytest.raises(ScenarioError, match=remedy):
        first(strategy=f"canary: {{steps: [{steps}]}}")


def test_a_flag_has_its_audience_first() -> None:
    steps = "[{weight: 5%}, {weight: 0, audience: 500 users}]"
    with pytest.raises(ScenarioError, match="let it be the first step"):
        first(strategy=f"feature_flag: {{steps: {steps}}}")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("router.dns", "{ttl: 1m}"),
        ("router.cache with shared: true", "{hits: 50%, ttl: 1m, shared: true}"),
        ("traffic.connections", "{mean: 1h}"),
        ("traffic.retries", "1"),
    ],
)
def test_what_nobody_has_modelled_is_refused(path: str, value: str) -> None:
    message = f"a step for an audience and {path} are not simulated together"
    with pytest.raises(ScenarioError, match=message):
        first().with_(path.split()[0], value)


def test_an_audience_is_no_part_of_a_wave() -> None:
    steps = f"[{{weight: 0, audience: 500 users}}, {_WEIGHTS}]"
    with pytest.raises(ScenarioError, match="within: an audience is no part of another strategy"):
        first(strategy=f"phased: {{within: {{kind: canary, steps: {steps}}}}}")
