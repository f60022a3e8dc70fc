"""The report as one self-contained HTML page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.report import (
    charts,
    courses,
    flips,
    gates,
    glossary,
    headlines,
    index,
    series,
    takeaways,
    tornadoes,
    wording,
    yearly,
)
from simulator.report.judged import Judged, judged
from simulator.report.rendering import render
from simulator.report.typical import typical

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.findings.results import StrategyRisk


class Picture(NamedTuple):
    """A chart as an SVG element, and the sentence that says what it shows."""

    svg: str
    takeaway: str


class Assumed(NamedTuple):
    """An assumption as text: its key, value, low, high, kind and source."""

    path: str
    value: str
    low: str
    high: str
    kind: str
    source: str


def page(comparison: Comparison, command: str) -> str:
    """Verdict, objectives, tables, pictures, assumptions and method; no outside request."""
    scenario = comparison.scenario
    by_objective: dict[str, list[Judged]] = {}
    for row in judged(comparison):
        by_objective.setdefault(row.expression, []).append(row)
    keeps_all = {row.strategy for row in judged(comparison)} - {
        row.strategy for row in judged(comparison) if not row.passed
    }
    return render(
        "report.html",
        scenario=scenario,
        results=comparison.results,
        planned=scenario.to_check,
        recommended=headlines.recommended(comparison),
        doubts=headlines.doubts(comparison, in_words=True),
        advice=index.planned(comparison),
        objectives=by_objective,
        nobody=bool(by_objective) and not keeps_all,
        palette={
            name: number % len(charts.COLOURS) for number, name in enumerate(scenario.strategies)
        },
        columns=headlines.COLUMNS,
        starred=headlines.STARRED,
        rows=headlines.rows(comparison),
        terms=headlines.terms(comparison),
        term_columns=headlines.TERMS,
        tenants=headlines.tenants(comparison),
        pictures=_pictures(comparison),
        caught=[
            (name, _shares(risk, "caught_at"), _shares(risk, "caught_by"))
            for name, risk in comparison.risk.items()
        ],
        gates=gates.together(comparison.gates),
        kinds=gates.kinds(comparison.gates),
        defects=_defects(comparison),
        blind=headlines.blindest_gate(comparison),
        equal_time=headlines.at_equal_time(comparison),
        typical=typical(comparison),
        **_bill(comparison),
        **_year(comparison),
        flips=[headlines.flip(comparison, found) for found in comparison.flips],
        **_moved(comparison),
        ranges=headlines.two_uncertainties(comparison),
        doubted=headlines.DOUBTS,
        matter=headlines.assumptions(comparison),
        assumed=_assumed(comparison),
        chance=wording.share(scenario.change.defect_probability),
        command=command,
    )


def _shares(risk: StrategyRisk, column: str) -> list[tuple[str, str]]:
    """Every place, or finder, of a strategy's bad releases and its share as text."""
    shares = risk.given_defect.shares(column)
    return [
        (key, wording.share(found.value or 0.0)) for key, found in shares.items() if found.value
    ]


def _defects(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Every kind of defect: its label, its share of bad releases, and what it is drawn from."""
    scenario = comparison.scenario
    bad = [group for group in comparison.results.groups if group.number]
    whole = math.fsum(group.probability for group in bad)
    return [
        (g.label, wording.share(g.probability / whole), courses.defect(scenario, g.label))
        for g in bad
        if whole
    ]


def _pictures(comparison: Comparison) -> dict[str, Picture]:
    """The charts by their names; a chart with nothing to show is left out."""
    found: dict[str, Picture] = {}
    if not comparison.risk:
        return found
    for name in ("detected", "plane", "exceedance", "bill"):
        takeaway = getattr(takeaways, name)(comparison)
        drawn = _CHARTS[name](comparison, takeaway)
        if drawn:
            found[name] = Picture(drawn, takeaway)
    return found


_CHARTS = {
    "detected": charts.detected,
    "plane": charts.time_against_harm,
    "exceedance": charts.exceedance,
    "bill": charts.bill,
}


def _moved(comparison: Comparison) -> dict[str, Any]:
    """Where the recommendation changes, and what every assumption does to figures asked for."""
    moves, turns = tornadoes.moves(comparison), flips.searched(comparison)
    return {
        "turns": turns,
        "turn_heads": flips.HEADS,
        "turn_still": flips.STILL,
        "turn_unsure": flips.unsure(turns),
        "tornados": [
            (found, Picture(tornadoes.picture(found, f"moves{k}"), tornadoes.takeaway(found)))
            for k, found in enumerate(moves)
        ],
        "tornado_method": tornadoes.method(moves[0]) if moves else "",
    }


def _bill(comparison: Comparison) -> dict[str, Any]:
    """The table of the bill: the parts that occur, and for each strategy their amounts."""
    rows = series.bill(comparison)
    kinds = {row.order: row.part for row in rows}
    amounts = {(row.strategy, row.order): row.text for row in rows}
    return {
        "parts": [kinds[order] for order in sorted(kinds)],
        "bills": [
            (total, [amounts.get((total.strategy, order), "-") for order in sorted(kinds)])
            for total in series.totals(comparison)
        ],
    }


def _year(comparison: Comparison) -> dict[str, Any]:
    """The losses of a year: a sentence, rows, the curve and how it was made; empty without."""
    year = comparison.year
    if year is None:
        return {"year": None}
    told = yearly.sentence(year)
    return {
        "year": told,
        "year_columns": yearly.COLUMNS,
        "year_rows": yearly.rows(year),
        "year_chart": Picture(yearly.exceedance(year), told),
        "year_method": yearly.method(year),
    }


def _assumed(comparison: Comparison) -> list[Assumed]:
    """The assumptions, those that move the headlines most at the top."""
    first = {path: number for number, path in enumerate(comparison.matter)}
    rows = sorted(comparison.scenario.assumed, key=lambda row: first.get(row.path, len(first)))
    return [
        Assumed(
            row.path,
            glossary.text(row.value),
            glossary.text(row.low),
            glossary.text(row.high),
            row.kind,
            row.source,
        )
        for row in rows
    ]
