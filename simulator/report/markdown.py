"""The comparison as Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from simulator.report import flips, headlines, takeaways, tornadoes, wording
from simulator.report.judged import judged

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison

_SPECIAL = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)")
_CALLS = re.compile(r"[@#](?=\w)")


def cell(text: str) -> str:
    """Text that stands for itself: no markup, mention, link or end of a cell comes of it."""
    plain = _SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    return _CALLS.sub(lambda found: f"{found[0]}\u200b", plain)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> list[str]:
    """A table of finished cells; the columns from number `right` on are set to the right if > 0."""
    rule = "".join("|---:" if right and number >= right else "|---" for number in range(len(heads)))
    lines = ["| " + " | ".join(heads) + " |", rule + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def finished(row: headlines.Row) -> list[str]:
    """A row of figures as finished cells: the interval below its value, the best in bold."""
    values = (f"**{cell(c.value)}**" if c.best else cell(c.value) for c in row.cells)
    under = (f"<br>{cell(c.interval)}" if c.interval else "" for c in row.cells)
    note = f"<br>unsuitable: {cell(row.note)}" if row.note else ""
    return [cell(row.strategy) + note, *map(str.__add__, values, under)]


def marker(comparison: Comparison) -> str:
    """A comment that a bot finds to update its own text; it names the scenario."""
    return f"<!-- deploysim: {wording.slug(comparison.scenario.name) or 'scenario'} -->"


def markdown(comparison: Comparison, command: str = "") -> str:
    """Verdict, objectives, table with intervals, what would be missed, and how it was made."""
    results, scenario = comparison.results, comparison.scenario
    lines = [f"### {cell(scenario.name)}", "", cell(headlines.verdict(comparison))]
    lines += _objectives(comparison)
    heads = ["strategy", *(" ".join(column) for column in headlines.COLUMNS)]
    lines += ["", *table(heads, map(finished, headlines.rows(comparison)), 1)]
    lines += _terms(comparison)
    if tenants := headlines.tenants(comparison):
        heads = ["of a bad release", *(" ".join(column) for column in headlines.OF_TENANTS)]
        lines += ["", *table(heads, map(finished, tenants), 1)]
    if scenario.to_check in comparison.risk:
        missed = takeaways.missed(comparison, scenario.to_check)
        lines += ["", f"**What {cell(scenario.to_check)} would miss.** {cell(missed)}"]
    lines += [*_flips(comparison), *_tornados(comparison)]
    counts = results.replications
    lines += [
        "",
        f"{counts['bad']} bad and {counts['good']} good replications a strategy, seed "
        f"{results.seed}; 95 % intervals, simulation error only; bold: best of its column; "
        f"scenario `{scenario.sha256[:12]}`.",
    ]
    if command:
        lines += ["", "```sh", command.replace("```", ""), "```"]
    return "\n".join([*lines, "", marker(comparison)])


def _terms(comparison: Comparison) -> list[str]:
    """What bad releases cost: probability, exposure, severity and their product."""
    rows = headlines.terms(comparison)
    if not rows:
        return []
    heads = ["risk of a bad release", *(" ".join(column) for column in headlines.TERMS)]
    return ["", *table(heads, map(finished, rows), 1)]


def _flips(comparison: Comparison) -> list[str]:
    """Where the recommendation changes, for every setting that was searched."""
    found = flips.searched(comparison)
    if not found:
        return []
    rows = [[cell(text) for text in (*row[:3], row.there or flips.STILL, row.to)] for row in found]
    lines = ["", "**Where the recommendation changes**", "", *table(flips.HEADS, rows)]
    doubt = flips.unsure(found)
    return [*lines, "", doubt] if doubt else lines


def _tornados(comparison: Comparison) -> list[str]:
    """What every assumption does to the figures that were asked for."""
    lines = []
    for found in tornadoes.moves(comparison):
        now = f"now {found.now}" + (f", {found.interval}" if found.interval else "")
        head = f"What moves {found.figure} under {found.strategy} ({now})"
        rows = [[cell(text) for text in one[:1] + one[2:6]] for one in found.shown]
        lines += ["", f"**{cell(head)}**"]
        lines += ["", *table(tornadoes.HEADS, rows, 1)] if rows else []
        lines += ["", " ".join(map(cell, (*tornadoes.unshown(found), tornadoes.method(found))))]
    return lines


def _objectives(comparison: Comparison) -> list[str]:
    """The objectives, the planned strategy's first."""
    found = judged(comparison)
    if not found:
        return []
    planned = comparison.scenario.to_check
    found.sort(key=lambda row: row.strategy != planned)
    rows = [
        (
            cell(row.expression),
            cell(row.strategy) + (" (planned)" if row.strategy == planned else ""),
            f"{cell(row.value)}<br>{cell(row.interval)}",
            f"{'✓' if row.passed else '✗'} {row.mark}",
        )
        for row in found
    ]
    return ["", *table(("objective", "strategy", "value", "judged"), rows)]
