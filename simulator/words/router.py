"""The router in front of the service."""

from __future__ import annotations

from pydantic import Field, field_validator

from simulator.words.distributions import Constant, Distribution, Exponential, RandomDuration
from simulator.words.model import Words
from simulator.words.units import Count, Duration, PositiveDuration, Rate, Share


class Dns(Words):
    """Weights published as DNS records: clients follow as their cached answers expire.

    A share `ignore` of the clients keeps to old answers longer than their time to live. The
    defaults are judgement but for propagation (Route 53 documentation); 8.7 % of resolvers extend
    the time to live (Bhowmick and others, PAM 2023).
    """

    ttl: PositiveDuration = Field(60.0, description="Time to live of an answer.")
    ignore: Share = Field(0.05, description="Share of clients that ignore it (1 to 15 %).")
    ignore_for: RandomDuration = Field(
        Exponential(scale=3600.0),
        description="How long those keep an old answer: a fixed hold, or an exponential law.",
    )
    propagation: Duration = Field(
        60.0, description="Time from publishing until every name server answers with it."
    )

    @field_validator("ignore_for")
    @classmethod
    def _hold(cls, value: Distribution) -> Distribution:
        if not isinstance(value, Constant | Exponential):
            raise ValueError("is a fixed time or exponential; write e.g. {exponential: {mean: 1h}}")
        return value


class Cache(Words):
    """A cache of answers in front of both versions, or one in front of each."""

    hits: Share = Field(description="Share of the requests answered from it when it is warm.")
    ttl: PositiveDuration = Field(description="How long an answer stays in it.")
    shared: bool = Field(
        description="One cache for both versions; false: each has its own, and a new one is cold."
    )

    @field_validator("hits")
    @classmethod
    def _below_one(cls, value: float) -> float:
        if value >= 1:
            raise ValueError("with 100% hits no request reaches the service; write e.g. 80%")
        return value


class Throttle(Words):
    """A token bucket in front of both versions; what it refuses is rejected whoever sent it."""

    rate: Rate = Field(description="Tokens that come in, one for each request let through.")
    burst: Count = Field(description="Tokens it holds at most.")


class Router(Words):
    """How a published weight comes into effect."""

    propagation: Duration = Field(
        description="Time from publishing a weight until it is in effect everywhere."
    )
    dns: Dns | None = Field(
        None, description="Weights are DNS records: they come into effect as answers expire."
    )
    cache: Cache | None = Field(None, description="A cache of answers in front of the service.")
    throttle: Throttle | None = Field(
        None, description="A limit of the requests let through, mirrored copies included."
    )
