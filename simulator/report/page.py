"""The report as one self-contained HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator import __version__
from simulator.report import charts, headlines, wording
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison


def page(comparison: Comparison, command: str) -> str:
    """Verdict, objectives, table, pictures, assumptions and method; no outside request."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("simulator.report"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    units = {
        o.text: "share" if o.statistic == "applicable" else FIGURES[o.figure].unit
        for o in comparison.scenario.objectives
    }
    objectives = [
        {
            "expression": t.expression,
            "strategy": t.strategy,
            "value": wording.figure(t.value.value, units[t.expression]),
            "interval": wording.between(t.value, units[t.expression]),
            "mark": ("kept" if t.passed else "failed") + ("" if t.decided else ", not decided"),
        }
        for t in comparison.thresholds
    ]
    caught = [
        (name, headlines.caught(risk, "caught_at"), headlines.caught(risk, "caught_by"))
        for name, risk in comparison.risk.items()
    ]
    return environment.get_template("report.html").render(
        scenario=comparison.scenario,
        results=comparison.results,
        verdict=headlines.verdict(comparison),
        ranges=headlines.two_uncertainties(comparison),
        doubts=headlines.DOUBTS,
        blind=headlines.blindest_gate(comparison),
        seen_heads=headlines.SEEN,
        gates={name: list(map(headlines.seen, rows)) for name, rows in comparison.gates.items()},
        equal_time=headlines.at_equal_time(comparison),
        columns=headlines.COLUMNS,
        rows=headlines.rows(comparison),
        caught=caught,
        objectives=objectives,
        harm_chart=charts.time_against_harm(comparison),
        exceedance_chart=charts.exceedance(comparison),
        chance=wording.share(comparison.scenario.change.defect_probability),
        command=command,
        version=__version__,
    )
