"""What must come of versions that nothing takes back: closed forms, each derived beside it."""

from __future__ import annotations

import math

import pytest

from simulator.play.fault import draw
from simulator.play.luck import Luck
from simulator.play.rehearsal import gates, prepare, rehearse
from simulator.play.replay import sentence
from simulator.play.replication import run
from simulator.words.reading import ScenarioError, loads
from simulator.words.scenario import Scenario
from tests.answers.comparing import near
from tests.play.playing import play

HOUR, DAY = 3600.0, 86_400.0
RATE, USERS, BAD = 10.0, 20_000, 0.02
MEAN, SEEN, DECIDED, FIX = 12 * HOUR, 30 * HOUR, 6 * HOUR, 2 * DAY
NOISY = {
    "detection": "{alarms: [{watch: old, above: 1%, period: 1h, phase: aligned}]}",
    "service": "{elastic: true, errors: 3%}",
}
STORE = "{kind: phased, recall: none, adoption: 12h, waves: [40%, 60%], bake: 4d}"
WEB = "{kind: phased, waves: [40%, 60%], bake: 4d}"
APP = f"""
version: 1
profile: bare
service: {{elastic: true}}
traffic: {{rate: {RATE:g} rps, users: {USERS}}}
change: {{defects: [{{kind: errors, rate: {100 * BAD:g}%}}]}}
detection: {{noticed: {{after: {SEEN:g}s}}}}
response: {{page: {{acknowledge: 0s, decide: {DECIDED:g}s}}, fix: {FIX:g}s, retry: 5h}}
strategies: {{it: {STORE}}}
"""


def app(**changes: str) -> Scenario:
    """The app, with other keys."""
    return loads(APP).with_all({key.replace("__", "."): value for key, value in changes.items()})


def grown(offered: float, seconds: float) -> float:
    """The share that has installed what a share was offered so long ago."""
    return offered * -math.expm1(-seconds / MEAN)


def area(offered: float, seconds: float) -> float:
    """The integral of that share, seconds: offered x (t - m (1 - e^(-t/m)))."""
    return offered * (seconds - MEAN * -math.expm1(-seconds / MEAN))


def test_harm_after_the_decision_is_that_of_the_fix_and_of_the_tail() -> None:
    """w have it at the decision and keep it until the fix; then w e^(-x/m) still have it, m w in
    all: rate x p x w x (fix + m) beside what came before."""
    outcomes = play(app(), 60)
    stop = SEEN + DECIDED
    after = grown(0.4, stop) * (FIX + MEAN)
    exposure = area(0.4, stop) + after
    assert [o.exposure_time for o in outcomes] == pytest.approx([exposure] * 60, rel=1e-6)
    expected = RATE * BAD * exposure
    assert [o.expected_failed_requests for o in outcomes] == pytest.approx([expected] * 60)
    assert near([o.failed_requests for o in outcomes], expected)
    assert outcomes[0].peak_exposure == pytest.approx(grown(0.4, stop))


def test_times_are_those_of_the_fix_and_its_adoption() -> None:
    """90 % are back after fix + m ln 10, a hundredth of the harm is left after fix + m ln 100, a
    thousandth of the traffic after fix + m ln (1000 w); the repaired version is offered to all, and
    999 of 1000 have it after fix + m ln 1000."""
    (outcome,) = play(app(), 1)
    stop = SEEN + DECIDED
    kept = grown(0.4, stop)
    assert outcome.outcome == "rolled_back"
    assert outcome.time_to_detect == pytest.approx(SEEN)
    assert outcome.rollback_90 == pytest.approx(FIX + MEAN * math.log(10), rel=1e-6)
    assert outcome.rollback_time == pytest.approx(FIX + MEAN * math.log(1000 * kept), rel=1e-6)
    mitigated = DECIDED + FIX + MEAN * math.log(100)
    assert outcome.time_to_mitigate == pytest.approx(mitigated, rel=1e-6)
    assert outcome.time_to_recover == pytest.approx(SEEN + mitigated, rel=1e-6)
    assert outcome.time_to_value == pytest.approx(stop + FIX + MEAN * math.log(1000), rel=1e-6)
    assert outcome.unresolved == 0.0


def harmed(
    offers: dict[float, float], stop: float, each: float, fix: float = FIX, mean: float = MEAN
) -> float:
    """The share of users with a bad request, of whom each has `each` a second on the version.

    Of what is offered to a share a of them at the moment t, a/m e^(-(s - t)/m) ds install it at s
    and have it for stop - s + fix and an exponential time of mean m more, so that
    e^(-each (stop - s + fix))/(1 + each m) of them are spared. With T = stop - t the integral over
    s in (t, stop) is a (1 - e^(-T/m)) - a e^(-each fix) (e^(-T/m) - e^(-each T))/((each m)^2 - 1).
    """
    total, h = 0.0, each * mean
    for begins, share in offers.items():
        grew, met = math.exp(-(stop - begins) / mean), math.exp(-each * (stop - begins))
        total += share * (1 - grew - math.exp(-each * fix) * (grew - met) / (h * h - 1))
    return total


def test_users_harmed_are_those_who_had_it() -> None:
    """Each has it until the fix and an exponential time of his own more, whenever he installed it;
    with rate / users x p bad requests a second."""
    (outcome,) = play(app(), 1)
    exact = harmed({0.0: 0.4}, SEEN + DECIDED, RATE * BAD / USERS)
    assert outcome.users_harmed == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize(
    ("bad", "retries", "seen", "fix"),
    [
        (0.2, 0, 600.0, 0.0),
        (0.2, 1, 600.0, 0.0),
        (0.005, 0, 600.0, 0.0),
        (0.001, 0, 4 * HOUR, 2 * DAY),
        (0.0005, 0, 20 * HOUR, HOUR),
        (0.0005, 0, 3.3 * DAY, 2 * DAY),
    ],
)
def test_few_who_have_it_are_followed_until_they_are_rid_of_it(
    bad: float, retries: int, seen: float, fix: float
) -> None:
    """Of 1 %, then everybody, who installs it in a day: between 0.007 % and 97 % have it at the
    decision, w. Harm is rate x p x (area + w (fix + m)) however small w is, and a user who has it
    meets rate / users x p a second, p = bad^(retries + 1). 90 % of those who had it are rid of it
    after fix + m ln 10, and a hundredth of the harm is left after fix + m ln 100, however few they
    are; all is as before after fix + m ln(1000 w), but no earlier than 90 % are."""
    scenario = app(
        traffic=f"{{rate: 500 rps, users: 50k, retries: {retries}}}",
        change=f"{{defects: [{{kind: errors, rate: {100 * bad:g}%}}]}}",
        detection=f"{{noticed: {{after: {seen:g}s}}}}",
        response=f"{{fix: {fix:g}s}}",
        strategies__it="{kind: phased, recall: none, waves: [1%, 99%], bake: 1d, adoption: 1d}",
    )
    (outcome,) = play(scenario, 1)
    offers = {when: share for when, share in ((0.0, 0.01), (DAY, 0.99)) if when < seen}
    had = sum(share * -math.expm1(-(seen - when) / DAY) for when, share in offers.items())
    area = sum(share * (seen - when) for when, share in offers.items()) - DAY * had
    met = 500.0 * bad ** (retries + 1)
    assert outcome.expected_failed_requests == pytest.approx(met * (area + had * (fix + DAY)))
    exact = harmed(offers, seen, met / 50_000, fix, DAY)
    assert outcome.users_harmed == pytest.approx(exact, rel=5e-3)
    assert outcome.rollback_90 == pytest.approx(fix + DAY * math.log(10), rel=1e-6)
    back = max(math.log(1000 * had), math.log(10))
    assert outcome.rollback_time == pytest.approx(fix + DAY * back, rel=1e-6)
    assert outcome.time_to_mitigate == pytest.approx(fix + DAY * math.log(100), rel=1e-6)


def test_a_defect_of_some_users_harms_some_of_those_who_had_it() -> None:
    """A quarter of the users meet it, each as often as any user of a defect that all meet."""
    some = app(change=f"{{defects: [{{kind: errors, rate: {100 * BAD:g}%, users: 25%}}]}}")
    (outcome,) = play(some, 1)
    exact = harmed({0.0: 0.4}, SEEN + DECIDED, RATE * BAD / USERS)
    assert outcome.users_harmed == pytest.approx(exact / 4, rel=2e-3)


def test_what_can_be_recalled_harms_less() -> None:
    """The same waves, moved and taken back by a weight: at most 0.4 x rate x p x (D + R); what
    cannot be taken back harms 1.6 times as much although it grows more slowly."""
    kept, recalled = play(app(), 40), play(app(strategies__it=WEB), 40)
    mean = [sum(o.failed_requests for o in one) / 40 for one in (kept, recalled)]
    assert near([o.failed_requests for o in recalled], RATE * BAD * 0.4 * (SEEN + DECIDED))
    assert mean[0] > 1.5 * mean[1]
    assert recalled[0].rollback_90 == 0.0


def test_a_good_release_that_is_stopped_waits_for_its_next_try() -> None:
    """Errors of its surroundings stop it after 5 h, 5 of 5 aligned hours; the next try comes after
    `retry` and is offered in waves again: 5 h + 5 h + 4 d + 4 d."""
    noisy = app(
        detection="{alarms: [{above: 1%, period: 1h, datapoints: 5 of 5, phase: aligned}]}",
        service="{elastic: true, errors: 3%}",
    )
    outcome = play(noisy, 1, bad=False)[0]
    assert outcome.outcome == "false_alarm"
    assert outcome.time_to_value == pytest.approx(2 * 5 * HOUR + 8 * DAY)
    assert outcome.rollback_90 == pytest.approx(5 * HOUR + MEAN * math.log(10), rel=1e-6)
    assert outcome.failed_requests == 0


def test_what_is_found_before_anybody_has_it_waits_for_no_replacement() -> None:
    """The first wave waits from Tuesday 20:00 to 9:00; an alarm stops it at 21:00, nobody has it,
    and the next try comes 5 h later, at 2:00, in waves of 4 d: it waits for no hour."""
    waiting = app(
        traffic=f'{{rate: 10 rps, users: {USERS}, start_at: "Tue 20:00"}}',
        strategies__it__only_in="work",
        **NOISY,
    )
    outcome = play(waiting, 1, bad=False)[0]
    assert (outcome.outcome, outcome.peak_exposure) == ("false_alarm", 0.0)
    assert (outcome.rollback_90, outcome.rollback_time) == (0.0, 0.0)
    assert outcome.time_to_value == pytest.approx(HOUR + 5 * HOUR + 8 * DAY)


@pytest.mark.parametrize("hour", [0.5, 20, 95.5, 97, 150, 191])
def test_after_the_decision_the_weight_never_rises(hour: float) -> None:
    """Stopped at any moment: it stays where it is, then falls below a thousandth."""
    scenario = app(detection=f"{{noticed: {{after: {hour * HOUR:g}s}}}}")
    plan, luck = prepare(scenario, "it"), Luck(3)
    rollout = run(plan, luck, draw(scenario.change.defects[0], luck), track=True)
    course = [row for row in rollout.counts.track or [] if row[0] >= rollout.decided_at]
    weights = [row[2] for row in course]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == pytest.approx(rollout.weight_to_undo)
    assert rollout.weight() <= 0.001 + 1e-9
    assert rollout.ended


def test_a_rehearsal_counts_who_has_installed_it() -> None:
    """Of the 40 % that are offered it for 4 d, the requests of area(0.4, 4 d)."""
    plan = rehearse(app(), "it")
    said = sentence(plan.journal[0])
    assert said == "users install it in 12 h on average; nothing takes it back"
    seen = [requests for requests in plan.requests if requests is not None]
    assert seen[0] == pytest.approx(RATE * area(0.4, 4 * DAY))
    assert gates(app(), "it")[0].weight == pytest.approx(area(0.4, 4 * DAY) / (4 * DAY))
    assert any("nothing takes this version back" in note for note in app().notes)
    assert not any("nothing takes" in note for note in app(strategies__it=WEB).notes)


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"service": "{instances: 4}"}, r"write service: \{elastic: true\}"),
        ({"strategies.it": "{kind: phased, adoption: 1d}"}, "adoption needs recall: none; add it"),
        (
            {"strategies.it": "{kind: phased, recall: none, within: {kind: canary}}"},
            "remove within",
        ),
        ({"strategies.it": "{kind: phased, recall: none, by: zones}"}, "remove by"),
        (
            {"strategies.it": f"{{kind: shadow, then: {STORE}}}"},
            "then: recall: none is no part of another strategy: write it by itself",
        ),
        ({"traffic.connections": "{mean: 1h}"}, "recall: none and traffic.connections are not"),
        ({"router.dns": "{ttl: 1m}"}, "recall: none and router.dns are not simulated together"),
        ({"router.cache": "{hits: 50%, ttl: 1m}"}, "recall: none and router.cache are not"),
        ({"change.replication_lag": "5s"}, "recall: none and change.replication_lag are not"),
        ({"failures.slip": "1%"}, "recall: none and failures.slip are not simulated together"),
        (
            {"change.schema": "{coupled: {order: together, migrate: 1m, writes_blocked: 0s}}"},
            "recall: none and change.schema: coupled are not simulated together",
        ),
    ],
)
def test_what_nobody_has_modelled_is_refused(changes: dict[str, str], remedy: str) -> None:
    with pytest.raises(ScenarioError, match=remedy):
        loads(APP).with_all(changes)
