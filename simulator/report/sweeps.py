"""A sweep as tables of text and as plain data, with stable names."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator import __version__
from simulator.report import export, wording
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    from simulator.decide.sweep import Row, Sweep

_CONDITIONS = {"all": "all releases", "good": "given good", "defect": "given a defect"}


class Cell(NamedTuple):
    """A mean and its 95 % interval as texts."""

    value: str
    interval: str


class Line(NamedTuple):
    """One strategy at one point: the values of the paths and a cell for each figure."""

    strategy: str
    at: tuple[str, ...]
    cells: tuple[Cell, ...]


def heads(sweep: Sweep) -> list[tuple[str, str]]:
    """Every figure in two lines: its name, and under which condition."""
    return [
        (figure.replace("_", " "), _CONDITIONS.get(given, f"given {given}"))
        for figure, given in sweep.figures.items()
    ]


def lines(sweep: Sweep) -> list[Line]:
    """A line for each strategy and point, strategy after strategy."""
    cells: dict[tuple[str, int], list[Cell]] = {}
    for row in sweep.rows:
        cells.setdefault((row.strategy, row.point), []).append(_cell(sweep, row))
    order = {name: place for place, name in enumerate(sweep.strategies)}
    return [
        Line(name, sweep.design.points[point].texts, tuple(cells[name, point]))
        for name, point in sorted(cells, key=lambda key: (order[key[0]], key[1]))
    ]


def _cell(sweep: Sweep, row: Row) -> Cell:
    unit = FIGURES[row.figure].unit
    if row.estimate is None:
        return Cell(wording.DASH, "")
    mean = row.estimate.mean
    currency = sweep.design.scenario.costs.currency if unit == "money" else ""
    return Cell(wording.figure(mean.value, unit, currency), wording.between(mean, unit))


def method(sweep: Sweep) -> str:
    """How the points were laid out and played, in one line."""
    count = len(sweep.design.points)
    kind = "points of a Latin hypercube" if sweep.design.drawn else "points of a grid"
    text = f"{count} {kind}"
    if sweep.studies < count:
        text += f", {sweep.studies} of them played (the others weigh the same replications)"
    return f"{text}; {sweep.replications} replications a stratum group, seed {sweep.seed}"


def scales(sweep: Sweep) -> str:
    """Which scale each range was drawn on; empty for a grid."""
    if not sweep.design.drawn:
        return ""
    logarithmic = [
        path for path, on in zip(sweep.design.paths, sweep.design.logarithmic, strict=True) if on
    ]
    if not logarithmic:
        return "every range is drawn from evenly"
    return f"drawn from evenly in the logarithm: {', '.join(logarithmic)}"


def document(sweep: Sweep) -> dict[str, Any]:
    """The whole sweep as plain data; missing values are None."""
    design = sweep.design
    return {
        "schema_version": export.SCHEMA_VERSION,
        "engine_version": __version__,
        "seed": sweep.seed,
        "replications": sweep.replications,
        "scenario": {"name": design.scenario.name, "sha256": design.scenario.sha256},
        "paths": list(design.paths),
        "latin_hypercube": design.drawn,
        "logarithmic": list(design.logarithmic),
        "points": [
            {
                "point": number,
                "values": dict(zip(design.paths, point.values, strict=True)),
                "texts": dict(zip(design.paths, point.texts, strict=True)),
                "sha256": point.scenario.sha256,
            }
            for number, point in enumerate(design.points)
        ],
        "rows": [
            {
                "point": row.point,
                "strategy": row.strategy,
                "suitable": row.suitable,
                "figure": row.figure,
                "given": row.given,
                "estimate": row.estimate and export.estimate(row.figure, row.estimate),
            }
            for row in sweep.rows
        ],
    }


def csv_text(sweep: Sweep) -> str:
    """The tidy frame as CSV. A text that a spreadsheet would run as a formula gets a quote."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([export.safe(name) for name in sweep.frame.columns])
    for row in sweep.frame.itertuples(index=False):
        writer.writerow([export.safe(None if _missing(value) else value) for value in row])
    return text.getvalue()


def _missing(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def markdown(sweep: Sweep) -> str:
    """A table with intervals, and how it was made."""
    design = sweep.design
    columns = ["strategy", *(f"`{path}`" for path in design.paths)]
    columns += [f"{name}<br>{given}" for name, given in heads(sweep)]
    rows = ["| " + " | ".join(columns) + " |"]
    rows.append("|---" * (1 + len(design.paths)) + "|---:" * len(sweep.figures) + "|")
    for line in lines(sweep):
        cells = [f"{cell.value}<br>{cell.interval}" for cell in line.cells]
        texts = [text.replace("|", "\\|") for text in (line.strategy, *line.at, *cells)]
        rows.append("| " + " | ".join(texts) + " |")
    end = f"{method(sweep)}; 95 % intervals, simulation error only"
    return "\n".join([f"### {design.scenario.name}", "", *rows, "", f"{end}."])
