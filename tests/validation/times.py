"""Times: starts and their maxima, windows and batches, waits, responses, whole distributions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import stats

from tests.answers import oracles
from tests.validation import checks
from tests.validation.checks import Array
from tests.validation.harm import SWITCH, decided, noticed
from tests.validation.rows import Row, row

NAN = float("nan")


def exponential(mean: float) -> str:
    """An exponential duration of this mean in seconds."""
    return f"{{exponential: {{mean: {mean:g}s}}}}"


def lognormal(median: float, sigma: float) -> str:
    """A log-normal duration of this median in seconds."""
    return f"{{lognormal: {{median: {median:g}s, sigma: {sigma:g}}}}}"


def takes(law: str, key: str = "startup") -> str:
    """Starts (or installations) of this law, however long they take."""
    return f"{key}: {law}, start_failure: {{timeout: 10h}}"


def _slowest(law: Callable[[Array], Array], count: int, t: Array) -> Array:
    return np.asarray(law(t)) ** count


def slowest() -> list[Row]:
    """A prepared fleet is ready when its slowest instance is: means, variances, whole laws."""
    cases = ((SWITCH, 60, 10), ("blue_green: {smoke: none}", 200, 3), (SWITCH, 30, 50))
    found = []
    for strategy, mean, count in cases:
        words = {"strategy": strategy, "instances": count, "service": takes(exponential(mean))}
        law = partial(_slowest, stats.expon(scale=mean).cdf, count)
        exact = oracles.slowest_exponential(mean, count)
        found += [
            row("time_to_deploy", "m Hₙ", exact, 1000, bad=False, **words),
            row("time_to_deploy", "F(t)ⁿ", NAN, 1000, bad=False, check=checks.law(law), **words),
        ]
    found.append(
        row(
            "time_to_deploy, variance",
            "m² Σ 1/k²",
            oracles.variance_of_slowest(60, 10),
            2000,
            value=lambda o: o.time_to_deploy,
            bad=False,
            check=checks.variance,
            strategy=SWITCH,
            service=takes(exponential(60)),
        )
    )
    for strategy, key, median, sigma, count in (
        (SWITCH, "startup", 50, 0.5, 100),
        ("big_bang: {in_place: true}", "install", 110, 0.42, 20),
    ):
        words = {
            "strategy": strategy,
            "instances": count,
            "service": takes(lognormal(median, sigma), key),
        }
        exact = oracles.slowest_lognormal(median, sigma, count)
        law = partial(_slowest, stats.lognorm(sigma, scale=median).cdf, count)
        found += [
            row("time_to_deploy", "∫ 1 - F(t)ⁿ dt", exact, 1000, bad=False, **words),
            row("time_to_deploy", "F(t)ⁿ", NAN, 1000, bad=False, check=checks.law(law), **words),
        ]
    return found


def windows() -> list[Row]:
    """Rolling through a window of slots."""
    found = []
    for mean, count, slots, surge in (
        (60, 100, 10, 0),
        (60, 100, 10, 10),
        (90, 40, 4, 2),
        (30, 12, 1, 1),
    ):
        flight = slots if surge in (0, slots) else surge
        words = {
            "strategy": f"rolling: {{batch: {slots}, surge: {surge}}}",
            "instances": count,
            "service": takes(exponential(mean)),
        }
        exact = oracles.sliding_window(mean, count, flight)
        found.append(row("time_to_deploy", "m (n - k) / k + m Hₖ", exact, 300, bad=False, **words))
    found.append(
        row(
            "time_to_deploy, variance",
            "(n - k) (m/k)² + m² Σ 1/i²",
            oracles.variance_of_window(60, 40, 8),
            1000,
            value=lambda o: o.time_to_deploy,
            bad=False,
            check=checks.variance,
            strategy="rolling: {batch: 8}",
            instances=40,
            service=takes(exponential(60)),
        )
    )
    return found


def in_batches() -> list[Row]:
    """Rolling in batches that are waited for, or in place."""
    found = []
    for mean, count, size, rest in (
        (60, 100, 10, "surge: 10"),
        (20, 60, 20, "surge: 0"),
        (120, 12, 3, "in_place: true"),
    ):
        key = "install" if "in_place" in rest else "startup"
        words = {
            "strategy": f"rolling: {{mode: batch, batch: {size}, {rest}}}",
            "instances": count,
            "service": takes(exponential(mean), key),
        }
        exact = oracles.in_batches(mean, count, size)
        found.append(row("time_to_deploy", "(n/k) m Hₖ", exact, 400, bad=False, **words))
    for drain, install, count, size in ((30, 60, 12, 4), (300, 90, 10, 1)):
        found.append(
            row(
                "time_to_deploy",
                "(n/k) (d + m)",
                count / size * (drain + install),
                20,
                bad=False,
                strategy=f"rolling: {{batch: {size}, in_place: true}}",
                instances=count,
                service=f"drain: {drain}s, install: {install}s",
            )
        )
    return found


def groups() -> list[Row]:
    """What other scripts wait for: groups, waves, both systems at work."""
    found = []
    for mean, count, first, bake in ((60, 10, 1, 600), (90, 20, 5, 0)):
        starts = oracles.slowest_exponential(mean, first)
        starts += oracles.slowest_exponential(mean, count - first)
        found.append(
            row(
                "time_to_deploy",
                "m H_j + B + m H_(n-j)",
                starts + bake,
                800,
                bad=False,
                strategy=f"immutable: {{first: {first}, bake: {bake}s}}",
                instances=count,
                service=takes(exponential(mean)),
            )
        )
    for waves, bake in (((1, 3, 6), 1800), ((2, 8), 600)):
        starts = sum(oracles.slowest_exponential(120, wave) for wave in waves)
        listed = ", ".join(f"{10 * wave}%" for wave in waves)
        found.append(
            row(
                "time_to_deploy",
                "Σ (m H_wave + B)",
                starts + len(waves) * bake,
                800,
                bad=False,
                strategy=f"phased: {{waves: [{listed}], bake: {bake}s}}",
                service=takes(exponential(120)),
            )
        )
    for overlap, mean in ((3600, 60), (86_400, 600)):
        found.append(
            row(
                "time_to_deploy",
                "m Hₙ + L",
                oracles.slowest_exponential(mean, 10) + overlap,
                800,
                bad=False,
                strategy=f"parallel_adoption: {{overlap: {overlap}s}}",
                service=takes(exponential(mean)),
            )
        )
    return found


def steps() -> list[Row]:
    """Equal and doubling steps; a person who approves."""
    found = []
    for step, growth, number in ((10, "linear", 9), (4, "linear", 24), (5, "exponential", 5)):
        found.append(
            row(
                "time_to_deploy",
                "(steps - 1) T",
                number * 300,
                20,
                bad=False,
                strategy=f"linear: {{step: {step}%, every: 5m, growth: {growth}}}",
            )
        )
    for mean, bake in ((1800, 600), (7200, 60)):
        steps = f"{{weight: 10%, bake: {bake}s, approve: {exponential(mean)}}}"
        law = stats.expon(loc=bake, scale=mean).cdf
        words = {"strategy": f"canary: {{steps: [{steps}]}}"}
        found += [
            row("time_to_deploy", "Σ B + a", bake + mean, 1000, bad=False, **words),
            row(
                "time_to_deploy",
                "1 - exp(-(t - B) / a)",
                NAN,
                1000,
                bad=False,
                check=checks.law(law),
                **words,
            ),
        ]
    return found


def samples() -> list[Row]:
    """An A/B test lasts until its smaller arm has seen the sample that the effect needs."""
    found = []
    for share, before, effect, rate, users in (
        (0.5, 0.001, 0.009, 10, 1_000_000),
        (0.05, 0.001, 0.009, 50, 100_000),
        (0.5, 0.01, 0.01, 2, 20_000),
    ):
        needed = oracles.smaller_arm(before, before + effect, (1 - share) / share, 0.05, 0.8)
        found.append(
            row(
                "time_to_deploy",
                "-(U/r) ln(1 - n / (s U))",
                oracles.users_seen_by(users, rate, needed / (users * share)),
                20,
                bad=False,
                strategy=f"ab_test: {{share: {100 * share:g}%, baseline: {100 * before:g}%, "
                f"effect: {100 * effect:g}%}}",
                rate=f"rate: {rate} rps",
                users=users,
            )
        )
    return found


def responses() -> list[Row]:
    """From the detection to an old version that serves everything, and to one that works."""
    found = []
    for p, z in ((0.5, 0.0), (0.95, stats.norm.ppf(0.95)), (0.99, stats.norm.ppf(0.99))):
        found.append(
            row(
                f"time_to_mitigate, p{100 * p:g}",
                "M exp(σ z)",
                600 * np.exp(z),
                2000,
                value=lambda o: o.time_to_mitigate,
                check=checks.quantile(p),
                strategy=SWITCH,
                detection=noticed("300s"),
                response=decided(lognormal(600, 1)),
                detector="noticed",
            )
        )
    return found


def laws() -> list[Row]:
    """Whole distributions of what people and machines take."""
    found = []
    slow = stats.lognorm(0.8, scale=180 * 3).cdf
    alarm = "alarms: [{above: 1%, phase: aligned}]"
    for words, law in (
        (
            {
                "detection": noticed("60s"),
                "response": f"page: {{decide: {lognormal(180, 0.8)}, off_hours: 3}}",
                "traffic": "start_at: Sat 12:00",
            },
            slow,
        ),
        (
            {"detection": alarm, "response": f"decide: {lognormal(90, 0.5)}"},
            stats.lognorm(0.5, scale=90).cdf,
        ),
    ):
        found.append(
            row(
                "time_to_mitigate",
                "Φ(ln(t/M) / σ)",
                NAN,
                1000,
                check=checks.law(law),
                strategy="blue_green: {smoke: none, keep_old: 6h}",
                detector="alarm new" if "alarms" in words["detection"] else "noticed",
                **words,
            )
        )
    for strategy, detect, decide in (
        (SWITCH, 600, 300),
        ("linear: {step: 50%, every: 5h}", 1800, 60),
    ):
        law = partial(oracles.two_waits, detect, decide)
        found.append(
            row(
                "time_to_recover",
                "1 - (a e^(-t/a) - b e^(-t/b)) / (a - b)",
                NAN,
                1000,
                check=checks.law(law),
                strategy=strategy,
                detection=noticed(exponential(detect)),
                response=decided(exponential(decide)),
                detector="noticed",
            )
        )
    return found


def ways_back() -> list[Row]:
    """Rolling back, and the next attempt."""
    found = []
    for strategy, count in ((SWITCH, 10), ("immutable: {first: 1}", 20)):
        found.append(
            row(
                "rollback_time",
                "m Hₙ",
                oracles.slowest_exponential(60, count),
                800,
                strategy=strategy,
                instances=count,
                service=takes(exponential(60)),
                detection=noticed("2h"),
                detector="noticed",
            )
        )
    for strategy, script in ((SWITCH, 0.0), ("canary: {steps: [{weight: 10%, bake: 2h}]}", 7200.0)):
        found.append(
            row(
                "time_to_value",
                "D + R + fix + T",
                300 + 120 + 7200 * np.exp(0.5**2 / 2) + script,
                1000,
                strategy=strategy,
                detection=noticed("300s"),
                response=f"{decided('120s')}, fix: {lognormal(7200, 0.5)}",
                detector="noticed",
            )
        )
    return found


def rows() -> list[Row]:
    """Rows about times."""
    return [
        *slowest(),
        *windows(),
        *in_batches(),
        *groups(),
        *steps(),
        *samples(),
        *responses(),
        *laws(),
        *ways_back(),
    ]
