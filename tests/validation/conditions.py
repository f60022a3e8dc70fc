"""Traffic that varies, usual errors, paces, holds, pages, watched phases, prices."""

from __future__ import annotations

from functools import partial

from tests.answers import oracles
from tests.validation import checks
from tests.validation.detectors import alarm
from tests.validation.harm import SWITCH, decided, errors, noticed
from tests.validation.rows import Row, caught, row
from tests.validation.times import NAN, exponential, takes


def traffic() -> list[Row]:
    """Failures of a switch while the rate moves."""
    found = []
    for mean, peak, start, share, hours in ((500, 900, 9, 0.2, 3), (100, 180, 20, 0.05, 10)):
        exact = oracles.daily_failures(mean, peak, 14 * 3600, start * 3600, share, hours * 3600)
        found.append(
            row(
                "failed_requests",
                "p ∫ r(t) dt",
                exact,
                200,
                detector="noticed",
                strategy=SWITCH,
                rate=f"daily: {{mean: {mean} rps, peak: {peak} rps, peak_at: 14:00}}",
                traffic=f"start_at: Tue {start}:00",
                defect=errors(share),
                detection=noticed(f"{hours}h"),
            )
        )
    for factor, begins, lasts in ((3, 300, 120), (0.5, 60, 300)):
        found.append(
            row(
                "failed_requests",
                "r p (D + (f - 1) L)",
                oracles.atomic_switch(1000, 0.2, 600, (factor - 1) * lasts),
                200,
                detector="noticed",
                strategy=SWITCH,
                traffic=f"spikes: [{{at: {begins}s, lasts: {lasts}s, factor: {factor}}}]",
                detection=noticed("600s"),
            )
        )
    return found


def usual_errors() -> list[Row]:
    """A version that is bad anyway, or late."""
    found = []
    for usual, share, above in ((0.1, 0.5, 0.53), (0.05, 1.0, 0.96)):
        bad = oracles.with_baseline(usual, share)
        found.append(
            row(
                "seen in a period",
                "q(e + (1 - e) p)",
                oracles.breach(300, bad, above),
                800,
                value=lambda o: float(o.time_to_detect <= 60 + 1e-6),
                check=checks.share,
                detector="alarm new",
                strategy="canary: {steps: [{weight: 50%, bake: 20h}]}",
                rate="rate: 10 rps",
                service=f"errors: {100 * usual:g}%",
                defect=errors(share),
                detection=alarm(f"{100 * above:g}%", "60s"),
            )
        )
    late = oracles.breach(300, 0.04, 0.05)
    found.append(
        row(
            "time_to_detect",
            "P / q",
            60 * oracles.looks(late),
            800,
            detector="alarm new",
            strategy="canary: {steps: [{weight: 50%, bake: 20h}]}",
            rate="rate: 10 rps",
            defect="{kind: slow, factor: 1, rate: 4%}",
            detection=alarm("5%", "60s", ", metric: late"),
        )
    )
    return found


def wandering() -> list[Row]:
    """Usual errors that wander from release to release."""
    found = []
    for scope, cv, above, periods in (("service", 1, 0.03, 10), ("old", 0.5, 0.025, 20)):
        seen = 300 if scope == "service" else 240
        found.append(
            row(
                "false_alarm",
                "1 - E (1 - q(e G))ᴷ",
                oracles.wandering_false_alarm(seen, 0.01, cv, above, periods),
                1000,
                value=caught("alarm", "20%"),
                bad=False,
                check=checks.share,
                detector=f"alarm {scope}",
                strategy=f"canary: {{steps: [{{weight: 20%, bake: {periods}m}}]}}",
                rate="rate: 5 rps",
                service=f"errors: {{mean: 1%, cv: {cv}, for: 30d}}",
                detection=alarm(f"{100 * above:g}%", "60s", f", watch: {scope}"),
            )
        )
    return found


def spared() -> list[Row]:
    """Harm is what would not have failed anyway, and only to users within a defect's reach."""
    found = []
    for usual, share, reach in ((0.1, 0.5, 1.0), (0.0, 0.8, 0.05), (0.02, 1.0, 0.2)):
        found.append(
            row(
                "failed_requests",
                "r p g (1 - e) (D + R)",
                oracles.atomic_switch(1000, share * reach * (1 - usual), 300, 120),
                300,
                detector="noticed",
                strategy=SWITCH,
                service=f"errors: {100 * usual:g}%",
                defect=f"{{kind: errors, rate: {100 * share:g}%, users: {100 * reach:g}%}}",
                detection=noticed("300s"),
                response=decided("120s"),
            )
        )
    return found


def scripts() -> list[Row]:
    """Slower scripts; scripts that stop, or do not, once something was detected."""
    found = []
    for strategy, exact in (
        ("canary: {pace: 2, steps: [{weight: 10%, bake: 10m}, {weight: 50%, bake: 5m}]}", 1800),
        ("phased: {pace: 0.5, waves: [20%, 80%], bake: [1h, 30m]}", 2700),
        ("parallel_adoption: {pace: 3, overlap: 1h}", 10_800),
    ):
        found.append(row("time_to_deploy", "pace Σ B", exact, 20, bad=False, strategy=strategy))
    tenths = [(k / 10, 60.0) for k in range(1, 11)]
    for hold, plan in (("true", [*tenths[:3], (0.4, 1e9)]), ("false", tenths)):
        found.append(
            row(
                "failed_requests",
                "r p Σ wᵢ dᵢ",
                oracles.weighted_steps(1000, 0.2, plan, 500),
                300,
                detector="noticed",
                strategy="linear: {step: 10%, every: 60s}",
                detection=noticed("200s"),
                response=decided("300s"),
                also={"response.hold": hold},
            )
        )
    return found


def watched() -> list[Row]:
    """Where the watched phase ends; who decides then."""
    found = []
    for watch, seen, decide in ((600, 1800, 120), (60, 7200, 600)):
        words = {
            "strategy": SWITCH,
            "detection": noticed(f"{seen}s"),
            "response": f"watch: {watch}s, {decided(f'{decide}s')}",
        }
        first = oracles.atomic_switch(1000, 0.2, watch, 0)
        rest = oracles.atomic_switch(1000, 0.2, seen - watch, decide)
        for figure, formula, exact in (
            ("failed_requests_watched", "r p W", first),
            ("failed_requests_escaped", "r p (D - W + R)", rest),
        ):
            found.append(row(figure, formula, exact, 200, detector="noticed", **words))
    law = partial(oracles.two_waits, 180, 600)
    for automatic, rest in (("never", ""), ("watched", ", delay: 20m")):
        found.append(
            row(
                "time_to_mitigate",
                "1 - (a e^(-t/a) - b e^(-t/b)) / (a - b)",
                NAN,
                1000,
                check=checks.law(law),
                detector="alarm new",
                strategy=SWITCH,
                detection=alarm("1%", "60s", rest),
                response=f"watch: 60s, page: {{acknowledge: {exponential(180)}, "
                f"decide: {exponential(600)}}}",
                also={"response.automatic": automatic},
            )
        )
    return found


def prices() -> list[Row]:
    """What a release costs, piece by piece."""
    failed = oracles.atomic_switch(1000, 0.2, 300, 120)
    found = [
        row(
            "loss",
            "c r p (D + R)",
            0.02 * failed,
            300,
            detector="noticed",
            strategy=SWITCH,
            detection=noticed("300s"),
            response=decided("120s"),
            also={"costs.failed_request": "0.02"},
        ),
        row(
            "loss_delay",
            "c m Hₙ",
            60 * oracles.slowest_exponential(600, 10) / 3600,
            800,
            bad=False,
            strategy="blue_green: {smoke: none}",
            service=takes(exponential(600)),
            also={"costs.delay": "60/h"},
        ),
        row(
            "outage",
            "m Hₙ",
            oracles.slowest_exponential(60, 10),
            800,
            bad=False,
            strategy="big_bang: {in_place: true}",
            service=takes(exponential(60), "install"),
        ),
    ]
    for out, size, load in ((2, 10, 0.5), (3, 9, 0.6)):
        found.append(
            row(
                "min_headroom",
                "(1 - b) / ρ - 1",
                (1 - out / size) / load - 1,
                10,
                bad=False,
                strategy=f"rolling: {{batch: {out}, in_place: true}}",
                instances=size,
                service=f"install: 60s, utilisation: {100 * load:g}%",
            )
        )
    return found


def rows() -> list[Row]:
    """Rows about all of these."""
    return [*traffic(), *usual_errors(), *wandering(), *spared(), *scripts(), *watched(), *prices()]
