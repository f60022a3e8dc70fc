"""Cases in which both models are played, their parameters drawn afresh."""

from __future__ import annotations

from random import Random

from tests.play.playing import bare
from tests.request_level.agreement import FIGURES, Case, watched

GOING_BACK = (*FIGURES, "rollback_time", "mixed_time", "peak_exposure")


def overload_in_a_rolling_update(rng: Random) -> Case:
    """A busy fleet of which a part is away, and a new version that needs more time."""
    scenario = bare(
        instances=rng.randint(6, 10),
        rate="rate: 8 rps",
        users="2k",
        service=f"utilisation: {rng.randint(80, 92)}%, drain: 30s, "
        f"startup: {{lognormal: {{median: {rng.randint(50, 70)}s, sigma: 0.5}}}}, "
        "warm_up: {for: 1m, capacity: 70%}",
        defect=f"{{kind: slow, rate: {rng.randint(3, 8)}%, "
        f"factor: {{uniform: {{low: 1.1, high: 1.5}}}}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 3m, high: {rng.randint(5, 6)}m}}}}}}",
        response="page: {decide: 60s}",
        strategy=f"rolling: {{batch: {rng.randint(2, 3)}, rollback_batch: 2}}",
    )
    return Case(scenario.with_("follow_up", "10m"))


def sticky_users_with_a_leak(rng: Random) -> Case:
    """Users stay on the new version while it ages."""
    scenario = bare(
        rate="rate: 10 rps",
        users="2k",
        traffic="sticky: true",
        service=f"startup: {{exponential: {{mean: {rng.randint(20, 40)}s}}}}",
        defect=f"{{kind: leak, onset: {{lognormal: {{median: {rng.randint(150, 200)}s, "
        f"sigma: 0.2}}}}, ramp: {rng.randint(3, 5)}m, rate: {rng.randint(40, 60)}%}}",
        detection=f"alarms: [{{above: {rng.randint(14, 18)}%, minimum_requests: 20, delay: 30s}}]",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(20, 25)}%, bake: 30m}}]}}",
    )
    return Case(scenario.with_("follow_up", "1h"))


def rollback_in_the_middle_of_a_shift(rng: Random) -> Case:
    """Weights take a while to arrive; the decision falls into a step that is on its way."""
    propagation = rng.randint(60, 120)
    scenario = bare(
        rate="rate: 6 rps",
        users="2k",
        defect=f"{{kind: errors, rate: {{uniform: {{low: 20%, high: {rng.randint(30, 40)}%}}}}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 200s, high: {rng.randint(300, 400)}s}}}}}}",
        response=f"page: {{decide: {rng.randint(20, 60)}s}}",
        strategy=f"linear: {{step: {rng.randint(10, 15)}%, every: {rng.randint(30, 60)}s}}",
    )
    words = scenario.with_("router.propagation", f"{propagation}s").with_("follow_up", "10m")
    return Case(words.with_("response.hold", rng.random() < 0.5), GOING_BACK)


def drain_in_place(rng: Random) -> Case:
    """Each instance finishes its long requests before it is reinstalled."""
    scenario = bare(
        instances=rng.randint(6, 8),
        rate="rate: 5 rps",
        users="2k",
        service=f"utilisation: {rng.randint(75, 90)}%, drain: {rng.randint(40, 80)}s, "
        f"install: {{uniform: {{low: 20s, high: {rng.randint(40, 60)}s}}}}",
        defect=f"{{kind: errors, rate: {{uniform: {{low: 20%, high: {rng.randint(30, 40)}%}}}}}}",
        detection="noticed: {after: {uniform: {low: 100s, high: 200s}}}",
        response="page: {decide: 180s}",
        strategy=f"rolling: {{batch: {rng.randint(1, 2)}, in_place: true}}",
    )
    return Case(scenario.with_("response.hold", True).with_("follow_up", "10m"), GOING_BACK)


def daily_traffic_with_a_spike(rng: Random) -> Case:
    """The fleet carries the spike, but not while a part of it is away."""
    scenario = bare(
        rate=f"daily: {{mean: 3 rps, peak: {rng.randint(4, 6)} rps, peak_at: 11:00}}, "
        f"spikes: [{{at: {rng.randint(90, 150)}s, lasts: {rng.randint(4, 6)}m, factor: 2}}]",
        users="2k",
        traffic=f"sticky: {rng.choice(['true', 'false'])}, start_at: Tue {rng.randint(8, 14)}:00",
        service=f"utilisation: {rng.randint(44, 49)}%, "
        "startup: {lognormal: {median: 80s, sigma: 0.3}}",
        defect=f"{{kind: errors, rate: {{uniform: {{low: 10%, high: {rng.randint(15, 25)}%}}}}}}",
        detection=f"noticed: {{after: {{uniform: {{low: 4m, high: {rng.randint(6, 7)}m}}}}}}",
        response="page: {decide: 30s}",
        strategy=f"rolling: {{batch: {rng.randint(2, 3)}, rollback_batch: 3}}",
    )
    return Case(scenario.with_("follow_up", "10m"), ratio=1)


def two_requests_a_second(rng: Random) -> Case:
    """Periods of a canary that often hold too few requests to say anything: some escape."""
    weight = rng.randint(15, 25)
    needed = int(2 * weight / 100 * 180)
    scenario = bare(
        rate="rate: 2 rps",
        users="1k",
        service=f"startup: {{exponential: {{mean: {rng.randint(30, 60)}s}}}}",
        defect=f"{{kind: errors, rate: {rng.randint(10, 15)}%}}",
        detection=f"alarms: [{{above: {rng.randint(6, 8)}%, period: 3m, "
        f"minimum_requests: {needed}, missing: {rng.choice(['missing', 'notBreaching'])}}}]",
        strategy=f"canary: {{steps: [{{weight: {weight}%, bake: {rng.randint(15, 20)}m}}]}}",
    )
    words = watched(scenario)
    return Case(words.with_("follow_up", "1h"), chunk=120, most=2400)


def mixed_versions(rng: Random) -> Case:
    """Requests fail because they meet the other version, on either side."""
    delay = rng.randint(60, 80)
    scenario = bare(
        instances=rng.randint(8, 12),
        rate="rate: 12 rps",
        users="3k",
        service=f"startup: {{lognormal: {{median: {rng.randint(60, 90)}s, sigma: 0.3}}}}",
        defect=f"{{kind: mixed_versions, rate: {{uniform: {{low: 40%, "
        f"high: {rng.randint(50, 60)}%}}}}}}",
        detection=f"alarms: [{{watch: old, above: 5%, period: 30s, delay: 1m}}, "
        f"{{watch: service, above: {rng.randint(5, 7)}%, period: 40s, delay: {delay}s}}]",
        response="decide: 20s",
        strategy=f"rolling: {{batch: 2, surge: {rng.randint(1, 2)}, rollback_batch: 30%}}",
    )
    return Case(scenario.with_("follow_up", "10m"))


def people_reporting(rng: Random) -> Case:
    """Nothing watches but users, a few of whom report what they met, once each."""
    scenario = bare(
        rate="rate: 6 rps",
        users="2k",
        traffic=f"sticky: {rng.choice(['true', 'false'])}",
        service="startup: 1m",
        defect=f"{{kind: errors, rate: {rng.randint(20, 40)}%, users: {rng.randint(30, 60)}%}}",
        detection=f"people: {{report_rate: {rng.randint(10, 20)}%, needed: {rng.randint(4, 7)}, "
        f"delay: {{lognormal: {{median: 3m, sigma: 0.7}}}}, triage: {{uniform: "
        "{low: 1m, high: 3m}}}",
        response="page: {decide: 1m}",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(20, 30)}%, bake: 3h}}]}}",
    )
    return Case(scenario.with_("follow_up", "1h"))


def alarms_with_m_of_n_and_delay(rng: Random) -> Case:
    """Baseline errors make noise; a few breaches among the last periods are needed."""
    m = rng.randint(2, 3)
    scenario = bare(
        rate="rate: 10 rps",
        users="3k",
        service="startup: {lognormal: {median: 1m, sigma: 0.5}}, "
        "errors: {mean: 0.5%, cv: 1, for: 5m}",
        defect=f"{{kind: errors, rate: {{uniform: {{low: 8%, high: {rng.randint(10, 15)}%}}}}}}",
        detection=f"alarms: [{{above: 5%, datapoints: {m} of {m + rng.randint(1, 2)}, "
        f"minimum_requests: {rng.randint(60, 80)}, delay: {rng.randint(30, 120)}s}}]",
        response="decide: {exponential: {mean: 30s}}",
        strategy=f"canary: {{steps: [{{weight: {rng.randint(13, 16)}%, bake: 3m}}, "
        f"{{weight: {rng.randint(30, 40)}%, bake: 1h}}]}}",
    )
    return Case(scenario.with_("follow_up", "10m"))


CASES = (
    overload_in_a_rolling_update,
    sticky_users_with_a_leak,
    rollback_in_the_middle_of_a_shift,
    drain_in_place,
    daily_traffic_with_a_spike,
    two_requests_a_second,
    mixed_versions,
    people_reporting,
    alarms_with_m_of_n_and_delay,
)
