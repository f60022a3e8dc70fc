"""What every assumption alone does to a figure: rows of text, and the picture of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.report import charts, glossary, wording
from simulator.words.figures import MEANINGS
from simulator.words.settings import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulator.decide.advice import Comparison
    from simulator.decide.tornado import Swing, Tornado
    from simulator.findings.means import Interval
    from simulator.words.objectives import Measure
    from simulator.words.scenario import Scenario

MOST = 15
EFFECTS = EFFECT, NOISE, NONE = "yes", "within noise", "none"
HEADS = ("setting", "low", "becomes", "high", "becomes")
_LOW, _HIGH = charts.COLOURS[0], charts.COLOURS[5]
_WIDE, _LANE, _THICK, _ROOM = 7.6, 0.42, 0.36, 0.3


class Bar(NamedTuple):
    """An assumption: its path, its name in words, its low and high value, what the figure becomes
    there as text and as a number (infinite: beyond every observed end), and one of `EFFECTS`.
    """

    path: str
    named: str
    low: str
    at_low: str
    high: str
    at_high: str
    ends: tuple[float, float]
    effect: str


class Moves(NamedTuple):
    """What moves one figure of one strategy: every assumption, first the effects, the largest
    first, then what may be luck, then what moves nothing. `now` and `interval` are texts, `number`
    is the same value.
    """

    strategy: str
    figure: str
    meaning: str
    unit: str
    now: str
    interval: str
    number: float
    bars: tuple[Bar, ...]
    good: int
    bad: int

    @property
    def shown(self) -> tuple[Bar, ...]:
        """The largest effects, as many as can be looked at."""
        return tuple(bar for bar in self.bars if bar.effect == EFFECT)[:MOST]

    @property
    def less(self) -> tuple[str, ...]:
        """The settings that move it less than those."""
        return tuple(bar.path for bar in self.bars if bar.effect == EFFECT)[MOST:]

    @property
    def noise(self) -> tuple[str, ...]:
        """The settings of which it may be luck that it moves."""
        return tuple(bar.path for bar in self.bars if bar.effect == NOISE)

    @property
    def still(self) -> tuple[str, ...]:
        """The settings that do not move it."""
        return tuple(bar.path for bar in self.bars if bar.effect == NONE)


def moves(comparison: Comparison) -> list[Moves]:
    """Every figure that was asked for, under every strategy it was worked out for."""
    scenario = comparison.scenario
    return [_moves(scenario, found, one) for found in comparison.tornados for one in found.asked]


def _moves(scenario: Scenario, found: Tornado, one: Measure) -> Moves:
    key, unit = one.text, one.unit
    currency = scenario.costs.currency if unit == "money" else ""
    bars = [bar(scenario, swing, one) for swing in _ordered(found, key)]
    return Moves(
        found.strategy,
        key,
        MEANINGS[one.figure],
        unit,
        _text(found.base[key], found.now[key], unit, currency),
        wording.between(found.base[key], unit),
        found.now[key],
        tuple(sorted(bars, key=lambda one: EFFECTS.index(one.effect))),
        found.replications,
        found.bad,
    )


def bar(scenario: Scenario, swing: Swing, one: Measure) -> Bar:
    """One assumption as text."""
    row, (low, high) = swing.assumption, swing.ends[one.text]
    return Bar(
        row.path,
        label(row.path, scenario),
        glossary.end(row.low),
        _text(low.value, low.number, one.unit),
        glossary.end(row.high),
        _text(high.value, high.number, one.unit),
        (low.number, high.number),
        effect(swing, one.text),
    )


def effect(swing: Swing, key: str) -> str:
    """Whether an assumption moves a figure: one of `EFFECTS`."""
    if not swing.width(key) > 0:
        return NONE
    return EFFECT if swing.sure(key) else NOISE


def _text(found: Interval, number: float, unit: str, currency: str = "") -> str:
    """A statistic; one beyond every observed end by what it is at least, if that is known."""
    if number == math.inf:
        return "no end" if found.low is None else f"≥ {wording.figure(found.low, unit, currency)}"
    return wording.figure(found.value, unit, currency)


def unshown(found: Moves) -> list[str]:
    """Sentences about the assumptions that are not shown: less, luck, nothing."""
    told = (("Move it less", found.less), ("Within the noise of the replications", found.noise))
    lines = [f"{text}: {', '.join(paths)}." for text, paths in told if paths]
    if found.still:
        lines.append(f"No effect on it: {len(found.still)} of {len(found.bars)} assumptions.")
    return lines


def method(found: Moves) -> str:
    """How the values came to be."""
    return (
        f"{found.good} good and {found.bad} bad replications a value, all with the same luck: each "
        f"is that of a comparison with -n {found.good} and this one setting changed. An effect: "
        "more than luck (95 %)."
    )


def takeaway(found: Moves) -> str:
    """What moves the figure most, in one sentence."""
    head = f"{found.figure} under {wording.named(found.strategy)} is {found.now} now"
    if not found.shown:
        return f"{head}, and no assumption moves it by more than luck does."
    first = found.shown[0]
    return (
        f"{head}; what moves it most is “{first.named}”: {first.at_low} at {first.low}, "
        f"{first.at_high} at {first.high}."
    )


def document(comparison: Comparison) -> list[dict[str, Any]]:
    """The same rows as plain data, every assumption with a range; missing values are None."""
    return [
        {
            "strategy": found.strategy,
            "expression": one.text,
            "figure": one.figure,
            "statistic": one.statistic,
            "given": one.given,
            "unit": one.unit,
            "replications": {"good": found.replications, "bad": found.bad},
            "now": _interval(found.base[one.text]),
            "rows": [_row(swing, one.text) for swing in _ordered(found, one.text)],
        }
        for found in comparison.tornados
        for one in found.asked
    ]


def _ordered(found: Tornado, key: str) -> list[Swing]:
    """Every assumption, the widest first."""
    widest = found.widest(key)
    paths = {swing.assumption.path for swing in widest}
    return [*widest, *(s for s in found.swings if s.assumption.path not in paths)]


def _interval(found: Interval) -> dict[str, float | None]:
    return dict(found._asdict())


def _row(swing: Swing, key: str) -> dict[str, Any]:
    row, width = swing.assumption, swing.width(key)
    cells: dict[str, Any] = {name: getattr(row, name) for name in ("path", "value", "low", "high")}
    for end, found in zip(("low", "high"), swing.ends[key], strict=True):
        cells[f"at_{end}"] = _interval(found.value)
        apart = (found.moved, found.low, found.high)
        names = ("value", "low", "high")
        cells[f"moved_at_{end}"] = dict(zip(names, map(_finite, apart), strict=True))
    return {**cells, "swing": _finite(width), "effect": effect(swing, key)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


COLUMNS = ("setting", "set_to", "effect")


def rows(comparison: Comparison) -> list[tuple[Any, ...]]:
    """The same as rows of the flat table of results: two for each assumption, then `COLUMNS`."""
    cells: list[tuple[Any, ...]] = []
    for found in comparison.tornados:
        for one in found.asked:
            head = (found.strategy, one.given or "all", one.figure, one.unit, one.statistic)
            for swing in _ordered(found, one.text):
                row = swing.assumption
                for value, end in zip((row.low, row.high), swing.ends[one.text], strict=True):
                    told = (row.path, glossary.text(value), effect(swing, one.text))
                    cells.append((*head, *end.value, found.under(one), *told))
    return cells


def picture(found: Moves, key: str) -> str:
    """The effects as bars from the present value: hollow at the low end, filled at the high one.

    Empty without an effect.
    """
    bars = found.shown
    if not bars or not math.isfinite(found.number):
        return ""
    figure, axes = charts.canvas(_WIDE, 0.95 + _LANE * len(bars))
    known = [found.number, *(x for one in bars for x in one.ends if math.isfinite(x))]
    span = max(known) - min(known) or abs(found.number) or 1.0
    axes.set_xlim(min(known) - _ROOM * span, max(known) + _ROOM * span)
    for place, one in enumerate(bars):
        texts = (one.at_low, one.at_high)
        for side, (end, text) in enumerate(zip(one.ends, texts, strict=True)):
            _bar(axes, place + (side - 0.5) * _THICK, found.number, end, (text, bool(side)))
    axes.axvline(found.number, color=charts.INK, linewidth=1)
    axes.set_yticks(range(len(bars)), [one.named for one in bars])
    axes.set_ylim(len(bars) - 0.45, -0.55)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(lambda value, _: _tick(value, found.unit, span))
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(f"{found.figure} (line: now, {found.now})")
    _legend(figure)
    told = "; ".join(f"{b.named}: {b.at_low} at {b.low}, {b.at_high} at {b.high}" for b in bars)
    return charts.svg(figure, key, takeaway(found), f"{told}. The table below has all of them.")


def _tick(value: float, unit: str, span: float) -> str:
    """A place on the axis; what is next to nothing is nothing."""
    return wording.figure(0.0 if abs(value) < 1e-9 * span else value, unit)


def _bar(axes: Any, place: float, now: float, end: float, told: tuple[str, bool]) -> None:
    """One end of an assumption: a bar from now to there, its value beside it."""
    text, filled = told
    right = axes.get_xlim()[1] if end == math.inf else end
    if math.isnan(end) or end == now:
        return
    axes.barh(
        place,
        right - now,
        left=now,
        height=0.8 * _THICK,
        color=_HIGH if filled else charts.PAGE,
        edgecolor=_HIGH if filled else _LOW,
        linewidth=1.2,
    )
    axes.annotate(
        text,
        (right, place),
        xytext=(4 if end > now else -4, 0),
        textcoords="offset points",
        ha="left" if end > now else "right",
        va="center",
        fontsize=8,
        color=charts.INK,
    )


def _legend(figure: Any) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(facecolor=charts.PAGE, edgecolor=_LOW, label="hollow: assumption at its low"),
            Patch(facecolor=_HIGH, edgecolor=_HIGH, label="filled: at its high"),
        ],
        loc="outside upper left",
        ncols=2,
        frameon=False,
        fontsize=8.5,
        labelcolor=charts.INK,
        handlelength=1.2,
    )


def lanes(found: Moves, width: int) -> Mapping[str, str]:
    """A bar of characters for each effect: `-` to the low end, `#` to the high one, `|` is now."""
    bars: Sequence[Bar] = found.shown
    known = [x for x in (found.number, *(e for b in bars for e in b.ends)) if math.isfinite(x)]
    if not known:
        return {one.path: "" for one in bars}
    least, most = min(known), max(known)

    def at(value: float) -> int:
        """The column of a value."""
        if not math.isfinite(value):
            return width - 1
        return round((value - least) / ((most - least) or 1.0) * (width - 1))

    drawn = {}
    for one in bars:
        cells = [" "] * width
        ends = sorted(
            zip(one.ends, "-#", strict=True), key=lambda end: -abs(at(end[0]) - at(found.number))
        )
        for end, mark in ends:
            if not math.isnan(end):
                for place in range(*sorted((at(found.number), at(end)))):
                    cells[place] = mark
                cells[at(end)] = mark
        cells[at(found.number)] = "|"
        drawn[one.path] = "".join(cells).rstrip()
    return drawn
