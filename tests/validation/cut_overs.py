"""How blue/green moves its traffic: groups that register, replaced instances, records, stacks."""

from __future__ import annotations

import math

from tests.answers import oracles_platforms as platforms
from tests.answers import oracles_trouble as trouble
from tests.validation.harm import decided, noticed
from tests.validation.rows import Row, row


def by(how: str, keep: float = 9000) -> str:
    """Blue/green with this method."""
    return f"blue_green: {{smoke: none, keep_old: {keep:g}s, cutover: {{{how}}}}}"


def seen(after: float, decide: float) -> dict[str, str]:
    """Words: noticed some seconds after the first harm, and how long to decide."""
    return {
        "detection": noticed(f"{after:g}s"),
        "response": decided(f"{decide:g}s"),
        "detector": "noticed",
    }


def registrations() -> list[Row]:
    """A second group that registers with the load balancer."""
    found = []
    for check, detect, decide in ((10, 300, 120), (60, 900, 45)):
        words = {"strategy": by(f"swap_group: {{check: {check}s}}"), **seen(detect, decide)}
        found.append(row("exposure_time", "D + R", detect + decide, 3, **words))
        found.append(row("rollback_90", "T", check, 3, **words))
    for check, detect, decide in ((60, 20, 10), (45, 3, 25)):
        found.append(
            row(
                "failed_requests",
                "r p T (x - ln(1 + x)), x = (D + R) / T",
                200 * platforms.while_registering(check, detect + decide),
                400,
                strategy=by(f"swap_group: {{check: {check}s}}"),
                **seen(detect, decide),
            )
        )
    for check, slow, beside in ((30, 300, 0), (20, 600, 100)):
        how = f"swap_group: {{check: {check}s, slow_start: {slow}s, beside: {beside}s}}"
        found.append(
            row(
                "exposure_time",
                "T (u - ln(1 + u)) + D + R - B + T ln(1 + c/T)",
                platforms.slow_start_there_and_back(check, slow, beside, 4000, 100),
                3,
                strategy=by(how),
                service="startup: 50s",
                **seen(4000, 100),
            )
        )
    for failing, takes in ((0.2, 0.1), (0.5, 0.3)):
        how = "check: 1s, beside: 1h, algorithm: least_outstanding_requests"
        found.append(
            row(
                "exposure_when_caught",
                "f / (1 + f), f = 1 / (1 - p (1 - q))",
                platforms.favoured(failing, takes),
                3,
                strategy=by(f"swap_group: {{{how}, failing_takes: {100 * takes:g}%}}"),
                defect=f"{{kind: errors, rate: {100 * failing:g}%}}",
                **seen(1800, 0),
            )
        )
    return found


def groups() -> list[Row]:
    """What a second group costs, and a group that grows and shrinks."""
    found = []
    for size, start, check, beside, keep, drain in (
        (7, 137, 20, 400, 900, 25),
        (23, 45, 50, 0, 61, 80),
    ):
        found.append(
            row(
                "extra_cost",
                "n c (S + T + B + K + d)",
                platforms.second_group(size, (start, check, beside, keep, drain)) * 3 / 3600,
                3,
                bad=False,
                strategy=by(f"swap_group: {{check: {check}s, beside: {beside}s}}", keep),
                instances=size,
                service=f"startup: {start}s, drain: {drain}s, cost: 3/h",
            )
        )
    for size, zones, started in ((4, 2, (4, 2, 1)), (6, 3, (6, 2, 1))):
        words = {
            "strategy": by("replace_instances: {skew: 100%}"),
            "instances": size,
            "service": f"startup: 100s, drain: 30s, cost: 2/h, zones: {zones}",
        }
        cost = platforms.second_group(sum(started), (100, 30)) * 2 / 3600
        found += [
            row("extra_cost", "c (S + d) Σ started", cost, 3, bad=False, **words),
            row("time_to_finish", "k (S + d)", len(started) * 130, 3, bad=False, **words),
        ]
    for standby, back in (("true", 30), ("false", 80)):
        how = f"replace_instances: {{standby: {standby}, check: 30s}}"
        words = {"strategy": by(how), "service": "startup: 80s, drain: 15s", **seen(500, 40)}
        said = "D + R + T" if standby == "true" else "D + R + S"
        found.append(row("exposure_time", said, 540 + back, 3, **words))
    return found


def records() -> list[Row]:
    """Records that clients keep: what is lost, and what is left after a change back."""
    found = []
    for ttl, keep in ((60, 0), (300, 0), (240, 180)):
        how = f"swap_url: {{ttl: {ttl}s, ignore: 0%, propagation: 0s, create: 77s}}"
        found.append(
            row(
                "failed_requests",
                "r (L - k)² / (2 L)",
                platforms.left_behind(1000, ttl, keep),
                400,
                bad=False,
                strategy=by(how, keep),
                service="startup: 20s",
            )
        )
    for ttl, ignore, tau in ((300, 0.05, 3600), (60, 0.2, 900)):
        rest = f"{{exponential: {{mean: {tau}s}}}}"
        how = f"dns: {{ttl: {ttl}s, ignore: {ignore}, ignore_for: {rest}, propagation: 0s}}"
        for after in (ttl / 2, 2.0 * ttl):
            found.append(
                row(
                    "still_harmed",
                    "(1 - v) max(0, 1 - x/L) + v e^(-x/τ)",
                    trouble.stale_share(after, ttl, ignore, tau),
                    3,
                    strategy=by(how, 30 * 86_400),
                    also={"response.back_within": f"{after:g}s", "follow_up": "20d"},
                    **seen(30.0 * tau, 0),
                )
            )
    record = "weights: [50%, 100%], every: 10m, ttl: 60s, ignore: 0%, propagation: 0s"
    for detect, decide in ((300, 60), (120, 240)):
        words = {"strategy": by(f"dns: {{{record}}}"), **seen(detect, decide)}
        found.append(row("exposure_time", "w (D + R)", (detect + decide) / 2, 3, **words))
    return found


def stacks() -> list[Row]:
    """A copied stack: its other layers, its recipes, its records."""
    found = []
    for size, others, times, keep, drain in (
        (7, 5, (137, 600, 100, 33), 900, 25),
        (20, 3, (0, 50, 60, 0), 0, 9),
    ):
        start, setup, deploy, propagation = times
        how = (
            f"clone_stack: {{ttl: 60s, ignore: 0%, propagation: {propagation}s, "
            f"other_layers: {others}, setup: {setup}s, deploy: {deploy}s}}"
        )
        words = {
            "strategy": by(how, keep),
            "instances": size,
            "service": f"startup: {start}s, drain: {drain}s, cost: 3/h",
        }
        cost = platforms.second_group(size + others, (*times, keep, drain)) * 3 / 3600
        lost = platforms.left_behind(1000, 60, keep)
        found += [
            row("extra_cost", "(n + m) c (S + recipes + K + d)", cost, 3, bad=False, **words),
            row("failed_requests", "r (L - k)² / (2 L)", lost, 400, bad=False, **words),
            row(
                "time_to_deploy",
                "S + recipes + 0.999 L",
                math.fsum(times) + 0.999 * 60,
                3,
                bad=False,
                **words,
            ),
        ]
    return found


def rows() -> list[Row]:
    """All of them."""
    return [*registrations(), *groups(), *records(), *stacks()]
