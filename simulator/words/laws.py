"""Random quantities: laws that can be sampled, inverted, averaged, asked for the slowest of n."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import cache, cached_property
from statistics import NormalDist
from typing import Annotated, Self, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Array = NDArray[np.float64]
_NORMAL = NormalDist()
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_PANELS = np.sort(np.concatenate([[0, 1], 10.0 ** np.arange(-12, 0), 1 - 0.1 ** np.arange(2, 15)]))
_Value = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# Wider laws overflow where the slowest of many is asked for.
_Sigma = Annotated[float, Field(ge=0, le=20)]
_Shape = Annotated[float, Field(ge=0.05, le=1e6)]


class Distribution(BaseModel):
    """A law of a quantity that is never negative, in the unit of its field.

    Everything is by inverse transform, so one uniform number gives one sample.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def constant(self) -> bool:
        """Whether there is only one possible value."""
        return False

    @abstractmethod
    def mean(self) -> float:
        """The expected value."""

    @abstractmethod
    def upper_quantile(self, survival: float) -> float:
        """The value exceeded with probability `survival` in (0, 1]; accurate for tiny ones."""

    @abstractmethod
    def _below(self, x: Array) -> Array:
        """P(X <= x) for an array."""

    def quantile(self, p: float) -> float:
        """The value not exceeded with probability p in (0, 1)."""
        return self.upper_quantile(1.0 - p)

    def sample(self, luck: float) -> float:
        """One value from a uniform number in (0, 1)."""
        return self.quantile(luck)

    @overload
    def cdf(self, x: float) -> float: ...
    @overload
    def cdf(self, x: Array) -> Array: ...
    def cdf(self, x: float | Array) -> float | Array:
        """P(X <= x), for a number or an array."""
        if isinstance(x, np.ndarray):
            return self._below(x)
        return self._one_below(x)

    def _one_below(self, x: float) -> float:
        """P(X <= x) for a number."""
        return float(self._below(np.array([x], dtype=float))[0])

    def maximum(self, n: int, luck: float) -> float:
        """The largest of n independent values in one draw: F^-1(U^(1/n))."""
        return self.upper_quantile(-math.expm1(math.log(luck) / n))

    def mean_of_maximum(self, n: int) -> float:
        """Expected largest of n values: the integral of F^-1(u^(1/n)) over u in (0, 1)."""
        return _integral(lambda u: self.maximum(n, u), 1.0)

    def capped(self, limit: float) -> Distribution:
        """The law of the smaller of this quantity and `limit`."""
        return Capped(law=self, limit=limit)


def _integral(f: Callable[[float], float], end: float) -> float:
    """The integral over (0, end) of a function that may be steep at both ends."""
    half = np.diff(_PANELS) * end / 2
    places = (_PANELS[:-1] * end + half)[:, None] + half[:, None] * _NODES
    inside = np.minimum(places, 1 - 1e-16).ravel().tolist()
    return math.fsum((np.outer(half, _WEIGHTS).ravel() * list(map(f, inside))).tolist())


class Constant(Distribution):
    """Always the same value."""

    value: _Value

    @property
    def constant(self) -> bool:
        """Always true."""
        return True

    def mean(self) -> float:
        """The value."""
        return self.value

    def upper_quantile(self, survival: float) -> float:
        """The value."""
        return self.value

    def _below(self, x: Array) -> Array:
        return np.where(x >= self.value, 1.0, 0.0)

    def capped(self, limit: float) -> Distribution:
        """The smaller of value and limit."""
        return Constant(value=min(self.value, limit))


class Exponential(Distribution):
    """Memoryless; `scale` is the mean."""

    scale: _Positive

    def mean(self) -> float:
        """The mean."""
        return self.scale

    def upper_quantile(self, survival: float) -> float:
        """-mean log(survival)."""
        return -self.scale * math.log(survival)

    def quantile(self, p: float) -> float:
        """-mean log(1 - p), accurate for tiny p."""
        return -self.scale * math.log1p(-p)

    def _below(self, x: Array) -> Array:
        return -np.expm1(-np.maximum(x, 0.0) / self.scale)


class LogNormal(Distribution):
    """The logarithm is normal: median and standard deviation sigma of the logarithm."""

    median: _Positive
    sigma: _Sigma

    def mean(self) -> float:
        """median exp(sigma^2 / 2)."""
        return self.median * math.exp(self.sigma**2 / 2)

    def upper_quantile(self, survival: float) -> float:
        """median exp(-sigma z) with z the normal quantile of `survival`."""
        if survival >= 1:
            return 0.0 if self.sigma else self.median
        return self.median * math.exp(-self.sigma * _NORMAL.inv_cdf(survival))

    def quantile(self, p: float) -> float:
        """median exp(sigma z) with z the normal quantile of p, accurate for tiny p."""
        return self.median * math.exp(self.sigma * _NORMAL.inv_cdf(p))

    def _one_below(self, x: float) -> float:
        if x <= 0 or self.sigma == 0:
            return float(x >= self.median)
        return 0.5 * math.erfc(-math.log(x / self.median) / (self.sigma * math.sqrt(2)))

    def _below(self, x: Array) -> Array:
        if self.sigma == 0:
            return np.where(x >= self.median, 1.0, 0.0)
        z = (np.log(np.maximum(x, 1e-300)) - math.log(self.median)) / self.sigma
        below: Array = np.where(x > 0, _phi(z), 0.0)
        return below


class Normal(Distribution):
    """Normal given that it is not negative."""

    centre: _Value
    sd: _Positive

    @cached_property
    def _kept(self) -> float:
        return _NORMAL.cdf(self.centre / self.sd)

    def mean(self) -> float:
        """Mean of the truncated law: centre + sd phi(a) / (1 - Phi(a)), a = -centre / sd."""
        return self.centre + self.sd * _NORMAL.pdf(self.centre / self.sd) / self._kept

    def upper_quantile(self, survival: float) -> float:
        """Quantile of the truncated law."""
        if survival >= 1:
            return 0.0
        return max(self.centre - self.sd * _NORMAL.inv_cdf(survival * self._kept), 0.0)

    def _below(self, x: Array) -> Array:
        above = _phi((self.centre - x) / self.sd) / self._kept
        below: Array = np.where(x > 0, 1.0 - above, 0.0)
        return below


class Uniform(Distribution):
    """Every value between low and high is equally likely."""

    low: _Value
    high: _Value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self

    def mean(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    def upper_quantile(self, survival: float) -> float:
        """high - survival (high - low)."""
        return self.high - survival * (self.high - self.low)

    def _below(self, x: Array) -> Array:
        below: Array = np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)
        return below


class Triangular(Distribution):
    """Between low and high with the most likely value `mode`."""

    low: _Value
    mode: _Value
    high: _Value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.mode <= self.high or self.low >= self.high:
            raise ValueError("low, mode, high must be in order")
        return self

    def mean(self) -> float:
        """(low + mode + high) / 3."""
        return (self.low + self.mode + self.high) / 3

    def upper_quantile(self, survival: float) -> float:
        """Inverse of the two parabolas."""
        width = self.high - self.low
        if survival <= (self.high - self.mode) / width:
            return self.high - math.sqrt(survival * width * (self.high - self.mode))
        return self.low + math.sqrt((1 - survival) * width * (self.mode - self.low))

    def _below(self, x: Array) -> Array:
        width = self.high - self.low
        rising = np.square(np.clip(x - self.low, 0, None))
        falling = np.square(np.clip(self.high - x, 0, None))
        # Where one parabola is missing it is not asked for; 1 stands for its width of 0.
        left = rising / (width * (self.mode - self.low) or 1.0)
        right = 1 - falling / (width * (self.high - self.mode) or 1.0)
        below: Array = np.clip(np.where(x < self.mode, left, right), 0.0, 1.0)
        return below


class Weibull(Distribution):
    """Exceeded with probability exp(-(x / scale)^shape)."""

    scale: _Positive
    shape: _Shape

    def mean(self) -> float:
        """scale Gamma(1 + 1 / shape)."""
        return self.scale * math.gamma(1 + 1 / self.shape)

    def upper_quantile(self, survival: float) -> float:
        """scale (-log survival)^(1 / shape)."""
        return self.scale * float((-math.log(survival)) ** (1 / self.shape))

    def _below(self, x: Array) -> Array:
        below: Array = -np.expm1(-((np.maximum(x, 0.0) / self.scale) ** self.shape))
        return below


def _sorted(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sorted(values))


class Empirical(Distribution):
    """Measured values; between neighbours in order of size the law is linear."""

    values: Annotated[tuple[_Value, ...], Field(min_length=2), AfterValidator(_sorted)]

    def mean(self) -> float:
        """Mean of the piecewise linear law."""
        inner = math.fsum(self.values) - (self.values[0] + self.values[-1]) / 2
        return inner / (len(self.values) - 1)

    def upper_quantile(self, survival: float) -> float:
        """Linear interpolation between the ordered values."""
        place = (1 - survival) * (len(self.values) - 1)
        low = min(int(place), len(self.values) - 2)
        return self.values[low] + (place - low) * (self.values[low + 1] - self.values[low])

    def _below(self, x: Array) -> Array:
        below: Array = np.interp(x, self.values, np.linspace(0.0, 1.0, len(self.values)))
        return below


class Capped(Distribution):
    """The smaller of a random quantity and a limit."""

    law: Distribution
    limit: _Value

    @cached_property
    def _mean(self) -> float:
        reached = self.law.cdf(self.limit)
        return _integral(self.law.sample, reached) + (1.0 - reached) * self.limit

    def mean(self) -> float:
        """Expected value: the integral of the capped quantile function."""
        return self._mean

    def upper_quantile(self, survival: float) -> float:
        """The smaller of the law's quantile and the limit."""
        return min(self.law.upper_quantile(survival), self.limit)

    def quantile(self, p: float) -> float:
        """The smaller of the law's quantile and the limit."""
        return min(self.law.quantile(p), self.limit)

    def capped(self, limit: float) -> Distribution:
        """The same law under the smaller of both limits."""
        return self if limit >= self.limit else Capped(law=self.law, limit=limit)

    def _below(self, x: Array) -> Array:
        return np.where(x >= self.limit, 1.0, self.law.cdf(x))


def _phi(z: Array) -> Array:
    """The standard normal distribution function, elementwise."""
    result: Array = _ndtr()(z)
    return result


@cache
def _ndtr() -> Callable[[Array], Array]:
    """Of scipy, which is imported when it is first needed."""
    from scipy.special import ndtr

    found: Callable[[Array], Array] = ndtr
    return found
