"""The counts of one step that a judge looks at: the same cells as everybody else's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulator.play.fleet import NEW

if TYPE_CHECKING:
    import numpy as np

    from simulator.play.cells import Part
    from simulator.play.noise import Noise
    from simulator.words.detection import Judge


class Window:
    """What the new version's requests came to since a step began.

    `good` are expected requests that went well in cells whose number nobody has drawn yet,
    `failed` and `late` drawn counts, `requests` drawn requests; `calm` lists (from, to, expected
    requests) of stretches in which not even the baseline errors have been drawn.
    """

    __slots__ = ("calm", "failed", "good", "late", "requests")

    def __init__(self) -> None:
        self.good = 0.0
        self.failed = self.late = self.requests = 0
        self.calm: list[tuple[float, float, float]] = []

    def take_over(self, row: Sequence[float]) -> None:
        """Add a row (expected good, failed, late, drawn requests or -1)."""
        self.failed += int(row[1])
        self.late += int(row[2])
        if row[3] < 0:
            self.good += row[0]
            self.requests += int(row[1] + row[2])
        else:
            self.requests += int(row[3])

    def keep_calm(self, parts: Sequence[Part], a: float, b: float, requests: float) -> None:
        """Note stretches in which nothing but harm has been drawn: the open period's parts up to
        a, then so many expected requests in [a, b].
        """
        for index, part in enumerate(parts):
            if NEW not in part.rows:
                continue
            good, failing, late = part.rows[NEW]
            if part.settled:
                self.take_over([good, failing, late, -1])
                continue
            until = parts[index + 1].start if index + 1 < len(parts) else a
            self.failed += failing
            self.late += late
            self.requests += failing + late
            self.calm.append((part.start, until, good))
        if requests > 0:
            self.calm.append((a, b, requests))

    def settle(self, noise: Noise | None, generator: np.random.Generator) -> None:
        """Draw what is left to draw."""
        for a, b, requests in self.calm:
            mean = noise.between(a, b, requests) if noise is not None else 0.0
            bad = int(generator.poisson(mean)) if mean > 0 else 0
            self.failed += bad
            self.good += max(requests - mean, 0.0)
            self.requests += bad
        self.calm.clear()
        self.requests += int(generator.poisson(self.good))
        self.good = 0.0


def verdict(judge: Judge, window: Window) -> str:
    """ "pass", "fail", or "none" when there are too few requests to say."""
    if window.requests < max(judge.minimum_requests, 1):
        return "none"
    bad = 0
    if judge.metric != "late":
        bad += window.failed
    if judge.metric != "errors":
        bad += window.late
    return "fail" if bad > judge.above * window.requests else "pass"
