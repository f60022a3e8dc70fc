"""Small and large batches as a table, as sentences and as plain data, with stable names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator import __version__
from simulator.decide.batches import OVERHEAD
from simulator.report import export, wording
from simulator.report.headlines import Cell, Row
from simulator.report.markdown import cell, finished, table

if TYPE_CHECKING:
    from simulator.decide.batches import Batch, Batches
    from simulator.decide.flip import Flip
    from simulator.findings.means import Interval

COLUMNS = (
    ("each", "defective"),
    ("failed", "a year"),
    ("lead time", "of a change"),
    ("culprit", "hours a year"),
    ("overhead", "a year"),
    ("total", "a year"),
)


def rows(found: Batches) -> list[Row]:
    """Every way to release the work in the order of `COLUMNS`, the cheapest marked."""
    return [
        Row(f"{way.releases} of {way.size}", "", tuple(_cells(found, way))) for way in found.ways
    ]


def _cells(found: Batches, way: Batch) -> list[Cell]:
    currency = found.scenario.costs.currency

    def told(one: Interval | None, unit: str, best: bool = False) -> Cell:
        if one is None:
            return Cell(wording.DASH, "", False)
        money = currency if unit == "money" else ""
        return Cell(wording.figure(one.value, unit, money), wording.between(one, unit), best)

    return [
        Cell(wording.share(way.chance), "", False),
        told(way.failed, "count"),
        told(way.lead, "s"),
        told(way.culprit, "count"),
        told(way.overhead, "money"),
        told(way.total, "money", way.releases == found.best),
    ]


def title(found: Batches) -> str:
    """What is done, how often, and how it was simulated."""
    count = found.scenario.change.count
    return (
        f"{count} changes under {wording.named(found.strategy)}, in so many releases of so many; "
        f"{found.per_year:,} changes a year, ready at even intervals. {found.replications} "
        f"replications a stratum group, seed {found.seed}; 95 % intervals, simulation error only."
    )


def sentences(found: Batches) -> list[str]:
    """The cheapest way, how long a change waits for its batch, and where another takes over."""
    waits = ", ".join(
        f"{wording.length(way.wait)} in {_releases(way.releases)}" for way in found.ways
    )
    told = [f"A change waits for its batch {waits}, on average."]
    if found.best is None:
        told.append("Without prices of harm or waiting nothing is the cheapest.")
        return told
    told.append(f"Cheapest: {_releases(found.best)}.")
    told += [flip(found, one) for one in found.flips]
    flipping = {one.path for one in found.flips}
    for path in found.searched:
        if path not in flipping:
            told.append(f"No other way takes over in the range of {path}.")
    return told


def flip(found: Batches, one: Flip) -> str:
    """A value at which another way becomes the cheapest, and whether fresh luck agrees."""
    there = wording.setting(found.scenario, one.path, one.flips_at)
    unit = f" {found.scenario.costs.currency} a release" if one.path == OVERHEAD else ""
    sure = (
        "fresh replications agree on both sides"
        if one.verified
        else "fresh replications do not confirm it"
    )
    return f"{_releases(int(one.to))} from {one.path} = {there}{unit} on ({sure})."


def _releases(number: int) -> str:
    return "1 release" if number == 1 else f"{number} releases"


def markdown(found: Batches) -> str:
    """The table with its intervals, and what follows."""
    heads = ["releases of changes", *(" ".join(column) for column in COLUMNS)]
    body = table(heads, map(finished, rows(found)), 1)
    lines = [f"### {cell(found.scenario.name)}", "", *body, ""]
    lines += [cell(text) for text in sentences(found)]
    return "\n".join([*lines, "", cell(title(found))])


def document(found: Batches) -> dict[str, Any]:
    """Everything as plain data; missing values are None."""
    return {
        "schema_version": export.SCHEMA_VERSION,
        "engine_version": __version__,
        "seed": found.seed,
        "replications": found.replications,
        "scenario": {"name": found.scenario.name, "sha256": found.scenario.sha256},
        "strategy": found.strategy,
        "changes_per_year": found.per_year,
        "currency": found.scenario.costs.currency,
        "ways": [_way(way) for way in found.ways],
        "cheapest": found.best,
        "flips": [
            {**one._asdict(), "to": int(one.to), "searched": list(one.searched)}
            for one in found.flips
        ],
        "searched": list(found.searched),
    }


def _way(way: Batch) -> dict[str, Any]:
    return {
        "releases": way.releases,
        "changes_each": way.size,
        "defect_probability": way.chance,
        "releases_per_year": way.a_year,
        "failed_requests": dict(way.failed._asdict()),
        "wait": way.wait,
        "lead_time": dict(way.lead._asdict()),
        "culprit_hours": dict(way.culprit._asdict()),
        "overhead": dict(way.overhead._asdict()),
        "total": dict(way.total._asdict()) if way.total else None,
    }
