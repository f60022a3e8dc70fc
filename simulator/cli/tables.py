"""Tables for the terminal: 100 columns, values above their intervals, the best marked."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from simulator.report import exam, flips, headlines, sweeps, tornadoes, wording
from simulator.report.judged import judged

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.decide.exam import Answer
    from simulator.decide.sweep import Sweep
    from simulator.findings.power import Sight
    from simulator.words.scenario import Scenario

WIDTH = 100
_NAME = 18
_BOLD, _DIM, _GREEN, _END = "\033[1m", "\033[2m", "\033[32m", "\033[0m"


def _colour(wanted: bool) -> bool:
    if not wanted or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


class Paint:
    """Marks parts of a text for a terminal, or leaves them as they are."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def bold(self, text: str) -> str:
        """In bold."""
        return f"{_BOLD}{text}{_END}" if self.on else text

    def dim(self, text: str) -> str:
        """Fainter."""
        return f"{_DIM}{text}{_END}" if self.on else text

    def best(self, text: str) -> str:
        """In the colour of the best."""
        return f"{_GREEN}{text}{_END}" if self.on else text


def painter(colour: bool) -> Paint:
    """Marks if colour is wanted and standard output is a terminal that shows it."""
    return Paint(_colour(colour))


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def comparison_table(comparison: Comparison, colour: bool) -> str:
    """The first screen: headline table, where bad releases are caught, verdict, assumptions."""
    paint = Paint(_colour(colour))
    lines = [*_title(comparison, paint), "", *_headline(comparison, paint), ""]
    if comparison.risk:
        lines += [*_tenants(comparison, paint), *_caught(comparison, paint), ""]
    if comparison.thresholds:
        lines += [*_thresholds(comparison, paint), ""]
    lines += textwrap.wrap(headlines.verdict(comparison), WIDTH)
    equal = headlines.at_equal_time(comparison)
    if equal:
        lines += textwrap.wrap(equal, WIDTH)
    blind = headlines.blindest_gate(comparison)
    if blind:
        lines += textwrap.wrap(blind, WIDTH)
    lines += _more_flips(comparison, paint)
    lines += _tornados(comparison, paint)
    lines += _both_uncertainties(comparison, paint)
    listed = headlines.assumptions(comparison)
    if listed:
        lines += ["", paint.bold("Assumed, not stated in the file (those that matter most)")]
        lines += [_clip(f"  {text}", WIDTH) for text in listed]
        lines.append(f"  ... {len(comparison.scenario.assumed)} in all: deploysim defaults")
    return "\n".join(lines)


_SETTING, _NOW, _SPAN, _THERE = 32, 9, 19, 15


def _more_flips(comparison: Comparison, paint: Paint) -> list[str]:
    """What was searched with --flips, and what came of it: a line each."""
    found = flips.searched(comparison)
    if not found:
        return []
    lines = ["", paint.bold("Where the recommendation changes (one setting at a time)")]
    lines.append(paint.dim(_flip(*flips.HEADS)))
    lines += [_flip(*row[:5]) for row in found]
    if doubt := flips.unsure(found):
        lines.append(paint.dim(doubt))
    return lines


def _flip(path: str, now: str, span: str, there: str, to: str) -> str:
    """A line of the flips: a setting, its value, the range, where it flips and to which one."""
    text = f"{_clip(path, _SETTING):<{_SETTING}} {_clip(now, _NOW):>{_NOW}} "
    text += f"{_clip(span, _SPAN):>{_SPAN}}  "
    text += f"{there:<{_THERE}} {to}" if there else flips.STILL
    return _clip(text.rstrip(), WIDTH)


_NAMES, _AT, _LANES = 34, 10, 20


def _tornados(comparison: Comparison, paint: Paint) -> list[str]:
    """What every assumption does to each figure that was asked for with --tornado."""
    lines: list[str] = []
    every = tornadoes.moves(comparison)
    for found in every:
        lines += ["", *_wrapped(paint.bold, f"What moves {found.figure} under {found.strategy}")]
        now = f"Now {found.now}" + (f" ({found.interval})" if found.interval else "")
        lines += _wrapped(paint.dim, f"{now}: {found.meaning}")
        drawn = tornadoes.lanes(found, _LANES)
        if found.shown:
            lines.append(paint.dim(_lane(tornadoes.HEADS, "- low, | now, # high")))
        lines += [_lane(one[:1] + one[2:6], drawn[one.path]) for one in found.shown]
        if not found.shown:
            lines.append("No assumption moves it by more than luck does.")
        for text in tornadoes.unshown(found):
            lines += textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    if every:
        if any(one.path.startswith("change.defects[") for found in every for one in found.shown):
            kinds = ", ".join(
                f"[{k}] {one}" for k, one in enumerate(comparison.scenario.change.labels)
            )
            lines += ["", *_wrapped(paint.dim, f"change.defects: {kinds}.")]
        lines += _wrapped(paint.dim, tornadoes.method(every[0]))
    return lines


def _lane(cells: Sequence[str], drawn: str) -> str:
    """A setting, both ends with what the figure becomes there, and a bar of characters."""
    setting, *rest = cells
    told = " ".join(f"{_clip(text, _AT):>{_AT}}" for text in rest)
    return f"{_clip(setting, _NAMES):<{_NAMES}} {told}  {drawn}".rstrip()


def _wrapped(mark: Callable[[str], str], text: str) -> list[str]:
    return [mark(part) for part in textwrap.wrap(text, WIDTH)]


def _both_uncertainties(comparison: Comparison, paint: Paint) -> list[str]:
    """Two lines a strategy: what more replications would narrow, and what only facts would."""
    found = headlines.two_uncertainties(comparison)
    if not found:
        return []
    lines = [
        "",
        paint.bold("Means with both uncertainties (assumptions: one at a time, low to high)"),
    ]
    last = ""
    for row in [headlines.Doubt(*headlines.DOUBTS), *found]:
        name = "" if row.strategy == last else row.strategy
        last = row.strategy
        text = f"{_clip(name, _NAME):<{_NAME}} {row.figure:<12} {row.simulation:>15} "
        text += f"{row.assumptions:>17}  {row.largest}"
        lines.append(
            paint.dim(_clip(text, WIDTH)) if row.strategy == "strategy" else _clip(text, WIDTH)
        )
    return lines


def _title(comparison: Comparison, paint: Paint) -> list[str]:
    results, scenario = comparison.results, comparison.scenario
    counts = results.replications
    chance = wording.share(scenario.change.defect_probability)
    lines = [paint.bold(_clip(scenario.name, WIDTH))]
    if scenario.question:
        lines += textwrap.wrap(" ".join(scenario.question.split()), WIDTH)
    lines.append(
        paint.dim(
            f"{chance} of releases defective; {counts['bad']} bad and {counts['good']} good "
            f"replications a strategy, seed {results.seed}"
        )
    )
    return lines


def _headline(comparison: Comparison, paint: Paint) -> list[str]:
    rows = headlines.rows(comparison)
    widths = [
        max(
            12,
            *(len(text) for text in head),
            *(max(len(row.cells[i].value) + 2, len(row.cells[i].interval)) for row in rows),
        )
        for i, head in enumerate(headlines.COLUMNS)
    ]
    name = min(_NAME, max(len(row.strategy) for row in rows) + 1, WIDTH)
    room = WIDTH - name - len(widths)
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    name = max(name, 10)
    lines = []
    for level in (0, 1):
        head = "strategy" if level == 0 else ""
        cells = (f"{c[level]:>{w}}" for c, w in zip(headlines.COLUMNS, widths, strict=True))
        lines.append(paint.bold(f"{head:<{name}} " + " ".join(cells)))
    lines.append("-" * (name + sum(widths) + len(widths)))
    for row in rows:
        values, bounds = [], []
        for cell, width in zip(row.cells, widths, strict=True):
            text = f"{'* ' if cell.best else ''}{cell.value}"
            padded = f"{_clip(text, width):>{width}}"
            values.append(paint.best(padded) if cell.best else padded)
            bounds.append(paint.dim(f"{_clip(cell.interval, width):>{width}}"))
        lines.append(f"{_clip(row.strategy, name):<{name}} " + " ".join(values))
        lines.append(f"{'':<{name}} " + " ".join(bounds))
        if row.note:
            lines += textwrap.wrap(
                f"unsuitable: {row.note}", WIDTH, initial_indent="  ", subsequent_indent="    "
            )
    lines.append(
        paint.dim("* best of its column. Second lines: 95 % intervals, simulation error only.")
    )
    if not all(risk.suitable and risk.deploys for risk in comparison.risk.values()):
        lines.append(paint.dim(f"  Best {headlines.STARRED}."))
    return lines


def _tenants(comparison: Comparison, paint: Paint) -> list[str]:
    """How many tenants a bad release harms, where users have them; with a line below."""
    rows = headlines.tenants(comparison)
    if not rows:
        return []
    lines = [paint.bold("Tenants with somebody harmed by a bad release: mean, and p95")]
    for row in rows:
        mean, high = (f"{cell.value} ({cell.interval})" for cell in row.cells)
        lines.append(f"{_clip(row.strategy, _NAME):<{_NAME}} {mean}, {high}")
    return [*lines, ""]


def _caught(comparison: Comparison, paint: Paint) -> list[str]:
    lines = [paint.bold("Where bad releases are caught, and by whom")]
    for name, risk in comparison.risk.items():
        room = WIDTH - _NAME - 4
        lines.append(
            f"{_clip(name, _NAME):<{_NAME}} at {_clip(headlines.caught(risk, 'caught_at'), room)}"
        )
        lines.append(f"{'':<{_NAME}} by {_clip(headlines.caught(risk, 'caught_by'), room)}")
    return lines


def _thresholds(comparison: Comparison, paint: Paint) -> list[str]:
    lines, last = [paint.bold("Objectives")], None
    for row in judged(comparison):
        if row.expression != last:
            lines.append(f"  {row.expression}")
        last = row.expression
        mark = "kept  " if row.passed else "FAILED"
        sure = "" if row.decided else "  (not decided: more replications)"
        lines.append(f"    {mark} {_clip(row.strategy, 24):<24} {row.value}{sure}")
    return lines


def objectives_table(comparison: Comparison) -> str:
    """The objectives of the planned strategy, a line each."""
    lines = []
    for row in judged(comparison):
        mark = "kept" if row.passed else "FAILED"
        sure = "" if row.decided else "  not decided at 95 %: use more replications"
        bounds = f" ({row.interval})" if row.interval else ""
        lines.append(f"{mark:<6} {row.strategy}: {row.expression}: {row.value}{bounds}{sure}")
    return "\n".join(lines)


def gates_table(found: Sequence[Sight]) -> str:
    """What each gate can see: two lines for each gate and detector, at most 100 columns."""
    title = "  What each gate can see, were every bad release to reach it (95 % intervals)"
    lines, last = [title], ""
    for row in [headlines.Seen(*headlines.SEEN), *map(headlines.seen, found)]:
        gate = "" if row.gate == last else row.gate
        last = row.gate
        text = (
            f"  {_clip(gate, 14):<14} {_clip(row.detector, 16):<16} {row.requests:>8} "
            f"{_clip(row.power, 20):>20} {row.false_alarm:>8} {row.after:>17} {row.bake:>8}"
        )
        lines.append(text.rstrip())
        if len(lines) > 2:
            lines.append(_clip(f"      {row.kinds}", WIDTH))
    return "\n".join(lines)


_VALUE, _CELL = 20, 15


def sweep_table(sweep: Sweep, colour: bool) -> str:
    """Two lines a strategy and point, mean and interval; as many figures as fit beside them."""
    paint = Paint(_colour(colour))
    lines = [paint.bold(_clip(sweep.design.scenario.name, WIDTH))]
    for text in (sweeps.method(sweep), sweeps.scales(sweep)):
        lines += [paint.dim(part) for part in textwrap.wrap(text, WIDTH)]
    rows, heads = sweeps.lines(sweep), sweeps.heads(sweep)
    keys = [f"{chr(97 + k)} = {path}" for k, path in enumerate(sweep.design.paths)]
    lines += [paint.dim(part) for part in textwrap.wrap(", ".join(keys), WIDTH)]
    widths = [min(max(len(row.at[k]) for row in rows), _VALUE) for k in range(len(keys))]
    name = min(_NAME, max(8, *(len(row.strategy) for row in rows)))
    fit = max((WIDTH - name - sum(widths) - len(widths)) // (_CELL + 1), 1)
    for start in range(0, len(heads), fit):
        lines += ["", *_sweep_block(rows, heads, (name, *widths), range(start, start + fit), paint)]
    lines.append(paint.dim("Means; second lines: 95 % intervals, simulation error only."))
    return "\n".join(lines)


def _sweep_block(
    rows: Sequence[sweeps.Line],
    heads: Sequence[tuple[str, str]],
    widths: Sequence[int],
    figures: range,
    paint: Paint,
) -> list[str]:
    """Some of the figures; a strategy's name stands where its points begin."""
    chosen = [k for k in figures if k < len(heads)]
    letters = [chr(97 + k) for k in range(len(widths) - 1)]

    def line(first: Sequence[str], cells: Sequence[str]) -> str:
        left = (f"{_clip(text, w):<{w}}" for text, w in zip(first, widths, strict=True))
        return " ".join((*left, *(f"{_clip(text, _CELL):>{_CELL}}" for text in cells))).rstrip()

    empty = [""] * len(letters)
    lines = [
        paint.bold(line(["strategy", *letters], [heads[k][0] for k in chosen])),
        paint.bold(line(["", *empty], [heads[k][1] for k in chosen])),
        "-" * (sum(widths) + len(widths) + len(chosen) * (_CELL + 1) - 1),
    ]
    last = ""
    for row in rows:
        strategy = "" if row.strategy == last else row.strategy
        last = row.strategy
        lines.append(line([strategy, *row.at], [row.cells[k].value for k in chosen]))
        lines.append(paint.dim(line(["", *empty], [row.cells[k].interval for k in chosen])))
    return lines


_LABEL, _OPTION = 48, 13


def exam_question(scenario: Scenario, colour: bool) -> str:
    """A question and its options, nothing about the answer."""
    paint = Paint(_colour(colour))
    lines = [
        paint.bold(_clip(scenario.name, WIDTH)),
        *textwrap.wrap(exam.question(scenario), WIDTH),
    ]
    assert scenario.exam is not None
    lines.append("")
    for letter, option in scenario.exam.options.items():
        lines += _under(f"  {letter}  ", option.text)
    return "\n".join(lines)


def _under(first: str, text: str) -> list[str]:
    """A text with a hanging indent."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


def exam_answer(answer: Answer, colour: bool) -> str:
    """Question, ranking, why each option wins or loses, and where another one is the answer."""
    paint = Paint(_colour(colour))
    lines = [exam_question(answer.scenario, colour), ""]
    lines += [paint.bold(part) for part in textwrap.wrap(f"Answer {exam.verdict(answer)}", WIDTH)]
    lines += _under("", exam.because(answer))
    for letter, text in exam.losers(answer):
        lines += _under(f"  {letter}  ", text)
    lines += ["", *_ranked(answer, paint)]
    others = exam.flips(answer)
    lines += ["", paint.bold("Another answer")] if others else []
    for text in others:
        lines += _under("  ", text)
    return "\n".join(lines)


def _ranked(answer: Answer, paint: Paint) -> list[str]:
    """The options side by side, the best first, a figure a line."""
    heads = [one.option for one in answer.ranking]
    if answer.exam.predicts:
        heads = ["the run"]
    lines = [paint.bold(f"{'':<{_LABEL}}" + "".join(f"{head:>{_OPTION}}" for head in heads))]
    for row in exam.table(answer):
        cells = [
            _clip(f"{'! ' if missed else ''}{cell}", _OPTION - 1)
            for cell, missed in zip(row.cells, row.missed, strict=True)
        ][: len(heads)]
        text = f"{_clip(row.label, _LABEL):<{_LABEL}}" + "".join(f"{c:>{_OPTION}}" for c in cells)
        lines.append(paint.dim(text) if row.label.startswith(" ") else text)
    counts = (
        f"{answer.replications} good and as many bad replications an option, seed {answer.seed}."
    )
    if any(any(row.missed) for row in exam.table(answer)):
        counts = f"! objective missed. {counts}"
    lines.append(paint.dim(counts))
    for text in exam.meanings(answer):
        lines += [paint.dim(part) for part in _under("  ", text)]
    return lines
