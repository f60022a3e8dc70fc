"""How a blue/green release moves the traffic from one fleet to the other: its cut-over methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from simulator.words.model import Words
from simulator.words.router import Dns
from simulator.words.units import Duration, Portion, PortionField, PositiveDuration, PositiveShare

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout

_NONE = Portion.parse(0)


class Method(Words):
    """One way to bring green up (`build`), to move the traffic to it (`move`), and to `go_back`.

    `apart` says that green can be tested before it has traffic, `pooled` that metrics do not tell
    the versions apart.
    """

    apart: ClassVar[bool] = True

    @property
    def pooled(self) -> bool:
        return False

    def build(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(1)

    @property
    def grows(self) -> bool:
        """Whether green may be small until its load makes it grow."""
        return self.apart and type(self).build is Method.build

    def build_small(self, rollout: Rollout) -> Iterator[Any]:
        """Bring up the fewest instances that autoscaling allows; it adds the others."""
        yield from rollout.provision_least()

    def move(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.cut_over(None)

    def go_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()


class DnsRecord(Dns, Method):
    """A weighted DNS record: clients follow as their cached answers expire."""

    weights: tuple[PositiveShare, ...] = Field(
        (1.0,), description="Shares of the answers that name green, one after the other."
    )
    every: Duration = Field(300.0, description="Time between two of them.")

    @model_validator(mode="after")
    def _rises_to_all(self) -> DnsRecord:
        if self.weights[-1:] != (1.0,) or list(self.weights) != sorted(set(self.weights)):
            raise ValueError("weights rise and end with all; write e.g. [10%, 50%, 100%]")
        return self

    def move(self, rollout: Rollout) -> Iterator[Any]:
        for weight in self.weights[:-1]:
            yield from rollout.cut_over(self, weight)
            yield from rollout.bake(self.every)
        yield from rollout.cut_over(self)


class SwapGroup(Method):
    """A second group of instances behind the same load balancer: green registers and serves after
    one passed health check, then blue goes to standby (AWS Auto Scaling, ELB).

    While both serve, every target gets as many requests (round robin), or as many at the same time
    (least outstanding requests: a version that fails fast draws traffic, a slow one sheds it).
    """

    check: PositiveDuration = Field(
        30.0, description="Interval of the health check that a new target has to pass once."
    )
    beside: Duration = Field(0.0, description="How long both groups serve before blue leaves.")
    slow_start: Duration = Field(
        0.0, description="Time over which a new target's share grows (round robin only; 30s..15m)."
    )
    algorithm: Literal["round_robin", "least_outstanding_requests"] = Field(
        "round_robin", description="How the load balancer picks a target."
    )
    failing_takes: PositiveShare = Field(
        0.1, description="Time of a failing request, as a part of a good one's (judgement)."
    )

    @model_validator(mode="after")
    def _ramps(self) -> SwapGroup:
        if self.slow_start and self.algorithm != "round_robin":
            raise ValueError("slow_start works with round_robin only: remove one of the two")
        if self.slow_start and not 30 <= self.slow_start <= 900:
            raise ValueError("slow_start is 30s to 15m, or 0s for none")
        return self

    def move(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.register(self)
        yield from rollout.bake(self.beside)
        yield from rollout.cut_over(None)

    def go_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.register_again(self)
        yield from rollout.return_to_old()


class ReplaceInstances(Method):
    """One group with a new launch configuration: it grows to twice its size with new instances,
    which join at once, and shrinks again, the oldest configuration first (AWS Auto Scaling).

    It shrinks where most instances are: with `skew` zones new ones go too, and the group has to
    grow and shrink again until no old one is left. Metrics are the group's, of both versions.
    """

    apart: ClassVar[bool] = False

    metrics: Literal["pooled", "per_version"] = Field(
        "pooled", description="Whether alarms on the new version see both, or it alone."
    )
    skew: PortionField = Field(
        Portion.parse(0),
        description="Old instances in the first zone beyond an even spread: a count or a share.",
    )
    standby: bool = Field(False, description="Old instances go to standby instead of ending.")
    check: PositiveDuration = Field(
        30.0, description="Interval of the health check that one from standby has to pass."
    )

    @property
    def pooled(self) -> bool:
        return self.metrics == "pooled"

    def build(self, rollout: Rollout) -> Iterator[Any]:
        yield from ()

    def move(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.grow_and_shrink(self.skew, self.standby)

    def go_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.leave_standby(self.check)
        yield from rollout.return_to_old()


class SwapUrl(Dns, Method):
    """A second environment, then both exchange their names (Elastic Beanstalk)."""

    create: Duration = Field(
        300.0, description="Time to create the environment, before its instances start."
    )

    def build(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.set_up(self.create)
        yield from rollout.provision(1)

    def move(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.cut_over(self)

    def go_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.rebuild_old(self.create, _NONE, 0.0)
        yield from rollout.return_to_old()


class CloneStack(Dns, Method):
    """A copy of the whole stack, other layers included, then a DNS record (OpsWorks, legacy)."""

    other_layers: PortionField = Field(
        Portion.parse(2),
        description="Instances of other layers: a count, or a share of the fleet (judgement).",
    )
    setup: Duration = Field(600.0, description="Setup recipes after the boot (judgement).")
    deploy: Duration = Field(180.0, description="Deploy and configure recipes (judgement).")

    def build(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.hold_more(self.other_layers)
        yield from rollout.provision(1)
        yield from rollout.set_up(self.setup + self.deploy)

    def move(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.cut_over(self)

    def go_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.rebuild_old(0.0, self.other_layers, self.setup + self.deploy)
        yield from rollout.return_to_old()


class CutOver(Words):
    """A cut-over method with its settings; exactly one."""

    dns: DnsRecord | None = Field(None, description="A weighted DNS record (Route 53).")
    swap_group: SwapGroup | None = Field(
        None, description="A second group behind the same load balancer."
    )
    replace_instances: ReplaceInstances | None = Field(
        None, description="New instances in the same group, then the old ones leave."
    )
    swap_url: SwapUrl | None = Field(
        None, description="Two environments exchange their names (Elastic Beanstalk)."
    )
    clone_stack: CloneStack | None = Field(
        None, description="A copy of the whole stack (OpsWorks, legacy)."
    )

    @model_validator(mode="after")
    def _one(self) -> CutOver:
        named = [name for name, method in self if method is not None]
        if len(named) != 1:
            raise ValueError(
                f"takes one method, {len(named)} are given; write e.g. {{dns: {{ttl: 60s}}}}, "
                "or cutover: dns for all its defaults"
            )
        return self

    @property
    def method(self) -> Method:
        """The one that is given."""
        given: Method = next(method for _, method in self if method is not None)
        return given


Name = Literal["load_balancer", "dns", "swap_group", "replace_instances", "swap_url", "clone_stack"]
_USUAL: dict[str, type[Method]] = {
    "load_balancer": Method,
    "dns": DnsRecord,
    "swap_group": SwapGroup,
    "replace_instances": ReplaceInstances,
    "swap_url": SwapUrl,
    "clone_stack": CloneStack,
}


def method(cutover: Name | CutOver) -> Method:
    """The method that a name or a mapping of settings stands for."""
    return cutover.method if isinstance(cutover, CutOver) else _USUAL[cutover]()
