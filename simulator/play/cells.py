"""Cells: what happened between neighbouring period ends, drawn once and seen by everybody."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Part(NamedTuple):
    """A piece of the period that is still open: when it began, requests, and what was drawn.

    `rows` holds for each version (expected requests that went well, drawn failing, drawn late, its
    share of all requests); baseline errors are not drawn yet.
    """

    start: float
    base: float
    incident: float
    rows: dict[int, tuple[float, int, int, float]]


class Closed:
    """What one version comes to in a period: expected `good` requests and `baseline` errors, drawn
    `failed` (baseline included) and `late` ones, and all `requests` once somebody has asked.
    """

    __slots__ = ("baseline", "failed", "good", "late", "requests")

    def __init__(self) -> None:
        self.good = self.baseline = 0.0
        self.failed = self.late = 0
        self.requests: int | None = None


class Cells:
    """Closed cells of the versions watched: expected requests, drawn bad ones, requests on demand.

    For each version: `expected` requests that went well (floats), `failed` (failed or rejected,
    baseline included) and `late` drawn counts, and `harm` the drawn counts that are harm. All
    arrays have one entry per cell.
    """

    __slots__ = ("_drawn", "_generator", "began", "expected", "failed", "harm", "late")

    def __init__(self, generator: np.random.Generator, began: bool) -> None:
        self.began = began
        self.expected: dict[int, Array] = {}
        self.failed: dict[int, NDArray[np.int64]] = {}
        self.late: dict[int, NDArray[np.int64]] = {}
        self.harm: dict[int, NDArray[np.int64]] = {}
        self._drawn: dict[int, NDArray[np.int64]] = {}
        self._generator = generator

    def has(self, versions: tuple[int, ...]) -> bool:
        """Whether any of these versions had traffic."""
        return any(version in self.expected for version in versions)

    def bad(self, versions: tuple[int, ...], metric: str) -> NDArray[np.int64]:
        """Bad requests per cell by an alarm's metric over the versions of its scope."""
        total: NDArray[np.int64] | None = None
        for version in versions:
            if version not in self.expected:
                continue
            for part, wanted in ((self.failed, "late"), (self.late, "errors")):
                if metric != wanted:
                    counts = part[version]
                    total = counts if total is None else total + counts
        assert total is not None
        return total

    def known(self, versions: tuple[int, ...]) -> bool:
        """Whether somebody has asked for the requests of all these versions."""
        return all(version in self._drawn for version in versions if version in self.expected)

    def split(self, versions: tuple[int, ...], metric: str) -> tuple[Array, Array, Array]:
        """Per cell: expected requests that went well, drawn ones that are bad by another metric
        than this, and drawn bad ones.
        """
        mine = [version for version in versions if version in self.expected]
        good = sum(self.expected[version] for version in mine)
        every = sum(self.failed[version] + self.late[version] for version in mine)
        bad = self.bad(versions, metric).astype(float)
        return np.asarray(good), np.asarray(every) - bad, bad

    def least(self, versions: tuple[int, ...]) -> float:
        """A number of requests that the emptiest cell exceeds except with probability 1e-16."""
        every = [self.expected[v] for v in versions if v in self.expected]
        mean = min(float(sum(every[1:], every[0]).min()), 1e300)
        return mean - 8.3 * math.sqrt(mean)

    def requests(self, versions: tuple[int, ...]) -> NDArray[np.int64]:
        """All requests per cell over the versions, drawn when first asked for."""
        total: NDArray[np.int64] | None = None
        for version in versions:
            if version not in self.expected:
                continue
            if version not in self._drawn:
                good = self._generator.poisson(self.expected[version])
                self._drawn[version] = good + self.failed[version] + self.late[version]
            drawn = self._drawn[version]
            total = drawn if total is None else total + drawn
        assert total is not None
        return total
