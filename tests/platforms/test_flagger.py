"""Flagger's canaries: times, weights and chances against closed forms and the rules."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.findings.power import sights
from simulator.platforms.flagger import rules
from simulator.platforms.flagger.release import Flagger
from simulator.play.fault import Fault
from simulator.play.luck import Luck, Purpose
from simulator.play.rehearsal import rehearse
from simulator.play.rollout import Rollout
from simulator.words.problems import ScenarioError
from simulator.words.scenario import Scenario
from tests.answers.comparing import noticed
from tests.platforms.test_kubernetes import by_the_rules, crash
from tests.platforms.watching import watched
from tests.play.playing import bare, play

CANARY = "interval: 15s, max_weight: 50%, step_weight: 10%"
SERVICE = "startup: 50s, drain: 20s, cost: 1/h"


def flagger(words: str, **more: str | int) -> Scenario:
    given: dict[str, str | int] = {"service": SERVICE, **more}
    return bare(strategy=f"flagger: {{{words}}}", **given)


def entries(rollout: Rollout, verb: str) -> list[tuple[float, object]]:
    return [(entry.time, entry.detail) for entry in rollout.journal if entry.verb == verb]


def settings(scenario: Scenario) -> Flagger:
    (strategy,) = scenario.strategies.values()
    assert isinstance(strategy, Flagger)
    return strategy


# A good release ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "every"),
    [
        (CANARY, 15),
        ("interval: 20s, max_weight: 50%, step_weight: 20%", 20),
        ("interval: 30s, step_weights: [1%, 5%, 40%]", 30),
        ("interval: 1m, iterations: 4, match: 20%", 60),
        ("interval: 15s, iterations: 3, mirror: 100%", 15),
        ("interval: 3s, max_weight: 30%, step_weight: 10%", 10),
        ("interval: 15s, max_weight: 30%, step_weight: 10%, mirror: 50%", 15),
        ("interval: 15s, iterations: 3, provider: kubernetes, load_test: 20 rps", 15),
    ],
)
def test_a_good_release_takes_its_ticks_and_a_rolling_update(words: str, every: float) -> None:
    """The first tick after the canary is ready, a tick for each check, and 10 pods 3 above and 2
    below, 50 s each: all five at once, so 100 s. The next tick leaves the canary, one more ends
    it."""
    scenario = flagger(words)
    (found,) = play(scenario, 1, bad=False)
    first = every * (math.floor(50 / every) + 1)
    copied = first + rules.least_time(settings(scenario).analysis, every)
    assert found.time_to_deploy == copied + 100
    back = every * (math.floor((copied + 100) / every) + 1)
    assert found.time_to_finish == back + every + 20
    assert found.failed_requests == 0


def test_the_canary_costs_a_fleet_until_it_has_drained() -> None:
    """10 canaries from the start, and each pod of the primary twice for a start and a drain, but
    for the two that go at once: those are held for their drain alone, while two others start."""
    scenario = flagger(f"{CANARY}, max_surge: 100%, max_unavailable: 0")
    (found,) = play(scenario, 1, bad=False)
    copied = 60 + 5 * 15
    canaries = copied + 50 + (15 - (copied + 50) % 15) + 15 + 20
    assert found.extra_cost == pytest.approx(10 * (canaries + 50 + 20) / 3600)
    assert found.peak_instances == 30


def test_stops_that_are_not_graceful_lose_what_the_primary_still_serves() -> None:
    """2 s of the half that is not sent to the canary, pod by pod; the canary stops when nobody is
    sent to it."""
    words = {"service": f"{SERVICE}, ungraceful: 2s"}
    (found,) = play(
        flagger(f"{CANARY}, max_surge: 100%, max_unavailable: 0", **words), 1, bad=False
    )
    assert found.expected_failed_requests == pytest.approx(1000 * 0.5 * 2)


def test_traffic_that_goes_back_in_steps_takes_a_tick_each() -> None:
    one, two = (
        play(flagger(f"{CANARY}, step_weight_promotion: {step}"), 1, bad=False)[0]
        for step in ("0%", "20%")
    )
    assert one.time_to_deploy == two.time_to_deploy
    assert two.time_to_finish - one.time_to_finish == 2 * 15  # 50 %, 30 %, 10 %: three ticks


def test_without_analysis_it_is_a_rolling_update_after_the_canary_has_started() -> None:
    """The canary goes at once, before anybody has seen it."""
    rollout, moments = watched(flagger("interval: 15s, skip_analysis: true"))
    assert rollout.full_at == 60 + 100
    assert [m.new for m in moments if m.time == 60] == [0]
    assert not entries(rollout, "bake")


def test_the_primary_becomes_new_pod_by_pod_behind_the_canary() -> None:
    """The canary keeps its 50 %; of the rest as much is new as pods of the primary are."""
    scenario = flagger(
        CANARY,
        instances=9,
        service="startup: {exponential: {mean: 60s}}, drain: 30s, start_failure: {timeout: 9h}",
    )
    weights = list[tuple[float, float]]()

    def look(rollout: Rollout) -> None:
        for second in range(4000):
            rollout.at(second, lambda: weights.append((rollout.env.now, rollout.weight())))

    rollout, _ = watched(scenario, seed=3, then=look)
    law, luck = rollout.plan.start_law(), Luck(3)
    starts = [law.one(luck.uniform(Purpose.START, 9 + k)) for k in range(9)]
    ((copied, _),) = entries(rollout, "roll")
    steps = by_the_rules(9, rules_of(9), starts, 0)
    for (time, old, new), (until, _, _) in zip(steps, [*steps[1:], (9e9, 0, 0)], strict=True):
        inside = [w for at, w in weights if copied + time < at < copied + until]
        assert all(w == pytest.approx(0.5 + 0.5 * new / (old + new)) for w in inside)
    assert entries(rollout, "rolled") == [(copied + steps[-1][0], 1)]


def rules_of(size: int):  # type: ignore[no-untyped-def]
    from simulator.words.limits import fenceposts
    from simulator.words.units import Portion

    return fenceposts(Portion.parse("25%"), Portion.parse("25%"), size)


def test_a_large_primary_rolls_along_its_mean_course() -> None:
    """1000 pods, 250 above and 250 below, one minute each: two rounds of 500."""
    service = "startup: {normal: {mean: 60s, sd: 1s}}, drain: 0s"
    (found,) = play(flagger(CANARY, instances=1000, service=service), 1, bad=False)
    first = 15 * (math.floor(63 / 15) + 1)
    assert found.time_to_deploy == pytest.approx(first + 75 + 120, abs=5)
    assert found.peak_instances == 2250


def test_a_person_confirms_before_it_begins_and_before_it_is_promoted() -> None:
    """100 s, then a start: the tick after is at 165 s; asked at 240 s, told at 1240 s, and the
    next good check, at 1245 s, promotes."""
    words = f"{CANARY}, confirm_rollout: 100s, confirm_promotion: 1000s"
    rollout, _ = watched(flagger(words))
    assert entries(rollout, "shift")[0] == (165, 0.1)
    assert entries(rollout, "ask for approval") == [(0, 100), (240, 1000)]
    assert entries(rollout, "roll")[0][0] == 1245


# A bad one -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("threshold", "every"), [(1, 15), (5, 15), (10, 60)])
def test_a_canary_whose_checks_all_fail_stays_one_interval_longer(
    threshold: int, every: int
) -> None:
    """20 % errors at the first weight: interval x (threshold + 1), documented without the 1."""
    words = f"interval: {every}s, threshold: {threshold}, max_weight: 50%, step_weight: 5%"
    (found,) = play(flagger(words), 1)
    stays = rules.rollback_time(Flagger(threshold=threshold).analysis, every)
    assert found.outcome == "rolled_back"
    assert found.caught_by == "failed checks"
    assert found.time_to_detect == stays == every * (threshold + 1)
    assert found.exposure_time == pytest.approx(0.05 * stays)
    assert found.peak_exposure == 0.05


def test_a_bad_start_of_the_window_fails_later_checks() -> None:
    """A defect that shows above 40 % of the fleet's load at weights 10, 30, 50: found in checks
    that look back for a minute."""
    words = "interval: 15s, threshold: 2, max_weight: 90%, step_weight: 20%"
    scenario = flagger(words, defect="{kind: load, threshold: 50%, rate: 30%}", service=CAPACITY)
    (found,) = play(scenario, 1)
    assert found.caught_by == "failed checks"
    assert found.peak_exposure == pytest.approx(0.6)


CAPACITY = "startup: 50s, utilisation: 100%"


def test_a_hook_before_the_rollout_fails_as_often_as_it_takes() -> None:
    """Three checks fail, the next tick gives up; no user has met anything."""
    rollout, moments = watched(flagger(f"{CANARY}, threshold: 3, pre_rollout: 100%"), bad())
    assert rollout.caught_by == "failed checks"
    assert rollout.detected_at == 60 + 3 * 15
    assert rollout.counts.expected == 0
    assert moments[-1][1:] == (10, 0, 10)


def bad(share: float = 0.2) -> Fault:
    """A version of whose requests so many fail."""
    fault = Fault("errors")
    fault.fail = share
    return fault


def test_hooks_find_their_share() -> None:
    outcomes = play(flagger(f"{CANARY}, threshold: 50, pre_rollout: 30%, metrics: []"), 200)
    found = np.mean([o.expected_failed_requests == 0 for o in outcomes])
    assert abs(found - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 200)


def test_a_canary_that_does_not_start_is_given_up_by_itself() -> None:
    """At the first tick after the deadline, although somebody else would have been paged."""
    scenario = flagger(
        f"{CANARY}, progress_deadline: 100s",
        service="startup: 50s, start_failure: {timeout: 40s}",
        response="page: {acknowledge: 5m, decide: 10m}",
    )
    rollout, moments = watched(scenario, crash())
    assert rollout.caught_by == "progress deadline"
    assert rollout.detected_at == rollout.decided_at == 105
    assert moments[-1][1:] == (10, 0, 10)


@pytest.mark.parametrize(("after", "back"), [(20, 0), (100, 50), (150, 100), (3000, 100)])
def test_the_way_back(after: int, back: int) -> None:
    """While it is analysed all traffic is back at once. The primary rolls from 135 s on: at 160 s
    it lacks two old pods, which start at once; at 210 s it lacks seven, which takes two rounds, as
    for one that was promoted."""
    words = f"{CANARY}, metrics: []"
    (found,) = play(flagger(words, **noticed(after)), 1)
    assert found.rollback_time == back


def test_a_release_that_is_found_late_needs_no_canary_to_go_back() -> None:
    rollout, moments = watched(flagger(f"{CANARY}, metrics: []", **noticed(3000)), bad())
    assert rollout.router.weight == 1
    assert moments[-1][1:3] == (10, 0)
    assert min(m.serving for m in moments if m.time > 3000) == 8


# What checks see -----------------------------------------------------------------------------


def poisson(mean: float, most: int) -> list[float]:
    """The law of a Poisson number up to `most`."""
    chances = [math.exp(-mean)]
    for k in range(1, most + 1):
        chances.append(chances[-1] * mean / k)
    return chances


@pytest.mark.parametrize(("share", "rate"), [(0.01, 20), (0.012, 8)])
def test_chance_of_a_failed_check_without_overlap(share: float, rate: int) -> None:
    """One failed check is too many, each looks at its own interval: bad and good requests are
    independent Poisson numbers, and k bad ones fail more than 2 % unless 49 k are good."""
    words = (
        "interval: 30s, max_weight: 60%, step_weight: 20%, "
        "metrics: [{metric: errors, above: 2%, window: 30s}]"
    )
    scenario = flagger(words, rate=f"rate: {rate} rps", defect=f"{{kind: errors, rate: {share}}}")
    passes = 1.0
    for weight in (0.2, 0.4, 0.6):
        mean = rate * 30 * weight
        good = np.cumsum(poisson(mean * (1 - share), int(mean + 20 * math.sqrt(mean))))
        chance = 0.0
        for k, p in enumerate(poisson(mean * share, 60)):
            needed = max(49 * k, 1)
            chance += p * (1 - good[needed - 1] if needed <= len(good) else 0.0)
        passes *= chance
    tries = 300
    found = sum(o.caught_by == "failed checks" for o in play(scenario, tries)) / tries
    assert 0.1 < passes < 0.9
    assert abs(found - (1 - passes)) < 4 * math.sqrt(passes * (1 - passes) / tries)


def test_what_a_step_sees_is_what_its_own_checks_find() -> None:
    """The same chance at one step alone: 10 requests/s of 50 for half a minute, 1.5 % of them bad,
    against a limit of 1 %: k bad ones fail unless 99 k are good."""
    words = "interval: 30s, max_weight: 20%, step_weight: 20%, metrics: [{above: 1%, window: 30s}]"
    scenario = flagger(words, rate="rate: 50 rps", defect="{kind: errors, rate: 1.5%}")
    good = np.cumsum(poisson(300 * 0.985, 500))
    exact = sum(
        p * (good[99 * k - 1] if k < 6 else 1.0) for k, p in enumerate(poisson(4.5, 60)) if k
    )
    tries = 300
    found = {s.detector: s for s in sights(scenario, "flagger", 1, tries) if s.gate.phase == "20%"}
    for detector in ("all", "failed checks"):
        seen = found[detector].power.value
        assert abs(seen - exact) < 4 * math.sqrt(exact * (1 - exact) / tries)
        assert found[detector].median == 2 * 30


def rolled_back(rate: float, share: float, threshold: int, tries: int, seed: int) -> float:
    """How often overlapping windows of four ticks fail too many checks, drawn anew by hand."""
    generator = np.random.default_rng(seed)
    found = 0
    for _ in range(tries):
        weight, failed = 10, 0
        bads, goods = [0, 0, 0], [0, 0, 0]
        while weight <= 50:
            bads.append(generator.poisson(15 * rate * weight / 100 * share))
            goods.append(generator.poisson(15 * rate * weight / 100 * (1 - share)))
            if failed == threshold:
                found += 1
                break
            bad_ones, every = sum(bads[-4:]), sum(bads[-4:]) + sum(goods[-4:])
            if every == 0 or bad_ones / every > 0.01:
                failed += 1
            else:
                weight += 10
    return found / tries


@pytest.mark.parametrize(("rate", "share", "threshold"), [(10, 0.008, 5), (40, 0.01, 8)])
def test_chance_of_a_rollback_with_overlapping_windows(
    rate: int, share: float, threshold: int
) -> None:
    """Windows of a minute every 15 s: a bad tick fails four checks. Held against a simulation of
    its own, both within their errors."""
    words = f"{CANARY}, threshold: {threshold}, metrics: [{{above: 1%, window: 1m}}]"
    scenario = flagger(words, rate=f"rate: {rate} rps", defect=f"{{kind: errors, rate: {share}}}")
    tries, own = 300, 4000
    found = sum(o.caught_by == "failed checks" for o in play(scenario, tries)) / tries
    exact = rolled_back(rate, share, threshold, own, 8)
    assert 0.1 < exact < 0.9
    assert abs(found - exact) < 4 * math.sqrt(exact * (1 - exact) * (1 / tries + 1 / own))


def test_a_quiet_service_has_no_values_to_check() -> None:
    """0.1 requests/s, half of them in 15 s: no check sees one in e^-0.75, and no data fails."""
    words = "interval: 15s, max_weight: 50%, step_weight: 50%, metrics: [{window: 15s}]"
    quiet = flagger(words, rate="rate: 0.1 rps", users="1000")
    empty = math.exp(-0.1 * 15 * 0.5)
    tries = 300
    found = sum(o.outcome == "false_alarm" for o in play(quiet, tries, bad=False)) / tries
    assert abs(found - empty) < 4 * math.sqrt(empty * (1 - empty) / tries)
    (lenient,) = play(flagger(f"{words}, no_data: pass", rate="rate: 0.1 rps"), 1, bad=False)
    assert lenient.outcome == "deployed"


def test_a_load_test_is_checked_too_and_hurts_nobody() -> None:
    """Blue/green: users see nothing of it until everybody does; 20 requests/s show 20 % errors."""
    words = "interval: 15s, iterations: 5, load_test: 20 rps, threshold: 2"
    (good,) = play(flagger(words, rate="rate: 5 rps"), 1, bad=False)
    assert good.outcome == "deployed"
    (found,) = play(flagger(words, rate="rate: 5 rps"), 1)
    assert found.caught_by == "failed checks"
    assert found.failed_requests == found.exposure_time == 0


def test_a_load_test_that_shows_nothing_hides_what_users_meet() -> None:
    """Five of 100 users' requests/s reach the canary beside 20 of the test: 4 % errors of theirs
    are 0.8 % of what is checked. A minute has k errors and g good ones of theirs, independent
    Poisson numbers with 12 and 288, and fails 1 % if 99 k - 1200 > g; where the test shows it, too,
    there are 60 and it always fails."""
    words = "interval: 1m, max_weight: 5%, step_weight: 5%, load_test: 20 rps, load_test_shows: 40%"
    good = np.cumsum(poisson(288, 500))
    misses = sum(
        p * good[min(99 * k - 1201, 500)]
        for k, p in enumerate(poisson(12, 60))
        if 99 * k - 1200 > 0
    )
    exact, tries = 0.4 + 0.6 * misses, 300
    scenario = flagger(words, rate="rate: 100 rps", defect="{kind: errors, rate: 4%}")
    found = np.mean([o.caught_by == "failed checks" for o in play(scenario, tries)])
    assert abs(found - exact) < 4 * math.sqrt(exact * (1 - exact) / tries)


def test_blue_green_without_any_requests_is_always_rolled_back() -> None:
    words = "interval: 15s, iterations: 5"
    (reason,) = rehearse(flagger(words), "flagger").reasons
    assert reason.startswith("blue/green sends its canary 0 requests")
    (found,) = play(flagger(words), 1, bad=False)
    assert (found.outcome, found.caught_by) == ("false_alarm", "failed checks")
    for more in ("metrics: []", "mirror: 10%", "load_test: 1 rps", "no_data: pass"):
        assert rehearse(flagger(f"{words}, {more}"), "flagger").suitable


def test_an_ab_test_shows_it_to_those_who_match_and_no_others() -> None:
    """20 % match; 30 min of checks and no verdict harm 20 % of the users, who stay on it."""
    words = "interval: 1m, iterations: 30, match: 20%, metrics: [], step_weight_promotion: 50%"
    scenario = flagger(words, users="20k", defect="{kind: errors, rate: 50%}", **noticed(1700))
    (found,) = play(scenario, 1)
    assert found.users_harmed == pytest.approx(0.2, rel=0.02)
    assert found.exposure_time == pytest.approx(0.2 * 1700)


def test_a_cookie_keeps_users_on_the_canary() -> None:
    words = {"users": "1000", **noticed(25)}
    loose, kept = (
        play(flagger(f"{CANARY}, metrics: [], session_affinity: {x}", **words), 1)[0]
        for x in ("false", "true")
    )
    assert kept.users_harmed < loose.users_harmed


# What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "{step_weight: 0%}",
        "{step_weights: [10%, 10%]}",
        "{step_weights: [20%, 5%]}",
        "{match: 5%}",
        "{step_weight: 0.1%}",
        "{threshold: 0}",
        "{iterations: -1}",
    ],
)
def test_what_would_never_move_is_refused(words: str) -> None:
    with pytest.raises(ScenarioError):
        bare(strategy=f"flagger: {words}")
