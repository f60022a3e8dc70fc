"""Waves of a phased rollout: of users, of cells or of zones, and published schedules for them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from simulator.words.model import Words
from simulator.words.service import Cell, Service
from simulator.words.strategy import Strategy
from simulator.words.units import Duration, PositiveShare

_ALMOST = 1e-9
_USUAL: dict[str, Any] = {"waves": ("10%", "30%", "60%"), "bake": "30m"}


class Wave(Words):
    """Cells that are moved together, each with all of its users."""

    cells: tuple[str, ...] = Field(description="Names of cells of the service.")
    bake: Duration | None = Field(
        None, description="How long this wave is watched; the strategy's bake when left out."
    )


Waves = Sequence[float | Wave]
Bakes = float | tuple[float, ...] | None


class Schedule(NamedTuple):
    """How long waves are watched when a first part of each, one box, goes ahead of the rest.

    `box` is the box's share of a wave (at least one instance), `watch` how long it is watched,
    `first` how long the first wave is and `later` each further one, seconds.
    """

    box: float
    watch: float
    first: float
    later: float


# Amazon Builders' Library, "Automating safe, hands-off deployments": a box gets at most ten percent
# of the requests; at least 1 h after each, 12 h after the first wave, 2 to 4 h after later ones.
SCHEDULES = {"amazon": Schedule(0.1, 3600.0, 12 * 3600.0, 3 * 3600.0)}


class Part(NamedTuple):
    """What is moved at once: its name (empty: none), its share of the users, its bake (seconds),
    and the share of the whole wave that it is a part of.
    """

    name: str
    share: float
    bake: float
    wave: float


class InWaves(Strategy):
    """What every rollout in waves says of them."""

    waves: tuple[PositiveShare | Wave, ...] = Field(
        (),
        description="Shares of the users, together 100 % (10%, 30%, 60% when left out), or cells: "
        "[{cells: [small], bake: 12h}, ...]; each cell, or zone, by itself when left out.",
    )
    bake: Duration | tuple[Duration, ...] | None = Field(
        None,
        description="How long each wave is watched: one length (30 min when left out), or one per "
        "wave; a schedule says it by itself.",
    )
    by: Literal["users", "cells", "zones"] = Field(
        "users", description="What a wave consists of; a region is a cell of its own."
    )
    schedule: Literal["amazon"] | None = Field(
        None,
        description="amazon: one box of each wave for 1 h, then 12 h for the first wave and 3 h "
        "for later ones; steps start in working hours only.",
    )

    @model_validator(mode="before")
    @classmethod
    def _usually(cls, words: Any) -> Any:
        if not isinstance(words, Mapping):
            return words
        if words.get("by") == "regions":
            raise ValueError("a region is a cell: name regions in service.cells, write by: cells")
        left = {"bake"} if words.get("schedule") is None else set()
        left |= {"waves"} if words.get("by", "users") == "users" else set()
        return {**{key: _USUAL[key] for key in left}, **words}

    @model_validator(mode="after")
    def _can_be(self) -> InWaves:
        if problem := _contradiction(self.waves, self.bake, self.by, self.schedule):
            raise ValueError(problem)
        return self

    @property
    def always_sticky(self) -> bool:
        """Users stay in their cell, but meet every zone."""
        return self.by != "zones"

    @property
    def waits_for_work(self) -> bool:
        """A schedule keeps to the working hours."""
        return self.schedule is not None or super().waits_for_work

    def misfits(self, service: Service) -> Iterator[str]:
        """Cells and zones that this service does not have, and those that are in no wave."""
        yield from super().misfits(service)
        yield from _misfits(self.waves, self.bake, self.by, service)

    def cells(self, service: Service) -> tuple[tuple[Cell, ...], ...]:
        """The cells of each wave, in order."""
        known = {cell.name: cell for cell in service.cells}
        named = [wave.cells for wave in self.waves if isinstance(wave, Wave)]
        return tuple(tuple(known[n] for n in names) for names in named or [(n,) for n in known])

    def parts(self, service: Service) -> tuple[Part, ...]:
        """The parts of all waves of a service, in order; with a schedule a box goes first."""
        schedule = SCHEDULES[self.schedule] if self.schedule else None
        return _in_parts(self.waves, self.bake, self.by, schedule, service)


def peaked(strategy: Strategy, service: Service) -> Iterator[str]:
    """Why waves of cells with peaks of their own cannot stand inside another strategy."""
    if all(cell.peak_at is None for cell in service.cells):
        return
    for name, inner in strategy.inside.items():
        if isinstance(inner, InWaves) and inner.by == "cells":
            yield (
                f"{name}: waves of cells with peak_at are no part of another strategy: let it be "
                "a strategy of its own, or remove peak_at"
            )
        yield from peaked(inner, service)


def _in_parts(
    waves: Waves, bakes: Bakes, by: str, schedule: Schedule | None, service: Service
) -> tuple[Part, ...]:
    """The parts of all waves, in order; with a schedule a box goes first in each."""
    found = list[Part]()
    for number, (name, share, own) in enumerate(_named(waves, by, service)):
        bake = own if own is not None else bakes[number] if isinstance(bakes, tuple) else bakes
        if schedule is None:
            found.append(Part(name, share, bake or 0.0, share))
            continue
        told = name or f"wave {number + 1}"
        last = bake if bake is not None else schedule.later if number else schedule.first
        box = max(schedule.box * share, 0.0 if service.elastic else 1.0 / service.instances)
        if box > share - _ALMOST:  # the wave is one box
            found.append(Part(told, share, schedule.watch + last, share))
        else:
            found.append(Part(f"{told}, one box", box, schedule.watch, share))
            found.append(Part(told, share - box, last, share))
    return tuple(found)


def _named(waves: Waves, by: str, service: Service) -> Iterator[tuple[str, float, float | None]]:
    """Name, share and own bake of each wave; each cell, or zone, by itself without waves."""
    if by == "zones":
        count = service.zones or 1
        yield from ((f"zone {number}", 1.0 / count, None) for number in range(1, count + 1))
        return
    shares = {cell.name: cell.share for cell in service.cells}
    for wave in waves or [Wave(cells=(name,)) for name in shares]:
        if isinstance(wave, Wave):
            yield " + ".join(wave.cells), sum(shares[name] for name in wave.cells), wave.bake
        else:
            yield "", wave, None


def _contradiction(waves: Waves, bakes: Bakes, by: str, schedule: str | None) -> str:
    """What is wrong with waves whatever the service is; empty if nothing is."""
    cells = [wave for wave in waves if isinstance(wave, Wave)]
    shares = [wave for wave in waves if not isinstance(wave, Wave)]
    if by == "users" and cells:
        return "waves of cells need by: cells; add it, or write shares, e.g. [10%, 30%, 60%]"
    if by == "cells" and shares:
        return "by: cells has waves of cells: write [{cells: [name, ...]}, ...], or leave them out"
    if by == "zones" and waves:
        return "by: zones moves one zone after the other: remove waves"
    if by == "users" and abs(sum(shares) - 1) > _ALMOST:
        return f"waves sum to {100 * sum(shares):.4g}%, not 100%: change them, e.g. [10%, 30%, 60%]"
    if any(not wave.cells for wave in cells):
        return "a wave has no cells: name at least one, or remove it"
    if schedule is not None and bakes is not None:
        return f"schedule: {schedule} says how long waves are watched: remove bake"
    if schedule is None and bakes is None:
        return "bake cannot be none: write 0s, or remove it to keep the default"
    if waves and isinstance(bakes, tuple) and len(bakes) != len(waves):
        return f"{len(bakes)} bakes for {len(waves)} waves: give one, or one per wave"
    return ""


def _misfits(waves: Waves, bakes: Bakes, by: str, service: Service) -> Iterator[str]:
    """What is wrong with waves of this service's cells or zones, with the remedy."""
    if by == "zones" and service.zones is None:
        yield "by: zones needs service.zones: write e.g. service: {zones: 3}"
    elif by == "cells" and not service.cells:
        yield "by: cells needs service.cells: write e.g. [{name: small, share: 10%}, ...]"
    elif by == "cells":
        named = [name for wave in waves if isinstance(wave, Wave) for name in wave.cells]
        yield from _misnamed(named, [cell.name for cell in service.cells])
    many = (service.zones or 0) if by == "zones" else len(service.cells)
    if by != "users" and not waves and isinstance(bakes, tuple) and len(bakes) != many:
        yield f"{len(bakes)} bakes for {many} {by}: give one, or one for each"


def _misnamed(named: list[str], known: list[str]) -> Iterator[str]:
    """Names that are no cell, cells that are named twice, and those that are in no wave."""
    strange = [name for name in named if name not in known]
    for name in strange[:1]:
        near = difflib.get_close_matches(name, known, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        yield f"no cell is called {name!r}; there are {', '.join(known)}{hint}"
    if twice := [name for name in known if named.count(name) > 1]:
        yield f"{', '.join(twice)}: in more than one wave; name each cell once"
    left = [name for name in known if name not in named]
    if named and left and not strange:
        yield f"{', '.join(left)}: in no wave; name every cell once"
