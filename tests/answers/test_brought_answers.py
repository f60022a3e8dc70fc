"""Rollouts as manifests describe them against closed forms, each at two sets of numbers.

Every expected value is worked out here from the controller's rules. With constant times nothing but
counts is random; where luck matters the bound is four standard errors.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import binom, nbinom, poisson

from simulator.bring.importing import from_text, imported
from simulator.decide import brought
from simulator.decide.brought import first_step, missed
from simulator.decide.tornado import SHOWN, Swing, Tornado
from simulator.play.outcome import Outcome
from simulator.play.rehearsal import gates
from simulator.report.brought import missing
from simulator.words.profiles import Assumption
from simulator.words.scenario import Scenario
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play

SECOND = 0.01  # what an instance costs a second at 36 an hour
RATE = 1000


def run(strategy: str, n: int, service: str, bad: bool = True, **more: str) -> Outcome:
    """One replication in which times are constant."""
    words = f"{service}, cost: 36/h"
    return play(bare(instances=n, service=words, strategy=strategy, **more), 1, bad=bad)[0]


def harmonic(n: int) -> float:
    return sum(1 / k for k in range(1, n + 1))


def fails(requests: float, rate: float, above: float) -> float:
    """The chance that of a Poisson number of requests more than the share `above` are bad."""
    bad = np.arange(int(poisson.isf(1e-12, requests * rate)) + 1)[:, None]
    other = np.arange(int(poisson.isf(1e-12, requests * (1 - rate))) + 1)[None, :]
    weight = poisson.pmf(bad, requests * rate) * poisson.pmf(other, requests * (1 - rate))
    return float((weight * (bad > above * (bad + other) + 1e-9)).sum())


def share_of(values: Sequence[bool], expected: float) -> bool:
    """Whether a proportion is within four standard errors of what is expected."""
    error = math.sqrt(expected * (1 - expected) / len(values))
    return abs(float(np.mean(values)) - expected) < 4 * error


# Argo Rollouts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "s", "w", "p", "drain", "keep"),
    [(13, 47, (7, 33), (410, 777), 19, 55), (21, 83, (12, 61), (333, 250), 40, 20)],
)
def test_a_canary_with_traffic_routing(
    n: int, s: int, w: tuple[int, int], p: tuple[int, int], drain: int, keep: int
) -> None:
    """Three groups of pods start one after the other: T = 3 s + pauses; all are paid for from
    asking until old ones have gone. Found x into the second weight: it and the wait at the first
    were exposed; an abort takes all traffic off at once and keeps the pods for half a minute."""
    first, second = (math.ceil(n * weight / 100) for weight in w)
    steps = f"[{{weight: {w[0]}%}}, {{pause: {p[0]}s}}, {{weight: {w[1]}%}}, {{pause: {p[1]}s}}]"
    words = f"argo_canary: {{traffic_routing: true, scale_down_delay: {keep}s, steps: {steps}}}"
    service = f"startup: {s}s, drain: {drain}s"
    good = run(words, n, service, bad=False)
    time = 3 * s + sum(p)
    end = time + keep + drain
    paid = first * end + (second - first) * (end - s - p[0]) + (n - second) * (s + keep + drain)
    assert (good.time_to_deploy, good.time_to_finish) == (time, end)
    assert good.extra_cost == pytest.approx(paid * SECOND)
    x, decide = 61, 35
    bad = run(words, n, service, **noticed(p[0] + s + x, decide))
    exposed = w[0] / 100 * (p[0] + s) + w[1] / 100 * (x + decide)
    assert bad.exposure_time == pytest.approx(exposed)
    assert (bad.rollback_90, bad.exposure_when_caught) == (0, w[1] / 100)
    stays = s + x + decide + 30 + drain
    paid = first * (p[0] + s + stays) + (second - first) * stays
    assert bad.extra_cost == pytest.approx(paid * SECOND)


@pytest.mark.parametrize(("n", "k", "p", "s", "decide"), [(10, 3, 500, 40, 20), (8, 4, 321, 73, 9)])
def test_a_canary_by_counts_of_pods(n: int, k: int, p: int, s: int, decide: int) -> None:
    """One pod above the size: each start moves 1/n, T = n s + pause. Found s after the pause, with
    k + 1 new ones; each start takes one of them back."""
    words = "argo_canary: {max_surge: 1, max_unavailable: 0, "
    words += f"steps: [{{weight: {100 * k / n:g}%}}, {{pause: {p}s}}]}}"
    good = run(words, n, f"startup: {s}s, drain: 10s", bad=False)
    assert good.time_to_deploy == n * s + p
    assert good.extra_cost == pytest.approx(n * (s + 10) * SECOND)
    bad = run(words, n, f"startup: {s}s", **noticed(p + k * s - 1, decide + 1))
    up = sum(j * s for j in range(1, k)) + k * (s + p) + (k + 1) * decide
    back = sum(j * s for j in range(1, k + 2))
    assert bad.exposure_time == pytest.approx((up + back) / n)
    assert bad.rollback_time == (k + 1) * s


@pytest.mark.parametrize(("s", "p", "more", "decide"), [(50, 100, 80, 20), (77, 140, 15, 31)])
def test_an_abort_walks_back_down_with_a_dynamic_stable(
    s: int, p: int, more: int, decide: int
) -> None:
    """20 %, 60 %, then found: 60 % until stable has started pods for 80 %, 20 % until for all."""
    words = "argo_canary: {traffic_routing: true, dynamic_stable_scale: true, "
    words += f"steps: [{{weight: 20%}}, {{pause: {p}s}}, {{weight: 60%}}, {{pause: 1h}}]}}"
    bad = run(words, 10, f"startup: {s}s", **noticed(p + s + more, decide))
    exposed = 0.2 * (p + s) + 0.6 * (more + decide + s) + 0.2 * s
    assert bad.exposure_time == pytest.approx(exposed)


@pytest.mark.parametrize(
    ("rate", "w", "p", "above", "every", "window", "delay", "limit"),
    [(10, 20, 0.03, 0.04, 60, 45, 10, 1), (6, 50, 0.05, 0.05, 40, 40, 0, 2)],
)
def test_an_analysis_detects_after_so_many_failed_measurements(
    rate: int, w: int, p: float, above: float, every: int, window: int, delay: int, limit: int
) -> None:
    """Measurements whose windows do not overlap fail independently, with the chance q; the first
    comes `delay` and ten seconds after the traffic, when ten seconds of it can be seen, with q0.
    The mean wait for limit + 1 failures: delay + 10 + every (limit + 1 - q0) / q."""
    analysis = f"above: {100 * above:g}%, interval: {every}s, window: {window}s, "
    analysis += f"delay: {delay}s, failure_limit: {limit}"
    words = f"argo_canary: {{traffic_routing: true, analysis: [{{{analysis}}}], starting_step: 1, "
    words += f"steps: [{{weight: {w}%}}, {{pause: 200h}}]}}"
    scenario = bare(
        rate=f"rate: {rate} rps",
        service="startup: 60s",
        defect=f"{{kind: errors, rate: {100 * p:g}%}}",
        response="decide: 0s",
        strategy=words,
    )
    seen = rate * w / 100
    q0, q = fails(seen * 10, p, above), fails(seen * window, p, above)
    expected = delay + 10 + every * (limit + 1 - q0) / q
    found = play(scenario, 400, seed=11)
    assert near([one.time_to_detect for one in found], expected)
    assert {one.caught_by for one in found} == {"analysis"}


@pytest.mark.parametrize(
    ("n", "m", "s", "ready", "after", "drain", "keep"),
    [(9, 4, 71, 20, 130, 17, 200), (14, 5, 33, 12, 65, 40, 90)],
)
def test_an_argo_blue_green(
    n: int, m: int, s: int, ready: int, after: int, drain: int, keep: int
) -> None:
    """A preview of m pods, a pause, the other pods, the switch: T = 2 (s + ready) + pause; an abort
    takes everybody back at once, and the new pods stay for half a minute."""
    words = f"argo_blue_green: {{preview_replicas: {m}, auto_promotion_after: {after}s, "
    words += f"scale_down_delay: {keep}s, min_ready: {ready}s}}"
    service = f"startup: {s}s, drain: {drain}s"
    good = run(words, n, service, bad=False)
    time, rest = 2 * (s + ready) + after, s + ready
    end = keep + drain
    assert (good.time_to_deploy, good.time_to_finish) == (time, time + end)
    assert good.extra_cost == pytest.approx((m * (time + end) + (n - m) * (rest + end)) * SECOND)
    bad = run(words, n, service, **noticed(50, 12))
    end = 62 + 30 + drain
    assert (bad.exposure_time, bad.rollback_90, bad.rollback_time) == (62, 0, 0)
    assert bad.extra_cost == pytest.approx((m * (time + end) + (n - m) * (rest + end)) * SECOND)


# Flagger -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "s", "every", "step", "most", "drain"),
    [(9, 47, 37, 20, 60, 12), (6, 101, 45, 25, 50, 30)],
)
def test_a_flagger_promotion(n: int, s: int, every: int, step: int, most: int, drain: int) -> None:
    """The first weight comes with the first tick after the start, one more with each, then the
    primary rolls: with j of n new ones behind the rest of the traffic w + (1 - w) j / n is new.
    Found then: the canary goes at once, and the primary takes j starts to go back."""
    words = f"flagger: {{interval: {every}s, step_weight: {step}%, max_weight: {most}%, "
    words += "max_surge: 1, max_unavailable: 0, metrics: []}"
    service = f"startup: {s}s, drain: {drain}s"
    begins, steps = (s // every + 1) * every, most // step
    promoted = begins + steps * every
    deployed = promoted + n * s
    gone = (deployed // every + 2) * every + drain
    good = run(words, n, service, bad=False)
    assert (good.time_to_deploy, good.time_to_finish) == (deployed, gone)
    assert good.extra_cost == pytest.approx(n * (gone + s + drain) * SECOND)
    j, more, decide = 3, 5, 10
    bad = run(words, n, service, **noticed(promoted - begins + j * s + more, decide))
    w = most / 100
    new = [w + (1 - w) * i / n for i in range(j + 1)]
    exposed = sum(step / 100 * k for k in range(1, steps + 1)) * every
    exposed += s * sum(new[:j]) + (more + decide) * new[j] + s * sum(range(1, j + 1)) / n
    assert bad.exposure_time == pytest.approx(exposed)
    assert bad.rollback_time == j * s


@pytest.mark.parametrize(
    ("rate", "step", "most", "threshold", "every", "p", "above"),
    [(5, 30, 60, 2, 30, 0.02, 0.02), (8, 15, 45, 3, 20, 0.03, 0.03)],
)
def test_the_chance_of_a_flagger_rollback(
    rate: int, step: int, most: int, threshold: int, every: int, p: float, above: float
) -> None:
    """A failed check holds its weight, and failures are never forgotten: so many before a good
    check at each weight. Without any good one the time is interval x (threshold + 1)."""
    words = f"flagger: {{interval: {every}s, step_weight: {step}%, max_weight: {most}%, "
    words += f"threshold: {threshold}, metrics: [{{above: {100 * above:g}%, window: {every}s}}]}}"
    failed, back = {0: 1.0}, 0.0
    for number in range(1, most // step + 1):
        q = fails(rate * number * step / 100 * every, p, above)
        after: dict[int, float] = {}
        for count, chance in failed.items():
            for more in range(threshold - count):
                key = count + more
                after[key] = after.get(key, 0.0) + chance * q**more * (1 - q)
            back += chance * q ** (threshold - count)
        failed = after
    given = {"rate": f"rate: {rate} rps", "service": "startup: 15s", "response": "decide: 0s"}
    defect = f"{{kind: errors, rate: {100 * p:g}%}}"
    found = play(bare(instances=3, strategy=words, defect=defect, **given), 500, seed=3)
    assert share_of([one.caught_by == "failed checks" for one in found], back)
    always = "{kind: errors, rate: 100%}"
    one = play(bare(instances=3, strategy=words, defect=always, **given), 1)[0]
    assert one.time_to_recover == every * (threshold + 1)
    assert one.exposure_time == pytest.approx(step / 100 * every * (threshold + 1))


# Spinnaker, CloudFormation, AppConfig -------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "s", "c", "life", "every", "delay", "keep", "drain"),
    [(17, 55, 2, 1800, 600, 120, 333, 25), (24, 90, 3, 1500, 300, 60, 500, 10)],
)
def test_a_spinnaker_canary(
    n: int, s: int, c: int, life: int, every: int, delay: int, keep: int, drain: int
) -> None:
    """c canaries and c more old ones beside n: c / (n + 2 c) of the traffic. They are paid for from
    asking until they have drained; then a whole fleet starts and the old one is kept. A defect that
    nobody can overlook fails the first run."""
    stages = f"{{kind: deploy_canary, instances: {c}}}, {{kind: canary_analysis, "
    stages += f"lifetime: {life}s, interval: {every}s, delay: {delay}s}}, {{kind: delete_canary}}"
    words = f"spinnaker: {{on_failure: clean_up, stages: [{stages}, "
    words += f"{{kind: deploy, keep_old: {keep}s}}]}}"
    service = f"startup: {s}s, drain: {drain}s"
    good = run(words, n, service, bad=False)
    canary = s + delay + life + drain
    assert (good.time_to_deploy, good.time_to_finish) == (canary + s, canary + s + keep)
    assert good.extra_cost == pytest.approx((2 * c * canary + n * (s + keep)) * SECOND)
    bad = run(words, n, service, defect="{kind: errors, rate: 60%}", response="decide: 15s")
    assert (bad.caught_by, bad.time_to_detect) == ("judge", delay + every)
    assert bad.exposure_time == pytest.approx(c / (n + 2 * c) * (delay + every + 15))


@pytest.mark.parametrize(("n", "s", "drain", "x"), [(6, 70, 20, 40), (15, 40, 33, 25)])
def test_a_cloudformation_group_that_is_replaced(n: int, s: int, drain: int, x: int) -> None:
    """Exponential starts: the slowest of n takes s H_n, then the old group drains. In the x seconds
    after the first one k of the others have joined, each with 1 - e^(-u/s): (1 + k) of n + 1 + k
    are new, and all once the last is there; from then on going back takes another s H_n."""
    words = "cloudformation_replacing: {timeout: 9h}"
    service = f"startup: {{exponential: {{mean: {s}s}}}}, drain: {drain}s, cost: 36/h"
    good = play(bare(instances=n, service=service, strategy=words), 300, seed=5, bad=False)
    slowest = s * harmonic(n)
    assert near([one.time_to_deploy for one in good], slowest)
    assert near([one.extra_cost for one in good], n * (slowest + drain) * SECOND)
    scenario = bare(instances=n, service=service, strategy=words, **noticed(x))
    k = np.arange(n)
    new = np.where(k < n - 1, (1 + k) / (n + 1 + k), 1.0)
    times = (np.arange(400) + 0.5) / 400 * x
    chances = binom.pmf(k, n - 1, -np.expm1(-times / s)[:, None])
    everybody = float((-np.expm1(-x / s)) ** (n - 1))
    exposed = float((chances @ new).mean()) * x + everybody * slowest
    assert near([one.exposure_time for one in play(scenario, 600, seed=6)], exposed)


@pytest.mark.parametrize(
    ("factor", "lasts", "poll", "x", "decide"), [(25, 800, 90, 310, 25), (40, 300, 200, 250, 10)]
)
def test_an_appconfig_rollout(factor: int, lasts: int, poll: int, x: int, decide: int) -> None:
    """Each instance asks at a moment of its own: after a step its part has risen evenly within a
    `poll`. Who took a step within the last d <= poll seconds asks again between poll - d and poll
    seconds after the rollback: (poll - d / 2) d / poll more of that step."""
    words = f"appconfig: {{strategy: custom, factor: {factor}%, duration: {lasts}s, bake: 900s, "
    words += f"poll: {poll}s}}"
    assert run(words, 10, "startup: 9s", bad=False).time_to_deploy == lasts + 900
    count = math.ceil(100 / factor)
    undone, exposed = lasts / count + x + decide, 0.0
    for number in range(1, count + 1):
        part = min(factor / 100, 1 - factor / 100 * (number - 1))
        since = max(undone - lasts * number / count, 0.0)
        d = min(since, poll)
        exposed += part * (d * d / 2 / poll + since - d + d / poll * (poll - d / 2))
    bad = run(words, 10, "startup: 9s", **noticed(x, decide))
    assert bad.exposure_time == pytest.approx(exposed, rel=1e-6)


# Stops, sessions, hours ---------------------------------------------------------------------


@pytest.mark.parametrize(("n", "u", "surge"), [(9, 3.0, 1), (16, 1.5, 1), (301, 2.0, 11)])
def test_what_ungraceful_stops_lose(n: int, u: float, surge: int) -> None:
    """Each stop loses u seconds of one of the instances in service: n of n + 1 in a window that
    surges, n of n in one that does not, n of 2 n once a second group is there, none behind blue."""
    service = f"startup: 40s, drain: 5s, ungraceful: {u}s"
    window = f"{{max_surge: {surge}, max_unavailable: 0}}"
    cases = {
        f"kubernetes_rolling: {window}": n / (n + 1),
        "rolling: {batch: 1, surge: 0, max_unavailable: 1}": 1.0,
        "cloudformation_replacing: {}": 0.5,
        "blue_green: {smoke: none, keep_old: 60s}": 0.0,
    }
    for words, each in cases.items():
        if n > 200 and "rolling: {b" in words:
            continue  # one after the other takes hours
        scenario = bare(instances=n, service=service, strategy=words)
        found = play(scenario, 30, seed=8, bad=False)
        expected = each * RATE * u
        assert near([one.failed_requests for one in found], expected)
        if n > 200:
            assert found[0].expected_failed_requests == pytest.approx(expected, rel=0.005)


def moved_visits(n: int, s: float, drain: float, mean: float) -> tuple[float, float]:
    """The parts of all visits on those that begin to drain, and lost in a window: each s seconds a
    new one joins and an old one begins to drain. Written pod by pod."""
    held = {("old", number): 1 / n for number in range(n)}
    draining: dict[int, float] = {}
    events = [(number * s, 0, number) for number in range(1, n + 1)]
    heapq.heapify(events)
    now = leaving = total = 0.0
    while events:
        when, over, number = heapq.heappop(events)
        stays = math.exp(-(when - now) / mean)
        ended = (1 - stays) * (sum(held.values()) + sum(draining.values()))
        held = {key: part * stays + ended / len(held) for key, part in held.items()}
        draining = {key: part * stays for key, part in draining.items()}
        now = when
        if over:
            cut = draining.pop(number)
            total += cut
            held = {key: part + cut / len(held) for key, part in held.items()}
        else:
            held["new", number] = 0.0
            draining[number] = held.pop(("old", number - 1))
            leaving += draining[number]
            heapq.heappush(events, (now + drain, 1, number))
    return leaving, total


@pytest.mark.parametrize(
    ("n", "drain", "mean"),
    [(10, 7200, 720_000), (10, 7200, 1200), (9, 61, 1200), (12, 150, 700), (8, 0, 900)],
)
def test_ungraceful_stops_lose_what_hangs_on_the_instance(n: int, drain: int, mean: int) -> None:
    """With long connections a stop loses u seconds of those it holds when it begins to drain. While
    none are cut each old one holds 1/n of all, however long the others drain: u x rate in sum."""
    u, s = 2, 60
    service = f"startup: {s}s, drain: {drain}s, ungraceful: {u}s"
    scenario = bare(
        instances=n,
        service=service,
        traffic=f"connections: {{mean: {mean}s}}",
        strategy="rolling: {batch: 1, surge: 1}",
    )
    leaving, _ = moved_visits(n, s, drain, mean)
    if drain >= n * s:
        assert leaving == pytest.approx(1.0)
    lost = play(scenario, 1, bad=False)[0].expected_failed_requests
    assert lost == pytest.approx(leaving * RATE * u)


def test_ungraceful_stops_of_hundreds_lose_what_hangs_on_them() -> None:
    """Along their mean course as one by one (200): 1/n each while all drain, else 3 % around."""
    for drain in (7200, 120):
        found = []
        for n in (200, 202):
            scenario = bare(
                instances=n,
                service=f"startup: 60s, drain: {drain}s, ungraceful: 2s",
                traffic="connections: {mean: 20m}",
                strategy="rolling: {batch: 8, surge: 8}",
            )
            found.append(play(scenario, 1, bad=False)[0].expected_failed_requests)
        assert found[1] == pytest.approx(found[0], rel=0.002 if drain == 7200 else 0.03)
    assert found[0] > 2 * RATE


@pytest.mark.parametrize(
    ("n", "mean", "q", "drain", "keep", "s"), [(8, 700, 20, 121, 300, 40), (12, 240, 7, 61, 35, 90)]
)
def test_sessions_that_are_cut_off(
    n: int, mean: int, q: int, drain: int, keep: int, s: int
) -> None:
    """rate x mean / q are alive. Behind blue the share e^(-(keep + drain) / mean) is left; a canary
    at 25 % has taken 25 % of those that began since; a window moves them pod by pod."""
    alive = RATE * mean / q
    service = f"startup: {s}s, drain: {drain}s, sessions: {{mean: {mean}s, requests: {q}}}"
    steps = "steps: [{weight: 25%}, {pause: 200s}]"
    canary = f"argo_canary: {{traffic_routing: true, scale_down_delay: {keep}s, {steps}}}"
    left = math.exp(-(keep + drain) / mean)
    cases = {
        f"blue_green: {{smoke: none, keep_old: {keep}s}}": left,
        canary: left * (1 - 0.25 * (1 - math.exp(-(200 + s) / mean))),
        "kubernetes_rolling: {max_surge: 1, max_unavailable: 0}": moved_visits(n, s, drain, mean)[
            1
        ],
    }
    for words, part in cases.items():
        scenario = bare(instances=n, service=service, strategy=words)
        found = play(scenario, 60, seed=9, bad=False)
        assert near([one.failed_requests for one in found], alive * part), words


@pytest.mark.parametrize(
    ("start", "work", "freeze", "waits"),
    [
        ("Fri 15:30", "Mon-Fri 09:00-17:00", "{from: Fri 16:00, to: Mon 07:00}", 65.5),
        ("Wed 16:50", "Mon-Fri 08:30-17:00", "{from: Thu 08:00, to: Thu 12:30}", 19 + 40 / 60),
    ],
)
def test_steps_wait_for_working_hours(start: str, work: str, freeze: str, waits: float) -> None:
    """The bake of 40 minutes ends outside; the next step starts when both allow it, and then takes
    a start, ten minutes and another start."""
    steps = "steps: [{weight: 10%, bake: 40m}, {weight: 50%, bake: 10m}]"
    words = f"canary: {{only_in: work, {steps}, promote: at_once}}"
    scenario = bare(service="startup: 60s", strategy=words, traffic=f"start_at: {start}")
    scenario = scenario.with_("calendar", f"{{work: {work}, freeze: [{freeze}]}}")
    found = play(scenario, 1, bad=False)[0]
    assert found.time_to_deploy == pytest.approx(3600 * waits + 720)


# More than 200 instances --------------------------------------------------------------------


@pytest.mark.parametrize(("n", "q", "failures"), [(250, 0.1, 34), (320, 0.06, 25)])
def test_a_breaker_of_hundreds(n: int, q: float, failures: int) -> None:
    """Without a reset it trips when all failed tries, negative binomial, are at least so many."""
    service = f"startup: 20s, start_failure: {{probability: {100 * q:g}%, timeout: 50s}}"
    words = f"ecs_rolling: {{circuit_breaker: true, failure_threshold: {failures}, "
    words += "rollback: true, reset_on_healthy: false, maximum: 106%}"
    scenario = bare(instances=n, service=service, strategy=words, detection="health: none")
    found = play(scenario, 300, seed=4, bad=False)
    chance = float(nbinom.sf(failures - 1, n, 1 - q))
    assert share_of([one.caught_by == "circuit breaker" for one in found], chance)


@pytest.mark.parametrize(("n", "m", "deadline"), [(220, 40, 240), (400, 30, 200)])
def test_a_deadline_of_hundreds(n: int, m: int, deadline: int) -> None:
    """One at a time: a person who looks `look` seconds later still finds it stuck when a start
    takes longer than both: 1 - (1 - e^(-(deadline + look) / m))^n."""
    look = 30
    never = "start_failure: {probability: 0%, timeout: 10h}"
    words = "kubernetes_rolling: {max_surge: 1, max_unavailable: 0, "
    words += f"progress_deadline: {deadline}s}}"
    scenario = bare(
        instances=n,
        service=f"startup: {{exponential: {{mean: {m}s}}}}, {never}",
        response=f"page: {{acknowledge: {look - 10}s, decide: 10s}}",
        strategy=words,
    )
    chance = 1 - (1 - math.exp(-(deadline + look) / m)) ** n
    found = play(scenario, 150, seed=5, bad=False)
    assert share_of([one.caught_by == "progress deadline" for one in found], chance)


@pytest.mark.parametrize(("n", "m", "k", "drain"), [(301, 40, 11, 0), (420, 25, 30, 45)])
@pytest.mark.parametrize("followed", [True, False])
def test_the_time_and_cost_of_hundreds(n: int, m: int, k: int, drain: int, followed: bool) -> None:
    """k slots: m (n - k) / k + m H_k; each is paid for while it starts and while its old one
    drains: n (m + drain). Four standard errors; 3 % for the mean course of a whole fleet."""
    never = "start_failure: {probability: 0%, timeout: 10h}"
    service = f"startup: {{exponential: {{mean: {m}s}}}}, drain: {drain}s, cost: 36/h, {never}"
    words = f"rolling: {{batch: {k}, surge: {k}}}"
    if followed:
        words = f"kubernetes_rolling: {{max_surge: {k}, max_unavailable: 0, progress_deadline: 9m}}"
    scenario = bare(instances=n, service=service, strategy=words)
    found = play(scenario, 100, seed=6, bad=False)
    expected = m * (n - k) / k + m * harmonic(k)
    time = near([one.time_to_deploy for one in found], expected)
    assert abs(time.mean - expected) < time.bound + 0.01 * expected
    expected = n * (m + drain) * SECOND
    cost = near([one.extra_cost for one in found], expected)
    assert abs(cost.mean - expected) < cost.bound + 0.03 * expected


@pytest.mark.parametrize(
    "words",
    [
        "kubernetes_rolling: {max_surge: K, max_unavailable: 0}",
        "rolling: {batch: K, in_place: true}",
    ],
)
@pytest.mark.parametrize(("n", "k", "x"), [(240, 12, 215), (320, 10, 330)])
def test_hundreds_stand_still_once_something_was_noticed(
    words: str, n: int, k: int, x: int
) -> None:
    """k come each T seconds (40, in place 60 more). The first harm is theirs; x seconds later c new
    ones serve, k more still come, and no others until the decision 300 s after that. A surge makes
    n + k of the fleet then and goes at the decision; in place n - k serve while k are out."""
    out = k if "in_place" in words else 0
    turn, serving, standing = 40 + 60 * (out > 0), n - out, n + k - out
    turns, rest = x // turn, x % turn
    c = k * (1 + turns)
    scenario = bare(
        instances=n,
        service="startup: 40s, install: 40s, drain: 60s",
        strategy=words.replace("K", str(k)),
        **noticed(x, 300),
    )
    found = play(scenario.with_("response.hold", True), 1)[0]
    assert found.time_to_detect == pytest.approx(x, rel=1e-3)
    assert found.exposure_when_caught == pytest.approx(c / serving, rel=0.05)
    assert found.peak_exposure == pytest.approx((c + k) / standing, rel=0.05)
    there = sum(range(k, c, k)) * turn + c * turn
    back = sum(range(k, c + 1, k)) * turn
    waiting = (c + k) * (300 - turn + rest)
    expected = (there + back) / serving + waiting / standing
    assert found.exposure_time == pytest.approx(expected, rel=0.05)


# What is said of it ---------------------------------------------------------------------------


def asked(strategy: str, rate: int, **more: str) -> Scenario:
    """A scenario as an import has it: its strategy is called current."""
    words = f"current: {{{strategy}}}"
    given = {"service": "startup: 15s", "response": "decide: 0s", **more}
    return bare(instances=5, rate=f"rate: {rate} rps", strategy=words, **given)


@pytest.mark.parametrize(("every", "match", "checks", "above"), [(30, 30, 4, 2.5), (45, 20, 3, 3)])
def test_a_miss_is_the_power_of_the_whole_step(
    every: int, match: int, checks: int, above: float
) -> None:
    """Some checks of the same users are one step: all its requests are said, and it notices unless
    every check passes. One check alone would notice half as often."""
    words = f"kind: flagger, interval: {every}s, iterations: {checks}, match: {match}%, "
    words += f"metrics: [{{above: {above}%, window: {every}s}}]"
    scenario, requests = asked(words, 8), 8 * match / 100 * every
    one = fails(requests, 0.02, above / 100)
    found = missed(scenario, 300)
    assert found.gate is not None
    assert found.gate.duration == pytest.approx(checks * every)
    assert found.gate.requests == pytest.approx(checks * requests)
    expected = 1 - (1 - one) ** checks
    assert found.noticed.value == pytest.approx(
        expected, abs=4 * math.sqrt(expected * (1 - expected) / 300)
    )
    assert found.noticed.value > one + 0.1
    told = f"in {100 * found.noticed.value:.0f} of 100 cases"
    assert f"sees {checks * requests:.0f} requests" in missing(found)
    assert told in missing(found)


@pytest.mark.parametrize(("rate", "weight", "bake", "above"), [(20, 10, 60, 3), (9, 25, 90, 2)])
def test_a_miss_is_the_power_of_a_judge(rate: int, weight: int, bake: int, above: int) -> None:
    """A judge of a threshold sees a Poisson number of requests."""
    steps = f"[{{weight: {weight}%, bake: {bake}s}}, {{weight: 60%, bake: 60s}}]"
    judge = f"judge: {{test: threshold, above: {above}%}}"
    scenario = asked(f"kind: canary, steps: {steps}", rate, detection=judge)
    step = first_step(gates(scenario, "current"))
    assert step is not None
    assert step.requests == pytest.approx(rate * weight / 100 * bake)
    chance = fails(step.requests, 0.02, above / 100)
    noticed_there = missed(scenario, 300).noticed.value
    bound = 4 * math.sqrt(chance * (1 - chance) / 300)
    assert noticed_there == pytest.approx(chance, abs=bound)


def test_what_matters_is_ranked_by_what_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share of the users too small for a word does not stand before a longer time."""

    def swing(path: str, harm: float, time: float) -> Swing:
        ends = {**dict.fromkeys(SHOWN, 0.0), "users_harmed": harm, "time_to_deploy": time}
        return Swing(Assumption(path, 1, 0, 2, "judgement", "a guess"), ends, dict(ends))

    swings = (
        swing("short", 0.0001, 5.0),
        swing("long", 0.0, 900.0),
        swing("harm", 0.02, 0.0),
        swing("longer", 0.0002, 1000.0),
    )
    found = imported(from_text("{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}"))
    tornado = Tornado("current", {}, swings, 10)
    monkeypatch.setattr(brought, "simulate", lambda *_: None)
    monkeypatch.setattr(brought, "tornado", lambda *_: iter([tornado]))
    ranked = [one.assumption.path for one in brought.matter(found)]
    assert ranked == ["harm", "longer", "long", "short"]
