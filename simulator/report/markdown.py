"""The comparison as Markdown, for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report import headlines, wording
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def markdown(comparison: Comparison) -> str:
    """Verdict, table with intervals, objectives, and how it was made."""
    results, scenario = comparison.results, comparison.scenario
    lines = [f"### {scenario.name}", "", headlines.verdict(comparison), ""]
    heads = ["strategy", *(" ".join(column) for column in headlines.COLUMNS)]
    lines += ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for row in headlines.rows(comparison):
        cells = [
            f"{'**' if c.best else ''}{c.value}{'**' if c.best else ''}<br>{c.interval}"
            for c in row.cells
        ]
        lines.append("| " + " | ".join(_cell(text) for text in (row.strategy, *cells)) + " |")
    if comparison.thresholds:
        lines += ["", "| objective | strategy | value | |", "|---|---|---:|---|"]
        units = {
            o.text: "share" if o.statistic == "applicable" else FIGURES[o.figure].unit
            for o in scenario.objectives
        }
        for t in comparison.thresholds:
            value = wording.figure(t.value.value, units[t.expression])
            mark = "kept" if t.passed else "**failed**"
            mark += "" if t.decided else " (not decided)"
            lines.append(f"| {_cell(t.expression)} | {_cell(t.strategy)} | {value} | {mark} |")
    counts = results.replications
    lines += [
        "",
        f"{counts['bad']} bad and {counts['good']} good replications a strategy, seed "
        f"{results.seed}; 95 % intervals, simulation error only; scenario "
        f"`{scenario.sha256[:12]}`.",
    ]
    return "\n".join(lines)
