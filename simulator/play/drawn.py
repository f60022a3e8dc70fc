"""Hundreds of starts through a window, drawn one by one before anything happens.

A controller that counts failed starts, or waits for progress, is decided by single starts; a mean
course has none. Drawing them costs microseconds each; playing each as an event would cost a hundred
times as much.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.play.fleet import StartLaw
from simulator.play.luck import Luck

Array = NDArray[np.float64]


class Window(NamedTuple):
    """How many start in a rolling update, how many at a time, the pause in a slot, and the least
    time between the begins of two (seconds).
    """

    todo: int
    flight: int
    pause: float
    gap: float = 0.0


class Starts:
    """The starts of one rolling update: when each begins and serves, seconds after the update did.

    Each takes a slot as soon as one is free: its instance serves and the pause after it is over.
    """

    __slots__ = ("_pause", "_serving", "_timeout", "begins", "ends")

    def __init__(self, law: StartLaw, luck: Luck, address: tuple[int, int], window: Window) -> None:
        todo, flight, self._pause, gap = window
        purpose, first = address
        self._timeout = law.timeout
        free = [0.0] * min(flight, todo)
        self.begins, self.ends = list[float](), list[float]()
        for length in law.several(luck.uniforms(purpose, first, todo)):
            begin = free[0]
            if gap and self.begins:
                begin = max(begin, self.begins[-1] + gap)
            end = begin + length
            heapq.heapreplace(free, end + self._pause)
            self.begins.append(begin)
            self.ends.append(end)
        self._serving = np.array(sorted(self.ends))

    @property
    def last(self) -> float:
        """When the last one serves, seconds."""
        return float(self._serving[-1])

    def serve(self, t: Array, begun_by: float) -> Array:
        """How many serve at t seconds, of those that began until `begun_by`."""
        serving = self._serving
        if begun_by < self.begins[-1]:
            pairs = zip(self.begins, self.ends, strict=True)
            serving = np.array(sorted(end for begin, end in pairs if begin <= begun_by))
        count = np.arange(1.0, len(serving) + 1)
        found: Array = np.interp(t, serving, count, left=0.0)
        return found

    def begun(self, t: Array) -> Array:
        """How many have begun at t seconds."""
        found: Array = np.interp(t, self.begins, np.arange(1.0, len(self.begins) + 1))
        return found

    def failed(self, tries: int) -> float:
        """When a start has first failed so many times in a row, seconds; infinite if never."""
        wait = tries * self._timeout
        begins, ends = np.array(self.begins), np.array(self.ends)
        failed = begins[begins + wait < ends]
        return float(failed.min()) + wait if len(failed) else math.inf

    def _failures(self) -> Iterator[float]:
        for begin, end in zip(self.begins, self.ends, strict=True):
            when = begin + self._timeout
            while when < end:
                yield when
                when += self._timeout

    def breaks(self, failures: int, reset: bool) -> float:
        """When so many starts have failed, since the last one that serves with `reset`, seconds."""
        failed = [(when, 0) for when in self._failures()]
        if len(failed) < failures:
            return math.inf
        succeeded = [(when, 1) for when in self.ends] if reset else []
        count = 0
        for when, good in sorted(chain(failed, succeeded)):
            count = 0 if good else count + 1
            if count == failures:
                return when
        return math.inf

    def gaps(self, longest: float) -> Iterator[tuple[float, float]]:
        """Times in which nothing happens for longer than this: (from, until), seconds."""
        happens = np.concatenate([[0.0], self._serving])
        if self._pause:
            happens = np.sort(np.concatenate([happens, self._serving + self._pause]))
        for index in np.flatnonzero(np.diff(happens) > longest).tolist():
            yield float(happens[index]), float(happens[index + 1])
