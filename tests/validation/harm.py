"""Failed requests: switches, steps, ramps, outages, overload."""

from __future__ import annotations

from tests.answers import oracles
from tests.validation.rows import Row, row

SWITCH = "big_bang: {in_place: false}"


def known(after: str, decide: str) -> dict[str, str | int]:
    """Noticed some time after the first harm, decided some time after that."""
    return {"detection": f"noticed: {{after: {after}}}", "response": f"page: {{decide: {decide}}}"}


def switches() -> list[Row]:
    """All traffic at once."""
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
            {
                "strategy": strategy,
                "rate": f"rate: {rate} rps",
                "defect": f"{{kind: errors, rate: {100 * share}%}}",
                **known(f"{detect}s", f"{decide}s"),
            },
            detector="noticed",
        )
        for strategy, rate, share, detect, decide in cases
    ]


def ramps() -> list[Row]:
    """A leak that grows, and ten thousand small steps."""
    cases = ((0.2, 3600, 600), (0.05, 7200, 5400))
    found = [
        row(
            "failed_requests",
            "r p D² / (2T)",
            oracles.ramp(1000, share, ramp, seen),
            400,
            {
                "strategy": SWITCH,
                "defect": f"{{kind: leak, onset: 0s, ramp: {ramp}s, rate: {100 * share}%}}",
                "detection": f"noticed: {{after: {seen}s}}",
            },
            detector="noticed",
        )
        for share, ramp, seen in cases
    ]
    return [*found]


def rows() -> list[Row]:
    """Rows about failed requests."""
    return [*switches(), *ramps()]
