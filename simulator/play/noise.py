"""Baseline errors of the old version that no deployment causes: over-dispersed, block by block."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.luck import Luck, Purpose

if TYPE_CHECKING:
    from simulator.play.plan import Plan

Array = NDArray[np.float64]

_NONE: Final = np.empty(0)


class Noise:
    """Expected baseline errors per cell: mean share x gamma multiplier of the block x requests.

    The multiplier of each block has mean 1 and coefficient of variation `cv`, is common to both
    versions (so a concurrent comparison cancels it) and equal for every rival strategy. Within a
    block the expected errors are linear in the requests, so cells cut anywhere are exact.
    """

    __slots__ = ("_blocks", "_integral", "_known", "_luck", "_offset", "_past", "_plan")

    def __init__(self, plan: Plan, luck: Luck) -> None:
        self._plan = plan
        self._luck = luck
        self._blocks = _NONE
        self._known: list[float] = []
        self._past = _NONE
        self._integral = _NONE, _NONE
        self._offset = 0.0
        if plan.noise_cv > 0:
            self._offset = -(1 + luck.uniform(Purpose.NOISE_OFFSET)) * plan.noise_block

    def expected(self, edges: Array, requests: Array) -> Array:
        """Expected baseline errors in each cell, given the expected `requests` in each cell."""
        plan = self._plan
        if plan.noise_cv == 0:
            flat: Array = plan.noise * requests
            return flat
        block = plan.noise_block
        first = int((edges[0] - self._offset) // block)
        last = int((edges[-1] - self._offset) // block)
        if plan.steady and first >= 0:
            upto = np.interp(edges, *self._course(last + 1))
            found: Array = (plan.noise * plan.rate) * (upto[1:] - upto[:-1])
            return found
        multipliers = self._between(first, last + 1)
        if first == last:
            one: Array = plan.noise * multipliers[0] * requests
            return one
        ends = self._offset + block * np.arange(first, last + 2)
        if plan.steady:
            served, at = ends * plan.rate, edges * plan.rate
        else:
            served, at = plan.traffic.cumulative(ends), plan.traffic.cumulative(edges)
        course = np.empty(len(ends))
        course[0] = 0.0
        (multipliers * (served[1:] - served[:-1])).cumsum(out=course[1:])
        upto = np.interp(at, served, course)
        expected: Array = plan.noise * (upto[1:] - upto[:-1])
        return expected

    def _course(self, count: int) -> tuple[Array, Array]:
        """The ends of at least so many blocks, and the integral of the multiplier up to each."""
        blocks, (ends, integral) = self._upto(count), self._integral
        if len(ends) <= len(blocks):
            block = self._plan.noise_block
            ends = self._offset + block * np.arange(len(blocks) + 1.0)
            integral = np.empty(len(ends))
            integral[0] = 0.0
            (block * blocks).cumsum(out=integral[1:])
            self._integral = ends, integral
        return ends, integral

    def between(self, a: float, b: float, requests: float) -> float:
        """Expected baseline errors in [a, b] seconds, given the expected requests in it."""
        plan = self._plan
        if plan.noise_cv == 0:
            return plan.noise * requests
        block = plan.noise_block
        first, last = int((a - self._offset) // block), int((b - self._offset) // block)
        if first < 0 or not (plan.steady or first == last):
            return float(self.expected(np.array([a, b]), np.array([requests]))[0])
        if last >= len(self._known):
            self._upto(last + 1)
        known = self._known
        if first == last:
            return plan.noise * requests * known[first]
        seconds = 0.0
        for number in range(first, last + 1):
            start = self._offset + block * number
            seconds += known[number] * (min(b, start + block) - max(a, start))
        return plan.noise * plan.rate * seconds

    def calm_until(self, a: float, b: float, most: float) -> float:
        """The first moment in [a, b] at which the multiplier exceeds `most`, else b (seconds)."""
        if most == math.inf or self._plan.noise_cv == 0:
            return b
        block = self._plan.noise_block
        first = max(int((a - self._offset) // block), 0)
        last = max(int((b - self._offset) // block), first)
        if last >= len(self._known):
            self._upto(last + 1)
        known = self._known
        for number in range(first, last + 1):
            if known[number] > most:
                return min(max(self._offset + block * number, a), b)
        return b

    def _between(self, first: int, stop: int) -> Array:
        """The multipliers of blocks first .. stop - 1; negative ones are long before the start."""
        if first >= 0:
            return self._upto(stop)[first:stop]
        if len(self._past) < -first:
            shape = self._plan.noise_cv**-2
            more = self._luck.history().standard_gamma(shape, -first - len(self._past)) / shape
            self._past = np.concatenate([self._past, more])
        past = self._past[max(-stop, 0) : -first][::-1]
        return np.concatenate([past, self._upto(stop)[:stop]]) if stop > 0 else past

    def _upto(self, count: int) -> Array:
        if len(self._blocks) >= count:
            return self._blocks
        shape = self._plan.noise_cv**-2
        missing = max(count, len(self._blocks) + 32) - len(self._blocks)
        more = self._luck.noise().standard_gamma(shape, missing) / shape
        self._blocks = np.concatenate([self._blocks, more]) if len(self._blocks) else more
        self._known = self._blocks.tolist()
        return self._blocks
