"""Cases of limits that versions share, and of controllers of platforms, parameters drawn afresh."""

from __future__ import annotations

from random import Random

from tests.play.playing import bare
from tests.request_level.agreement import Case, watched

SEEN = ("failed_requests", "users_harmed", "exposure_time", "time_to_detect", "rollback_time")


def functions_over_their_limit(rng: Random) -> Case:
    """A half of the requests takes three times as long: all are rejected alike, on both."""
    scenario = bare(
        rate="rate: 12 rps",
        users="1k",
        service=f"elastic: true, concurrency: {rng.randint(13, 16)}, service_time: 1s",
        defect="{kind: slow, factor: 3, rate: 0%}",
        detection="noticed: {after: {uniform: {low: 2m, high: 5m}}}",
        response="page: {decide: 60s}",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(40, 60)}%, bake: 1h}}]}}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN[:4], chunk=40)


def functions_that_do_not_come_up(rng: Random) -> Case:
    """What would crash elsewhere fails requests of functions; an alarm sees it."""
    scenario = bare(
        rate="rate: 8 rps",
        users="1k",
        service="elastic: true",
        defect=f"{{kind: crash, starts: {rng.randint(30, 60)}%}}",
        detection="alarms: [{above: 10%, period: 1m, delay: 30s}]",
        strategy="canary: {steps: [{weight: 30%, bake: 1h}]}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN[:4], chunk=40)


def copies_use_up_a_throttle(rng: Random) -> Case:
    """A good release whose copies take tokens that requests would have had, once the burst is
    used up."""
    rate, burst = rng.randint(13, 15), rng.randint(200, 400)
    scenario = bare(
        rate="rate: 10 rps",
        users="2k",
        strategy="shadow: {share: 100%, duration: 8m, then: {kind: big_bang, in_place: false}}",
    )
    words = scenario.with_("router.throttle", f"{{rate: {rate} rps, burst: {burst}}}")
    words = watched(words)
    return Case(words, ("failed_requests", "users_harmed"), False, chunk=40)


def more_than_a_throttle_lets_through(rng: Random) -> Case:
    """A third is refused with nothing deployed: only what comes through can be harmed."""
    scenario = bare(
        rate="rate: 15 rps",
        users="1k",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection="noticed: {after: {uniform: {low: 2m, high: 4m}}}",
        response="page: {decide: 30s}",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(40, 60)}%, bake: 1h}}]}}",
    )
    words = scenario.with_("router.throttle", "{rate: 10 rps, burst: 5}")
    return Case(words.with_("follow_up", "10m"), SEEN[:4], chunk=40)


def pods_there_and_back(rng: Random) -> Case:
    """A Deployment whose pods have to be ready for a while, rolled back in the middle."""
    scenario = bare(
        instances=rng.randint(9, 12),
        rate="rate: 6 rps",
        users="1k",
        service="startup: {lognormal: {median: 60s, sigma: 0.4}}, drain: 20s, utilisation: 75%",
        defect="{kind: errors, rate: 30%}",
        detection="noticed: {after: {uniform: {low: 60s, high: 200s}}}",
        response="page: {decide: 30s}",
        strategy=f"kubernetes_rolling: {{max_surge: 20%, max_unavailable: {rng.randint(1, 2)}, "
        f"min_ready: {rng.randint(10, 30)}s}}",
    )
    return Case(scenario.with_("response.hold", True).with_("follow_up", "10m"), SEEN)


def pods_without_progress(rng: Random) -> Case:
    """Starts that fail for so long that whoever is called finds nothing moving, or moves again."""
    scenario = bare(
        instances=4,
        rate="rate: 0.2 rps",
        users="50",
        service=f"startup: {{exponential: {{mean: {rng.randint(4, 6)}m}}}}, "
        "start_failure: {timeout: 3h}",
        detection="health: none",
        response="page: {acknowledge: {exponential: {mean: 2m}}, decide: 2m}",
        strategy=f"kubernetes_rolling: {{max_surge: 1, max_unavailable: 0, "
        f"progress_deadline: {rng.randint(5, 7)}m}}",
    )
    words = watched(scenario)
    return Case(words, ("rolled_back",), False, chunk=400, most=8000)


def a_circuit_that_breaks(rng: Random) -> Case:
    """Tasks a share of whose starts fail; too many stop the deployment, a success forgives them."""
    scenario = bare(
        instances=6,
        rate="rate: 0.2 rps",
        users="50",
        service="startup: {uniform: {low: 20s, high: 60s}}, start_failure: {timeout: 2m}",
        defect=f"{{kind: crash, starts: {rng.randint(60, 75)}%}}",
        response="decide: 10s, overdue: 10h",
        strategy="ecs_rolling: {circuit_breaker: true, rollback: true, maximum: 134%, "
        f"reset_on_healthy: {rng.choice(['true', 'false'])}}}",
    )
    figures = ("rolled_back", "time_to_detect", "rollback_time")
    return Case(scenario.with_("follow_up", "10m"), figures, chunk=400, most=2400)


def a_stack_without_signals(rng: Random) -> Case:
    """Batches that nobody waits for: what is left cannot carry the load."""
    scenario = bare(
        instances=8,
        rate="rate: 8 rps",
        users="1k",
        service="startup: {exponential: {mean: 90s}}, utilisation: 70%",
        strategy=f"cloudformation_rolling: {{max_batch: {rng.randint(2, 3)}, pause: 60s}}",
    )
    words = watched(scenario)
    figures = ("failed_requests", "users_harmed", "time_to_deploy")
    return Case(words, figures, False, most=2400)


def a_stack_that_misses_signals(rng: Random) -> Case:
    """Batches wait for their signals; too few of them fail the update."""
    scenario = bare(
        instances=8,
        rate="rate: 0.2 rps",
        users="50",
        service=f"startup: {{exponential: {{mean: {rng.randint(75, 90)}s}}}}",
        detection="health: none",
        response="decide: 10s",
        strategy="cloudformation_rolling: {max_batch: 3, wait_on_signals: true, pause: 90s, "
        "min_successful: 75%}",
    )
    words = watched(scenario)
    return Case(words, ("rolled_back", "rollback_time"), False, chunk=400, most=2400)


def an_additional_batch(rng: Random) -> Case:
    """New instances serve beside the old ones, which are reinstalled in batches."""
    scenario = bare(
        instances=8,
        rate="rate: 6 rps",
        users="1k",
        service="startup: {uniform: {low: 60s, high: 90s}}, install: {uniform: {low: 20s, "
        "high: 60s}}, drain: 20s",
        defect=f"{{kind: mixed_versions, rate: {rng.randint(30, 50)}%}}",
        detection="noticed: {after: 5h}",
        strategy="beanstalk: {policy: rolling_with_additional_batch, "
        f"batch: {rng.randint(2, 3)}, health_wait: 30s}}",
    )
    figures = ("failed_requests", "users_harmed", "exposure_time", "mixed_time", "time_to_deploy")
    return Case(scenario.with_("follow_up", "1m").with_("response.automatic", "watched"), figures)


def instances_changed_by_hand(rng: Random) -> Case:
    """An update in place fails at first on what somebody changed: the rest is too little."""
    scenario = bare(
        instances=6,
        rate="rate: 8 rps",
        users="2k",
        service=f"install: 60s, utilisation: 85%, drifted: {rng.randint(20, 40)}%, "
        "start_failure: {timeout: 5m}",
        detection="health: none",
        strategy="rolling: {batch: 2, in_place: true, mode: batch}",
    )
    words = watched(scenario)
    return Case(words, ("failed_requests", "users_harmed", "time_to_deploy"), False)


def stores_behind_each_other(rng: Random) -> Case:
    """What the new version wrote shortly before the way back never reached the old store."""
    scenario = bare(
        rate="rate: 20 rps",
        users="1k",
        traffic="writes: 40%",
        detection="noticed: {after: {uniform: {low: 1m, high: 4m}}}",
        response="page: {decide: 30s}",
        strategy="canary: {steps: [{weight: 20%, bake: 2m}, {weight: 60%, bake: 1h}]}",
    )
    words = scenario.with_("change.replication_lag", f"{rng.randint(60, 150)}s")
    return Case(words.with_("follow_up", "10m"), ("corrupt_writes", "failed_requests"), chunk=40)


LIMITS = (
    functions_over_their_limit,
    functions_that_do_not_come_up,
    copies_use_up_a_throttle,
    more_than_a_throttle_lets_through,
    pods_there_and_back,
    pods_without_progress,
    a_circuit_that_breaks,
    a_stack_without_signals,
    a_stack_that_misses_signals,
    an_additional_batch,
    instances_changed_by_hand,
    stores_behind_each_other,
)
