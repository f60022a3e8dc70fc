"""What long connections, retries, overload and queues must come to. Seeds fixed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import simulator as ds
from simulator.decide.advice import Options, compare
from simulator.play.backlog import Backlog
from simulator.play.course import Answers, Asking, AtOnce, Registering
from simulator.play.fault import draw
from simulator.play.fleet import NEW, Fleet
from simulator.play.kept import Fading, Kept
from simulator.play.luck import Luck
from simulator.play.plan import Plan
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate, run
from simulator.play.router import Router
from simulator.play.situation import Situation
from simulator.play.stretch import Stretch
from simulator.report.headlines import overload, verdict
from simulator.words.problems import ScenarioError
from simulator.words.router import Dns
from simulator.words.scenario import Scenario
from tests.answers.comparing import given, near, noticed
from tests.contracts.forms import CASES, INTERRUPTED, SERVICE
from tests.play.playing import bare, play

HALF_HOUR = {"traffic.connections": "{mean: 30m}"}
MEAN = 1800.0
BLUE_GREEN = "blue_green: {smoke: none, keep_old: 12h}"
# An audience is known user by user: neither who is connected nor whose message is pulled is.
ALIKE = [case for case in CASES if "audience" not in case[1]]


def test_connections_leave_the_old_version_as_they_end() -> None:
    """x seconds after a cut-over e^(-x/mean) are still on blue: seen after D the new version has w
    = 1 - e^(-D/mean). Going back w e^(-x/mean) are left, cut when green has drained: exposure D -
    mean w + w mean (1 - e^(-drain/mean))."""
    scenario = given(HALF_HOUR, service="drain: 300s", strategy=BLUE_GREEN, **noticed(900))
    outcomes = play(scenario, 12)
    w = -math.expm1(-900 / MEAN)
    exact = 900 - MEAN * w + w * MEAN * -math.expm1(-300 / MEAN)
    assert outcomes[0].exposure_when_caught == pytest.approx(w)
    assert outcomes[0].peak_exposure == pytest.approx(w)
    assert outcomes[0].exposure_time == pytest.approx(exact)
    assert outcomes[0].rollback_time == outcomes[0].rollback_90 == 300
    assert near([o.failed_requests for o in outcomes], 0.2 * 1000 * exact)
    good = play(scenario, 1, bad=False)[0]
    assert good.time_to_deploy == pytest.approx(MEAN * math.log(1000), rel=1e-6)
    assert good.mixing == pytest.approx(MEAN, rel=1e-6)  # of 2 e^-x (1 - e^-x) over all times


def test_a_drain_cuts_what_is_left() -> None:
    """Blue is retired after 10 min and has drained 5 min later: then everybody is on green, and
    nobody was harmed by that. Without a drain it is at once."""
    for drain in (300, 0):
        scenario = given(
            HALF_HOUR,
            service=f"drain: {drain}s",
            strategy="blue_green: {smoke: none, keep_old: 10m}",
        )
        good = play(scenario, 1, bad=False)[0]
        assert good.time_to_deploy == 600 + drain
        assert good.expected_failed_requests == 0
        words = scenario.with_("response.automatic", "watched").with_("response.watch", "0s")
        ended = play(words, 1, bad=False)[0].ended
        assert ended == pytest.approx(600 + drain, abs=0.01)  # nobody is waited for after that


def test_a_long_drain_lets_connections_go_back_by_themselves() -> None:
    """With a drain of ten means the rollback's exposure is the whole integral, w x mean, and 90 %
    are back after mean ln 10."""
    scenario = given(
        HALF_HOUR, service=f"drain: {10 * MEAN}s", strategy=BLUE_GREEN, **noticed(12 * 3600 - 1)
    )
    outcome = play(scenario, 1)[0]
    before = 12 * 3600 - 1 - MEAN
    assert outcome.exposure_time == pytest.approx(before + MEAN, abs=MEAN * math.exp(-10) + 1)
    assert outcome.rollback_90 == pytest.approx(MEAN * math.log(10), rel=1e-3)


def test_steps_of_a_canary_are_exponential_one_after_the_other() -> None:
    """y' = (a - y)/mean with the published weight a: 10 % for 600 s, then 50 % for 900 s."""
    steps = "[{weight: 10%, bake: 600s}, {weight: 50%, bake: 900s}]"
    scenario = given(
        HALF_HOUR, service="drain: 60s", strategy=f"canary: {{steps: {steps}}}", **noticed(1400)
    )
    y = area = 0.0
    for a, length in ((0.1, 600), (0.5, 800), (0.0, 60)):
        left = math.exp(-length / MEAN)
        area += a * length + (y - a) * MEAN * (1 - left)
        y = a + (y - a) * left
    assert play(scenario, 1)[0].exposure_time == pytest.approx(area)


def test_instances_that_leave_a_pool_take_their_connections_to_the_rest() -> None:
    """Two instances in place (drained 60 s, installed 120 s). When the first is back it has no
    connection, and the other one drains: 1 - e^(-x/mean) come by themselves, the rest at the end of
    the drain. The way back is the same with the versions exchanged, so that what is missing there
    is what is too much here: (D - 60) + 60 + 180 s of exposure, D after the first harm."""
    scenario = given(
        HALF_HOUR,
        instances=2,
        service="drain: 60s, install: 120s",
        strategy="rolling: {batch: 1, in_place: true}",
        **noticed(3600),
    )
    outcome = play(scenario, 1)[0]
    late = 60 - MEAN * -math.expm1(-60 / MEAN)
    assert outcome.exposure_when_caught == 1
    assert outcome.exposure_time == pytest.approx((3540 + late) + 180 + (60 - late), rel=1e-6)
    assert play(scenario, 1, bad=False)[0].time_to_deploy == 2 * 180


@pytest.mark.parametrize(
    "how",
    [
        AtOnce(),
        Asking(300.0),
        Answers(Dns.model_validate({"ttl": 60, "ignore": 0.1, "ignore_for": 600})),
        Answers(
            Dns.model_validate(
                {"ttl": 300, "ignore": 0.2, "ignore_for": {"exponential": {"mean": 900}}}
            )
        ),
        Registering(120.0, 2.0),
    ],
)
@pytest.mark.parametrize("mean", [20.0, 900.0, 5000.0])
def test_what_keeps_connections_follows_its_differential_equation(how: AtOnce, mean: float) -> None:
    """y' = (a - y)/mean, so y(x) = integral of a(s) e^(-(x - s)/mean) / mean ds, and the area is
    that of a less mean y."""
    kept = Kept(how, mean)
    for x in (0.0, 30.0, 200.0, 1000.0, 4000.0):
        points = [p for p in how.bends() if 0 < p < x] + [max(x - 5 * mean, 0.0)]

        def density(s: float, x: float = x) -> float:
            return float(how.share(np.array([s]))[0]) * math.exp(-(x - s) / mean) / mean

        exact = quad(density, 0, x, points=points, limit=500)[0] if x else 0.0
        assert float(kept.share(np.array([x]))[0]) == pytest.approx(exact, abs=1e-7)
        area = quad(lambda s: float(kept.share(np.array([s]))[0]), 0, x, points=points, limit=500)
        assert float(kept.area(np.array([x]))[0]) == pytest.approx(area[0] if x else 0, abs=1e-4)
    fading = Fading(mean)
    assert float(fading.area(np.array([mean]))[0]) == pytest.approx(mean * (1 - math.exp(-1)))


@pytest.mark.parametrize("onset", [3600, 5000])
def test_a_leak_once_all_are_on_the_new_version(onset: int) -> None:
    """Blue is gone long before the first hazard, so that everybody meets the same: 1 - e^-h are
    harmed, h the failed requests of one user, who is not told from the others."""
    scenario = given(
        {**HALF_HOUR, "traffic.users": 30_000, "response.watch": "2h"},
        service="drain: 60s, startup: 30s",
        defect=f"{{kind: leak, onset: {onset}s, ramp: 1h, rate: 3%}}",
        strategy="blue_green: {smoke: none, keep_old: 10m}",
    )
    outcome = play(scenario, 1)[0]
    assert outcome.expected_failed_requests > 10_000
    each = outcome.expected_failed_requests / 30_000
    assert outcome.users_harmed == pytest.approx(-math.expm1(-each))


def test_no_defect_is_too_much_for_users_who_reconnect() -> None:
    """The mean weight of a span may round beyond 1: whatever the defect, at most all are harmed,
    and nobody where nothing fails."""
    scenario = ds.loads("""
        version: 1
        profile: ecs-fargate
        service: {instances: 12, utilisation: 55%}
        traffic: {rate: 400 rps, users: 30k, connections: {mean: 20m}}
        change: {defects: [{kind: errors}, {kind: crash}, {kind: slow}, {kind: leak}, {kind: load},
          {kind: wrong_data}, {kind: mixed_versions}]}
        strategies: {rolling: {}, canary: {}, blue_green: {}}
        """)
    for name in scenario.strategies:
        plan, luck = prepare(scenario, name), Luck(1)
        for number, defect in enumerate(scenario.change.defects):
            luck.rekey(number)
            outcome = replicate(plan, luck, defect, "bad")
            harm = outcome.expected_failed_requests + outcome.corrupt_writes
            assert 0 <= outcome.users_harmed <= 1
            assert (outcome.users_harmed > 0) == (harm > 0)


@pytest.mark.parametrize(("kind", "form"), ALIKE)
def test_reconnecting_harms_nobody(kind: str, form: str) -> None:
    """A good release with ample capacity, whatever the strategy: connections are cut, and that is
    nothing but a reconnect; all traffic has come in the end."""
    if f"{kind} {form}" in INTERRUPTED:
        return
    scenario = bare(
        service=SERVICE,
        strategy=f"{kind}: {form}",
        traffic="connections: {mean: 10m}",
        detection="noticed: {after: 100s}",
    )
    for drain in ("30s", "0s"):
        words = scenario.with_("service.drain", drain)
        outcome = play(words, 1, bad=False)[0]
        assert outcome.outcome == "deployed"
        assert outcome.expected_failed_requests == 0
        assert math.isfinite(outcome.time_to_deploy)
        back = play(words, 1)[0]
        assert back.outcome == "rolled_back"
        assert back.rollback_90 <= back.rollback_time < math.inf
        words = words.with_("response.watch", "0s").with_("response.automatic", "watched")
        assert play(words, 1, bad=False)[0].time_to_deploy == outcome.time_to_deploy


def above_capacity(batch: int, startup: float, mean: float) -> float:
    """Requests that ten instances (200/s each) cannot carry of 1000/s while they are replaced so
    many at a time, none above the size: old ones that are left keep their connections, and those of
    whoever stops begin anew at once on all that serve when the batch has been exchanged."""
    old, new, w, total = 10 - batch, 0, 0.0, 0.0
    while old or new < 10:
        end = new / (old + new)

        def excess(
            x: float, old: int = old, new: int = new, w: float = w, end: float = end
        ) -> float:
            there = end + (w - end) * math.exp(-x / mean)
            return max(1000 * (1 - there) - 200 * old, 0) + max(1000 * there - 200 * new, 0)

        total += quad(excess, 0, startup, limit=200)[0]
        w = end + (w - end) * math.exp(-startup / mean)
        new += min(batch, 10 - new)
        stops = min(batch, old)
        cut = (1 - w) * stops / old if old else 0.0
        old -= stops
        w += cut * new / (old + new)
    return total


@pytest.mark.parametrize(
    "form",
    [
        "rolling: {{batch: {0}}}",
        "rolling: {{batch: {0}, mode: batch}}",
        "rolling: {{batch: {0}, in_place: true}}",
        "kubernetes_rolling: {{max_surge: 0, max_unavailable: {0}}}",
    ],
)
@pytest.mark.parametrize("batch", [5, 3, 1])
def test_stops_without_a_drain_cut_connections_at_once(form: str, batch: int) -> None:
    """A good release meets nothing but its own lack of room (none with two batches of 5), and has
    come with the last start. Back from all on the new version, with 5 at a time: the first five
    stop at the decision, the others when old ones are back 60 s later, the last 60 s after that."""
    scenario = bare(
        users="50k",
        traffic="connections: {mean: 20m}",
        service="startup: 60s, install: 60s, drain: 0s, utilisation: 50%",
        defect="{kind: errors, rate: 10%}",
        detection="noticed: {after: 100s}",
        response="page: {decide: 10s}",
        strategy=form.format(batch),
    )
    good = play(scenario, 1, bad=False)[0]
    assert good.expected_failed_requests == pytest.approx(above_capacity(batch, 60, 1200))
    assert good.time_to_deploy == 60 * math.ceil(10 / batch)
    back = play(scenario, 1)[0]
    assert back.rollback_90 <= back.rollback_time < math.inf
    if batch == 5:
        assert (back.rollback_90, back.rollback_time) == (60, 120)
        assert back.expected_failed_requests == pytest.approx(0.1 * 1000 * (100 + 10 + 60))


def test_large_pools_follow_the_mean_course() -> None:
    """202 instances along their mean course, 200 one by one: the time until all have come and the
    seconds on the new version are within a few per cent."""
    found = []
    for size in (200, 202):
        scenario = given(
            HALF_HOUR,
            instances=size,
            service="drain: 60s, startup: {normal: {mean: 90s, sd: 30s}}",
            strategy="rolling: {batch: 20, surge: 20}",
            **noticed(2 * 3600),
        )
        found.append(play(scenario, 1)[0].mixing)
    assert found[1] == pytest.approx(found[0], rel=0.1)


@pytest.mark.parametrize(("load", "out"), [(0.75, 1 / 3), (0.9, 0.5), (0.6, 1 / 3)])
@pytest.mark.parametrize("overload", ["shed", "collapse"])
def test_what_is_left_of_a_busy_fleet_sheds_or_collapses(
    load: float, out: float, overload: str
) -> None:
    """Reinstalled in place in batches, c/a = (1 - b)/rho of the requests can be carried: 1 - c/a
    are rejected, 11.1 % at 75 % and a third; where the service collapses c (c/a)^2 are carried, and
    1 - (c/a)^3 = 29.8 % rejected. With enough left neither rejects any."""
    scenario = bare(
        instances=6,
        service=f"utilisation: {100 * load:g}%, install: 300s, overload: {overload}",
        strategy=f"rolling: {{batch: {round(6 * out)}, mode: batch, in_place: true}}",
    )
    carried = min((1 - out) / load, 1.0)
    rejected = 1 - carried ** (3 if overload == "collapse" else 1)
    if (load, overload) == (0.75, "collapse"):
        assert rejected == pytest.approx(0.298, abs=5e-4)
    outcomes = play(scenario, 12, bad=False)
    exact = 1000 * 300 * round(1 / out) * rejected
    assert outcomes[0].expected_failed_requests == pytest.approx(exact, rel=1e-9, abs=1e-6)
    assert near([o.failed_requests for o in outcomes], exact)
    assert outcomes[0].overloaded == (carried < 1)


@pytest.mark.parametrize(
    ("install", "how", "words"),
    [("15s", "shed", ""), ("70s", "shed", "only the surplus"), ("70s", "collapse", "to collapse")],
)
def test_what_was_assumed_of_a_long_overload_is_told(install: str, how: str, words: str) -> None:
    """Three batches: 45 s of overload in all are not worth a word, 210 s are, in every verdict."""
    scenario = bare(
        instances=6,
        service=f"utilisation: 75%, install: {install}, overload: {how}",
        strategy="rolling: {batch: 2, mode: batch, in_place: true}, canary: {}",
    )
    found = compare(scenario, 20, 1, (), Options(paces=(1.0,), assumptions=False, gates=False))
    chances = {name: risk.all.chance("overloaded").value for name, risk in found.risk.items()}
    assert chances["canary"] == 0
    assert chances["rolling"] == pytest.approx(float(bool(words)))
    assert bool(overload(found)) == bool(words)
    assert words in overload(found)
    assert overload(found) in verdict(found)


@pytest.mark.parametrize(("overload", "power"), [("shed", 1), ("collapse", 3)])
def test_daily_traffic_collapses_along_its_curve(overload: str, power: int) -> None:
    """Three of six are away, twice 300 s, as traffic rises: the integral of a(t) (1 - (c/a)^k)."""
    scenario = bare(
        instances=6,
        rate="daily: {mean: 1000 rps, peak: 1500 rps, peak_at: 12:00}",
        traffic="start_at: Tue 07:00",
        service=f"capacity: 300 rps, install: 300s, overload: {overload}",
        strategy="rolling: {batch: 3, mode: batch, in_place: true}",
    )

    def rejected(t: float) -> float:
        a = 1000 + 500 * math.cos(2 * math.pi * (t - 5 * 3600) / 86_400)
        return a * (1 - min(900 / a, 1) ** power)

    exact = quad(rejected, 0, 600, limit=200)[0]
    found = play(scenario, 1, bad=False)[0]
    assert found.expected_failed_requests == pytest.approx(exact, rel=1e-6)
    assert found.overloaded == 1


@pytest.mark.parametrize(
    ("sticky", "retries", "share"),
    [
        ("false", 0, 0.01),
        ("true", 0, 0.01),
        ("false", 1, 0.0001),
        ("true", 1, 0.002),
        ("false", 2, 1e-6),
        ("true", 2, 0.0004),
    ],
)
def test_one_retry_hides_a_canary_from_users_and_not_from_alarms(
    sticky: str, retries: int, share: float
) -> None:
    """20 % errors on a 5 % canary are p = 1 % of the tries. A retry that may go anywhere is bad
    with q = w e = 1 %, one on the user's own version with q = e = 20 %: p q^k of the
    requests are bad. Detectors see 20 % on the new version all the same, and 1 % of the service."""
    scenario = bare(
        users="10k",
        traffic=f"sticky: {sticky}, retries: {retries}",
        strategy="canary: {steps: [{weight: 5%, bake: 2h}]}",
        **noticed(1000),
    )
    outcomes = play(scenario, 60)
    assert outcomes[0].expected_failed_requests == pytest.approx(1e6 * share)
    assert near([o.failed_requests for o in outcomes], 1e6 * share)
    old, new = begun(prepare(scenario, "canary"), 0.05).seen
    again = sum((0.01 if sticky == "false" else 0.2) ** i for i in range(retries + 1))
    assert (new.share, new.failing) == (pytest.approx(0.05 * again), pytest.approx(0.2))
    assert old.share == pytest.approx(0.95 * (again if sticky == "false" else 1.0))
    assert old.failing == 0


@pytest.mark.parametrize("sticky", ["false", "true"])
def test_errors_that_are_always_there_are_no_harm_of_their_own(sticky: str) -> None:
    """With usual errors n the harm is P^(k+1) - n^(k+1), P the bad share of all tries: of every-
    thing, or of the user's version; and for the 30 % of the users alone whom the defect reaches."""
    n, e, w, users, k = 0.02, 0.2, 0.25, 0.3, 2
    scenario = bare(
        traffic=f"sticky: {sticky}, retries: {k}",
        service="errors: 2%",
        defect="{kind: errors, rate: 20%, users: 30%}",
        strategy="canary: {steps: [{weight: 25%, bake: 2h}]}",
        **noticed(1000),
    )
    bad = n + (1 - n) * e
    if sticky == "true":
        exact = w * users * (bad ** (k + 1) - n ** (k + 1))
    else:
        exact = users * (((1 - w) * n + w * bad) ** (k + 1) - n ** (k + 1))
    assert play(scenario, 1)[0].expected_failed_requests == pytest.approx(1e6 * exact)
    assert play(scenario, 1, bad=False)[0].expected_failed_requests == 0


@pytest.mark.parametrize(("overload", "power"), [("shed", 1), ("collapse", 3)])
def test_retries_load_a_fleet_that_has_too_little_left(overload: str, power: int) -> None:
    """Half of the fleet is away at 75 %: each try is rejected with s = 1 - (c/a)^power, of 1 + s
    tries a request, a = r (1 + s): the least load that sustains itself. s^2 are bad in the end."""
    scenario = bare(
        instances=6,
        traffic="retries: 1",
        service=f"utilisation: 75%, install: 300s, overload: {overload}",
        strategy="rolling: {batch: 2, mode: batch, in_place: true}",
    )
    carried = (1 - 1 / 3) / 0.75
    low = brentq(lambda s: s - (1 - (carried / (1 + s)) ** power), 0.0, 1.0)
    found = play(scenario, 1, bad=False)[0]
    assert found.expected_failed_requests == pytest.approx(1000 * 900 * low**2, rel=1e-6)
    assert found.min_headroom == pytest.approx(carried / (1 + low) - 1)


def test_late_answers_are_not_tried_again_and_come_after_retries_too() -> None:
    """30 % late of what is answered, a tenth fails first and is tried again: every request is
    answered at last, so 30 % (1 + 0.1) of 0.9 and of the second 0.9 are late."""
    scenario = bare(
        traffic="sticky: true, retries: 1",
        service="errors: 10%",
        defect="{kind: slow, factor: 1, rate: 30%}",
        **noticed(1000),
    )
    exact = 1e6 * 0.3 * 0.9 * (1 + 0.1)
    assert play(scenario, 1)[0].expected_failed_requests == pytest.approx(exact)


def test_retries_behind_a_throttle_are_refused() -> None:
    with pytest.raises(ScenarioError, match="not simulated together"):
        bare(traffic="retries: 1").with_("router.throttle", "{rate: 900 rps, burst: 100}")
    with pytest.raises(ScenarioError, match=r"traffic\.retries"):
        bare(traffic="retries: 11")


@pytest.mark.parametrize("words", ["", "daily"])
def test_a_leak_under_retries_is_integrated_as_it_grows(words: str) -> None:
    """Sticky, a leak from nothing to 40 % over 1 000 s: the integral of (0.4 t / T)^2."""
    rate = "daily: {mean: 1000 rps, peak: 1000 rps, peak_at: 10:00}" if words else "rate: 1000 rps"
    scenario = bare(
        rate=rate,
        traffic="sticky: true, retries: 1",
        defect="{kind: leak, onset: 100s, ramp: 1000s, rate: 40%}",
        **noticed(1000),
    )
    exact = 1000 * 0.4**2 * 1000 / 3
    assert play(scenario, 1)[0].expected_failed_requests == pytest.approx(exact, rel=1e-6)


def begun(plan: Plan, weight: float) -> Stretch:
    """A stretch in which the new version has this share."""
    fleet, router = Fleet(10), Router(plan.scenario.router)
    fleet.join(NEW, 10, 0.0)
    router.publish(weight)
    router.take_effect(weight, 0.0)
    fault = draw(plan.scenario.change.defects[0], Luck(1))
    return Stretch(plan, fleet, router, Situation(fault), 1.0)


def queue(deadline: float = 300, more: str = "", **words: str) -> Scenario:
    """Ten consumers of 150 messages/s, of which 1000 come each second."""
    service = f"capacity: 150 rps, start_failure: {{probability: 0%, timeout: 9h}}{more}"
    return bare(traffic=f"queue: true, deadline: {deadline:g}s", service=service, **words)


@pytest.mark.parametrize("outage", [120, 300, 301, 600, 900])
def test_what_an_outage_makes_too_late(outage: float) -> None:
    """a L wait after an outage of length L and are worked off at c - a. The oldest of B that wait
    is B/a old, so that work is late until a d are left, after a (L - d)/(c - a): c times that. An
    outage that is shorter than the deadline d harms nobody. Without a queue all a L fail."""
    a, c, d = 1000, 1500, 300
    words = queue(d, f", install: {outage}s", strategy="big_bang: {}")
    outcomes = play(words, 12, bad=False)
    late = c * a * max(outage - d, 0) / (c - a)
    assert outcomes[0].expected_failed_requests == pytest.approx(late, rel=1e-6, abs=1e-3)
    assert near([o.failed_requests for o in outcomes], late)
    assert outcomes[0].outage == outage
    assert (outcomes[0].users_harmed > 0) == (outage > d)
    at_once = bare(
        service=f"capacity: 150 rps, install: {outage}s, "
        "start_failure: {probability: 0%, timeout: 9h}",
        strategy="big_bang: {}",
    )
    assert play(at_once, 1, bad=False)[0].expected_failed_requests == a * outage


@pytest.mark.parametrize("errors", [0, 2])
@pytest.mark.parametrize("retries", [0, 1])
def test_what_fails_anyway_is_not_late(errors: int, retries: int) -> None:
    """A message that fails in all its k + 1 tries with nothing deployed is no harm when it is late:
    u^(k+1) of them. `capacity` has such tries in it; the p = 1 - (1 - u)(1 - f) of a defect make m
    times as many, so that c/m are done. What is not late fails p^(k+1) - u^(k+1) more often."""
    a, c, d, outage, after, f, u = 1000.0, 1500.0, 300.0, 600.0, 7200.0, 0.2, errors / 100
    words = queue(
        d, f", install: {outage:g}s, errors: {errors}%", strategy="big_bang: {}", **noticed(after)
    ).with_("traffic.retries", str(retries))

    def late(done: float) -> float:
        return done * a * (outage - d) / (done - a)

    power, p = retries + 1, 1 - (1 - u) * (1 - f)
    m = sum(p**k for k in range(power)) / sum(u**k for k in range(power))
    there, back = late(c / m), late(c)
    good, bad = (play(words, 1, bad=kind)[0] for kind in (False, True))
    assert good.expected_failed_requests == pytest.approx(back * (1 - u**power), rel=1e-6)
    harmed = (there + back) * (1 - u**power) + (a * (outage + after) - there) * (
        p**power - u**power
    )
    assert bad.expected_failed_requests == pytest.approx(harmed, rel=1e-5)


def test_a_backlog_grows_and_shrinks_as_a_fluid() -> None:
    """a L after an outage, drained at c - a, the oldest as old as the outage when it ends and B/a
    later; the deadline is crossed at B = a d, both ways."""
    plan = prepare(queue(strategy="big_bang: {}"), "big_bang")
    waits = Backlog(plan)
    assert waits.flow(0.0, 0.0) == (0.0, False, 300.0)
    assert waits.waiting(250.0) == 250_000
    assert waits.flow(300.0, 0.0) == (0.0, True, math.inf)
    served, late, until = waits.flow(700.0, 1500.0)
    assert (served, late, until) == (1.5, True, 700 + (700 - 300) * 1000 / 500)
    assert waits.waiting(1000.0) == pytest.approx(700_000 - 300 * 500)
    assert waits.flow(until, 1500.0) == (1.5, False, pytest.approx(until + 600))
    assert waits.left(until) == pytest.approx(600)
    assert waits.flow(until + 600, 1500.0) == (1.0, False, math.inf)


def test_a_queue_turns_the_verdict_on_big_bang() -> None:
    """Two minutes in place: without a queue a big bang loses what comes meanwhile, and a canary
    nobody; with one it harms nobody, and no weight can be shifted."""
    both = "big_bang: {}, rolling: {batch: 2}, canary: {}"
    found = []
    for words in ("", "queue: true, deadline: 15m"):
        scenario = bare(traffic=words, service="capacity: 150 rps, install: 120s", strategy=both)
        risk = ds.compare(scenario, 20).risk()
        lost = {name: risk[name].given_good.failed_requests.mean.value for name in risk}
        found.append((lost["big_bang"], {name: risk[name].suitable for name in risk}))
    assert found[0][0] == pytest.approx(120_000, rel=0.01)
    assert found[1][0] == 0
    assert all(found[0][1].values())
    assert found[1][1] == {"big_bang": True, "rolling": True, "canary": False}
    reasons = ds.rehearse(scenario, "canary").reasons
    assert reasons[0].startswith("shifts a weight of 5 %, and consumers pull from a queue")


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_consumers_share_a_queue_by_who_is_in_service(retries: int) -> None:
    """One new instance beside ten old ones pulls 1/11, in a pool and behind a weight of 5 % alike.
    A fifth of that fails, p of all tries, and what fails is pulled again by anybody: p^(k+1)."""
    for strategy in (
        "immutable: {first: 1, bake: 1h}",
        "canary: {steps: [{weight: 5%, bake: 1h}]}",
    ):
        words = queue(more=", startup: 60s", strategy=strategy, **noticed(1000))
        outcome = play(words.with_("traffic.retries", str(retries)), 1)[0]
        p = 0.2 / 11
        assert outcome.peak_exposure == pytest.approx(1 / 11)
        assert outcome.expected_failed_requests == pytest.approx(1e6 * p ** (retries + 1))


@pytest.mark.parametrize("size", [200, 202])
def test_a_part_of_the_fleet_away_builds_a_backlog(size: int) -> None:
    """In place half of the fleet is away twice, for 600 s: a - c/2 more wait each second. The first
    is late when a d wait, and then all that is done, until the backlog is a d again."""
    a, c, d, away = 1000.0, 1250.0, 120.0, 600.0
    scenario = bare(
        instances=size,
        traffic=f"queue: true, deadline: {d:g}s",
        service=f"capacity: {c / size} rps, install: {{normal: {{mean: {away:g}s, sd: 1ms}}}}, "
        "start_failure: {probability: 0%, timeout: 9h}",
        strategy="rolling: {batch: 50%, in_place: true, mode: batch}",
    )
    found = play(scenario, 1, bad=False)[0]
    crossed = a * d / (a - c / 2)
    waiting = 2 * away * (a - c / 2)
    exact = (2 * away - crossed) * c / 2 + (waiting - a * d) / (c - a) * c
    assert found.expected_failed_requests == pytest.approx(exact, rel=1e-3)


def test_a_queue_under_a_daily_curve() -> None:
    """At its peak more comes than the fleet does: what is late then would be with nothing deployed,
    and is no harm. An outage adds to it: pieces of a minute agree with the fluid to 2 %."""
    scenario = bare(
        rate="daily: {mean: 1000 rps, peak: 1600 rps, peak_at: 12:00}",
        traffic="start_at: Tue 09:00, queue: true, deadline: 5m",
        service="capacity: 150 rps, install: 600s, start_failure: {probability: 0%, timeout: 9h}",
        strategy="big_bang: {}",
    )
    found = play(scenario, 1, bad=False)[0]
    step, late = 1.0, 0.0
    levels, arrived = [0.0, 0.0], [0.0]
    for k in range(int(12 * 3600 / step)):
        t = k * step
        rate = 1000 + 600 * math.cos(2 * math.pi * (t - 3 * 3600) / 86_400)
        arrived.append(arrived[-1] + rate * step)
        recent = arrived[-1] - (arrived[-301] if k >= 300 else arrived[0] - 1000 * (300 - k))
        done = [0.0 if t < 600 else 1500.0, 1500.0]
        over = [level > recent for level in levels]
        if over[0] and not over[1]:
            late += min(done[0], levels[0] / step + rate) * step
        levels = [max(x + (rate - c) * step, 0.0) for x, c in zip(levels, done, strict=True)]
    assert late > 0
    assert found.expected_failed_requests == pytest.approx(late, rel=0.02)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("queue: true", "queue needs a deadline"),
        ("deadline: 5m", "deadline needs queue: true"),
        ("queue: true, deadline: 5m, connections: {mean: 1h}", "remove connections"),
    ],
)
def test_what_does_not_go_with_a_queue_is_refused(words: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        bare(traffic=words)


def test_what_a_queue_has_no_use_for_is_refused() -> None:
    scenario = queue()
    for path, value in (
        ("router.dns", "{ttl: 60s}"),
        ("router.cache", "{hits: 50%, ttl: 60s, shared: true}"),
        ("router.throttle", "{rate: 900 rps, burst: 100}"),
        ("service.capacity", "100 rps"),
    ):
        with pytest.raises(ScenarioError, match=r"queue|remove"):
            scenario.with_(path, value)
    with pytest.raises(ScenarioError, match="no instances that pull"):
        bare(traffic="queue: true, deadline: 5m").with_("service.elastic", "true")


@pytest.mark.parametrize(("kind", "form"), ALIKE)
def test_every_strategy_ends_with_an_empty_queue(kind: str, form: str) -> None:
    """Whatever pulls, in the end nothing waits; with ample capacity and a long deadline a good
    release makes nothing late."""
    scenario = queue(7200, f", {SERVICE}", strategy=f"{kind}: {form}")
    plan, luck = prepare(scenario, kind), Luck(2)
    for fault in (None, scenario.change.defects[0]):
        luck.rekey(0)
        rollout = run(plan, luck, draw(fault, luck))
        backlog = rollout.situation.backlog
        assert backlog is not None
        assert backlog.waiting(rollout.env.now) == 0
        assert rollout.env.now < plan.limit
        assert fault is not None or rollout.counts.expected == 0
