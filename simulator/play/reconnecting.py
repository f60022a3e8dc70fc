"""Users on long connections: each one may take them to the other version."""

from __future__ import annotations

import math
from typing import Final

from simulator.play.users import LEAST, Pair, Users, blend

_PARTS: Final = 64


class Reconnecting(Users):
    """The share of users harmed where connections last `mean` seconds and nobody is sticky.

    Users on one version are alike, as their connections end at random: there are two classes, those
    on new (the share w of them) and those on old. With y' = (a - y)/mean the share a of those that
    reconnect goes to the new version; what of this is not the change of w is an exchange, in which
    users take along what they have met.
    """

    __slots__ = ("_half", "_mean", "_now")

    def __init__(self, mean: float, reach: float, reporting: bool = True) -> None:
        super().__init__(True, reach, reporting)
        self._mean, self._half, self._now = mean, 0.0, -math.inf
        self.classes = [[0.0, 0.0, *[0.0] * 4], [0.0, 1.0, *[0.0] * 4]]

    def _like(self) -> Users:
        other = Reconnecting(self._mean, self.reach, self.reporting)
        other._half, other._now = self._half, self._now
        return other

    def add(self, span: Pair, weight: float, old: Pair, new: Pair, excused: bool) -> None:
        """Add hazards (common, segment) for users on old and on new over span = (from, to)."""
        on_new, on_old = self.classes
        if old == new and old[1] == 0.0:
            if old[0]:
                self._gather(span, [(on_new, old[0], 0.0), (on_old, old[0], 0.0)], excused)
            return
        length, weight = span[1] - span[0], min(max(weight, 0.0), 1.0)  # a mean may round beyond
        before, gap = on_new[1], span[0] - self._now
        if gap > 0.0 and before > 0.0:
            self._mix(-math.expm1(-gap / self._mean))
        half = length / 2
        joined = before + self._mean * (weight - before) / (half + (0.0 if gap > 0 else self._half))
        self._move(weight)
        self._half, self._now = half, span[1]
        if excused:
            self._gather(span, [(on_new, new[0], 0.0), (on_old, old[0], 0.0)], True)
            return
        joined = min(max(joined, 0.0), 1.0)
        swapped = min(joined * (1.0 - weight), (1.0 - joined) * weight) / self._mean
        parts = 1
        if self.reporting and self.heard and swapped > 0.0:
            parts = min(math.ceil(2 * length / self._mean), _PARTS)
        each = length / parts
        for k in range(parts):
            part = (span[0] + k * each, span[0] + (k + 1) * each)
            olds, news = (old[0] / parts, old[1] / parts), (new[0] / parts, new[1] / parts)
            self._swap(part, swapped, olds, news)

    def _move(self, weight: float) -> None:
        """Users whom nothing tells from the others of their version move until so many are new."""
        on_new, on_old = self.classes
        before = on_new[1]
        if weight == before:
            return
        source, target = (on_old, on_new) if weight > before else (on_new, on_old)
        moved, stayed = abs(weight - before), target[1] - target[0]
        blend(target, source, moved / (moved + stayed))
        on_new[1] = on_old[0] = weight
        for row in self.classes:
            row[5] = (row[1] - row[0]) * self._met(row)

    def _mix(self, part: float) -> None:
        """This part of all users reconnects, to both versions as they are: nobody tells why."""
        on_new, on_old = self.classes
        weight, was = on_new[1], on_new.copy()
        blend(on_new, on_old, part * (1.0 - weight))
        blend(on_old, was, part * weight)
        for row in self.classes:
            row[5] = (row[1] - row[0]) * self._met(row)

    def _met(self, row: list[float]) -> float:
        met = -math.expm1(-row[2])
        return met - self.reach * math.exp(-row[2]) * math.expm1(-row[3])

    def _swap(self, span: Pair, swapped: float, old: Pair, new: Pair) -> None:
        """Add hazards while so many (a share of all users per second) go each way."""
        on_new, on_old = self.classes
        weight, length = on_new[1], span[1] - span[0]
        if swapped <= 0.0 or not 0.0 < weight < 1.0:
            self._gather(span, [(on_new, *new), (on_old, *old)], False)
            return
        leave = (swapped * length / (1.0 - weight), swapped * length / weight)
        common = _exchanged((on_old[2], on_new[2]), leave, (old[0], new[0]))
        whole = _exchanged(
            (on_old[2] + on_old[3], on_new[2] + on_new[3]), leave, (sum(old), sum(new))
        )
        rows = [
            (row, common[k] - row[2], whole[k] - common[k] - row[3])
            for k, row in ((1, on_new), (0, on_old))
        ]
        self._gather(span, rows, False)


def _exchanged(met: Pair, leave: Pair, hazards: Pair) -> Pair:
    """The hazards that users on (old, new) have met in the end, who had `met` so much before.

    `leave` are the mean numbers of times that one leaves his version, and the occupation of both
    stays: spared' = -(leave + hazard) spared + leave spared of the others.
    """
    (out, back), (s_old, s_new) = leave, (math.exp(-met[0]), math.exp(-met[1]))
    p, q = -(out + hazards[0]), -(back + hazards[1])
    middle, apart = (p + q) / 2, math.sqrt(((p - q) / 2) ** 2 + out * back)
    grown = math.exp(middle + apart)
    fallen = math.exp(-2 * apart)
    even, odd = grown * (1 + fallen) / 2, grown * (1 - fallen) / (2 * apart)
    old = even * s_old + odd * ((p - middle) * s_old + out * s_new)
    new = even * s_new + odd * (back * s_old + (q - middle) * s_new)
    return -math.log(max(old, LEAST)), -math.log(max(new, LEAST))
