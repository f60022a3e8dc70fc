"""The service that is deployed: its fleet and how it behaves without any deployment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from simulator.words.clock import clock_seconds
from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.units import (
    Count,
    Duration,
    Hourly,
    Money,
    PositiveDuration,
    PositiveShare,
    Rate,
    Share,
)

_MOST_INSTANCES = 1_000_000
# What an elastic service alone has, and what it has no use for.
ELASTIC_ONLY = ("concurrency", "cost_per_request", "cold_start")
FOR_LATENCY = ("service_time", "cold_start")
OF_INSTANCES = (
    *("instances", "capacity", "startup", "install", "drain", "cost", "warm_up"),
    *("start_failure", "sessions", "limit", "drifted", "overload", "start_rate", "scaling"),
)


class BaselineErrors(Words):
    """Errors of the old version that are always there: over-dispersed, block by block."""

    mean: Share = Field(description="Mean share of requests that fail anyway.")
    cv: float = Field(
        0.0, ge=0, le=10, allow_inf_nan=False, description="Coefficient of variation per block."
    )
    block: PositiveDuration = Field(
        300.0, alias="for", description="Length of a block with one multiplier."
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_share(cls, value: Any) -> Any:
        return value if isinstance(value, Mapping) or value is None else {"mean": value}


class Incidents(Words):
    """Trouble that has nothing to do with the release: it hits old and new alike."""

    every: PositiveDuration = Field(description="Mean time between two incidents.")
    lasts: RandomDuration = Field(description="How long one lasts.")
    errors: Share = Field(description="Share of requests that fail meanwhile.")


class WarmUp(Words):
    """A new instance serves less than it will for a while."""

    duration: Duration = Field(alias="for", description="How long it is not warm.")
    capacity: PositiveShare = Field(description="Its capacity meanwhile, as a share.")


class StartFailure(Words):
    """Starts that do not succeed and are tried again."""

    probability: Share = Field(description="Chance that one start fails.")
    timeout: PositiveDuration = Field(description="Time after which a start counts as failed.")


class Sessions(Words):
    """Sessions kept in an instance's memory: they die with it unless they end while it drains."""

    mean: PositiveDuration = Field(description="Mean length of a session (exponential).")
    requests: Count = Field(description="Requests of one session, to tell how many there are.")


class Connections(Words):
    """Connections to a store that all instances share, and how many it takes."""

    each: Count = Field(description="Connections of one instance.")
    most: Count = Field(alias="max", description="Connections that the store takes.")


class ColdStart(Words):
    """Environments of an elastic service that have to start when a call comes."""

    share: Share = Field(description="Share of the calls that meet one in normal operation.")
    lasts: PositiveDuration = Field(description="How much longer such a call takes.")


class Scaling(Words):
    """A group of instances whose number follows its load."""

    least: Count = Field(alias="min", description="Fewest instances of a group.")
    most: Count = Field(alias="max", description="Most instances of a group.")
    target: PositiveShare = Field(description="How busy the instances shall be.")
    up: Duration = Field(
        description="From a higher load until the instances for it serve, their start included."
    )
    down: Duration = Field(description="From a lower load until instances leave.")

    @model_validator(mode="after")
    def _in_order(self) -> Scaling:
        if self.least > self.most:
            raise ValueError(f"min {self.least} is above max {self.most}: exchange them")
        if self.up > self.down:
            raise ValueError("up is longer than down: groups grow faster than they shrink")
        return self


class Cell(Words):
    """A part of the service with users of its own: a cell, a region, a tenant's copy."""

    name: str = Field(description="A name of your own, for waves.")
    share: PositiveShare = Field(description="Its share of users, requests and instances.")
    peak_at: str | None = Field(
        None,
        description="Time of day of its own peak, e.g. 20:00, where traffic.daily is the curve of "
        "each cell; that of traffic.daily when left out.",
    )

    @field_validator("peak_at")
    @classmethod
    def _is_a_time(cls, value: str | None) -> str | None:
        if value is not None:
            clock_seconds(value)
        return value


class Service(Words):
    """One service behind one router: instances of equal size, or, when elastic, none to name.

    An elastic service (functions, a managed platform) runs both versions side by side without
    instances. It carries `concurrency` requests at a time, each of which takes `service_time`.
    """

    instances: Count = Field(description="Instances in normal operation.")
    elastic: bool = Field(
        False, description="Serverless: no instances to start, replace or pay for."
    )
    concurrency: Count | None = Field(
        None, description="Requests in flight that an elastic service carries at most."
    )
    service_time: PositiveDuration | None = Field(
        None,
        description="Mean time one request takes; with slo.latency also of instances, which have "
        "capacity x service_time servers each.",
    )
    cold_start: ColdStart | None = Field(
        None,
        description="Cold environments of an elastic service; none where they are provisioned.",
    )
    queueing: Literal["instance", "shared"] = Field(
        "instance", description="Whether requests wait at an instance or in one queue for all."
    )
    cost_per_request: Money | None = Field(
        None, description="Price of one request to an elastic service; copies cost it once more."
    )
    capacity: Rate | None = Field(None, description="Requests per second of one instance.")
    utilisation: PositiveShare | None = Field(
        None, description="Load of the fleet in its busiest hour, instead of capacity."
    )
    startup: RandomDuration = Field(
        description="From asking for an instance until it may take traffic."
    )
    install: RandomDuration = Field(
        description="In-place installation until the first passed health check, without draining."
    )
    drain: Duration = Field(description="How long a stopped instance finishes its connections.")
    cost: Hourly = Field(description="Price of one instance.")
    errors: BaselineErrors | None = Field(None, description="Errors that are always there.")
    incidents: Incidents | None = Field(None, description="Trouble unrelated to the release.")
    warm_up: WarmUp | None = Field(None, description="Reduced capacity of new instances.")
    start_failure: StartFailure = Field(description="Starts that fail and are tried again.")
    sessions: Sessions | None = Field(None, description="Sessions in the instances' memory.")
    overload: Literal["shed", "collapse"] = Field(
        description="What instances do that are offered a > c, their capacity: shed carries c and "
        "rejects the rest at once (optimistic), collapse carries c (c/a)^2."
    )
    zones: Count | None = Field(None, description="Zones over which instances are spread evenly.")
    cells: tuple[Cell, ...] = Field(
        (), description="Parts with users of their own, for waves by cells; together 100 %."
    )
    limit: Count | None = Field(
        None, description="Most instances at once (quota, subnet, licences)."
    )

    scaling: Scaling | None = Field(
        None,
        description="Autoscaling of each version's group, or of the pool; `instances` then only "
        "says, with `utilisation`, what one of them carries.",
    )
    start_rate: Rate | None = Field(
        None,
        description="Most starts of instances that begin per time (throttled calls, supply of "
        "nodes); the others wait for their turn.",
    )
    connections: Connections | None = Field(
        None, description="Connections that instances hold to a shared store."
    )
    ungraceful: Duration | None = Field(
        None,
        description="So many seconds of its traffic are lost whenever an instance stops that "
        "serves; 0 where it is drained first, 1 to 3 s where the router learns of it later.",
    )

    drifted: Share | None = Field(
        None,
        description="Share of the instances that somebody changed by hand: an update in place "
        "fails on them at first.",
    )

    @field_validator("cells")
    @classmethod
    def _is_the_whole(cls, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        names, total = [cell.name for cell in cells], sum(cell.share for cell in cells)
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two cells are called {min(twice)!r}: give each a name of its own")
        if cells and abs(total - 1) > 1e-9:
            raise ValueError(f"cells sum to {100 * total:.4g}%, not 100%: change their shares")
        return cells

    @model_validator(mode="after")
    def _consistent(self) -> Service:
        if self.instances > _MOST_INSTANCES:
            raise ValueError(f"{self.instances} instances are too many: at most 1M are simulated")
        if self.capacity is not None and self.utilisation is not None:
            raise ValueError("capacity and utilisation say the same thing: remove one of them")
        if self.connections is not None and self.needs > self.connections.most:
            raise ValueError(
                f"{self.instances} instances hold {self.needs} connections, more than "
                f"{self.connections.most}: raise max"
            )
        if self.scaling is not None and self.elastic:
            raise ValueError(
                "an elastic service has no instances to scale: remove scaling, or elastic; "
                "concurrency limits what it carries"
            )
        if self.scaling is not None and self.capacity is None and self.utilisation is None:
            raise ValueError("scaling needs capacity: what one instance carries, e.g. 100 rps")
        if self.limit is not None and self.limit < self.instances:
            raise ValueError(
                f"limit {self.limit} is below the {self.instances} instances: raise it"
            )
        if not self.elastic:
            for key in ELASTIC_ONLY:
                if getattr(self, key) is not None:
                    raise ValueError(f"{key} needs elastic: true; add it, or remove {key}")
        elif self.concurrency is not None and self.service_time is None:
            raise ValueError("concurrency needs service_time: how long a request takes, e.g. 100ms")
        return self

    @property
    def needs(self) -> int:
        """Connections of the whole fleet."""
        return self.instances * (self.connections.each if self.connections else 0)

    @property
    def throughput(self) -> float:
        """Requests/s that an elastic service carries: in flight = rate x service time."""
        if self.concurrency is None or self.service_time is None:
            return math.inf
        return self.concurrency / self.service_time
