"""A scenario: a service, its traffic, a change, and the strategies to compare."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from simulator.words import profiles
from simulator.words.audience import crowded
from simulator.words.calendar import Calendar
from simulator.words.change import Change
from simulator.words.clock import Clock
from simulator.words.combined import apart
from simulator.words.costs import Costs, Slo
from simulator.words.detection import Detection
from simulator.words.exam import Exam
from simulator.words.failures import Failures
from simulator.words.figures import OF_SOME
from simulator.words.model import Frozen, Words
from simulator.words.objectives import Measure, Objective, ObjectiveField, near, possible
from simulator.words.profiles import Assumption
from simulator.words.response import Response
from simulator.words.router import Router
from simulator.words.service import FOR_LATENCY, OF_INSTANCES, Service
from simulator.words.strategy import AnyStrategy, Strategy, kinds
from simulator.words.traffic import Traffic
from simulator.words.units import PositiveDuration
from simulator.words.waves import peaked
from simulator.words.writing import written_out

_REPORTS_WANTED = 0.5


def _with_kinds(value: Any) -> Any:
    """Add each strategy's kind from its name when it is left out."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: {"kind": name, **settings}
        if isinstance(settings, Mapping) and name in kinds()
        else settings
        for name, settings in value.items()
    }


def applies(one: Measure, traffic: Traffic) -> None:
    """Refuse a figure of tenants where users have none; raises ValueError with the remedy."""
    if one.figure in OF_SOME and traffic.tenants is None:
        raise ValueError(
            f"{one.figure} needs tenants: write e.g. traffic: {{users: {{count: "
            f"{traffic.users}, largest: 15%, zipf: 1}}}}"
        )


def _refers(objective: Objective, info: ValidationInfo) -> Objective:
    """Refuse an objective for a strategy, tenants or a defect that the scenario does not have."""
    names = _names(info)
    if objective.strategy is not None and names and objective.strategy not in names:
        listed = ", ".join(names)
        raise ValueError(
            f"no strategy is called {objective.strategy!r}; there are {listed}"
            f"{near(objective.strategy, names)}"
        )
    traffic = info.data.get("traffic")
    if isinstance(traffic, Traffic):
        applies(objective, traffic)
    change = info.data.get("change")
    if isinstance(change, Change):
        possible(objective, [defect.kind for defect in change.defects])
    return objective


def _names(info: ValidationInfo) -> tuple[str, ...]:
    """The names of the strategies, even if one of them is wrong in itself."""
    named = (info.context or {}).get("names")
    return tuple(named or info.data.get("strategies", ()))


def _fits(strategy: Strategy, info: ValidationInfo) -> Strategy:
    """Refuse a strategy that names what the service does not have."""
    service, calendar = info.data.get("service"), info.data.get("calendar")
    if not isinstance(service, Service):
        return strategy
    problems = [*strategy.misfits(service), *peaked(strategy, service)]
    problems += apart("strategies", {**info.data, "strategies": strategy})
    traffic = info.data.get("traffic")
    problems += crowded(strategy, traffic.users) if isinstance(traffic, Traffic) else ()
    if strategy.waits_for_work and isinstance(calendar, Calendar) and calendar.never_works:
        problems.append("only_in: work, but the calendar's freezes leave no working hour")
    if problems:
        raise ValueError("; ".join(problems))
    return strategy


Strategies = Annotated[
    Mapping[str, Annotated[AnyStrategy, AfterValidator(_fits)]],
    BeforeValidator(_with_kinds),
    AfterValidator(Frozen),
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
    failures: Failures = Field(Failures(), description="Trouble that is not the change.")
    detection: Detection = Field(description="What may notice a bad release.")
    response: Response = Field(description="What happens then.")
    calendar: Calendar = Field(Calendar(), description="Working hours, and times without releases.")
    slo: Slo = Field(description="What is promised.")
    costs: Costs = Field(description="What things cost.")
    follow_up: PositiveDuration = Field(
        description="How long a release is followed once it carries all traffic."
    )
    strategies: Strategies = Field(description="The strategies to compare, by a name of your own.")
    planned: str = Field(
        "", validate_default=True, description="The strategy that `check` judges; else the first."
    )
    objectives: tuple[Annotated[ObjectiveField, AfterValidator(_refers)], ...] = Field(
        (), description="What the release must keep to."
    )
    exam: Exam | None = Field(None, description="An exam question about this scenario.")

    _source: dict[str, Any] = PrivateAttr(default_factory=dict)
    _folder: str | None = PrivateAttr(None)
    _assumed: tuple[Assumption, ...] = PrivateAttr(())
    _lenient: bool = PrivateAttr(True)

    @field_validator("version", mode="before")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        if type(value) is not int or value != 1:
            raise ValueError(f"{value!r} is no version this program reads; write version: 1")
        return value

    @field_validator("planned")
    @classmethod
    def _is_there(cls, value: str, info: ValidationInfo) -> str:
        names = _names(info)
        if value and names and value not in names:
            listed = ", ".join(names)
            raise ValueError(
                f"no strategy is called {value!r}; there are {listed}{near(value, names)}"
            )
        return value or next(iter(names), "")

    @field_validator("traffic", "router", "slo")
    @classmethod
    def _go_together(cls, value: Words, info: ValidationInfo) -> Words:
        part = str(info.field_name)
        for problem in apart(part, {**info.data, part: value}):
            raise ValueError(problem)
        return value

    @field_validator("traffic")
    @classmethod
    def _is_that_of_its_cells(cls, value: Traffic, info: ValidationInfo) -> Traffic:
        service = info.data.get("service")
        if isinstance(service, Service) and any(cell.peak_at for cell in service.cells):
            value.split(service.cells)
        return value

    @field_validator("calendar")
    @classmethod
    def _dates_are_told(cls, value: Calendar, info: ValidationInfo) -> Calendar:
        traffic = info.data.get("traffic")
        if not isinstance(traffic, Traffic):
            return value
        if value.dated and not traffic.dated:
            raise ValueError(
                "a freeze with dates needs a start with a date: write e.g. traffic: {start_at: "
                "2026-12-23 10:00}"
            )
        if value.clock(traffic).skipped:
            raise ValueError(
                f"clocks in {value.timezone} never show {traffic.start_at}: they are put forward "
                "then; write another start_at"
            )
        return value

    @field_validator("traffic")
    @classmethod
    def _queue_is_pulled(cls, value: Traffic, info: ValidationInfo) -> Traffic:
        service = info.data.get("service")
        if not value.queue or not isinstance(service, Service):
            return value
        carried = service.instances * (service.capacity or math.inf)
        if carried <= value.mean:
            raise ValueError(
                f"the queue would grow for ever: {value.mean:g} rps come and the fleet does "
                f"{carried:g}; raise service.capacity"
            )
        return value

    @field_validator("failures")
    @classmethod
    def _zones_are_told(cls, value: Failures, info: ValidationInfo) -> Failures:
        service = info.data.get("service")
        if value.zone is not None and isinstance(service, Service) and service.zones is None:
            raise ValueError("zone needs service.zones: write e.g. service: {zones: 3}")
        return value

    @field_validator("slo")
    @classmethod
    def _times_are_told(cls, value: Slo, info: ValidationInfo) -> Slo:
        service = info.data.get("service")
        if isinstance(service, Service) and value.latency and service.service_time is None:
            raise ValueError(
                "latency needs service.service_time, the mean time of a request: write e.g. "
                "service: {service_time: 100ms}"
            )
        return value

    @model_validator(mode="after")
    def _keeps_its_source(self, info: ValidationInfo) -> Scenario:
        context = info.context or {}
        self._source = context.get("raw", {})
        self._folder = context.get("folder")
        self._assumed = context.get("assumed", ())
        self._lenient = context.get("source") != "file"
        return self

    @property
    def capacity_per_instance(self) -> float:
        """Requests/s of one instance: stated, or from the busiest hour and the utilisation.

        An elastic service counts as one: its concurrency over its service time.
        """
        service = self.service
        if service.elastic and (service.concurrency is not None or service.utilisation is None):
            return service.throughput
        if service.capacity is not None and not service.elastic:
            return service.capacity
        if service.utilisation is None:
            return math.inf
        cache = self.router.cache
        reaching = self.traffic.busiest_hour * (1.0 - cache.hits if cache else 1.0)
        return reaching / (1 if service.elastic else service.instances) / service.utilisation

    @property
    def clock(self) -> Clock:
        """What the wall clock of the calendar shows while the release is deployed."""
        return self.calendar.clock(self.traffic)

    @property
    def to_check(self) -> str:
        """The strategy that `check` judges."""
        return self.planned

    @property
    def assumed(self) -> tuple[Assumption, ...]:
        """Every default that the file did not override."""
        return self._assumed

    @property
    def source(self) -> Mapping[str, Any]:
        """The file as it was written, with what was changed since."""
        return MappingProxyType(self._source)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: data mended, kinds left out, detectors that cannot work."""
        notes = list(self.traffic.notes)
        if self.capacity_per_instance == math.inf:
            said = "no concurrency" if self.service.elastic else "neither capacity nor utilisation"
            notes.append(f"the service states {said}: it is never overloaded")
        notes += self._too_busy()
        notes += self._of_latency() + self._of_scaling()
        if unused := self._unused():
            notes.append(f"an elastic service has no instances; without effect: {unused}")
        usual = self.service.errors.mean if self.service.errors else 0.0
        budget = 1.0 - self.slo.availability
        for row in self.detection.burn_rate:
            if row.metric != "late" and usual >= row.burn * budget:
                notes.append(
                    f"the burn-rate row of {row.burn:g}x fires in normal operation already "
                    f"(usual errors {100 * usual:.3g} %, objective {100 * budget:.3g} %): it is "
                    "ignored until it has cleared"
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
        notes += self._out_of_date()
        if any(cell.peak_at for cell in self.service.cells):
            notes.append(
                f"cells have their busy hours at different times: all together get at most "
                f"{self.traffic.peak:.4g} rps"
            )
        for name, strategy in self.strategies.items():
            notes += [f"{name}: {note}" for note in strategy.notes(self)]
        return tuple(notes)

    def _too_busy(self) -> list[str]:
        """A service that is overloaded with nothing deployed."""
        service, cache = self.service, self.router.cache
        if service.scaling is not None or self.traffic.queue:
            return []
        reaching = self.traffic.busiest_hour * (1.0 - cache.hits if cache else 1.0)
        carried = self.capacity_per_instance * (1 if service.elastic else service.instances)
        if reaching <= carried * (1 + 1e-9):
            return []
        return [
            f"overloaded with nothing deployed: {reaching:.4g} requests/s come in the busiest "
            f"hour, {carried:.4g} can be carried; what is lost anyway is held against nobody"
        ]

    def _of_scaling(self) -> list[str]:
        """What to know about groups that cannot grow as far as the busiest traffic needs."""
        scaling, cache = self.service.scaling, self.router.cache
        if scaling is None or self.service.elastic:
            return []
        reaching = self.traffic.peak * (1.0 - cache.hits if cache else 1.0)
        needed = math.ceil(reaching / (self.capacity_per_instance * scaling.target) - 1e-9)
        if needed <= scaling.most:
            return []
        return [
            f"service.scaling.max {scaling.most}: {needed} instances are needed at the peak to be "
            f"{100 * scaling.target:.3g} % busy"
        ]

    def _of_latency(self) -> list[str]:
        """What to know about a latency objective, or what has no effect without one."""
        service = self.service
        if self.slo.latency is not None:
            return [
                "late answers are counted as if each were late by itself (dispersion 1); they come "
                "in bursts, so that alarms and judges on them are noisier than simulated"
            ]
        idle = [key for key in FOR_LATENCY if getattr(service, key) is not None]
        idle = [key for key in idle if key != "service_time" or not service.elastic]
        idle += ["queueing"] * (service.queueing != "instance")
        named = ", ".join(f"service.{key}" for key in idle)
        return [f"nothing is late without slo.latency; without effect: {named}"] if idle else []

    def _out_of_date(self) -> Iterator[str]:
        """What of the calendar is without effect: a zone without dates, freezes that are over."""
        calendar, traffic = self.calendar, self.traffic
        if calendar.timezone is not None and not traffic.dated:
            yield (
                "calendar.timezone is without effect: traffic.start_at has no date, and without "
                "one no clock is put forward or back"
            )
        for freeze in calendar.freeze:
            if freeze.dated and freeze.span[1] <= self.clock.wall(0.0):
                yield f"the freeze to {freeze.end} is over when the deployment begins"

    def _unused(self) -> str:
        """What the file says about instances that an elastic service does not have."""
        stated = self._source.get("service")
        if not self.service.elastic or not isinstance(stated, Mapping):
            return ""
        nothing = profiles.document()["elastic"]
        found = [
            f"service.{key}"
            for key in OF_INSTANCES
            if stated.get(key, "none") not in ("none", nothing.get(key))
        ]
        if self.failures.instance is not None:
            found.append("failures.instance")
        return ", ".join(found)

    def with_(self, path: str, value: Any) -> Scenario:
        """A validated copy with one key of the file changed.

        `path` is dotted, with [i] for places in lists; `value` is YAML text or Python, in which
        bare numbers are seconds, requests/s, shares or money, and None switches a part off.
        Raises ScenarioError as reading does.
        """
        return self.with_all({path: value})

    def with_all(self, changes: Mapping[str, Any]) -> Scenario:
        """A validated copy with several keys changed at once; see `with_`."""
        from simulator.words.reading import reread

        wanted = list(changes.items())
        return reread(self._source, self._folder, wanted, strict=not self._lenient)

    def resolved(self) -> dict[str, Any]:
        """Every key written out as it could stand in a file, `none` for what is switched off."""
        written: dict[str, Any] = written_out(self)
        return written

    def canonical(self) -> str:
        """The resolved scenario as JSON with sorted keys, and a digest of measured traffic.

        Equal texts mean equal results for equal seeds; a scenario's `name` counts.
        """
        content = self.resolved()
        series = self.traffic._series
        if series is not None:
            measured = series.times.tobytes() + series.rates.tobytes()
            content["traffic"]["trace"]["sha256"] = hashlib.sha256(measured).hexdigest()
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
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
