"""Charts for reports: SVG with text that can be selected, the same bytes every time.

Colours stand in the SVG as variables of the page, so that a picture follows light, dark and print.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.report import labels, series, wording
from simulator.report.labels import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.figure import Figure

    from simulator.decide.advice import Comparison

# Okabe and Ito's palette (2008), without yellow: distinguishable with any colour vision; then,
# for more than eight strategies, others that are legible on light and on dark.
COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D31", "#555555"),
    *("#AA4499", "#999933", "#44AA99", "#7F7FFF"),
)
# The same where the background is dark: those too dark for it are lighter.
LIGHTER = {"#0072B2": "#5B7CFA", "#8C6D31": "#C9A75A", "#555555": "#B8B8B8"}
STAGES = ("#08519C", "#6BAED6", "#FDAE6B", "#A63603")
BILL = ("#08519C", "#A63603", "#6A51A3", "#E7298A", "#6BAED6", "#74C476", "#FDAE6B", "#BDBDBD")
INK, DIM, LINE, PAGE = "#1b1f24", "#57606a", "#d0d7de", "#fffffe"
_ON_STAGE = ("#ffffff", "#000000", "#000000", "#ffffff")
MARKERS = "osD^vP*X"
_DASHES = ("-", "--", "-.", ":")
_TICKS = (10, 30, 60, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
_SHARES = (1e-4, 1e-3, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
_APART = 0.055
_POINTS = 72  # an inch, as SVG counts
_INSTANT = 6.0
_WIDE, _ROW = 7.6, 0.34
_WRITTEN = 0.055
_CUT = 4.0
_NAMED = 0.6
_LONG = re.compile(r"-?\d+\.\d{3,}")


def colours(names: Iterable[str]) -> dict[str, str]:
    """One colour per strategy, the same in every picture of a comparison."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def variables() -> dict[str, str]:
    """Every colour that follows the page, and the name of its variable there."""
    named = {INK: "text", DIM: "dim", LINE: "line", PAGE: "page"}
    return named | {colour.lower(): f"c{i}" for i, colour in enumerate(COLOURS)}


def sheet(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, drawn the same way every time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from simulator.report.drawing import Canvas

    mpl.rcParams["svg.hashsalt"] = "deploysim"
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["font.family"] = "sans-serif"
    figure = Figure(figsize=(width, height), dpi=_POINTS, layout="constrained")
    Canvas(figure)
    return figure


def settle(figure: Figure) -> None:
    """Find the places of a figure's parts once; saving it would do so by drawing it twice."""
    layout = figure.get_layout_engine()
    if layout is None:
        return
    layout.execute(figure)
    figure.set_layout_engine(None)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.label.get_text():  # an empty one needs no place beside the ticks
                axis.set_label_coords(0, 0)


def plain(axes: Any) -> Any:
    """The same axes with a light grid and without a box, on nothing."""
    axes.patch.set_alpha(0)
    for side in axes.spines:
        axes.spines[side].set_visible(side in ("left", "bottom"))
        axes.spines[side].set_color(DIM)
    axes.grid(True, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, labelsize=9)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(INK)
    return axes


def canvas(width: float, height: float, rows: int = 1) -> tuple[Figure, Any]:
    """A figure (inches) with one pair of axes, or several above each other."""
    figure = sheet(width, height)
    figure.patch.set_alpha(0)
    axes = figure.subplots(rows, 1, sharex=True)
    for one in np.atleast_1d(axes):
        plain(one)
    return figure, axes


def svg(figure: Figure, key: str, title: str, description: str) -> str:
    """The figure as an SVG element with title and description for screen readers.

    `key` keeps its names apart from those of other pictures on the page.
    """
    from markupsafe import escape

    from simulator.report.drawing import drawn

    settle(figure)
    text = drawn(figure)
    text = _compact(text[text.index("<svg") :])
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", text)
    named = variables()

    def follows(found: re.Match[str]) -> str:
        name = named.get(found[0].lower())
        return f"var(--{name})" if name else found[0]

    text = re.sub(r"#[0-9a-fA-F]{6}\b", follows, text)
    label = f'<title id="{key}-title">{escape(title)}</title>'
    label += f'<desc id="{key}-desc">{escape(description)}</desc>'
    head, _, rest = text.partition(">")
    head = re.sub(r' (width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-labelledby="{key}-title {key}-desc">{label}{rest}'


def picture(figure: Figure, title: str, description: str) -> str:
    """The figure as an SVG file of its own: in fixed colours, on white."""
    wide, tall = (round(72 * float(inches)) for inches in figure.get_size_inches())
    figure.patch.set_alpha(1)
    text = svg(figure, "chart", title, description)
    for colour, name in variables().items():
        text = text.replace(f"var(--{name})", colour)
    size = f'width="{wide}" height="{tall}" font-family="sans-serif"'
    return text.replace("<svg ", f"<svg {size} ", 1)


def _rounded(found: re.Match[str]) -> str:
    """A coordinate with two decimals."""
    return f"{float(found[0]):.2f}"


def _compact(text: str) -> str:
    """An SVG without what nothing refers to, coordinates with two decimals."""
    text = re.sub(
        r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL
    )
    text = re.sub(r"font-family: [^;\"]*;? ?| transform=\"rotate\(-?0 [^\"]*\"", "", text)
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r"<[^>]*>", lambda tag: _LONG.sub(_rounded, tag[0]), text)
    text = re.sub(r"\s+", " ", text).replace("> <", "><")
    used = set(re.findall(r"#([\w.-]+)", text))

    def needed(found: re.Match[str]) -> str:
        return found[0] if found[1] in used else ""

    text = re.sub(r' id="([^"]*)"', needed, text)
    return re.sub(
        r'<g><path d="[^"]*" style="fill: none; opacity: 0"/></g>|<defs></defs>', "", text
    )


def time_against_harm(comparison: Comparison, takeaway: str) -> str:
    """Time to deploy a good release against users harmed by a bad one, with pace curves."""
    figure, axes = canvas(_WIDE, 4.3)
    palette = colours(comparison.scenario.strategies)
    markers = dict(zip(comparison.scenario.strategies, itertools.cycle(MARKERS), strict=False))
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in series.paces(comparison):
        curves.setdefault(row.strategy, []).append((max(row.time, _INSTANT), row.harm))
    for name, curve in curves.items():
        axes.plot(*zip(*curve, strict=True), color=palette[name], linewidth=1.4, alpha=0.6)
    points = series.points(comparison)
    for point in points:
        _point(axes, point, palette[point.strategy], markers[point.strategy])
    axes.margins(x=0.12, y=0.12)
    _time_axis(axes)
    most = max([point.harm_high for point in points], default=0.0)
    _shares(axes, "y", max(most, *(harm for curve in curves.values() for _, harm in curve), 0.001))
    axes.set_xlabel("time to deploy a good release (log scale)")
    axes.set_ylabel("users harmed by a bad one, mean\n(small shares stretched)")
    places = {p.strategy: np.array([[max(p.time, _INSTANT), p.harm]]) for p in points}
    if points:
        named = [Label(name, place) for name, place in places.items()]
        settle(figure)
        labels.write(axes, named, [*curves.values(), *places.values()], INK, PAGE)
    return svg(
        figure,
        "plane",
        takeaway,
        "Each strategy's time to deploy against the share of users harmed by a bad release; lines "
        "show the same strategy at other paces. Lower left is better.",
    )


def _point(axes: Any, point: series.Point, colour: str, marker: str) -> None:
    """A strategy with its intervals, filled when none is better in time, harm and cost."""
    time, low = max(point.time, _INSTANT), max(point.time_low, _INSTANT)
    axes.errorbar(
        [time],
        [point.harm],
        xerr=[[max(time - low, 0)], [max(point.time_high - time, 0)]],
        yerr=[[max(point.harm - point.harm_low, 0)], [max(point.harm_high - point.harm, 0)]],
        fmt=marker,
        color=colour,
        markerfacecolor=colour if point.unbeaten else PAGE,
        markersize=8,
        capsize=2,
        linewidth=1,
    )


def _per_cent(axis: Any) -> None:
    axis.set_major_formatter(lambda value, _: f"{100 * value:g} %")


def _shares(axes: Any, side: str, most: float) -> None:
    """An axis of shares from 0, on which places go with the square root."""
    top = min(max(most * 1.08, 1e-4), 1.0)
    root = {"functions": (lambda x: np.sqrt(np.maximum(x, 0)), np.square)}
    getattr(axes, f"set_{side}scale")("function", **root)
    getattr(axes, f"set_{side}lim")(0, top)
    ticks = [0.0]
    for share in _SHARES:
        if share <= top and math.sqrt(share) - math.sqrt(ticks[-1]) > _APART * math.sqrt(top):
            ticks.append(share)
    getattr(axes, f"set_{side}ticks")(ticks, [wording.share(share) for share in ticks])


def _time_axis(axes: Any) -> None:
    """A logarithmic axis of time with ticks that people use."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    ticks = _spread([t for t in _TICKS if low <= t <= high], math.log(high / low) / 9)
    axes.set_xticks(ticks, [wording.length(t) for t in ticks])
    axes.minorticks_off()


def _spread(ticks: list[int], apart: float) -> list[int]:
    """Those of the ticks that stand at least so far apart on a logarithmic axis."""
    kept: list[int] = []
    for tick in ticks:
        if not kept or math.log(tick / kept[-1]) >= apart:
            kept.append(tick)
    return kept


def exceedance(comparison: Comparison, takeaway: str) -> str:
    """The chance that a bad release harms more than a given share of the users."""
    figure, axes = canvas(_WIDE, 4.3)
    palette = colours(comparison.scenario.strategies)
    dashes = dict(zip(comparison.scenario.strategies, itertools.cycle(_DASHES), strict=False))
    curves: dict[str, list[series.Exceeds]] = {}
    for row in series.exceedances(comparison):
        curves.setdefault(row.strategy, []).append(row)
    for name, rows in curves.items():
        x, colour = [row.x for row in rows], palette[name]
        axes.hlines(1.0, 0, x[0], color=colour, linestyle=dashes[name], linewidth=1.7)
        low, high = [row.low for row in rows], [row.high for row in rows]
        axes.fill_between(x, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
        share = [row.share for row in rows]
        axes.step(x, share, where="post", color=colour, linestyle=dashes[name], linewidth=1.7)
    _shares(axes, "x", max([row.x for rows in curves.values() for row in rows], default=1.0))
    axes.set_ylim(0, 1.02)
    _per_cent(axes.yaxis)
    axes.set_xlabel("share of users harmed, x (small shares stretched)")
    axes.set_ylabel("chance that a bad release harms more than x")
    lines = {name: np.array([(row.x, row.share) for row in rows]) for name, rows in curves.items()}
    if lines:
        named = [Label(name, _along(line), palette[name]) for name, line in lines.items()]
        settle(figure)
        labels.write(axes, named, list(lines.values()), INK, PAGE)
    return svg(
        figure,
        "exceedance",
        takeaway,
        "For each strategy the probability that a bad release harms more than a share x of the "
        "users, with its 95 % band. Lower is better.",
    )


def _along(line: Any) -> Any:
    """Where a curve may be named: beside its points, those before its middle first."""
    root = np.sqrt(line[:, 0])
    return line[np.argsort(abs(root - _NAMED * root[-1]), kind="stable")]


def detected(comparison: Comparison, takeaway: str) -> str:
    """When bad releases are detected, a bar for each strategy."""
    names = list(comparison.risk)
    figure, axes = canvas(_WIDE, 0.95 + _ROW * len(names))
    left = dict.fromkeys(names, 0.0)
    for row in series.stages(comparison):
        place, start = names.index(row.strategy), left[row.strategy]
        _part(axes, place, start, row.share, STAGES[row.order])
        left[row.strategy] += row.share
        if row.share >= _WRITTEN:
            axes.text(
                start + row.share / 2,
                place,
                f"{100 * row.share:.0f} %",
                color=_ON_STAGE[row.order],
                fontsize=8,
                ha="center",
                va="center",
            )
    _lanes(axes, names)
    axes.set_xlim(0, 1)
    _per_cent(axes.xaxis)
    axes.set_xlabel("bad releases")
    _legend(figure, list(zip(series.STAGES, STAGES, strict=True)))
    return svg(
        figure,
        "detected",
        takeaway,
        "For each strategy the shares of bad releases that are detected before everyone has the "
        "new version, while it is watched at full exposure, later, and never.",
    )


def _part(axes: Any, place: int, start: float, size: float, colour: str) -> None:
    """A part of a bar in its lane."""
    axes.barh(place, size, left=start, color=colour, edgecolor=INK, height=0.7, linewidth=0.4)


def _lanes(axes: Any, names: Sequence[str]) -> None:
    """A lane for each strategy, the first one on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def _legend(figure: Figure, kinds: Sequence[tuple[str, str]]) -> None:
    """What the colours of bars stand for, in the order of the bars' parts."""
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=INK, linewidth=0.4, label=text)
            for text, colour in kinds
        ],
        loc="outside upper left",
        ncols=min(len(kinds), 4),
        frameon=False,
        fontsize=8.5,
        labelcolor=INK,
        handlelength=1.2,
        columnspacing=1.2,
    )


def bill(comparison: Comparison, takeaway: str) -> str:
    """What one release costs on average, good or bad, by its parts; empty without any cost."""
    rows = series.bill(comparison)
    names = list(comparison.risk)
    totals = series.totals(comparison)
    if not rows:
        return ""
    figure, axes = canvas(_WIDE, 1.15 + _ROW * len(names))
    middle = sorted(total.amount for total in totals)[(len(totals) - 1) // 2]
    top = max([t.amount for t in totals if t.amount <= _CUT * middle], default=0.0) * 1.3 or 1.0
    left = dict.fromkeys(names, 0.0)
    for row in rows:
        start = left[row.strategy]
        left[row.strategy] = min(start + row.amount, top)
        place = names.index(row.strategy)
        _part(axes, place, start, left[row.strategy] - start, BILL[row.order])
    for total in totals:
        cut = total.amount > top
        axes.annotate(
            f"{total.text} (bar cut short)" if cut else total.text,
            (min(total.amount, top), names.index(total.strategy)),
            xytext=(-6 if cut else 5, 0),
            textcoords="offset points",
            color=INK,
            fontsize=8.5,
            ha="right" if cut else "left",
            va="center",
            bbox={"boxstyle": "round,pad=0.2", "facecolor": PAGE, "edgecolor": "none"}
            if cut
            else None,
        )
    _lanes(axes, names)
    axes.set_xlim(0, top)
    axes.set_xlabel(f"{comparison.scenario.costs.currency} a release, on average")
    kinds = {row.order: row.part for row in rows}
    _legend(figure, [(kinds[order], BILL[order]) for order in sorted(kinds)])
    return svg(
        figure,
        "bill",
        takeaway,
        "For each strategy the expected cost of one release, good or bad, by what it is made of.",
    )
