"""Cases of what the traffic is like, parameters drawn afresh."""

from __future__ import annotations

from random import Random

from tests.play.playing import bare
from tests.request_level.agreement import Case

SEEN = ("failed_requests", "users_harmed", "exposed_requests", "time_to_detect")


def connections_that_outlast_a_weight(rng: Random) -> Case:
    """New connections alone follow a canary's weight, and its way back cuts the rest."""
    scenario = bare(
        rate="rate: 8 rps",
        users="1k",
        traffic=f"sticky: {rng.choice(['true', 'false'])}, "
        f"connections: {{mean: {rng.randint(5, 15)}m}}",
        service=f"startup: 1m, drain: {rng.randint(60, 240)}s",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 5m, high: {rng.randint(8, 12)}m}}}}}}",
        response="page: {decide: 60s}",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(40, 60)}%, bake: 1h}}]}}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN, chunk=40)


def connections_in_a_rolling_update(rng: Random) -> Case:
    """Connections stay on the instances that are left, and are cut where one leaves."""
    scenario = bare(
        instances=rng.randint(6, 10),
        rate="rate: 8 rps",
        users="1k",
        traffic=f"connections: {{mean: {rng.randint(10, 30)}m}}",
        service=f"startup: {rng.randint(60, 90)}s, drain: {rng.randint(30, 90)}s",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 4m, high: {rng.randint(6, 8)}m}}}}}}",
        response="page: {decide: 60s}",
        strategy=f"rolling: {{batch: {rng.randint(1, 2)}, surge: {rng.randint(0, 1)}}}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN, chunk=40)


def an_audience_first(rng: Random) -> Case:
    """Some users always get the new version, and may not meet what is wrong with it; later all
    others get it by chance."""
    scenario = bare(
        rate="rate: 8 rps",
        users="1k",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 4m, high: {rng.randint(7, 9)}m}}}}}}",
        response="page: {decide: 60s}",
        strategy=f"canary: {{steps: [{{weight: 0, audience: {rng.randint(150, 250)} users, "
        f"finds: {rng.randint(40, 80)}%, bake: 12m}}, {{weight: 50%, bake: 1h}}]}}",
    )
    figures = ("failed_requests", "users_harmed", "exposure_time", "time_to_detect")
    return Case(scenario.with_("follow_up", "10m"), figures, chunk=40, most=2000)


def overload_that_collapses(rng: Random) -> Case:
    """A busy fleet of which a part is away: what is left carries less than it could."""
    scenario = bare(
        instances=rng.randint(6, 10),
        rate="rate: 8 rps",
        users="2k",
        service=f"utilisation: {rng.randint(80, 92)}%, drain: 30s, overload: collapse, "
        f"startup: {{lognormal: {{median: {rng.randint(50, 70)}s, sigma: 0.5}}}}, "
        "warm_up: {for: 1m, capacity: 70%}",
        defect="{kind: slow, rate: 5%, factor: {uniform: {low: 1.1, high: 1.5}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 3m, high: {rng.randint(5, 6)}m}}}}}}",
        response="page: {decide: 60s}",
        strategy=f"rolling: {{batch: {rng.randint(2, 3)}, rollback_batch: 2}}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN, chunk=40)


def clients_that_try_again(rng: Random) -> Case:
    """An alarm counts every try, users what is left after them; some errors are always there."""
    scenario = bare(
        rate="rate: 12 rps",
        users="1k",
        traffic=f"retries: {rng.randint(1, 2)}, sticky: {rng.choice(['true', 'false'])}",
        service="startup: 1m, errors: 3%",
        defect=f"{{kind: errors, rate: {rng.randint(40, 60)}%, users: {rng.randint(50, 100)}%}}",
        detection="alarms: [{watch: new, above: 15%, period: 1m, delay: 5m}]",
        response="decide: 60s",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(60, 70)}%, bake: 1h}}]}}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN, chunk=40)


def messages_that_wait(rng: Random) -> Case:
    """Outages of a big bang there and back that are longer than the deadline, and messages that
    fail, some of them again."""
    scenario = bare(
        instances=6,
        rate="rate: 8 rps",
        users="2k",
        traffic=f"queue: true, deadline: {rng.randint(2, 3)}m, retries: {rng.randint(0, 1)}",
        service=f"utilisation: {rng.randint(60, 75)}%, errors: 2%, "
        f"install: {{uniform: {{low: 4m, high: {rng.randint(5, 7)}m}}}}",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection=f"noticed: {{after: {rng.randint(10, 13)}m}}",
        response="page: {decide: 60s}",
        strategy="big_bang: {}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN[:2], chunk=24)


def consumers_that_are_replaced(rng: Random) -> Case:
    """New consumers pull as much as old ones; with half of them away the work is late."""
    scenario = bare(
        instances=6,
        rate="rate: 8 rps",
        users="2k",
        traffic=f"queue: true, deadline: {rng.randint(20, 40)}s",
        service=f"utilisation: {rng.randint(70, 80)}%, "
        f"install: {{uniform: {{low: 2m, high: {rng.randint(3, 4)}m}}}}",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection=f"noticed: {{after: {rng.randint(5, 8)}m}}",
        response="page: {decide: 60s}",
        strategy="rolling: {batch: 3, in_place: true, mode: batch}",
    )
    return Case(scenario.with_("follow_up", "10m"), SEEN[:3], chunk=24)


TRAFFIC = (
    messages_that_wait,
    consumers_that_are_replaced,
    clients_that_try_again,
    connections_that_outlast_a_weight,
    connections_in_a_rolling_update,
    overload_that_collapses,
    an_audience_first,
)
