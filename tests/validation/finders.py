"""People and checks: reports, audits, reconciliations, smoke tests, and what escapes them."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import stats

from tests.answers import oracles
from tests.validation import checks
from tests.validation.checks import Array
from tests.validation.harm import SWITCH, errors, noticed
from tests.validation.rows import Row, caught, row
from tests.validation.times import NAN, exponential


def people() -> list[Row]:
    """The needed-th of those who would report."""
    found = []
    for users, rate, share, reporting, needed, triage in (
        (10_000, 100, 0.2, 0.01, 5, 0),
        (50_000, 1000, 0.05, 0.002, 20, 600),
        (2_000, 10, 0.2, 1.0, 50, 60),
        (2_000, 1000, 0.2, 1.0, 20, 0),
    ):
        words = {
            "strategy": SWITCH,
            "users": users,
            "rate": f"rate: {rate} rps",
            "defect": errors(share),
            "detection": f"people: {{report_rate: {100 * reporting:g}%, needed: {needed}, "
            f"delay: 0s, triage: {triage}s}}",
            "detector": "people",
        }
        hazard = rate * share / users
        exact = oracles.kth_report(users, reporting, needed, hazard) + triage
        law = partial(_reported, users * 1.0, reporting, needed, hazard, triage)
        found += [
            row("time_to_detect", "E (H_M - H_(M-k)) / h + t", exact, 1000, **words),
            row(
                "time_to_detect", "P(Bin(U, r F(t)) ≥ k)", NAN, 1000, check=checks.law(law), **words
            ),
        ]
    late = partial(_reported_late, 20_000, 0.01, 10, 0.01, 900)
    found.append(
        row(
            "time_to_detect",
            "P(Bin(U, r F*G(t)) ≥ k)",
            NAN,
            1000,
            check=checks.law(late),
            detector="people",
            strategy=SWITCH,
            users=20_000,
            detection=f"people: {{report_rate: 1%, needed: 10, delay: {exponential(900)}, "
            "triage: 0s}",
        )
    )
    return found


def kth_users() -> list[Row]:
    """The needed-th user who met a failure, when everybody reports: what has failed by then."""
    found = []
    for strategy, needed, lag in (
        (SWITCH, 1000, 0),
        (SWITCH, 1000, 420),
        ("canary: {steps: [{weight: 10%, bake: 10h}]}", 500, 0),
        ("linear: {step: 10%, every: 36s}", 2000, 0),
    ):
        found.append(
            row(
                "failed_requests",
                "U (H_U - H_(U-k)) + r p lag",
                oracles.failures_by_kth_user(200_000, needed, 200, lag),
                500,
                detector="people",
                strategy=strategy,
                users=200_000,
                detection=f"people: {{report_rate: 100%, needed: {needed}, delay: 0s, "
                f"triage: {lag}s}}",
            )
        )
    return found


def _reported(
    users: float, reporting: float, needed: int, hazard: float, triage: float, t: Array
) -> Array:
    met = -np.expm1(-hazard * np.maximum(t - triage, 0))
    return np.asarray(stats.binom.sf(needed - 1, users, reporting * met))


def _reported_late(
    users: int, reporting: float, needed: int, hazard: float, delay: float, t: Array
) -> Array:
    in_by = oracles.two_waits(1 / hazard, delay, t)
    return np.asarray(stats.binom.sf(needed - 1, users, reporting * in_by))


def reconciliations() -> list[Row]:
    """Reconciliations of two systems, round after round."""
    found = []
    for overlap, every, coverage in ((24, 4, 0.3), (48, 24, 0.6), (10, 1, 0.1)):
        words = {
            "strategy": f"parallel_adoption: {{overlap: {overlap}h, "
            f"reconcile: {{every: {every}h, coverage: {100 * coverage:g}%}}}}",
            "detector": "reconciliation",
        }
        exact = oracles.at_least_one(coverage, overlap // every)
        found.append(
            row(
                "caught in the overlap",
                "1 - (1 - c)ᴷ",
                exact,
                1000,
                value=caught("reconciliation", "overlap"),
                check=checks.share,
                **words,
            )
        )
    law = checks.counts(partial(_geometric, 0.3))
    found.append(
        row(
            "rounds until found",
            "c (1 - c)ᵏ⁻¹",
            NAN,
            2000,
            value=lambda o: (
                round(o.time_to_finish / 3600) if o.caught_by == "reconciliation" else None
            ),
            check=law,
            detector="reconciliation",
            strategy="parallel_adoption: {overlap: 60h, reconcile: {every: 1h, coverage: 30%}}",
        )
    )
    return found


def audits() -> list[Row]:
    """Regular audits of the data; smoke tests."""
    found = []
    for every, coverage in ((60, 0.6), (30, 0.25)):
        words = {
            "strategy": SWITCH,
            "traffic": "writes: 10%",
            "defect": "{kind: wrong_data, rate: 1%}",
            "detection": f"audit: {{every: {every}m, coverage: {100 * coverage:g}%}}",
            "detector": "audit",
        }
        exact = oracles.mean_audit(every * 60, coverage)
        finite = partial(_found, every * 60.0, coverage)
        found += [
            row("time_to_detect", "E (1/c - 1/2)", exact, 1000, **words),
            row(
                "time_to_detect",
                "1 - (1 - c)ᵏ (1 - c x)",
                NAN,
                1000,
                check=checks.law(finite),
                **words,
            ),
        ]
    for catches, more in ((0.5, ""), (0.8, ", for: 10m"), (0.2, ", for: 1h")):
        found.append(
            row(
                "caught by the smoke test",
                "c",
                catches,
                1000,
                value=caught("smoke test"),
                check=checks.share,
                detector="smoke test",
                strategy=f"blue_green: {{smoke: {{catches: {100 * catches:g}%{more}}}}}",
                detection=noticed("1h"),
            )
        )
    return found


def _geometric(chance: float, number: Array) -> Array:
    return np.where(number > 0, chance * (1 - chance) ** (number - 1), 0.0)


def _found(every: float, coverage: float, t: Array) -> Array:
    whole, part = np.divmod(t / every, 1.0)
    return 1 - (1 - coverage) ** whole * (1 - coverage * part)


def escapes() -> list[Row]:
    """Watched for a while, noticed after an exponential time: some escape."""
    found = []
    for strategy, script, watch, mean in (
        (SWITCH, 0, 900, 1800),
        ("canary: {steps: [{weight: 5%, bake: 10m}, {weight: 25%, bake: 10m}]}", 1200, 600, 1800),
        ("phased: {waves: [10%, 30%, 60%], bake: 30m}", 5400, 900, 3600),
        ("linear: {step: 10%, every: 5m}", 2700, 300, 7200),
        ("blue_green: {smoke: none, bake: 1h, keep_old: 1h}", 7200, 0, 3600),
    ):
        found.append(
            row(
                "escaped",
                "exp(-L / m)",
                oracles.escapes(script + watch, mean),
                1000,
                value=lambda o: float(o.outcome == "escaped"),
                check=checks.share,
                detector="noticed",
                strategy=strategy,
                detection=noticed(exponential(mean)),
                response=f"watch: {watch}s",
            )
        )
    for strategy, mean in ((SWITCH, 600), ("linear: {step: 5%, every: 10m}", 1800)):
        law = stats.expon(scale=mean).cdf
        found.append(
            row(
                "time_to_detect",
                "1 - exp(-t / m)",
                NAN,
                1000,
                check=checks.law(law),
                detector="noticed",
                strategy=strategy,
                detection=noticed(exponential(mean)),
            )
        )
    return found


def rows() -> list[Row]:
    """Rows about people and checks."""
    return [*people(), *kth_users(), *reconciliations(), *audits(), *escapes()]
