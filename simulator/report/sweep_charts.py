"""Pictures of a sweep: curves along one path, heat maps over two, points against each of more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.report import charts, sweeps, wording
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

    from simulator.decide.sweep import Row, Sweep

_ACROSS, _WRITTEN = 3, 12
_DECADE = 10.0
_FIGURE = 4.6, 3.0
_MOST_TICKS = 6
_LONGEST, _ROOM = 28, 40
_STEPS = (1, 5, 15, 60, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 86_400, 7 * 86_400)


def picture(sweep: Sweep) -> str:
    """The sweep as one SVG element: a panel for each figure, and strategy or path."""
    paths = sweep.design.paths
    if sweep.design.drawn or len(paths) > 2:
        return _told(_scattered(sweep), sweep, "one point each; lines join nothing")
    if len(paths) == 1:
        return _told(_curves(sweep), sweep, "with 95 % bands")
    return _told(_maps(sweep), sweep, "as colours, each with its number")


def _told(figure: Canvas, sweep: Sweep, how: str) -> str:
    names = ", ".join(name for name, _ in sweeps.heads(sweep))
    return charts.picture(
        figure,
        f"Sweep over {' and '.join(sweep.design.paths)}",
        f"Means of {names} for {', '.join(sweep.strategies)}, {how}. {sweeps.method(sweep)}.",
    )


def _titled(sweep: Sweep, figure: str, head: tuple[str, str]) -> str:
    """A figure with its condition, and with the currency if it is money."""
    money = FIGURES[figure].unit == "money"
    return ", ".join((*head, *([sweep.design.scenario.costs.currency] if money else ())))


def _curves(sweep: Sweep) -> Canvas:
    """Every figure along the path, a line with its band for each strategy."""
    figures = list(sweep.figures)
    down = math.ceil(len(figures) / 2)
    across = min(len(figures), 2)
    figure = charts.sheet(_FIGURE[0] * across + 0.4, _FIGURE[1] * down + 0.5)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes, name, head in zip(panels, figures, sweeps.heads(sweep), strict=False):
        charts.plain(axes)
        for number, strategy in enumerate(sweep.strategies):
            _curve(axes, sweep, _found(sweep, name, strategy), number)
        _along(axes, sweep, 0)
        _upward(axes, FIGURES[name].unit)
        axes.set_title(_titled(sweep, name, head), fontsize=10)
    for axes in panels[len(figures) :]:
        axes.remove()
    _legend(figure, panels[0])
    return figure


def _curve(axes: Any, sweep: Sweep, rows: list[Row], number: int) -> None:
    known = [row for row in rows if row.estimate and row.estimate.mean.value is not None]
    if not known:
        return
    means = [row.estimate.mean for row in known if row.estimate]
    where = [_place(sweep, 0, row.point) for row in known]
    colour = charts.COLOURS[number % len(charts.COLOURS)]
    order = sorted(range(len(where)), key=lambda k: where[k])
    x = [where[k] for k in order]
    value = [means[k].value or 0.0 for k in order]
    bounds = [(means[k].low, means[k].high) for k in order]
    low = [v if b[0] is None else b[0] for v, b in zip(value, bounds, strict=True)]
    high = [v if b[1] is None else b[1] for v, b in zip(value, bounds, strict=True)]
    axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    marker = charts.MARKERS[number % len(charts.MARKERS)]
    axes.plot(
        x, value, color=colour, marker=marker, markersize=4, linewidth=1.5, label=rows[0].strategy
    )


def _scattered(sweep: Sweep) -> Canvas:
    """Every figure (down) against every path (across), a dot for each point and strategy."""
    figures, paths = list(sweep.figures), sweep.design.paths
    figure = charts.sheet(3.4 * len(paths) + 0.6, 2.7 * len(figures) + 0.6)
    panels = figure.subplots(len(figures), len(paths), squeeze=False, sharey="row", sharex="col")
    for name, head, row in zip(figures, sweeps.heads(sweep), panels, strict=True):
        for place, axes in enumerate(row):
            charts.plain(axes)
            for number, strategy in enumerate(sweep.strategies):
                known = [
                    (_place(sweep, place, r.point), r.estimate.mean.value)
                    for r in _found(sweep, name, strategy)
                    if r.estimate and r.estimate.mean.value is not None
                ]
                axes.plot(
                    [x for x, _ in known],
                    [y for _, y in known],
                    linestyle="none",
                    marker=charts.MARKERS[number % len(charts.MARKERS)],
                    markersize=4,
                    alpha=0.75,
                    color=charts.COLOURS[number % len(charts.COLOURS)],
                    label=strategy,
                )
        _upward(row[0], FIGURES[name].unit)
        row[0].set_ylabel(_titled(sweep, name, head).replace(", ", ",\n", 1), fontsize=9)
    for place, axes in enumerate(panels[-1]):
        _along(axes, sweep, place)
    _legend(figure, panels[0][0])
    return figure


def _maps(sweep: Sweep) -> Canvas:
    """For every figure a block of heat maps, one a strategy, on one scale of colours."""
    from matplotlib.cm import ScalarMappable

    names = sweep.strategies
    across = 2 if len(names) == 4 else min(len(names), _ACROSS)
    down = math.ceil(len(names) / across)
    columns, rows = (len(axis) for axis in _axes(sweep))
    size = max(0.55 * columns + 0.8, 2.2), max(0.34 * rows + 0.9, 1.9)
    blocks = len(sweep.figures)
    figure = charts.sheet(size[0] * across + 2.2, blocks * (size[1] * down + 0.5))
    parts = figure.subfigures(blocks, 1, squeeze=False).ravel()
    for block, (name, head) in enumerate(zip(sweep.figures, sweeps.heads(sweep), strict=True)):
        panels = parts[block].subplots(down, across, squeeze=False).ravel()
        scale = _scale(sweep, name)
        for place, axes in enumerate(panels):
            if place < len(names):
                _map(axes, sweep, name, names[place], scale)
                _sides(axes, sweep, place % across == 0, place + across >= len(names))
            else:
                axes.set_axis_off()
        shown = ScalarMappable(scale, "cividis")
        bar = parts[block].colorbar(shown, ax=list(panels), fraction=0.04, pad=0.02)
        ticks = [float(scale.inverse(part)) for part in (0, 1 / 3, 2 / 3, 1)]
        bar.set_ticks(ticks, labels=[wording.figure(t, FIGURES[name].unit) for t in ticks])
        bar.ax.minorticks_off()
        bar.ax.tick_params(labelsize=8)
        parts[block].suptitle(f"{_titled(sweep, name, head)} (mean)", fontsize=11)
    return figure


def _scale(sweep: Sweep, name: str) -> Any:
    """One scale of colours for a figure: logarithmic where it spans a decade or more."""
    from matplotlib.colors import LogNorm, Normalize

    values = [
        row.estimate.mean.value
        for row in sweep.rows
        if row.figure == name and row.estimate and row.estimate.mean.value is not None
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low > 0 and high >= _DECADE * low:
        return LogNorm(low, high)
    return Normalize(low, high if high > low else low + 1.0)


def _axes(sweep: Sweep) -> tuple[list[str], list[str]]:
    """The texts across (the second path) and down (the first), in their order."""
    points = sweep.design.points
    down, across = (list(dict.fromkeys(p.texts[k] for p in points)) for k in (0, 1))
    return across, down


def _map(axes: Any, sweep: Sweep, name: str, strategy: str, scale: Any) -> None:
    import matplotlib as mpl
    import numpy as np

    across, down = _axes(sweep)
    table = np.full((len(down), len(across)), np.nan)
    for row in _found(sweep, name, strategy):
        texts = sweep.design.points[row.point].texts
        value = row.estimate.mean.value if row.estimate else None
        table[down.index(texts[0]), across.index(texts[1])] = np.nan if value is None else value
    colours = mpl.colormaps["cividis"]
    axes.pcolormesh(table, norm=scale, cmap=colours, edgecolors="white", linewidth=0.5)
    axes.set_title(strategy, fontsize=9)
    axes.set_xticks([x + 0.5 for x in range(len(across))], map(_clip, across), fontsize=8)
    axes.set_yticks([y + 0.5 for y in range(len(down))], map(_clip, down), fontsize=8)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    if len(across) > _WRITTEN or len(down) > _WRITTEN:
        return
    unit = FIGURES[name].unit
    for (y, x), value in np.ndenumerate(table):
        known = not math.isnan(value)
        ink = "white" if known and sum(colours(scale(value))[:3]) < 1.5 else "#101010"
        text = wording.figure(value, unit)
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7, color=ink)


def _sides(axes: Any, sweep: Sweep, left: bool, lowest: bool) -> None:
    """Names of the paths where a row of panels begins and a column ends."""
    down, across = map(_tail, sweep.design.paths)
    if lowest:
        axes.set_xlabel(across, fontsize=8)
    if left:
        axes.set_ylabel(down, fontsize=8)
    else:
        axes.set_yticklabels([])
    _turned(axes, [label.get_text() for label in axes.get_xticklabels()])


def _found(sweep: Sweep, figure: str, strategy: str) -> list[Row]:
    return [row for row in sweep.rows if row.figure == figure and row.strategy == strategy]


def _place(sweep: Sweep, path: int, point: int) -> float:
    """Where a point lies along a path: its number, or the place of its text among all."""
    value = sweep.design.points[point].values[path]
    return float(_words(sweep, path).index(value)) if isinstance(value, str) else value


def _words(sweep: Sweep, path: int) -> list[str]:
    """The values of a path that has texts, in their order; empty for one of numbers."""
    values = (point.values[path] for point in sweep.design.points)
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _along(axes: Any, sweep: Sweep, path: int) -> None:
    """The axis of a path, with values as a scenario file says them."""
    axes.set_xlabel(_tail(sweep.design.paths[path]), fontsize=9)
    points = sweep.design.points
    places = [_place(sweep, path, number) for number in range(len(points))]
    if min(places) > 0 and max(places) >= _DECADE * min(places):
        axes.set_xscale("log")
    texts = dict(zip(places, (point.texts[path] for point in points), strict=True))
    ticks = sorted(texts)
    if sweep.design.drawn and not _words(sweep, path):
        ticks = [ticks[0], ticks[len(ticks) // 2], ticks[-1]] if len(ticks) > 2 else ticks
    ticks = ticks[:: math.ceil(len(ticks) / _MOST_TICKS)]
    labels = [_clip(texts[tick]) for tick in ticks]
    axes.set_xticks(ticks, labels, fontsize=8)
    _turned(axes, labels)
    axes.minorticks_off()


def _tail(path: str) -> str:
    """The end of a long path, which tells more than its beginning."""
    return path if len(path) <= _LONGEST else f"…{path[1 - _LONGEST :]}"


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _turned(axes: Any, labels: list[str]) -> None:
    """Slant labels that would run into each other."""
    if max(map(len, labels)) * len(labels) > _ROOM:
        for label in axes.get_xticklabels():
            label.set(rotation=20, ha="right", rotation_mode="anchor")


def _upward(axes: Any, unit: str) -> None:
    """The axis of a figure in its unit, from 0 unless it spans decades."""
    from matplotlib.ticker import MultipleLocator

    low, high = axes.dataLim.intervaly
    if low > 0 and high >= 3 * _DECADE * low:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
        if unit == "s" and high > 0:
            step = next((s for s in _STEPS if high <= _MOST_TICKS * s), _STEPS[-1])
            axes.yaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_formatter(lambda value, _: wording.figure(value, unit))
    axes.tick_params(axis="y", labelsize=8)


def _legend(figure: Canvas, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(
            handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9
        )
