"""A scenario: a service, its traffic, a change, and the strategies to compare."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WrapSerializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from simulator.words.change import Change
from simulator.words.costs import Costs, Slo
from simulator.words.detection import Detection
from simulator.words.model import Words
from simulator.words.objectives import ObjectiveField
from simulator.words.profiles import Assumption
from simulator.words.response import Response
from simulator.words.router import Router
from simulator.words.service import Service
from simulator.words.strategy import AnyStrategy, Strategy, kinds
from simulator.words.traffic import Traffic
from simulator.words.units import PositiveDuration

_REPORTS_WANTED = 0.5


def _with_kinds(value: Any) -> Any:
    """Add each strategy's kind from its name when it is left out."""
    if not isinstance(value, Mapping):
        raise PydanticCustomError(
            "strategies", "is not a mapping from names to settings; write e.g. {{canary: {{}}}}"
        )
    if not value:
        raise PydanticCustomError(
            "strategies", "is empty; name at least one, e.g. {{big_bang: {{}}, canary: {{}}}}"
        )
    result: dict[str, Any] = {}
    for name, settings in value.items():
        named = str(name).replace("-", "_") in kinds()
        if settings is None:
            settings = {}
        if isinstance(settings, Mapping):
            kind = settings.get("kind", str(name) if named else None)
            if named and kind != name:
                raise PydanticCustomError(
                    "strategies",
                    f"{name!r} is the name of a kind but says kind: {kind}; rename the strategy",
                )
            settings = settings if kind is None else {"kind": kind, **settings}
        result[str(name)] = settings
    return result


def _plain_mapping(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    return handler(dict(value))


Strategies = Annotated[
    dict[str, AnyStrategy], BeforeValidator(_with_kinds), WrapSerializer(_plain_mapping)
]


class Scenario(Words):
    """Everything that is assumed about one release of one service, complete and immutable."""

    version: Literal[1] = Field(description="Version of this format.")
    name: str = Field("scenario", description="A name for reports and folders.")
    question: str = Field("", description="The question this scenario answers.")
    profile: str | None = Field(None, description="Named defaults of a platform.")
    service: Service = Field(description="The service that is deployed.")
    traffic: Traffic = Field(description="Its requests and users.")
    router: Router = Field(description="The router in front of it.")
    change: Change = Field(description="The release, and how it can be wrong.")
    detection: Detection = Field(description="What may notice a bad release.")
    response: Response = Field(description="What happens then.")
    slo: Slo = Field(description="What is promised.")
    costs: Costs = Field(description="What things cost.")
    follow_up: PositiveDuration = Field(
        description="How long a release is followed once it carries all traffic."
    )
    strategies: Strategies = Field(description="The strategies to compare, by a name of your own.")
    planned: str = Field("", description="The strategy that `check` judges; the first by default.")
    objectives: tuple[ObjectiveField, ...] = Field((), description="What the release must keep to.")

    _source: Mapping[str, Any] = PrivateAttr(default_factory=lambda: MappingProxyType({}))
    _folder: str | None = PrivateAttr(None)
    _assumed: tuple[Assumption, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _refers_to_what_is_there(self, info: ValidationInfo) -> Scenario:
        context = info.context or {}
        self._source = MappingProxyType(context.get("raw") or {})
        self._folder = context.get("folder")
        self._assumed = context.get("assumed", ())
        if self.planned and self.planned not in self.strategies:
            known = ", ".join(self.strategies)
            raise PydanticCustomError(
                "planned", f"planned: {self.planned!r} is no strategy of this file; it has {known}"
            )
        for objective in self.objectives:
            if objective.strategy and objective.strategy not in self.strategies:
                raise PydanticCustomError(
                    "objectives", f"{objective.text!r}: no strategy {objective.strategy!r} here"
                )
            given = {"good", "defect", *self.change.labels, *(d.kind for d in self.change.defects)}
            if objective.given and objective.given not in given:
                raise PydanticCustomError(
                    "objectives",
                    f"{objective.text!r}: given one of {', '.join(sorted(given))}",
                )
        return self

    @property
    def capacity_per_instance(self) -> float:
        """Requests/s of one instance: stated, or from the busiest hour and the utilisation."""
        service = self.service
        if service.capacity is not None:
            return service.capacity
        if service.utilisation is None:
            return math.inf
        return self.traffic.busiest_hour / service.instances / service.utilisation

    @property
    def to_check(self) -> str:
        """The strategy that `check` judges."""
        return self.planned or next(iter(self.strategies))

    @property
    def assumed(self) -> tuple[Assumption, ...]:
        """Every default that the file did not override."""
        return self._assumed

    @property
    def source(self) -> Mapping[str, Any]:
        """The file as it was written."""
        return self._source

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: data mended, kinds left out, detectors that cannot work."""
        notes = list(self.traffic.notes)
        if any(assumption.path == "change.defects" for assumption in self._assumed):
            notes.append(
                "the default mix of defects leaves out load-dependent ones (10 %): "
                "the others are renormalised"
            )
        people = self.detection.people
        if people is not None:
            reached = _chance_of_reports(self.traffic.users, people.report_rate, people.needed)
            if reached < _REPORTS_WANTED:
                notes.append(
                    f"people will hardly ever report: {people.needed} reports are needed, "
                    f"{self.traffic.users * people.report_rate:.3g} are expected even if "
                    f"everyone is harmed (chance {100 * reached:.2g} %)"
                )
        return tuple(notes)

    def with_(self, path: str, value: Any) -> Scenario:
        """A validated copy with one key of the file changed.

        `path` is dotted, with [i] for places in lists; `value` is Python or YAML text. Raises
        ScenarioError as reading does.
        """
        from simulator.words.reading import reread

        return reread(self._source, self._folder, [(path, value)])

    def resolved(self) -> dict[str, Any]:
        """Every key written out, as it could stand in a file."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def canonical(self) -> str:
        """The resolved scenario as JSON with sorted keys (strategies keep their meaning, not order)."""
        return json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Hash of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    def strategy(self, name: str) -> Strategy:
        """The strategy of this name; raises KeyError."""
        return self.strategies[name]


def _chance_of_reports(users: int, rate: float, needed: int) -> float:
    """P(at least `needed` of `users` report), by the Poisson limit for large numbers."""
    mean = users * rate
    term, below = math.exp(-min(mean, 700.0)), 0.0
    for k in range(min(needed, 1000)):
        below += term
        term *= mean / (k + 1)
    return max(1.0 - below, 0.0)
