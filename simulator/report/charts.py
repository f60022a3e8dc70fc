"""Charts for reports: SVG with text that can be selected, the same bytes every time."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any

from simulator.findings.quantiles import exceedance as exceedance_of
from simulator.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.figure import Figure as Canvas

    from simulator.decide.advice import Comparison
    from simulator.findings.means import Interval

# Okabe and Ito's palette (2008), without yellow: distinguishable with any colour vision.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D31", "#555555")
MARKERS = "osD^vP*X"
_TICKS = (10, 30, 60, 300, 600, 1800, 3600, 4 * 3600, 12 * 3600, 86_400, 7 * 86_400, 30 * 86_400)


def colours(names: Iterable[str]) -> dict[str, str]:
    """One colour per strategy, the same in every picture of a comparison."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}


def sheet(width: float, height: float) -> Canvas:
    """An empty figure of this size in inches, drawn the same way every time."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "deploysim"
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["font.family"] = "sans-serif"
    return Figure(figsize=(width, height), layout="constrained")


def plain(axes: Any) -> Any:
    """The same axes with a light grid and without a box."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def _canvas(width: float, height: float) -> tuple[Canvas, Any]:
    figure = sheet(width, height)
    return figure, plain(figure.subplots())


def svg(figure: Canvas, title: str, description: str) -> str:
    """The figure as an SVG element with title and description for screen readers."""
    from markupsafe import escape

    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    label = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    head, _, rest = text.partition(">")
    return f'{head} role="img" preserveAspectRatio="xMidYMid meet">{label}{rest}'


def time_against_harm(comparison: Comparison) -> str:
    """Time to deploy a good release against users harmed by a bad one, with pace curves."""
    figure, axes = _canvas(7.4, 4.2)
    palette = colours(comparison.risk)
    for number, (name, risk) in enumerate(comparison.risk.items()):
        time = risk.given_good.time_to_deploy.mean
        harm = risk.given_defect.users_harmed.mean
        if None in (time.value, harm.value):
            continue
        curve = comparison.pace.get(name, ())
        points = [
            (p.time_to_deploy.value, p.users_harmed.value)
            for p in curve
            if p.time_to_deploy.value is not None and p.users_harmed.value is not None
        ]
        if len(points) > 1:
            axes.plot(*zip(*points, strict=True), color=palette[name], linewidth=1.4, alpha=0.6)
        axes.errorbar(
            [time.value],
            [harm.value],
            xerr=_arms(time),
            yerr=_arms(harm),
            fmt=MARKERS[number % len(MARKERS)],
            color=palette[name],
            markersize=8,
            capsize=2,
            linewidth=1,
        )
        axes.annotate(
            name,
            (time.value, harm.value),
            xytext=(8, 6),
            textcoords="offset points",
            color=palette[name],
            fontsize=9,
        )
    _time_axis(axes)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axes.set_xlabel("time to deploy a good release (log scale)")
    axes.set_ylabel("users harmed by a defective one (mean)")
    axes.margins(x=0.15, y=0.12)
    return svg(
        figure,
        "Time against harm",
        "Each strategy's time to deploy against the share of users harmed given a defect; "
        "lines show other paces. Lower left is better.",
    )


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


def _arms(interval: Interval) -> list[list[float]]:
    value = interval.value or 0.0
    low = value if interval.low is None else interval.low
    high = value if interval.high is None else interval.high
    return [[max(value - low, 0.0)], [max(high - value, 0.0)]]


def exceedance(comparison: Comparison) -> str:
    """The chance that a bad release harms more than a given share of the users."""
    figure, axes = _canvas(7.4, 3.8)
    palette = colours(comparison.risk)
    dashes = ("-", "--", "-.", ":")
    for number, (name, risk) in enumerate(comparison.risk.items()):
        given = risk.given_defect
        curve = exceedance_of(given.values("users_harmed"), given.strata)
        axes.fill_between(
            curve.x,
            curve.low,
            curve.high,
            step="post",
            color=palette[name],
            alpha=0.12,
            linewidth=0,
        )
        axes.step(
            curve.x,
            curve.share,
            where="post",
            color=palette[name],
            label=name,
            linestyle=dashes[number % len(dashes)],
            linewidth=1.6,
        )
    axes.set_xlim(0, None)
    axes.set_ylim(0, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axes.set_xlabel("share of users harmed, x")
    axes.set_ylabel("chance that a bad release harms more than x")
    axes.legend(frameon=False, fontsize=8)
    return svg(
        figure,
        "Exceedance of users harmed",
        "For each strategy the probability, given a defective release, that the share of users "
        "harmed exceeds x. Lower is better.",
    )
