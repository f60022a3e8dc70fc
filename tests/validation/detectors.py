"""Machines that watch: health, alarms, judges; what they see, and false alarms."""

from __future__ import annotations

from functools import partial

from simulator.play.outcome import Outcome
from tests.answers import oracles
from tests.validation import checks
from tests.validation.harm import SWITCH, errors
from tests.validation.rows import Row, caught, row

NAN = float("nan")


def alarm(above: str, period: str, more: str = "") -> str:
    """One alarm whose periods begin with the deployment."""
    return f"alarms: [{{above: {above}, period: {period}, phase: aligned{more}}}]"


def health() -> list[Row]:
    """A start that used up its timeout twice; crashes, and bad luck of good releases."""
    found = []
    for strategy, chance, count in ((SWITCH, 0.1, 10), ("rolling: {batch: 5}", 0.2, 20)):
        words = {"strategy": strategy, "instances": count}
        service = f"startup: 10s, start_failure: {{probability: {100 * chance:g}%, timeout: 60s}}"
        found.append(
            row(
                "caught by health",
                "1 - (1 - f²)ⁿ",
                oracles.failed_twice(chance, count),
                1000,
                value=caught("health"),
                bad=False,
                check=checks.share,
                detector="health",
                service=service,
                **words,
            )
        )
    for strategy, chance, count in (
        ("immutable: {first: 1}", 0.3, 6),
        ("blue_green: {smoke: none}", 0.5, 2),
    ):
        found.append(
            row(
                "caught by health",
                "1 - (1 - f²)ⁿ",
                oracles.failed_twice(chance, count),
                1000,
                value=caught("health"),
                check=checks.share,
                detector="health",
                strategy=strategy,
                instances=count,
                service="startup: 10s, start_failure: {timeout: 60s}",
                defect=f"{{kind: crash, starts: {100 * chance:g}%}}",
            )
        )
    return found


def crashes() -> list[Row]:
    """New versions that never start."""
    found = []
    for strategy in ("canary: {steps: [{weight: 10%, bake: 1h}]}", "rolling: {batch: 2}"):
        found.append(
            row(
                "time_to_detect",
                "timeout (the second)",
                300,
                20,
                detector="health",
                strategy=strategy,
                service="startup: 10s, start_failure: {timeout: 300s}",
                defect="{kind: crash, starts: 100%}",
            )
        )
    return found


def power() -> list[Row]:
    """An alarm's first period, and the first one that breaches, seen by each scope."""
    found = []
    cases: tuple[tuple[float, float, float, float, float, str, int], ...] = (
        (2, 0.1, 0.02, 0.03, 300, "new", 20),
        (10, 0.05, 0.2, 0.2, 60, "new", 0),
        (4, 0.5, 0.03, 0.05, 60, "new", 100),
        (10, 0.1, 0.05, 0.01, 60, "service", 0),
        (5, 0.5, 0.02, 0.02, 120, "service", 0),
    )
    for rate, weight, share, above, period, scope, fewest in cases:
        seen = weight if scope == "new" else 1.0
        chance = oracles.breach(rate * period * seen, share * weight / seen, above, fewest)
        words = {
            "strategy": f"canary: {{steps: [{{weight: {100 * weight:g}%, bake: 20h}}]}}",
            "rate": f"rate: {rate:g} rps",
            "defect": errors(share),
            "detection": alarm(
                f"{100 * above:g}%", f"{period:g}s", f", watch: {scope}, minimum_requests: {fewest}"
            ),
            "detector": f"alarm {scope}",
        }
        first = partial(_within, period)
        found += [
            row(
                "seen in a period",
                "Σ Pois(N) P(Bin(N, p) > c N)",
                chance,
                800,
                value=first,
                check=checks.share,
                **words,
            ),
            row("time_to_detect", "P / q", period * oracles.looks(chance), 800, **words),
        ]
    return found


def old_and_whole() -> list[Row]:
    """Alarms on the old version and on the service, set off by usual errors."""
    found = []
    for rate, share, above, scope in ((2, 0.02, 0.05, "old"), (5, 0.01, 0.02, "service")):
        seen = 0.8 if scope == "old" else 1.0
        chance = oracles.breach(rate * 60 * seen, share, above)
        words = {
            "strategy": "canary: {steps: [{weight: 20%, bake: 50h}]}",
            "rate": f"rate: {rate} rps",
            "service": f"errors: {100 * share:g}%",
            "detection": alarm(f"{100 * above:g}%", "60s", f", watch: {scope}"),
        }
        found.append(
            row(
                "decided at",
                "P / q",
                60 * oracles.looks(chance),
                800,
                value=lambda o: o.time_to_finish,
                bad=False,
                detector=f"alarm {scope}",
                **words,
            )
        )
    return found


def _within(seconds: float, outcome: Outcome) -> float:
    return float(outcome.time_to_detect <= seconds + 1e-6)


def datapoints() -> list[Row]:
    """Several breaches are needed; periods of random phase; delays."""
    found = []
    chance = oracles.breach(60, 0.02, 0.03)
    for wanted, looks, formula, delay in (
        ("2 of 2", oracles.looks_for_two_running(chance), "P (1 + q) / q² + d", 0),
        ("2 of 3", oracles.looks_for_two_of_three(chance), "P (1/q + 2 - q) / (q (2 - q)) + d", 90),
    ):
        found.append(
            row(
                "time_to_detect",
                formula,
                60 * looks + delay,
                800,
                detector="alarm new",
                strategy="canary: {steps: [{weight: 10%, bake: 20h}]}",
                rate="rate: 10 rps",
                defect=errors(0.02),
                detection=alarm("3%", "60s", f", datapoints: {wanted}, delay: {delay}s"),
            )
        )
    for scope, above, share, period, delay in (
        ("new", 0.01, 0.2, 60, 30),
        ("service", 0.05, 0.2, 300, 60),
        ("service", 0.2, 0.5, 60, 0),
    ):
        part = 0.0 if scope == "new" else above / share
        found.append(
            row(
                "time_to_detect",
                "P (1/2 + c/p) + d" if part else "P / 2 + d",
                oracles.detected_at_random_phase(period, delay, part),
                800,
                detector=f"alarm {scope}",
                strategy=SWITCH,
                defect=errors(share),
                detection=f"alarms: [{{above: {100 * above:g}%, period: {period}s, "
                f"delay: {delay}s, watch: {scope}}}]",
            )
        )
    return found


def false_alarms() -> list[Row]:
    """Good releases: baseline errors above the threshold, and unrelated incidents."""
    found = []
    for scope, looks, minutes in (("new", 30, 1), ("old", 60, 2), ("service", 60, 1)):
        seen = {"new": 0.25, "old": 0.75, "service": 1.0}[scope]
        chance = oracles.breach(5 * 60 * minutes * seen, 0.01, 0.04 if scope == "new" else 0.025)
        above = "4%" if scope == "new" else "2.5%"
        found.append(
            row(
                "false_alarm",
                "1 - (1 - q)ᴷ",
                oracles.at_least_one(chance, looks),
                1000,
                value=caught("alarm", "25%"),
                bad=False,
                check=checks.share,
                detector=f"alarm {scope}",
                strategy=f"canary: {{steps: [{{weight: 25%, bake: {looks * minutes}m}}]}}",
                rate="rate: 5 rps",
                service="errors: 1%",
                detection=alarm(above, f"{minutes}m", f", watch: {scope}"),
            )
        )
    for every, hours in ((24, 8), (6, 3)):
        found.append(
            row(
                "false_alarm",
                "1 - exp(-T / m)",
                1 - oracles.escapes(hours, every),
                800,
                value=caught("alarm", "5%"),
                bad=False,
                check=checks.share,
                detector="alarm service",
                strategy=f"canary: {{steps: [{{weight: 5%, bake: {hours}h}}]}}",
                service=f"incidents: {{every: {every}h, lasts: 30m, errors: 100%}}",
                detection=alarm("1%", "1s", ", watch: service"),
            )
        )
    return found


def judges() -> list[Row]:
    """A threshold on the bad share of a whole step."""
    found = []
    for strategy, weight, bake, share, above in (
        ("canary", 0.1, 600, 0.02, 0.03),
        ("canary", 0.05, 1200, 0.05, 0.05),
        ("canary", 0.25, 300, 0.01, 0.025),
    ):
        chance = oracles.breach(5 * bake * weight, share, above)
        found.append(
            row(
                "caught by the judge",
                "Σ Pois(N) P(Bin(N, p) > c N)",
                chance,
                1000,
                value=caught("judge", f"{100 * weight:g}%"),
                check=checks.share,
                detector="judge",
                strategy=f"{strategy}: {{steps: [{{weight: {100 * weight:g}%, bake: {bake}s}}]}}",
                rate="rate: 5 rps",
                defect=errors(share),
                detection=f"judge: {{above: {100 * above:g}%}}",
            )
        )
    chance = oracles.breach(300, 0.01, 0.015)
    found.append(
        row(
            "false_alarm",
            "1 - (1 - q)ᴷ",
            oracles.at_least_one(chance, 3),
            1000,
            value=lambda o: float(o.outcome == "false_alarm"),
            bad=False,
            check=checks.share,
            detector="judge",
            strategy="canary: {steps: [{weight: 10%, bake: 10m}, {weight: 20%, bake: 5m}, "
            "{weight: 50%, bake: 2m}]}",
            rate="rate: 5 rps",
            service="errors: 1%",
            detection="judge: {above: 1.5%}",
        )
    )
    return found


def rows() -> list[Row]:
    """Rows about detectors."""
    return [
        *health(),
        *crashes(),
        *power(),
        *old_and_whole(),
        *datapoints(),
        *false_alarms(),
        *judges(),
    ]
