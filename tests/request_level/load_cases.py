"""Cases of starts that wait for a turn, answers for a server, and load for instances."""

from __future__ import annotations

from random import Random

from simulator.words.scenario import Scenario
from tests.play.playing import bare
from tests.request_level.agreement import FIGURES, Case, watched

WAITED = ("failed_requests", "users_harmed", "exposed_requests")


def starts_that_wait_for_their_turn(rng: Random) -> Case:
    """A rolling update there and back whose slots are free earlier than its starts may begin.

    Between detection and decision nothing new begins, and whatever waits has its turn.
    """
    scenario = bare(
        instances=rng.randint(6, 8),
        rate="rate: 6 rps",
        users="1k",
        service=f"startup: {{lognormal: {{median: {rng.randint(50, 70)}s, sigma: 0.3}}}}, "
        f"start_rate: {rng.randint(50, 70)}/h",
        defect="{kind: errors, rate: 30%}",
        detection=f"noticed: {{after: {{uniform: {{low: 3m, high: {rng.randint(210, 240)}s}}}}}}",
        response="page: {decide: 4m}",
        strategy=f"rolling: {{batch: {rng.randint(2, 3)}, surge: 2, rollback_batch: 3}}",
    )
    held = scenario.with_("response.hold", True).with_("follow_up", "10m")
    return Case(held, (*FIGURES, "rollback_time"), chunk=40)


def a_green_fleet_that_starts_one_by_one(rng: Random) -> Case:
    """The last of n starts begins (n - 1) / r after the first; the slowest one decides."""
    scenario = bare(
        instances=rng.randint(5, 8),
        rate="rate: 1 rps",
        users="1k",
        service=f"startup: {{exponential: {{mean: {rng.randint(60, 120)}s}}}}, "
        f"start_rate: {rng.randint(40, 90)}/h",
        strategy="blue_green: {smoke: none, keep_old: 0s}",
    )
    return Case(watched(scenario), ("time_to_deploy",), bad=False, chunk=120)


def _slow(rng: Random, queueing: str, factor: float, utilisation: float) -> Scenario:
    """A slow version at half of the traffic: more of its answers wait too long."""
    scenario = bare(
        instances=4,
        rate=f"rate: {round(32 * utilisation) + rng.randint(-1, 1)} rps",
        users="2k",
        service=f"capacity: 8 rps, service_time: 250ms, queueing: {queueing}",
        defect=f"{{kind: slow, rate: 2%, factor: {factor}}}",
        detection="noticed: {after: 8m}",
        response="page: {decide: 60s}",
        strategy="canary: {steps: [{weight: 50%, bake: 1h}]}",
    )
    return scenario.with_("follow_up", "10m")


def answers_that_wait_at_an_instance(rng: Random) -> Case:
    """Each instance has a queue of its own, which is empty as a rule but not with slow code."""
    limit = f"{rng.randint(1200, 1300)}ms"
    return Case(_slow(rng, "instance", 2, 0.34).with_("slo.latency", limit), WAITED, chunk=12)


def answers_that_wait_in_one_queue(rng: Random) -> Case:
    """All instances of a version share a queue; what takes long by itself is late anyway."""
    limit = f"{rng.randint(700, 800)}ms"
    return Case(_slow(rng, "shared", 1.5, 0.5).with_("slo.latency", limit), WAITED, chunk=12)


def answers_that_wait_while_half_of_the_fleet_is_away(rng: Random) -> Case:
    """A good release: what is left of a pool serves twice as much from the one queue."""
    scenario = bare(
        instances=6,
        rate=f"rate: {rng.randint(18, 19)} rps",
        users="2k",
        service="capacity: 8 rps, service_time: 250ms, queueing: shared, "
        f"startup: {rng.randint(2, 3)}m",
        strategy="rolling: {batch: 3}",
    )
    timed = watched(scenario).with_("slo.latency", f"{rng.randint(230, 270)}ms")
    return Case(timed, WAITED[:2], bad=False, chunk=12)


def an_idle_blue_that_is_scaled_in(rng: Random) -> Case:
    """When all traffic comes back after `down` blue has few instances left, for `up`."""
    instances, least = rng.randint(6, 8), 2
    scenario = bare(
        instances=instances,
        rate=f"rate: {instances} rps",
        users="2k",
        service="capacity: 2 rps, "
        f"scaling: {{min: {least}, max: 20, target: 50%, up: {rng.randint(4, 5)}m, down: 10m}}",
        defect="{kind: errors, rate: {uniform: {low: 10%, high: 15%}}}",
        detection=f"noticed: {{after: {rng.randint(14, 16)}m}}",
        response="page: {decide: 60s}",
        strategy="blue_green: {smoke: none, keep_old: 12h}",
    )
    return Case(scenario.with_("follow_up", "10m"), WAITED, chunk=8)


def a_canary_whose_slow_code_costs_instances(rng: Random) -> Case:
    """A slow version has too few instances until its group has grown, which takes `up`."""
    instances = rng.choice((6, 8))
    scenario = bare(
        instances=instances,
        rate=f"rate: {2 * instances} rps",
        users="2k",
        service="capacity: 2.5 rps, "
        f"scaling: {{min: 1, max: 40, target: 80%, up: {rng.randint(4, 6)}m, down: 30m}}",
        defect=f"{{kind: slow, rate: 2%, factor: {rng.choice((2, 2.5))}}}",
        detection=f"noticed: {{after: {rng.randint(9, 11)}m}}",
        response="page: {decide: 60s}",
        strategy="canary: {steps: [{weight: 50%, bake: 1h}]}",
    )
    return Case(scenario.with_("follow_up", "10m"), WAITED, chunk=12)


LOAD = (
    starts_that_wait_for_their_turn,
    a_green_fleet_that_starts_one_by_one,
    answers_that_wait_at_an_instance,
    answers_that_wait_in_one_queue,
    answers_that_wait_while_half_of_the_fleet_is_away,
    an_idle_blue_that_is_scaled_in,
    a_canary_whose_slow_code_costs_instances,
)
