"""What a strategy is: settings that are fields, and two runbooks."""

from __future__ import annotations

import difflib
import importlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializeAsAny, ValidationInfo, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from simulator.words.analysis import Analysis
from simulator.words.detection import Judge
from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.profiles import usual
from simulator.words.units import Duration, Factor, People, Share, share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario
    from simulator.words.service import Service


# Starts of one rolling update that a controller which counts them is followed through.
MOST_FOLLOWED = 5000


class Step(Words):
    """One plateau of a progressive release: a weight, watched for a while."""

    weight: Share = Field(description="Share of the traffic on the new version.")
    bake: Duration = Field(600.0, description="How long the step is watched.")
    approve: RandomDuration | None = Field(
        None, description="How long a person takes to approve; no approval when left out."
    )
    judge: Judge | None = Field(None, description="Judges this step instead of the usual judge.")
    audience: People | None = Field(
        None,
        description="Users who get the new version first and keep it (staff, by a header), of a "
        "first step of weight 0. They are not representative: see finds.",
    )
    finds: Share | None = Field(
        None,
        description="Chance that a defect shows to this audience at all, who use the service in "
        "their own way; an assumption when left out (deploysim defaults). A crash always does.",
    )

    @model_validator(mode="after")
    def _is_of_a_weight_or_an_audience(self) -> Step:
        if self.audience is None and self.finds is not None:
            raise ValueError("finds needs an audience: add e.g. audience: 500 users")
        if self.audience is not None and self.weight > 0:
            raise ValueError(
                "an audience is given the new version before any weight: write weight: 0, and the "
                "weight in the next step"
            )
        return self

    def share(self, users: int) -> float:
        """The share of the traffic that the step gives to the new version: its weight, or that of
        its audience among so many users.
        """
        return self.weight if self.audience is None else min(self.audience / users, 1.0)

    @property
    def shows(self) -> float:
        """The chance that a defect shows in this step."""
        if self.audience is None:
            return 1.0
        if self.finds is None:
            return share(usual("steps[].audience", "finds"))
        return self.finds


class Smoke(Words):
    """Tests on the new version before it gets traffic."""

    duration: Duration = Field(0.0, alias="for", description="How long the tests take.")
    catches: Share = Field(
        0.5, description="Chance to find a defect that is not a crash (judgement, 20 to 80 %)."
    )


class Strategy(Words):
    """A way to release: frozen settings, a runbook forward and a runbook back.

    Subclasses give `kind` a literal default and are found under it in `kinds`.
    """

    kinds: ClassVar[dict[str, type[Strategy]]] = {}

    kind: str
    pace: Factor = Field(
        1.0, description="Multiplies every bake, pause, wave and overlap of the strategy."
    )

    only_in: Literal["work"] | None = Field(
        None, description="work: no step starts outside the working hours of the calendar."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        kind = cls.model_fields["kind"].default
        if isinstance(kind, str):
            Strategy.kinds[kind] = cls

    @property
    def always_sticky(self) -> bool:
        """Whether users stay on their version whatever the traffic says."""
        return False

    @property
    def waits_for_work(self) -> bool:
        """Whether none of its steps starts outside the working hours, those inside it included."""
        return self.only_in == "work" or any(x.waits_for_work for x in self.inside.values())

    @property
    def unrecalled(self) -> float | None:
        """Mean seconds in which users install what is offered, where nothing takes back what they
        have installed; None where a version can be recalled.
        """
        return None

    @property
    def admits(self) -> Step | None:
        """Its first step, if that is for an audience."""
        steps = getattr(self, "steps", ())
        step = steps[0] if steps else None
        return step if isinstance(step, Step) and step.audience is not None else None

    @property
    def pooled(self) -> bool:
        """Whether metrics do not tell the versions apart: alarms on the new one see both."""
        return False

    @property
    def on_trunk(self) -> bool:
        """Whether unfinished code is merged every day, so that no branch grows old."""
        return False

    @property
    def most_releases(self) -> int:
        """How many releases, one after the other, it may take."""
        return 1

    @property
    def moves_all(self) -> bool:
        """Whether it moves the whole service, so that it cannot be one wave of another strategy."""
        return False

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        """The judges that look at its steps; `usual` is the scenario's, for those without one."""
        return ()

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        """Everything its scripts measure, one for each time that it is measured."""
        return ()

    def looks_at(self, weight: float, seconds: float) -> Judge | Strategy | None:
        """What of its own looks at a step of this weight for so many seconds.

        A judge, where no setting says it by itself; itself with this step only, where its own
        checks look; None where nothing but the detectors does.
        """
        return None

    def notes(self, scenario: Scenario) -> tuple[str, ...]:
        """What of it is not followed in this scenario."""
        return ()

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """Reasons, in numbers, why this scenario cannot be released this way; none by default."""
        return ()

    @property
    def inside(self) -> Mapping[str, Strategy]:
        """The strategies that it hands over to, by the key under which they stand."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: inner for name, inner in found.items() if isinstance(inner, Strategy)}

    def misfits(self, service: Service) -> Iterator[str]:
        """What it, or a strategy inside it, names that this service does not have, and a remedy."""
        for name, inner in self.inside.items():
            if inner.unrecalled is not None:
                yield f"{name}: recall: none is no part of another strategy: write it by itself"
            if inner.admits is not None:
                yield f"{name}: an audience is no part of another strategy: remove that step"
            yield from (f"{name}: {problem}" for problem in inner.misfits(service))

    def undoes(self, by: str) -> bool:
        """Whether its controller rolls back by itself what this detector found while it is watched.

        Where it does not, a person is paged. Otherwise the scenario's `response` decides.
        """
        return True

    @abstractmethod
    def release(self, rollout: Rollout) -> Iterator[Any]:
        """The runbook forward."""

    @abstractmethod
    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        """The runbook back."""


def kinds() -> dict[str, type[Strategy]]:
    """Every kind of strategy there is, by name."""
    for package in ("simulator.strategies", "simulator.platforms"):
        importlib.import_module(package)
    return Strategy.kinds


def _pick(value: Any, handler: Any, info: ValidationInfo) -> Strategy:
    if isinstance(value, Strategy):
        return value
    if not isinstance(value, Mapping):
        raise PydanticCustomError(
            "strategy", "is not a mapping of settings; write {{}} for all defaults"
        )
    known = kinds()
    kind = value.get("kind")
    if kind is None:
        raise PydanticCustomError("strategy", f"has no kind; add kind: one of {_listed(known)}")
    if kind not in known:
        near = difflib.get_close_matches(str(kind), known, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise PydanticCustomError(
            "strategy", f"unknown kind {kind!r}; allowed: {_listed(known)}{hint}"
        )
    return known[kind].model_validate(dict(value), context=info.context)


def _listed(known: Mapping[str, Any]) -> str:
    return ", ".join(sorted(known))


AnyStrategy = Annotated[SerializeAsAny[Strategy], WrapValidator(_pick)]
