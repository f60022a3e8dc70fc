"""Random quantities: laws that can be sampled, inverted, averaged, asked for the slowest of n."""

from __future__ import annotations

import csv
import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Annotated, Any, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from simulator.words import units

Array = NDArray[np.float64]
_NORMAL = NormalDist()
_Z95 = _NORMAL.inv_cdf(0.95)


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
        return float(self._below(np.array([x], dtype=float))[0])

    def maximum(self, n: int, luck: float) -> float:
        """The largest of n independent values in one draw: F^-1(U^(1/n))."""
        return self.upper_quantile(-math.expm1(math.log(luck) / n))

    def mean_of_maximum(self, n: int) -> float:
        """Expected largest of n values: the integral of F^-1(u^(1/n)) over u in (0, 1)."""
        nodes, weights = np.polynomial.legendre.leggauss(64)
        total = 0.0
        edges = np.concatenate(
            [[0.0], 10.0 ** np.arange(-12, 0), 1 - 10.0 ** -np.arange(1, 15), [1.0]]
        )
        for a, b in zip(np.sort(edges)[:-1], np.sort(edges)[1:], strict=True):
            for node, weight in zip(nodes, weights, strict=True):
                u = (a + b) / 2 + (b - a) / 2 * node
                total += weight * (b - a) / 2 * self.maximum(n, float(min(u, 1 - 1e-16)))
        return total

    def capped(self, limit: float) -> Distribution:
        """The law of the smaller of this quantity and `limit`."""
        return Capped(law=self, limit=limit)


class Constant(Distribution):
    """Always the same value."""

    value: float

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
    """Memoryless with the given mean."""

    scale: float

    def mean(self) -> float:
        """The mean."""
        return self.scale

    def upper_quantile(self, survival: float) -> float:
        """-mean log(survival)."""
        return -self.scale * math.log(survival)

    def sample(self, luck: float) -> float:
        """One value from a uniform number in (0, 1)."""
        return -self.scale * math.log1p(-luck)

    def _below(self, x: Array) -> Array:
        return -np.expm1(-np.maximum(x, 0.0) / self.scale)


class LogNormal(Distribution):
    """The logarithm is normal: median and standard deviation sigma of the logarithm."""

    median: float
    sigma: float

    def mean(self) -> float:
        """median exp(sigma^2 / 2)."""
        return self.median * math.exp(self.sigma**2 / 2)

    def upper_quantile(self, survival: float) -> float:
        """median exp(-sigma z) with z the normal quantile of `survival`."""
        if survival >= 1:
            return 0.0
        return self.median * math.exp(-self.sigma * _NORMAL.inv_cdf(survival))

    def sample(self, luck: float) -> float:
        """One value from a uniform number in (0, 1)."""
        return self.median * math.exp(self.sigma * _NORMAL.inv_cdf(luck))

    def _below(self, x: Array) -> Array:
        safe = np.maximum(x, 1e-300)
        if self.sigma == 0:
            return np.where(x >= self.median, 1.0, 0.0)
        z = np.log(safe / self.median) / self.sigma
        below: Array = np.where(x > 0, _phi(z), 0.0)
        return below


class Normal(Distribution):
    """Normal given that it is not negative."""

    centre: float
    sd: float

    @property
    def _negative(self) -> float:
        return _NORMAL.cdf(-self.centre / self.sd)

    def mean(self) -> float:
        """Mean of the truncated law: centre + sd phi(a) / (1 - Phi(a)), a = -centre / sd."""
        return self.centre + self.sd * _NORMAL.pdf(self.centre / self.sd) / (1 - self._negative)

    def upper_quantile(self, survival: float) -> float:
        """Quantile of the truncated law."""
        inside = survival * (1 - self._negative)
        if inside >= 1 - self._negative:
            return 0.0
        return max(self.centre - self.sd * _NORMAL.inv_cdf(inside), 0.0)

    def _below(self, x: Array) -> Array:
        share = (_phi((x - self.centre) / self.sd) - self._negative) / (1 - self._negative)
        below: Array = np.where(x > 0, share, 0.0)
        return below


class Uniform(Distribution):
    """Every value between low and high is equally likely."""

    low: float
    high: float

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

    low: float
    mode: float
    high: float

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
        left = rising / max(width * (self.mode - self.low), 1e-300)
        right = 1 - falling / max(width * (self.high - self.mode), 1e-300)
        below: Array = np.clip(np.where(x < self.mode, left, right), 0.0, 1.0)
        return below


class Weibull(Distribution):
    """Exceeded with probability exp(-(x / scale)^shape)."""

    scale: float
    shape: float

    def mean(self) -> float:
        """scale Gamma(1 + 1 / shape)."""
        return self.scale * math.gamma(1 + 1 / self.shape)

    def upper_quantile(self, survival: float) -> float:
        """scale (-log survival)^(1 / shape)."""
        return self.scale * float((-math.log(survival)) ** (1 / self.shape))

    def _below(self, x: Array) -> Array:
        below: Array = -np.expm1(-((np.maximum(x, 0.0) / self.scale) ** self.shape))
        return below


class Empirical(Distribution):
    """Measured values; between neighbours in order of size the law is linear."""

    values: tuple[float, ...]

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
    limit: float

    def mean(self) -> float:
        """Expected value: the integral of the capped quantile function."""
        points = (np.arange(4000) + 0.5) / 4000
        return float(np.mean([self.quantile(float(p)) for p in points]))

    def upper_quantile(self, survival: float) -> float:
        """The smaller of the law's quantile and the limit."""
        return min(self.law.upper_quantile(survival), self.limit)

    def sample(self, luck: float) -> float:
        """One value from a uniform number in (0, 1)."""
        return min(self.law.sample(luck), self.limit)

    def _below(self, x: Array) -> Array:
        return np.where(x >= self.limit, 1.0, self.law.cdf(x))


def _phi(z: Array) -> Array:
    """The standard normal distribution function, elementwise."""
    from scipy.special import ndtr

    result: Array = ndtr(z)
    return result


_FORMS = "exponential, lognormal, normal, uniform, triangular, weibull, empirical"
_KEYS: dict[str, tuple[set[str], ...]] = {
    "exponential": ({"mean"},),
    "lognormal": ({"median", "sigma"}, {"median", "p95"}, {"mean", "sd"}),
    "normal": ({"mean", "sd"},),
    "uniform": ({"low", "high"},),
    "triangular": ({"low", "mode", "high"},),
    "weibull": ({"scale", "shape"},),
}
_PURE = {"sigma", "shape"}


def parse(value: Any, read: Callable[[Any], float], folder: str | None = None) -> Distribution:
    """Read a random quantity whose numbers are read by `read` (a unit's parser).

    Accepts a plain quantity, [low, high] (a 90 % interval of a log-normal), or one law by name
    with its parameters. Raises ValueError with the allowed forms.
    """
    if isinstance(value, Distribution):
        return value
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ValueError("a list means a 90 % interval: write two values, e.g. [25s, 35s]")
        low, high = read(value[0]), read(value[1])
        if not 0 < low < high:
            raise ValueError(f"[{value[0]}, {value[1]}]: the first must be above 0 and the smaller")
        return LogNormal(median=math.sqrt(low * high), sigma=math.log(high / low) / (2 * _Z95))
    if not isinstance(value, Mapping):
        return Constant(value=read(value))
    if len(value) != 1:
        raise ValueError(f"name one law: one of {_FORMS}")
    name, given = next(iter(value.items()))
    if name == "empirical":
        return _empirical(given, read, folder)
    if name not in _KEYS:
        raise ValueError(f"unknown law {name!r}: use one of {_FORMS}")
    wanted = " or ".join("{" + ", ".join(sorted(keys)) + "}" for keys in _KEYS[name])
    if not isinstance(given, Mapping) or set(given) not in _KEYS[name]:
        raise ValueError(f"{name} needs {wanted}")
    numbers = {
        key: units.factor(item) if key in _PURE and item != 0 else read(item)
        for key, item in given.items()
    }
    return _build(name, numbers)


def _build(name: str, p: dict[str, float]) -> Distribution:
    for key, number in p.items():
        if number <= 0 and key not in {"low", "sd", "mode", "sigma"}:
            raise ValueError(f"{name}: {key} must be above 0")
    match name:
        case "exponential":
            return Exponential(scale=p["mean"])
        case "lognormal" if "sigma" in p:
            return LogNormal(median=p["median"], sigma=p["sigma"])
        case "lognormal" if "p95" in p:
            if p["p95"] < p["median"]:
                raise ValueError("lognormal: p95 must not be below the median")
            return LogNormal(median=p["median"], sigma=math.log(p["p95"] / p["median"]) / _Z95)
        case "lognormal":
            sigma = math.sqrt(math.log1p((p["sd"] / p["mean"]) ** 2))
            return LogNormal(median=p["mean"] * math.exp(-(sigma**2) / 2), sigma=sigma)
        case "normal":
            if p["sd"] <= 0:
                raise ValueError("normal: sd must be above 0")
            return Normal(centre=p["mean"], sd=p["sd"])
        case "uniform":
            if p["low"] >= p["high"]:
                raise ValueError("uniform: low must be below high")
            return Uniform(low=p["low"], high=p["high"])
        case "triangular":
            if not p["low"] <= p["mode"] <= p["high"] or p["low"] >= p["high"]:
                raise ValueError("triangular: low, mode, high must be in order")
            return Triangular(low=p["low"], mode=p["mode"], high=p["high"])
    return Weibull(scale=p["scale"], shape=p["shape"])


def _empirical(given: Any, read: Callable[[Any], float], folder: str | None) -> Empirical:
    if isinstance(given, str):
        path = Path(folder or ".") / given
        try:
            with path.open(newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if row]
        except OSError as error:
            raise ValueError(f"cannot read {given!r}: {error.strerror}") from None
        column = rows[0].index("value") if rows and "value" in rows[0] else 0
        try:
            float(rows[0][column])
        except (ValueError, IndexError):
            rows = rows[1:]
        values = [_measured(row[column], read) for row in rows]
    elif isinstance(given, (list, tuple)):
        values = [read(item) for item in given]
    else:
        raise ValueError("empirical needs a list of values or the name of a CSV file")
    if len(values) < 2:
        raise ValueError("empirical needs at least two values")
    return Empirical(values=tuple(sorted(values)))


def _measured(text: str, read: Callable[[Any], float]) -> float:
    """A value of a CSV column: with its unit, or a bare number in the base unit."""
    try:
        number = float(text)
    except ValueError:
        return read(text)
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{text!r} in the file is not a finite number of at least 0")
    return number


def write(law: Distribution, form: Callable[[float], str]) -> Any:
    """The shortest form of a law that reads back as the same law."""
    match law:
        case Constant(value=value):
            return form(value)
        case Exponential(scale=scale):
            return {"exponential": {"mean": form(scale)}}
        case LogNormal(median=median, sigma=sigma):
            return {"lognormal": {"median": form(median), "sigma": sigma}}
        case Normal(centre=centre, sd=sd):
            return {"normal": {"mean": form(centre), "sd": form(sd)}}
        case Uniform(low=low, high=high):
            return {"uniform": {"low": form(low), "high": form(high)}}
        case Triangular(low=low, mode=mode, high=high):
            return {"triangular": {"low": form(low), "mode": form(mode), "high": form(high)}}
        case Weibull(scale=scale, shape=shape):
            return {"weibull": {"scale": form(scale), "shape": shape}}
        case Empirical(values=values):
            return {"empirical": [form(value) for value in values]}
        case Capped(law=inner):
            return write(inner, form)
    raise TypeError(f"no written form of {type(law).__name__}")


def _field(
    read: Callable[[Any], float], form: Callable[[float], str], limit: float | None, *examples: Any
) -> Any:
    def validate(value: Any, info: ValidationInfo) -> Distribution:
        def number(item: Any) -> float:
            bare = isinstance(item, (int, float)) and not isinstance(item, bool)
            if bare and not units.from_file(info) and math.isfinite(item) and item >= 0:
                return float(item)
            return read(item)

        law = parse(value, number, (info.context or {}).get("folder"))
        return law if limit is None or isinstance(law, Capped) else law.capped(limit)

    schema = WithJsonSchema(
        {
            "description": f"A quantity or a law: {_FORMS}, or [low, high] (90 % interval).",
            "anyOf": [
                {"type": ["string", "number"]},
                {"type": "array", "minItems": 2, "maxItems": 2},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "properties": {name: {} for name in _FORMS.split(", ")},
                    "additionalProperties": False,
                },
            ],
            "examples": list(examples),
        }
    )
    serial = PlainSerializer(lambda law: write(law, form), when_used="unless-none")
    return BeforeValidator(validate), serial, schema


RandomDuration = Annotated[
    Distribution,
    *_field(units.duration, units.format_duration, None, "90s", ["25s", "35s"]),
]
RandomShare = Annotated[Distribution, *_field(units.share, units.format_share, 1.0, "5%")]
RandomFactor = Annotated[Distribution, *_field(units.factor, lambda x: repr(x), None, 1.5)]
