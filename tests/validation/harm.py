"""Failed requests: switches, steps, ramps, outages, overload, and how they scatter."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import stats

from tests.answers import oracles
from tests.validation import checks
from tests.validation.checks import Array
from tests.validation.rows import Row, row

SWITCH = "big_bang: {in_place: false}"


def errors(share: float) -> str:
    """Every request on the new version fails with this probability."""
    return f"{{kind: errors, rate: {100 * share:g}%}}"


def noticed(after: str) -> str:
    """Noticed some time after the first harm."""
    return f"noticed: {{after: {after}}}"


def decided(after: str) -> str:
    """A person decides to roll back some time after the detection."""
    return f"page: {{decide: {after}}}"


def switches() -> list[Row]:
    """All traffic at once, until it is noticed and decided."""
    cases: tuple[tuple[str, float, float, float, float], ...] = (
        (SWITCH, 1000, 0.2, 300, 120),
        (SWITCH, 50, 1.0, 60, 0),
        ("blue_green: {smoke: none}", 250, 0.05, 900, 60),
        ("canary: {steps: [{weight: 100%, bake: 1h}]}", 1000, 0.01, 1200, 600),
        ("phased: {waves: [100%]}", 400, 0.5, 30, 30),
        ("linear: {step: 100%}", 1000, 0.2, 300, 120),
        ("parallel_adoption: {overlap: 1h, reconcile: none}", 100, 0.02, 7200, 300),
    )
    return [
        row(
            "failed_requests",
            "r p (D + R)",
            oracles.atomic_switch(rate, share, detect, decide),
            400,
            strategy=strategy,
            rate=f"rate: {rate:g} rps",
            defect=errors(share),
            detection=noticed(f"{detect:g}s"),
            response=decided(f"{decide:g}s"),
            detector="noticed",
        )
        for strategy, rate, share, detect, decide in cases
    ]


def plateaus() -> list[Row]:
    """A part of the traffic: a weight, or one new instance among those of a pool."""
    cases = (
        ("canary: {steps: [{weight: 5%, bake: 1h}]}", 0.05, 300, 120),
        ("canary: {steps: [{weight: 1%, bake: 4h}]}", 0.01, 3600, 600),
        ("ab_test: {share: 50%, duration: 1h}", 0.5, 600, 60),
        ("ab_test: {share: 10%, duration: 4h}", 0.1, 7200, 0),
        ("phased: {waves: [10%, 90%], bake: 2h}", 0.1, 1800, 900),
        ("immutable: {first: 1, bake: 1h}", 1 / 11, 900, 60),
        ("immutable: {first: 5, bake: 1h}", 5 / 15, 300, 30),
        ("rolling: {batch: 1, mode: batch, surge: 1, pause: 1h}", 1 / 10, 900, 60),
    )
    return [
        row(
            "failed_requests",
            "r p w (D + R)",
            oracles.atomic_switch(1000, 0.2 * weight, detect, decide),
            400,
            strategy=strategy,
            detection=noticed(f"{detect}s"),
            response=decided(f"{decide}s"),
            detector="noticed",
        )
        for strategy, weight, detect, decide in cases
    ]


def stairs() -> list[Row]:
    """Several weights one after the other, equal or not."""
    uneven = [(0.01, 300.0), (0.05, 600.0), (0.25, 900.0), (0.5, 900.0)]
    waves = [(0.1, 600.0), (0.4, 1200.0), (1.0, 600.0)]
    tenth = [(k / 10, 360.0) for k in range(1, 11)]
    steps = ", ".join(f"{{weight: {100 * w:g}%, bake: {d:g}s}}" for w, d in uneven)
    cases = (
        (f"canary: {{steps: [{steps}]}}", uneven, 2700, 1.0),
        (f"canary: {{steps: [{steps}]}}", uneven, 1300, 0.2),
        ("phased: {waves: [10%, 30%, 60%], bake: [600s, 1200s, 600s]}", waves, 2000, 0.1),
        ("linear: {step: 10%, every: 360s}", tenth, 1500, 0.2),
        ("linear: {step: 10%, every: 360s}", tenth, 5000, 0.02),
    )
    found = [
        row(
            "failed_requests",
            "r p Σ wᵢ dᵢ",
            oracles.weighted_steps(1000, share, steps, seen),
            400,
            strategy=strategy,
            defect=errors(share),
            detection=noticed(f"{seen}s"),
            detector="noticed",
        )
        for strategy, steps, seen, share in cases
    ]
    for first, every, seen in ((0.01, 600, 2000), (0.02, 300, 1400), (0.1, 60, 200)):
        found.append(
            row(
                "failed_requests",
                "r p s ((2ᵏ - 1) T + 2ᵏ x)",
                oracles.doubling(1000, 0.2, first, every, seen),
                400,
                strategy=f"linear: {{step: {100 * first:g}%, every: {every}s, "
                "growth: exponential}",
                detection=noticed(f"{seen}s"),
                detector="noticed",
            )
        )
    return found


def ramps() -> list[Row]:
    """What grows evenly: a leak, or a release in very many steps."""
    cases = ((0.2, 3600, 600), (0.05, 7200, 5400))
    found = [
        row(
            "failed_requests",
            "r p D² / (2T)",
            oracles.ramp(1000, share, ramp, seen),
            400,
            strategy=SWITCH,
            defect=f"{{kind: leak, onset: 10m, ramp: {ramp}s, rate: {100 * share:g}%}}",
            detection=noticed(f"{seen}s"),
            detector="noticed",
        )
        for share, ramp, seen in cases
    ]
    fine = row(
        "failed_requests",
        "r p D² / (2T)",
        oracles.ramp(1000, 0.2, 3600, 600),
        30,
        strategy="linear: {step: 0.01%, every: 0.36s}",
        detection=noticed("600s"),
        detector="noticed",
    )
    return [*found, fine]


def batches() -> list[Row]:
    """Instances that come in batches, going back at once; and one by one at random."""
    cases = ((10, 360, 600, 1), (10, 360, 1000, 1), (20, 120, 500, 2))
    found = [
        row(
            "failed_requests",
            "r p b Σ (t - k T)",
            oracles.batches(1000, 0.2, every, size / count, seen),
            300,
            strategy=f"rolling: {{mode: batch, batch: {size}, surge: {size}, "
            "rollback_batch: 100%}",
            instances=count,
            service=f"startup: {every}s",
            detection=noticed(f"{seen - every}s"),
            detector="noticed",
        )
        for count, every, seen, size in cases
    ]
    for mean, seen in ((60, 600), (200, 1000)):
        found.append(
            row(
                "failed_requests",
                "r p / n (D + D² / (2m))",
                oracles.ramp_of_joins(1000, 0.2, mean, 100, seen),
                300,
                strategy="rolling: {batch: 1, surge: 1, rollback_batch: 100%}",
                instances=100,
                service=f"startup: {{exponential: {{mean: {mean}s}}}}",
                detection=noticed(f"{seen}s"),
                detector="noticed",
            )
        )
    return found


def outages() -> list[Row]:
    """Everything stopped while the new version is installed in place."""
    found = [
        row(
            "failed_requests",
            "r m Hₙ",
            rate * oracles.slowest_exponential(mean, count),
            400,
            bad=False,
            strategy="big_bang: {in_place: true}",
            instances=count,
            rate=f"rate: {rate} rps",
            service=f"install: {{exponential: {{mean: {mean}s}}}}",
        )
        for rate, mean, count in ((1000, 60, 10), (20, 300, 4))
    ]
    for seconds, detect, decide in ((90, 600, 120), (300, 60, 0)):
        found.append(
            row(
                "failed_requests",
                "r (2T + p (D + R))",
                oracles.down_and_back(1000, 0.2, seconds, detect, decide),
                400,
                strategy="big_bang: {in_place: true}",
                service=f"install: {seconds}s",
                detection=noticed(f"{detect}s"),
                response=decided(f"{decide}s"),
                detector="noticed",
            )
        )
    return found


def overload() -> list[Row]:
    """More than what is left, or slow, or cold, can carry."""
    found = []
    for mode, load, out, count in (
        ("batch", 0.75, 3, 9),
        ("batch", 0.95, 1, 10),
        ("window", 0.9, 2, 10),
        ("window", 2 / 3, 3, 9),
    ):
        found.append(
            row(
                "failed_requests",
                "r T max(0, 1 - (1 - b) / ρ)",
                1000 * 100 * (count / out) * oracles.rejected_in_place(load, out / count),
                300,
                bad=False,
                strategy=f"rolling: {{batch: {out}, in_place: true, mode: {mode}}}",
                instances=count,
                service=f"capacity: {1000 / count / load:.9f} rps, install: 100s",
            )
        )
    for strategy, load, factor in ((SWITCH, 0.7, 2.0), ("blue_green: {smoke: none}", 0.9, 1.5)):
        found.append(
            row(
                "failed_requests",
                "r (D + R) (1 - 1 / (ρ f))",
                1000 * 600 * oracles.rejected_when_slow(load, factor),
                300,
                strategy=strategy,
                service=f"utilisation: {100 * load:g}%",
                defect=f"{{kind: slow, factor: {factor}, rate: 0%}}",
                detection=noticed("600s"),
                detector="noticed",
            )
        )
    for strategy, load, warm in ((SWITCH, 0.8, 0.7), ("blue_green: {smoke: none}", 0.6, 0.3)):
        found.append(
            row(
                "failed_requests",
                "r W max(0, 1 - s / ρ)",
                1000 * 120 * oracles.rejected_when_cold(load, warm),
                300,
                bad=False,
                strategy=strategy,
                service=f"utilisation: {100 * load:g}%, "
                f"warm_up: {{for: 120s, capacity: {100 * warm:g}%}}",
            )
        )
    return found


def other_defects() -> list[Row]:
    """Versions that do not understand each other."""
    mixed = "{kind: mixed_versions, rate: 10%}"
    found = [
        row(
            "failed_requests",
            "r p 2w (1 - w) D",
            oracles.mixed_versions(1000, 0.1, weight, 900),
            300,
            strategy=strategy,
            defect=mixed,
            detection=noticed("900s"),
            detector="noticed",
        )
        for strategy, weight in (
            ("canary: {steps: [{weight: 5%, bake: 1h}]}", 0.05),
            ("phased: {waves: [50%, 50%], bake: 1h}", 0.5),
        )
    ]
    found.append(
        row(
            "failed_requests",
            "r p T / 3",
            1000 * 0.1 * 3600 / 3,
            100,
            strategy="linear: {step: 0.1%, every: 3.6s}",
            defect=mixed,
        )
    )
    return found


def writes() -> list[Row]:
    """Corrupt writes, and two systems out of step."""
    found = []
    for strategy, weight in ((SWITCH, 1.0), ("canary: {steps: [{weight: 5%, bake: 3h}]}", 0.05)):
        found.append(
            row(
                "corrupt_writes",
                "r v p w D",
                oracles.atomic_switch(1000, 0.3 * 0.005 * weight, 7200, 0),
                300,
                strategy=strategy,
                traffic="writes: 30%",
                defect="{kind: wrong_data, rate: 0.5%}",
                detection=noticed("2h"),
                detector="noticed",
            )
        )
    for rate, share, hours in ((100, 0.001, 24), (1000, 0.0001, 5)):
        found.append(
            row(
                "failed_requests",
                "r s L",
                rate * share * hours * 3600,
                300,
                bad=False,
                strategy=f"parallel_adoption: {{overlap: {hours}h, sync_error: {100 * share:g}%}}",
                rate=f"rate: {rate} rps",
            )
        )
    return found


def scatter() -> list[Row]:
    """Not only means: Poisson counts, and failures of an exponential length of time."""

    def poisson(mean: float, number: Array) -> Array:
        return np.asarray(stats.poisson.pmf(number, mean))

    def geometric(mean: float, number: Array) -> Array:
        return np.array([oracles.geometric_failures(mean, k) for k in number])

    fixed = {"rate": "rate: 1 rps", "detector": "noticed"}
    found = []
    for strategy, weight in ((SWITCH, 1.0), ("canary: {steps: [{weight: 25%, bake: 1h}]}", 0.25)):
        mean = oracles.atomic_switch(1, 0.2 * weight, 300, 0)
        words = {"strategy": strategy, "detection": noticed("300s"), **fixed}
        law = checks.counts(partial(poisson, mean))
        chi = row("failed_requests", "Poisson(r p w D)", np.nan, 2000, check=law, **words)
        spread = row(
            "failed_requests, variance",
            "r p w D",
            mean,
            2000,
            value=lambda o: o.failed_requests,
            check=checks.variance,
            **words,
        )
        found += [chi, spread]
    for strategy, mean, defect in (
        (SWITCH, 12.0, errors(0.2)),
        ("immutable: {first: 1, bake: 1h}", 60 / 11, errors(1)),
    ):
        words = {
            "strategy": strategy,
            "defect": defect,
            "detection": noticed("{exponential: {mean: 60s}}"),
            **fixed,
        }
        law = checks.counts(partial(geometric, mean))
        chi = row("failed_requests", "(1/(1+a)) (a/(1+a))ᵏ", np.nan, 2000, check=law, **words)
        spread = row(
            "failed_requests, variance",
            "a + a²",
            mean + mean**2,
            4000,
            value=lambda o: o.failed_requests,
            check=checks.variance,
            **words,
        )
        found += [chi, spread]
    return found


def rows() -> list[Row]:
    """Rows about failed requests and corrupt writes."""
    return [
        *switches(),
        *plateaus(),
        *stairs(),
        *ramps(),
        *batches(),
        *outages(),
        *overload(),
        *other_defects(),
        *writes(),
        *scatter(),
    ]
