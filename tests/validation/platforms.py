"""The controllers of platforms: limits, times, what stops them, and what is lost meanwhile."""

from __future__ import annotations

import math

from simulator.platforms.appconfig import rules as appconfig
from simulator.play.outcome import Outcome
from tests.answers import oracles, oracles_exam
from tests.answers import oracles_platforms as platforms
from tests.validation import checks
from tests.validation.cut_overs import seen
from tests.validation.rows import Row, Value, caught, row

POLICIES = (
    "all_at_once",
    "rolling",
    "rolling_with_additional_batch",
    "immutable",
    "traffic_splitting",
)
HALF = "utilisation: 50%"


def out_of_service(instances: int) -> Value:
    """Reads off how many were away at the worst moment, where all carry twice the requests."""

    def value(outcome: Outcome) -> float:
        return instances * (1 - (outcome.min_headroom + 1) / 2)

    return value


def containers() -> list[Row]:
    """Services of tasks: bounds, stuck deployments, circuit breakers, shifts."""
    found = []
    for desired, least, most, start in ((7, 0.6, 1.3, 61), (11, 0.45, 1.75, 40), (3, 1, 2, 60)):
        low, high = platforms.task_bounds(desired, least, most)
        found.append(
            row(
                "time_to_deploy",
                "⌈n / (⌊n M⌋ - ⌈n m⌉)⌉ S",
                platforms.rounds(desired, high - low) * start,
                3,
                bad=False,
                strategy=f"ecs_rolling: {{minimum_healthy: {100 * least:g}%, "
                f"maximum: {100 * most:g}%}}",
                instances=desired,
                service=f"startup: {start}s, drain: 0s",
            )
        )
    for maximum, stuck in (("125%", 1), ("134%", 0)):
        words = {
            "strategy": f"ecs_rolling: {{maximum: {maximum}}}",
            "instances": 3,
            "service": "startup: 60s",
            "detection": "health: none",
            "response": "overdue: 20m, page: {acknowledge: 2m, decide: 3m}",
        }
        seconds = 25 * 60.0 if stuck else 180.0
        found += [
            row(
                "outcome stuck",
                "1 if ⌊n M⌋ = ⌈n m⌉ = n",
                stuck,
                3,
                value=lambda outcome: float(outcome.outcome == "stuck"),
                bad=False,
                **words,
            ),
            row("time_to_finish", "overdue + A + R, or n S", seconds, 3, bad=False, **words),
        ]
    for reset in (True, False):
        found.append(
            row(
                "caught by the circuit breaker",
                "1 - (1 - q³)⁴" if reset else "1 - Σ_(j<3) C(3 + j, j) qʲ (1 - q)⁴",
                platforms.circuit_broken(4, 3, 0.5, reset),
                600,
                value=caught("circuit breaker"),
                bad=False,
                check=checks.share,
                strategy="ecs_rolling: {circuit_breaker: true, maximum: 125%, "
                f"reset_on_healthy: {str(reset).lower()}}}",
                instances=4,
                service="startup: 30s, start_failure: {probability: 50%, timeout: 2m}",
                detector="circuit breaker",
            )
        )
    return [*found, *shifts()]


def shifts() -> list[Row]:
    """Traffic that shifts to a second revision of a service."""
    found = []
    for strategy, seconds in (
        ("ecs_blue_green: {bake: 15m}", 900),
        ("ecs_linear: {}", 9 * 360),
        ("ecs_canary: {}", 600),
    ):
        words = {"strategy": strategy, "service": "startup: 60s, cost: 1/h"}
        cost = oracles.second_fleet(10, 1.0, 60 + seconds)
        found += [
            row("time_to_deploy", "S + Σ bakes", 60 + seconds, 3, bad=False, **words),
            row("extra_cost", "n c (S + Σ bakes)", cost, 3, bad=False, **words),
        ]
    for strategy, steps, after in (
        ("ecs_linear: {}", [(0.1, 360), (0.2, 360), (0.3, 360)], 820),
        ("ecs_canary: {canary: 20%}", [(0.2, 600), (1.0, 9999)], 700),
    ):
        exact = oracles.weighted_steps(1, 1, steps, after)
        found.append(row("exposure_time", "Σ wᵢ dᵢ", exact, 3, strategy=strategy, **seen(after, 0)))
    return found


def pods() -> list[Row]:
    """Deployments of Kubernetes: rounds, there and back, recreating."""
    found = []
    for size, words, each, start, ready in (
        (13, "max_surge: 30%, max_unavailable: 20%", 6, 50, 30),
        (17, "max_surge: 0, max_unavailable: 3", 3, 44, 100),
    ):
        found.append(
            row(
                "time_to_deploy",
                "⌈n / (s + u)⌉ (S + ready)",
                platforms.rounds(size, each) * (start + ready),
                3,
                bad=False,
                strategy=f"kubernetes_rolling: {{{words}, min_ready: {ready}s}}",
                instances=size,
                service=f"startup: {start}s, drain: 0s",
            )
        )
    for size, surge, missing, start, after, decide in (
        (12, "25%", "25%", 50, 800, 30),
        (20, "2", "8", 33, 300, 100),
    ):
        found.append(
            row(
                "failed_requests",
                "r p (D + R + S)",
                200 * platforms.two_rounds_there_and_back(start, after, decide),
                200,
                strategy=f"kubernetes_rolling: {{max_surge: {surge}, max_unavailable: {missing}}}",
                instances=size,
                service=f"startup: {start}s, drain: 7s",
                **seen(after, decide),
            )
        )
    for start, drain, after, decide in ((50, 20, 800, 30), (33, 0, 300, 100)):
        words = {
            "strategy": "kubernetes_recreate: {}",
            "service": f"startup: {start}s, drain: {drain}s",
            **seen(after, decide),
        }
        down = start + drain
        lost = oracles.down_and_back(1000, 0.2, down, after, decide)
        found += [
            row("outage", "2 (S + d)", 2 * down, 3, **words),
            row("failed_requests", "r (2 (S + d) + p (D + R))", lost, 200, **words),
        ]
    return found


def stacks() -> list[Row]:
    """Stack updates with and without signals, and what is watched afterwards."""
    found = []
    for start, pause, batch, capacity in ((70, 20, 3, 150), (100, 30, 4, 120)):
        words = {
            "strategy": f"cloudformation_rolling: {{max_batch: {batch}, pause: {pause}s}}",
            "service": f"startup: {start}s, drain: 0s, capacity: {capacity} rps",
        }
        outage, lost, seconds = platforms.unwaited_batches(10, batch, pause, start, 1000, capacity)
        found += [
            row("outage", "time with Σ away = n", outage, 3, bad=False, **words),
            row("failed_requests", "∫ max(0, r - c up)", lost, 200, bad=False, **words),
            row("time_to_deploy", "(k - 1) P + S", seconds, 3, bad=False, **words),
        ]
    waits = "wait_on_signals: true"
    for policy, stay in (
        ("", 0),
        (f"{waits}, min_in_service: 1", 3),
        (f"max_batch: 2, {waits}", 2),
    ):
        found.append(
            row(
                "out of service at most",
                "4, or the batch",
                4 - stay,
                3,
                value=out_of_service(4),
                bad=False,
                strategy=f"cloudformation_rolling: {{{policy}}}",
                instances=4,
                service=f"startup: 240s, drain: 30s, {HALF}",
            )
        )
    for share, silent in ((50, 3), (75, 2)):
        found.append(
            row(
                "caught by missing signals",
                "P(Bin(4, 1/2) > 4 - ⌈4 m⌉)",
                platforms.binomial_at_least(4, 0.5, silent),
                600,
                value=caught("missing signals"),
                bad=False,
                check=checks.share,
                strategy=f"cloudformation_rolling: {{{waits}, min_successful: {share}%, "
                "max_batch: 4}",
                instances=4,
                service="startup: 240s, start_failure: {probability: 50%, timeout: 6m}",
                detection="health: none",
                detector="missing signals",
            )
        )
    for minutes in (5, 30):
        found.append(
            row(
                "caught while watching",
                "1 - e^(-M/m)",
                oracles_exam.within(minutes, 12),
                600,
                value=caught(at="watch"),
                check=checks.share,
                strategy="cloudformation_rolling: {}",
                detection="noticed: {after: {exponential: {mean: 12m}}}",
                response=f"watch: {minutes}m",
                detector="noticed",
            )
        )
    return found


def environments() -> list[Row]:
    """Elastic Beanstalk's policies: capacity, price, time."""
    found = []
    size, each, wait, split = 8, 3, 30, 600
    start, drain, install = times = (240, 20, 30)
    for policy in POLICIES:
        least, most = platforms.beanstalk_capacity(policy, size, each)
        words = {
            "strategy": f"beanstalk: {{policy: {policy}, batch: {each}, health_wait: {wait}s, "
            f"evaluation: {split}s}}",
            "instances": size,
            "service": f"startup: {start}s, install: {install}s, drain: {drain}s, cost: 6/h, "
            f"{HALF}",
        }
        rounds = math.ceil(size / each)
        seconds = platforms.beanstalk_seconds(policy, rounds, times, wait, split)
        held = platforms.beanstalk_held(policy, (size, each), times, wait, split)
        away = out_of_service(size)
        found += [
            row("out of service", "n, b, 0, 0, 0", size - least, 3, value=away, bad=False, **words),
            row("peak_instances", "n, n, n + b, 2n, 2n", most, 3, bad=False, **words),
            row("time_to_finish", "k batches, or a group twice", seconds, 3, bad=False, **words),
            row("extra_cost", "c ∫ (held - n)", held / 600, 3, bad=False, **words),
        ]
    return found


def commands() -> list[Row]:
    """Commands on many targets, hosts, and windows."""
    found = []
    for concurrency, errors in ((50, 0), (20, 0), (20, 30)):
        words = {
            "strategy": f"rate_controlled: {{concurrency: {concurrency}, max_errors: {errors}}}",
            "instances": 1000,
            "service": HALF,
        }
        seconds = oracles_exam.patch_time(1000, concurrency, 120)
        found += [
            row(
                "targets broken",
                "concurrency + errors accepted",
                concurrency + errors,
                3,
                value=out_of_service(1000),
                defect="{kind: crash}",
                detector="health",
                **words,
            ),
            row("time_to_deploy", "⌈n / c⌉ T", seconds, 3, bad=False, **words),
        ]
    for size, least, chance in ((6, 4, 0.15), (9, 3, 0.55), (5, 0, 0.7)):
        found.append(
            row(
                "caught by minimum healthy hosts",
                "P(Bin(n - 1, q) ≥ n - m)" if least else "qⁿ",
                platforms.too_few_healthy(size, least, chance),
                600,
                value=caught("minimum healthy hosts"),
                bad=False,
                check=checks.share,
                strategy=f"codedeploy: {{minimum_healthy: {least}}}",
                instances=size,
                service=f"install: 60s, start_failure: {{probability: {chance}, timeout: 10m}}",
                detector="minimum healthy hosts",
            )
        )
    for config, seconds, exposed, after in (
        ("LambdaLinear10PercentEvery1Minute", 540, 270, 540),
        ("ECSCanary10Percent5Minutes", 300, 20, 200),
    ):
        words = {
            "strategy": f"codedeploy: {{config: {config}}}",
            "service": "startup: 60s",
        }
        found += [
            row("time_to_deploy", "S + Σ waits", 60 + seconds, 3, bad=False, **words),
            row("exposure_time", "Σ wᵢ dᵢ", exposed, 3, **words, **seen(after, 0)),
        ]
    for count, each, run in ((50, 12, 20), (7, 6, 45)):
        words = {
            "strategy": "maintenance_window: {duration: 2h, cutoff: 1h, every: 1d, "
            f"concurrency: {each // 3 if run == 20 else each // 2}, run_time: {run}m}}",
            "instances": count,
        }
        at_once = each // 3 if run == 20 else each // 2
        exact = platforms.in_windows(count, each, 86_400, at_once, 60.0 * run)
        found.append(
            row("time_to_deploy", "(k - 1) E + ⌈rest / c⌉ T", exact, 3, bad=False, **words)
        )
    return found


def configurations() -> list[Row]:
    """AppConfig: what has the configuration when it is taken back."""
    found = []
    for growth, factor, minutes, after in (
        ("linear", 0.25, 40, 1500),
        ("exponential", 0.1, 20, 700),
    ):
        course = appconfig.Course(growth, factor, 60.0 * minutes, 3600.0)  # type: ignore[arg-type]
        first = appconfig.steps(course)[0][0]
        own = f"growth: {growth}, factor: {factor}, duration: {minutes}m, bake: 1h, poll: 40s"
        words = {"strategy": f"appconfig: {{strategy: custom, {own}}}", **seen(after, 0)}
        exposed = appconfig.exposure(course, first + after)
        reached = appconfig.reached(course, first + after - 1)
        found += [
            row("exposure_time", "Σ gᵢ (D - tᵢ)", exposed, 3, **words),
            row("peak_exposure", "Σ gᵢ, tᵢ < D", reached, 3, **words),
        ]
    return found


def gateways() -> list[Row]:
    """Caches, canaries and throttles of an API."""
    found = []
    for hits, ttl, after in ((0.8, 300, 150), (0.5, 100, 20)):
        found.append(
            row(
                "still_harmed",
                "h (1 - x / L)",
                oracles_exam.old_answers(after, hits, ttl),
                3,
                strategy="blue_green: {smoke: none, keep_old: 9h}",
                also={
                    "router.cache": f"{{hits: {hits}, ttl: {ttl}s, shared: true}}",
                    "response.back_within": f"{after}s",
                },
                **seen(7200, 0),
            )
        )
    for sticky in (True, False):
        found.append(
            row(
                "users_harmed",
                "w (1 - e^(-k))" if sticky else "1 - e^(-k w)",
                oracles_exam.who_meets_it(12, 0.1, sticky),
                3,
                strategy="canary: {steps: [{weight: 10%, bake: 1h}]}",
                users="50k",
                traffic=f"sticky: {str(sticky).lower()}",
                defect="{kind: errors, rate: 100%}",
                **seen(600, 0),
            )
        )
    for rate, part, limit in ((2000, 0.5, 2400), (900, 0.3, 1000)):
        come = rate * (1 + part)
        found.append(
            row(
                "failed_requests",
                "r (L - 1/(r (1 + s) - l)) (1 - l / (r (1 + s)))",
                rate * (1200 - 1 / (come - limit)) * (1 - limit / come),
                200,
                bad=False,
                strategy=f"shadow: {{share: {part}, duration: 20m, then: {{kind: canary}}}}",
                rate=f"rate: {rate} rps",
                also={"router.throttle": f"{{rate: {limit} rps, burst: 1}}"},
            )
        )
    return found


def several() -> list[Row]:
    """Services one by one, and the legacy deploy command."""
    found = []
    for count, coupling in ((8, 0.6), (4, 0.1)):
        words = {
            "strategy": f"service_by_service: {{count: {count}, coupling: {coupling}, "
            "each: {kind: blue_green, smoke: none, keep_old: 1h}}",
            "service": "startup: 100s",
        }
        found += [
            row("releases", "1 + (n - 1) c", 1 + (count - 1) * coupling, 400, bad=False, **words),
            row("exposure_time", "(D + R) / n", 55 / count, 100, **words, **seen(40, 15)),
        ]
    for order, seconds, outage in (("all_at_once", 120, 120), ("by_zone", 4 * 120 + 900, 0)):
        words = {
            "strategy": f"opsworks_deploy: {{order: {order}}}",
            "instances": 9,
            "service": "zones: 3",
        }
        found += [
            row("time_to_deploy", "k T + (k - 1) check", seconds, 3, bad=False, **words),
            row("outage", "T, or 0", outage, 3, bad=False, **words),
        ]
    return found


def rows() -> list[Row]:
    """All of them."""
    return [
        *(*containers(), *pods(), *stacks(), *environments()),
        *(*commands(), *configurations(), *gateways(), *several()),
    ]
