"""The exact arithmetic of AppConfig's deployment strategies.

Sources: AWS AppConfig user guide (commit 435afc7e, 2023); Linear20PercentEvery6Minutes from the
service's present documentation, of which the bake time could not be verified. No simulation calls
`reached` and `exposure`; the tests hold simulated exposure against them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Growth = Literal["linear", "exponential"]
_MINUTE = 60.0


class Course(NamedTuple):
    """A deployment strategy: growth `factor` (a share), `duration` and final `bake` (seconds)."""

    growth: Growth
    factor: float
    duration: float
    bake: float


PREDEFINED: dict[str, Course] = {
    "AppConfig.AllAtOnce": Course("linear", 1.0, 0.0, 10 * _MINUTE),
    "AppConfig.Linear50PercentEvery30Seconds": Course("linear", 0.5, _MINUTE, _MINUTE),
    "AppConfig.Linear20PercentEvery6Minutes": Course("linear", 0.2, 30 * _MINUTE, 30 * _MINUTE),
    "AppConfig.Canary10Percent20Minutes": Course("exponential", 0.1, 20 * _MINUTE, 10 * _MINUTE),
}


def shares(growth: Growth, factor: float) -> tuple[float, ...]:
    """The shares that have the configuration, step by step: G, 2G, 3G ... or G 2^N, up to 1.

    Raises ValueError unless 0 < factor <= 1.
    """
    if not 0 < factor <= 1:
        raise ValueError("a growth factor is above 0 and at most 100%")
    found, step = [0.0], 1
    while found[-1] < 1:
        grown = factor * step if growth == "linear" else factor * 2.0 ** (step - 1)
        found.append(1.0 if grown > 1 - 1e-9 else grown)
        step += 1
    return tuple(found[1:])


def steps(course: Course) -> tuple[tuple[float, float], ...]:
    """(seconds since the start, share) of each step: evenly over the duration, the last at its end.

    Linear 20 % over 10 h: 0 % at 0 h, 20 % at 2 h, ... 100 % at 10 h.
    """
    levels = shares(course.growth, course.factor)
    return tuple(
        (course.duration * number / len(levels), level) for number, level in enumerate(levels, 1)
    )


def reached(course: Course, seconds: float) -> float:
    """The share that has the configuration so many seconds after the start."""
    return max((level for at, level in steps(course) if at <= seconds + 1e-9), default=0.0)


def exposure(course: Course, detected: float) -> float:
    """The integral of that share up to a detection and an instant rollback, seconds.

    `detected` seconds after the start, before the end of the bake.
    """
    return sum(
        (level - before) * max(detected - at, 0.0)
        for (at, level), before in zip(
            steps(course), (0.0, *shares(course.growth, course.factor)), strict=False
        )
    )
