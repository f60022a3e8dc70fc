"""Tenants: customers of very different sizes, each with users of its own."""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulator.words.model import Words
from simulator.words.units import Count, Factor, PositiveShare

Array = NDArray[np.float64]

_ONE_BY_ONE, _WIDTH, _FAR = 1000, 0.01, 600.0


class Tenants(Words):
    """Users who belong to tenants: number k has the share largest / k^zipf of them.

    There are as many tenants as it takes to come to all users; each has at least one, but
    for the last, which gets who is left.
    """

    count: Count = Field(description="Users of all tenants together.")
    largest: PositiveShare = Field(description="Share of the users who belong to the largest.")
    zipf: Factor = Field(
        description="How quickly tenants become smaller: number k has largest / k^zipf of the "
        "users (Zipf's law; 1 is usual for sizes of firms)."
    )

    @model_validator(mode="after")
    def _comes_to_all(self) -> Tenants:
        # Who has one user left; nobody comes after as many as there are users.
        last = min(math.exp(min(math.log(self.largest * self.count) / self.zipf, _FAR)), self.count)
        head = np.arange(1.0, min(math.floor(last), _ONE_BY_ONE) + 1) ** -self.zipf
        most = self.largest * float(head.sum())
        if last > _ONE_BY_ONE:
            most += self._between(_ONE_BY_ONE + 0.5, last)
        if most < 1 - 1e-9:
            raise ValueError(
                f"tenants of at least one user come to {100 * most:.3g} % of the users: raise "
                "largest or count, or lower zipf"
            )
        return self

    def _between(self, low: float, high: float) -> float:
        """The share of the tenants from number `low` to `high`: the integral of largest / k^zipf,
        which is the sum to 1e-8 from a thousand on.
        """
        if abs(self.zipf - 1) < 1e-9:
            return self.largest * math.log(high / low)
        power = 1 - self.zipf
        return float(self.largest * (high**power - low**power) / power)

    @cached_property
    def sizes(self) -> tuple[Array, Array]:
        """How many tenants have how many users: the largest one by one, the others in classes of
        1 % in their number.
        """
        shares = self.largest * np.arange(1.0, _ONE_BY_ONE + 1) ** -self.zipf
        before = np.concatenate([[0.0], np.cumsum(shares)])
        if before[-1] >= 1 - 1e-12:
            many = int(np.searchsorted(before, 1 - 1e-12))
            each = np.minimum(shares[:many], 1 - before[:many])
            return np.ones(many), self.count * each
        rest, first = 1 - float(before[-1]), _ONE_BY_ONE + 0.5
        if abs(self.zipf - 1) < 1e-9:
            last = first * math.exp(rest / self.largest)
        else:
            power = 1 - self.zipf
            last = (first**power + rest * power / self.largest) ** (1 / power)
        steps = math.ceil(math.log(last / first) / _WIDTH)
        edges = np.geomspace(first, last, steps + 1)
        numbers = np.diff(edges)
        users = np.array([self._between(a, b) for a, b in pairwise(edges)])
        return (
            np.concatenate([np.ones(_ONE_BY_ONE), numbers]),
            self.count * np.concatenate([shares, users / numbers]),
        )

    @property
    def number(self) -> int:
        """How many tenants there are."""
        return round(float(self.sizes[0].sum()))

    def harmed(self, share: float) -> float:
        """The share of the tenants with at least one user harmed where this share of all users is.

        A tenant's users are harmed or not as all others are, independently of each other: one of n
        users with 1 - (1 - share)^n.
        """
        if share >= 1:
            return 1.0
        numbers, users = self.sizes
        each = -np.expm1(users * math.log1p(-share))
        return float(np.dot(numbers, each) / numbers.sum())
