"""Releases of real platforms and cut-overs against closed forms, each at two sets of numbers.

With constant times nothing is random but counts of requests, of which the expected number is known;
the rest is within four standard errors.
"""

from __future__ import annotations

import math
from typing import get_args

import pytest

from simulator.platforms.beanstalk.rules import Policy
from simulator.play.outcome import Outcome
from simulator.words.scenario import Scenario
from tests.answers import oracles, oracles_trouble
from tests.answers import oracles_platforms as platforms
from tests.answers.comparing import given, near, noticed
from tests.platforms.watching import watched
from tests.play.playing import bare, play

RATE, FAILING = 1000, 0.2


def good(scenario: Scenario) -> Outcome:
    return play(scenario, 1, bad=False)[0]


def bad(scenario: Scenario) -> Outcome:
    return play(scenario, 1)[0]


def cut_over(how: str, keep: float = 0, **words: str | int) -> Scenario:
    """A blue/green release with this method."""
    keeps = f"keep_old: {keep}s"
    return bare(strategy=f"blue_green: {{smoke: none, {keeps}, cutover: {{{how}}}}}", **words)


# Cut-overs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "start", "check", "beside", "keep", "drain"),
    [(7, 137, 20, 400, 900, 25), (23, 45, 50, 0, 61, 80)],
)
def test_a_second_group_costs_a_fleet_until_blue_is_gone(
    size: int, start: int, check: int, beside: int, keep: int, drain: int
) -> None:
    """Green is there from the start, blue until it has drained: n (start + check + beside + keep +
    drain). Both serve while green registers and beside it."""
    how = f"swap_group: {{check: {check}s, beside: {beside}s}}"
    service = f"startup: {start}s, drain: {drain}s, cost: 3/h"
    found = good(cut_over(how, keep, instances=size, service=service))
    times = (start, check, beside, keep, drain)
    assert found.extra_cost == pytest.approx(platforms.second_group(size, times) * 3 / 3600)
    assert (found.time_to_deploy, found.time_to_finish) == (start + check + beside, sum(times))
    assert (found.mixed_time, found.peak_instances) == (check + beside, 2 * size)


@pytest.mark.parametrize(("check", "after", "decide"), [(60, 20, 10), (45, 3, 25)])
def test_found_while_green_registers(check: int, after: int, decide: int) -> None:
    """u of its targets get u / (1 + u): T (x - ln(1 + x)) up to x = (D + R) / T, and all at once
    back."""
    found = bad(cut_over(f"swap_group: {{check: {check}s}}", **noticed(after, decide)))
    exposed = platforms.while_registering(check, after + decide)
    assert found.exposure_time == pytest.approx(exposed, rel=1e-6)
    assert found.rollback_90 == 0


@pytest.mark.parametrize(("check", "slow", "beside"), [(30, 300, 0), (20, 600, 100)])
def test_a_slow_start_ends_when_the_other_group_leaves(check: int, slow: int, beside: int) -> None:
    """Green takes over with blue's leaving, however cold; and blue, back after one check, does."""
    how = f"swap_group: {{check: {check}s, slow_start: {slow}s, beside: {beside}s}}"
    found = good(cut_over(how, 3600, service="startup: 50s"))
    assert found.time_to_deploy == pytest.approx(50 + check + beside)
    assert found.mixed_time == pytest.approx(check + beside)
    back = bad(cut_over(how, 9000, **noticed(4000, 100)))
    exposed = platforms.slow_start_there_and_back(check, slow, beside, 4000, 100)
    assert back.exposure_time == pytest.approx(exposed, rel=1e-6)
    assert back.rollback_90 == check


@pytest.mark.parametrize(("size", "zones", "started"), [(4, 2, (4, 2, 1)), (6, 3, (6, 2, 1))])
@pytest.mark.parametrize(("start", "drain"), [(100, 30), (77, 0)])
def test_all_old_instances_in_one_zone(
    size: int, zones: int, started: tuple[int, ...], start: int, drain: int
) -> None:
    """By hand: 4 old ones in one of two zones, 4 new ones in the other; even, 2 of each go; then 1
    of each of 2; then the last. 6 in one of three zones: 4 old and 2 new go, 1 and 1, 1. Each that
    is started is held in addition until another has drained."""
    service = f"startup: {start}s, drain: {drain}s, cost: 2/h, zones: {zones}"
    how = "replace_instances: {skew: 100%}"
    found = good(cut_over(how, instances=size, service=service))
    rounds = len(started)
    held = platforms.second_group(sum(started), (start, drain))
    assert found.extra_cost == pytest.approx(held * 2 / 3600)
    assert found.time_to_deploy == rounds * start + (rounds - 1) * drain
    assert found.time_to_finish == rounds * (start + drain)
    assert found.peak_instances == 2 * size


@pytest.mark.parametrize(
    ("size", "others", "times", "keep", "drain"),
    [(7, 5, (137, 600, 100, 33), 900, 25), (20, 3, (0, 50, 60, 0), 0, 9)],
)
def test_a_copied_stack_costs_its_other_layers_too(
    size: int, others: int, times: tuple[int, int, int, int], keep: int, drain: int
) -> None:
    """(n + others) (start + setup + deploy + propagation + keep + drain); clients come over evenly
    within 60 s, and those who have not when blue goes are lost: r (60 - keep)^2 / (2 x 60)."""
    start, setup, deploy, propagation = times
    how = (
        f"clone_stack: {{ttl: 60s, ignore: 0%, propagation: {propagation}s, "
        f"other_layers: {others}, setup: {setup}s, deploy: {deploy}s}}"
    )
    service = f"startup: {start}s, drain: {drain}s, cost: 3/h"
    found = good(cut_over(how, keep, instances=size, service=service))
    held = platforms.second_group(size + others, (*times, keep, drain))
    assert found.extra_cost == pytest.approx(held * 3 / 3600)
    assert found.time_to_deploy == pytest.approx(sum(times) + 0.999 * 60)
    lost = platforms.left_behind(RATE, 60, keep)
    assert found.expected_failed_requests == pytest.approx(lost)


@pytest.mark.parametrize(("ttl", "keep"), [(100, 30), (240, 180)])
def test_an_old_environment_that_is_kept_too_short(ttl: int, keep: int) -> None:
    """r (ttl - keep)^2 / (2 ttl) requests of clients that still have its address."""
    how = f"swap_url: {{ttl: {ttl}s, ignore: 0%, propagation: 0s, create: 77s}}"
    found = good(cut_over(how, keep, service="startup: 20s"))
    lost = platforms.left_behind(RATE, ttl, keep)
    assert found.expected_failed_requests == pytest.approx(lost)
    assert found.time_to_deploy == pytest.approx(77 + 20 + 0.999 * ttl)


@pytest.mark.parametrize(
    ("rate", "mean", "requests", "drain"), [(1000, 600, 30, 120), (300, 1800, 90, 300)]
)
def test_sessions_go_with_instances_to_standby(
    rate: int, mean: int, requests: int, drain: int
) -> None:
    """r m / k sessions are under way, all on instances that were there before; those of the ones
    that stand by are lost as those of the ones that end, unless they are over within the drain."""
    lost = {}
    for standby in ("true", "false"):
        sessions = f"sessions: {{mean: {mean}s, requests: {requests}}}"
        service = f"startup: 60s, drain: {drain}s, {sessions}"
        how = f"replace_instances: {{standby: {standby}}}"
        scenario = cut_over(how, 3600, rate=f"rate: {rate} rps", service=service)
        lost[standby] = good(scenario).expected_failed_requests
    assert lost["true"] == lost["false"]
    alive = oracles_trouble.sessions_alive(rate, mean, requests)
    assert lost["true"] == pytest.approx(oracles_trouble.sessions_lost(alive, [1], drain, mean))


@pytest.mark.parametrize(("standby", "back"), [("true", 30), ("false", 80)])
@pytest.mark.parametrize(("size", "drain", "after", "decide"), [(9, 15, 500, 40), (4, 0, 60, 9)])
def test_back_from_standby_or_started_anew(
    standby: str, back: int, size: int, drain: int, after: int, decide: int
) -> None:
    """One passed check, or a start: so long the defect goes on after the decision. Standing by
    costs until new ones are gone; without it only what is held twice does."""
    service = f"startup: 80s, drain: {drain}s, cost: 1/h"
    how = f"replace_instances: {{standby: {standby}, check: 30s}}"
    words = noticed(after, decide)
    found = bad(cut_over(how, 9000, instances=size, service=service, **words))
    assert found.exposure_time == pytest.approx(after + decide + back)
    assert found.rollback_90 == found.rollback_time == back
    assert found.time_to_mitigate == decide + back
    held = 80 + after + decide + 30 + drain if standby == "true" else 2 * (80 + drain)
    assert found.extra_cost == pytest.approx(size * held / 3600)


@pytest.mark.parametrize(("ttl", "propagation", "drain"), [(100, 33, 0), (300, 0, 20)])
@pytest.mark.parametrize(
    ("how", "again", "others"),
    [
        ("swap_url: {create: 77s, ", 77, 0),
        ("clone_stack: {other_layers: 5, setup: 600s, deploy: 50s, ", 650, 5),
    ],
)
def test_what_is_gone_is_built_again_as_it_was_at_first(
    how: str, again: int, others: int, ttl: int, propagation: int, drain: int
) -> None:
    """Blue went ten minutes after the switch: creating it or its recipes, a start, and 90 % of the
    time to live. Both are held twice, from the start until one has drained, on both ways."""
    dns = f"ttl: {ttl}s, ignore: 0%, propagation: {propagation}s"
    service = f"startup: 50s, drain: {drain}s, cost: 1/h"
    words = noticed(5000, 60)
    found = bad(cut_over(f"{how}{dns}}}", 600, service=service, **words))
    assert found.rollback_90 == pytest.approx(again + 50 + propagation + 0.9 * ttl, abs=0.01)
    recipes = again if others else 0
    forth = 50 + recipes + propagation + 600 + drain
    back = 50 + recipes + propagation + 0.999 * ttl + drain
    assert found.extra_cost == pytest.approx((10 + others) * (forth + back) / 3600, rel=1e-6)


# Controllers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("desired", "percent", "start", "least", "most"),
    [(7, ("60%", "130%"), 61, 5, 9), (11, ("45%", "175%"), 40, 5, 19)],
)
def test_odd_percentages_of_tasks(
    desired: int, percent: tuple[str, str], start: int, least: int, most: int
) -> None:
    """4.2 and 4.95 tasks have to run, rounded up; 9.1 and 19.25 may, rounded down: ceil(n / (most -
    least)) starts one after the other. Without draining never more are held than may run."""
    strategy = f"ecs_rolling: {{minimum_healthy: {percent[0]}, maximum: {percent[1]}}}"
    scenario = bare(instances=desired, service=f"startup: {start}s, drain: 0s", strategy=strategy)
    found = good(scenario)
    assert found.time_to_deploy == math.ceil(desired / (most - least)) * start
    assert found.peak_instances == min(most, least + desired)
    assert min(moment.serving for moment in watched(scenario)[1]) == least


@pytest.mark.parametrize(
    ("pods", "words", "surge", "missing", "start", "ready"),
    [
        (13, "max_surge: 30%, max_unavailable: 20%", 4, 2, 50, 30),
        (17, "max_surge: 0, max_unavailable: 3", 0, 3, 44, 100),
        (9, "max_surge: 2, max_unavailable: 0", 2, 0, 71, 13),
    ],
)
def test_rounds_of_pods_that_have_to_be_ready_for_a_while(
    pods: int, words: str, surge: int, missing: int, start: int, ready: int
) -> None:
    """Each round of surge + missing takes start + ready. The last old pod goes when all but the
    missing ones are replaced; both versions serve from the first start until then."""
    strategy = f"kubernetes_rolling: {{{words}, min_ready: {ready}s}}"
    service = f"startup: {start}s, drain: 0s"
    found = good(bare(instances=pods, service=service, strategy=strategy))
    rounds, each = surge + missing, start + ready
    assert found.time_to_deploy == math.ceil(pods / rounds) * each
    assert found.mixed_time == math.ceil((pods - missing) / rounds) * each - start
    assert found.peak_instances == pods + surge


@pytest.mark.parametrize(
    ("pods", "surge", "missing", "start", "after", "decide"),
    [(12, "25%", "25%", 50, 800, 30), (20, 2, 8, 33, 300, 100)],
)
def test_two_rounds_there_and_two_rounds_back(
    pods: int, surge: str | int, missing: str | int, start: int, after: int, decide: int
) -> None:
    """With half of the pods in a round, a share w is new after the first one, the rest after the
    second; back there is 1 - w left after the first: w S + (D + R - S) + S + (1 - w) S seconds."""
    strategy = f"kubernetes_rolling: {{max_surge: {surge}, max_unavailable: {missing}}}"
    service = f"startup: {start}s, drain: 7s"
    words = noticed(after, decide)
    found = bad(bare(instances=pods, service=service, strategy=strategy, **words))
    exposed = platforms.two_rounds_there_and_back(start, after, decide)
    assert found.exposure_time == pytest.approx(exposed)
    assert found.expected_failed_requests == pytest.approx(RATE * FAILING * exposed)
    assert found.rollback_90 == found.rollback_time == 2 * start
    assert found.time_to_mitigate == decide + 2 * start


@pytest.mark.parametrize(
    ("start", "drain", "after", "decide"), [(50, 20, 800, 30), (33, 0, 300, 100)]
)
def test_recreating_there_and_back(start: int, drain: int, after: int, decide: int) -> None:
    """Two outages of drain + start, and the new version from the first to the second."""
    service = f"startup: {start}s, drain: {drain}s"
    strategy = "kubernetes_recreate: {}"
    found = bad(bare(service=service, strategy=strategy, **noticed(after, decide)))
    assert found.outage == 2 * (start + drain)
    assert found.exposure_time == pytest.approx(after + decide)
    failed = oracles.down_and_back(RATE, FAILING, start + drain, after, decide)
    assert found.expected_failed_requests == pytest.approx(failed)
    assert found.rollback_90 == start + drain


@pytest.mark.parametrize(
    ("start", "pause", "batch", "capacity"), [(70, 20, 3, 150), (100, 30, 4, 120)]
)
def test_batches_that_nobody_waits_for(start: int, pause: int, batch: int, capacity: int) -> None:
    """Ten instances in batches that leave every pause and are back a start later: sum of what is
    above the capacity in service; with signals each batch is back before the next one leaves."""
    sizes = [min(batch, 10 - done) for done in range(0, 10, batch)]
    outage, rejected, seconds = platforms.unwaited_batches(10, batch, pause, start, RATE, capacity)
    service = f"startup: {start}s, drain: 0s, capacity: {capacity} rps"
    words = f"cloudformation_rolling: {{max_batch: {batch}, "
    found = good(bare(service=service, strategy=f"{words}pause: {pause}s}}"))
    assert outage > 0
    assert found.outage == outage
    assert found.expected_failed_requests == pytest.approx(rejected)
    assert found.time_to_deploy == seconds
    found = good(bare(service=service, strategy=f"{words}wait_on_signals: true}}"))
    rejected = sum(start * max(RATE - capacity * (10 - count), 0) for count in sizes)
    assert found.outage == 0
    assert found.expected_failed_requests == pytest.approx(rejected)
    assert found.time_to_deploy == len(sizes) * start


@pytest.mark.parametrize(("size", "least", "chance"), [(6, 4, 0.15), (9, 3, 0.55), (5, 0, 0.7)])
def test_how_often_too_few_hosts_stay_healthy(size: int, least: int, chance: float) -> None:
    """A host is taken only while one may fail: the deployment stops when k = n - least have failed
    and one is left that was not tried, P(Bin(n - 1, q) >= k); with k = n when all have, q^n."""
    exact, count = platforms.too_few_healthy(size, least, chance), 250
    failing = f"start_failure: {{probability: {chance}, timeout: 10m}}"
    strategy = f"codedeploy: {{minimum_healthy: {least}}}"
    scenario = bare(instances=size, service=f"install: 60s, {failing}", strategy=strategy)
    found = [row.caught_by == "minimum healthy hosts" for row in play(scenario, count, bad=False)]
    error = math.sqrt(exact * (1 - exact) / count)
    assert sum(found) / count == pytest.approx(exact, abs=4 * error)


@pytest.mark.parametrize(
    ("size", "least", "takes", "drain", "after", "decide"),
    [(9, 5, 100, 0, 40, 20), (7, 4, 300, 20, 100, 40)],
)
def test_hosts_that_are_away_when_the_way_back_begins(
    size: int, least: int, takes: int, drain: int, after: int, decide: int
) -> None:
    """k = n - least are new, k more away, n - 2k old: k / (n - k) of the traffic is exposed. Those
    that are away come back as old ones first, then the new ones leave."""
    service = f"install: {takes}s, drain: {drain}s"
    strategy = f"codedeploy: {{minimum_healthy: {least}}}"
    words = noticed(after, decide)
    found = bad(bare(instances=size, service=service, strategy=strategy, **words))
    share = (size - least) / least
    assert found.peak_exposure == pytest.approx(share)
    assert found.exposure_time == pytest.approx(share * (after + decide + takes))
    assert (found.rollback_90, found.rollback_time) == (takes, 2 * takes + drain)


@pytest.mark.parametrize(("size", "least", "takes"), [(9, 5, 81), (7, 6, 20)])
def test_what_would_be_rejected_anyway_is_no_harm(size: int, least: int, takes: int) -> None:
    """100 requests/s each: n of them reject 1000 - 100 n with nothing deployed; harm is what the
    hosts that are away reject beyond it."""
    service = f"install: {takes}s, capacity: 100 rps"
    strategy = f"codedeploy: {{minimum_healthy: {least}}}"
    found = good(bare(instances=size, service=service, strategy=strategy))
    at_once = size - least
    away = [min(at_once, size - done) for done in range(0, size, at_once)]
    assert found.expected_failed_requests == pytest.approx(sum(100 * n * takes for n in away))
    assert found.min_headroom == pytest.approx(100 * least / RATE - 1)
    assert found.time_to_deploy == len(away) * takes


@pytest.mark.parametrize(
    ("size", "batch", "start", "install", "wait", "drain", "split"),
    [(7, 3, 50, 20, 40, 15, 200), (10, 4, 31, 77, 0, 0, 700)],
)
def test_what_the_five_policies_cost(
    size: int, batch: int, start: int, install: int, wait: int, drain: int, split: int
) -> None:
    """An additional batch lives through K batches of drain + install and K + 1 waits; a second
    group from its start to the end of draining, its first instance a start and a wait longer."""
    service = f"startup: {start}s, install: {install}s, drain: {drain}s, cost: 6/h"
    shape, times = (size, batch), (start, drain, install)
    for policy in get_args(Policy):
        seconds = platforms.beanstalk_held(policy, shape, times, wait, split)
        words = f"batch: {batch}, health_wait: {wait}s, evaluation: {split}s"
        strategy = f"beanstalk: {{policy: {policy}, {words}}}"
        found = good(bare(instances=size, service=service, strategy=strategy))
        assert found.extra_cost == pytest.approx(seconds * 6 / 3600), policy


@pytest.mark.parametrize(
    ("growth", "minutes", "poll", "after", "decide"),
    [(0.25, 40, 30, 1500, 100), (0.3, 20, 0, 700, 60)],
)
def test_a_configuration_that_grows_and_is_taken_back(
    growth: float, minutes: int, poll: int, after: int, decide: int
) -> None:
    """Every step (duration / K apart) adds its part from its publication on, counted from the
    first; half a poll late there and half a poll late back, so that the poll cancels out in every
    step that begins before the decision."""
    words = f"factor: {growth}, duration: {minutes}m, bake: 1h, poll: {poll}s"
    scenario = bare(strategy=f"appconfig: {{strategy: custom, {words}}}", **noticed(after, decide))
    found = bad(scenario)
    steps = math.ceil(1 / growth)
    levels = [min(growth * step, 1.0) for step in range(steps + 1)]
    seen = after + decide
    begun = [k for k in range(steps) if k * minutes * 60 / steps < after + decide]
    exposed = sum((levels[k + 1] - levels[k]) * (seen - k * minutes * 60 / steps) for k in begun)
    assert found.exposure_time == pytest.approx(exposed)
    assert found.peak_exposure == pytest.approx(levels[len(begun)])


# Services, caches, throttles ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "coupling", "rate", "after", "decide"),
    [(8, 0.6, 0.35, 40, 15), (4, 0.1, 0.5, 10, 3)],
)
def test_the_first_of_several_services_is_one_part_of_the_traffic(
    count: int, coupling: float, rate: float, after: int, decide: int
) -> None:
    """Found before the second one starts: 1/n of the requests is exposed and a part p of it fails,
    whatever number is touched (1 + (n - 1) c on average); one release was begun, and is paid for.
    """
    strategy = (
        f"service_by_service: {{count: {count}, coupling: {coupling}, "
        "each: {kind: blue_green, smoke: none, keep_old: 1h}}"
    )
    defect = f"{{kind: errors, rate: {rate}}}"
    words = noticed(after, decide)
    scenario = bare(service="startup: 100s", defect=defect, strategy=strategy, **words)
    scenario = scenario.with_("costs.release", "7")
    goods = play(scenario, 200, bad=False)
    assert near([row.releases for row in goods], 1 + (count - 1) * coupling)
    assert all(row.loss_release == 7 * row.releases for row in goods)
    rows = play(scenario, 200)
    assert {(row.releases, row.loss_release) for row in rows} == {(1, 7)}
    seconds = (after + decide) / count
    for row in rows:
        assert row.exposure_time == pytest.approx(seconds)
        assert row.exposed_requests == pytest.approx(RATE * seconds)
        assert row.peak_exposure == row.exposure_when_caught == pytest.approx(1 / count)
        assert row.expected_failed_requests == pytest.approx(RATE * rate * seconds)


@pytest.mark.parametrize("dns", ["", ", dns: {ttl: 300s, ignore: 0%, propagation: 0s}"])
@pytest.mark.parametrize(("hits", "ttl", "first"), [(0.5, 100, 4), (0.8, 60, 2)])
def test_a_cache_delays_harm_and_changes_none_of_it(
    dns: str, hits: float, ttl: int, first: int
) -> None:
    """Misses carry the share w = k / (n + k) of the pool, kept answers its mean over the last time
    to live: what that lacks at first comes afterwards, r p w (D + R) in all. Records that name the
    pool do not change, so that nobody is left behind."""
    scenario = given(
        {"router": f"{{cache: {{hits: {hits}, ttl: {ttl}s, shared: true}}{dns}}}"},
        service="startup: 10s, drain: 7s",
        strategy=f"immutable: {{first: {first}, bake: 1h}}",
        **noticed(1000, 50),
    )
    found = bad(scenario)
    weight = first / (10 + first)
    assert found.exposure_time == pytest.approx(1050 * weight)
    assert found.expected_failed_requests == pytest.approx(RATE * FAILING * 1050 * weight)
    assert (found.rollback_90, found.unresolved) == (0, 0)


@pytest.mark.parametrize(("rate", "share", "limit"), [(2000, 0.5, 2400), (900, 0.3, 1000)])
def test_copies_and_requests_are_refused_alike(rate: int, share: float, limit: int) -> None:
    """r (1 + s) come, L are let through: 1 - L / (r (1 + s)) of the requests is refused until the
    shadow ends, but for the one that the bucket holds."""
    strategy = f"shadow: {{share: {share}, duration: 20m, then: {{kind: canary}}}}"
    also = {"router.throttle": f"{{rate: {limit} rps, burst: 1}}"}
    found = good(given(also, rate=f"rate: {rate} rps", strategy=strategy))
    come = rate * (1 + share)
    seconds = 1200 - 1 / (come - limit)
    assert found.expected_failed_requests == pytest.approx(rate * seconds * (1 - limit / come))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cache", ["", ", cache: {hits: 50%, ttl: 1m, shared: false}"])
def test_data_are_repaired_when_the_time_is_over(cache: str, seed: int) -> None:
    """Mixed data are repaired an hour after the last new instance has left; nothing is left."""
    scenario = given(
        {"router": f"{{dns: {{ttl: 5m, ignore: 0%, propagation: 0s}}{cache}}}"},
        instances=3,
        service="startup: {exponential: {mean: 60s}}, drain: 30s",
        defect="{kind: mixed_versions, rate: 30%, persists: 50%, repair: 1h}",
        strategy="immutable: {}",
        **noticed(0, 60),
    )
    rows = play(scenario, 10, seed=seed + 1)
    assert {row.unresolved for row in rows if row.outcome == "rolled_back"} == {0}
