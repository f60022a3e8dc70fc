"""Users who install a version in their own time and keep it until they install another."""

from __future__ import annotations

from typing import Final

from simulator.play.users import Pair, Users, blend

_SAME: Final = 1e-12


class Installing(Users):
    """The share of users harmed where nothing takes the new version back.

    Users get it in the order of their buckets, and lose it in none: exponential times have no
    memory, so that those who install the repaired version in a span are any of those that have the
    bad one, whenever they installed that. Those on new are always the buckets below the weight;
    the buckets between it and the share that once had it are those who have had it, of whom only
    the mean matters, as they all meet the same from then on.
    """

    __slots__ = ("_had", "_have")

    def __init__(self, reach: float, reporting: bool = True) -> None:
        super().__init__(True, reach, reporting)
        self._have, self._had = 0.0, False

    def _like(self) -> Users:
        other = Installing(self.reach, self.reporting)
        other._have, other._had = self._have, self._had
        return other

    def add(self, span: Pair, weight: float, old: Pair, new: Pair, excused: bool) -> None:
        """Add hazards (common, segment) for users on old and on new over span = (from, to)."""
        if old != new:
            self.hold(weight)
        super().add(span, self._have, old, new, excused)

    def hold(self, weight: float) -> None:
        """From now on this share of the users has the new version."""
        if weight < self._have - _SAME * self._have:
            self._lose(weight)
        else:
            self._split(weight)
        self._have = weight

    def _lose(self, weight: float) -> None:
        """The same part of all that have it has it no longer, until it is so many."""
        have, kept = self._have, weight / self._have
        holders = [row for row in self.classes if row[1] <= have]
        left = self.classes[len(holders)] if self._had else [have, have, *[0.0] * 4]
        for row in holders:
            gone = (1.0 - kept) * (row[1] - row[0])
            width = left[1] - left[0] + gone
            if width > 0.0:
                blend(left, row, gone / width)
            left[0] -= gone
            left[5] += (1.0 - kept) * row[5]
            row[0], row[1], row[5] = kept * row[0], kept * row[1], kept * row[5]
        holders[-1][1] = left[0] = weight
        if not self._had:
            self.classes.insert(len(holders), left)
            self._had = True
