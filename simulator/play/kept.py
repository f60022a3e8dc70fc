"""Connections that outlast a change: they stay where they are, and only new ones follow it."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.play.course import AtOnce

Array = NDArray[np.float64]

_MINUTE: Final = 60.0
_TAIL: Final = math.log(1e9)


class Kept(AtOnce):
    """Clients that follow a change as `how` says, but only with their next connection.

    Connections last exponentially, `mean` seconds, so that e^(-x/mean) of them are still on the
    old version x seconds after a change that new ones follow at once. It `lasts` until all but
    1e-9 have followed.
    """

    __slots__ = ("_how", "_mean", "lasts")

    def __init__(self, how: AtOnce, mean: float) -> None:
        self._how, self._mean = how, mean
        self.lasts = how.lasts + mean * _TAIL

    @property
    def without(self) -> AtOnce | None:
        """How new connections follow."""
        return self._how

    def scale(self, x: float) -> float:
        """Seconds in which, x seconds after a change, about a tenth of what is left follows."""
        return max(_MINUTE, self._mean / 10)

    def share(self, x: Array) -> Array:
        """The share of the connections that have followed x seconds after a change."""
        return self._how.kept(x, self._mean)

    def over(self, x: float) -> bool:
        """Whether that share is exactly 1 from x seconds after a change on: never."""
        return False

    def area(self, x: Array) -> Array:
        """The integral of that share from the change on, seconds.

        From y' = (a - y) / mean: the integral of y is that of a, less mean y.
        """
        area: Array = self._how.area(x) - self._mean * self.share(x)
        return area

    def bends(self) -> tuple[float, ...]:
        """Seconds after a change at which its course is not smooth."""
        return self._how.bends()


class Fading(AtOnce):
    """Connections that were cut and begun anew: what that changed is forgotten as they end."""

    __slots__ = ("_mean", "lasts")

    def __init__(self, mean: float) -> None:
        self._mean, self.lasts = mean, mean * _TAIL

    @property
    def without(self) -> AtOnce | None:
        """Nothing is left of it when no connection is kept."""
        return None

    def scale(self, x: float) -> float:
        """Seconds in which, x seconds after a change, about a tenth of what is left follows."""
        return max(_MINUTE, self._mean / 10)

    def share(self, x: Array) -> Array:
        """The part of the jump that is left x seconds after it."""
        return np.where(x >= 0, np.exp(-np.maximum(x, 0.0) / self._mean), 0.0)

    def over(self, x: float) -> bool:
        """Whether that part is exactly 1 for good: never."""
        return False

    def area(self, x: Array) -> Array:
        """The integral of that part from the jump on, seconds."""
        area: Array = -self._mean * np.expm1(-np.maximum(x, 0.0) / self._mean)
        return area
