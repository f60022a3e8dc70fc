"""The year of every strategy as a table, a sentence, plain data, and loss exceedance curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.report import charts, wording
from simulator.report.headlines import Cell, Row

if TYPE_CHECKING:
    from simulator.decide.years import Annual, Years
    from simulator.findings.means import Interval

COLUMNS = (
    ("a good", "release"),
    ("a bad", "release"),
    ("a year,", "mean"),
    ("a year of", "twenty: above"),
    ("a year of a", "hundred: above"),
    ("mean of the", "worst 5 %"),
)
_FIGURES = ("good", "bad", "mean", "var95", "var99", "cvar95")
_LEAST, _DECADE = 0.002, 10.0
_DASHES = ("-", "--", "-.", ":")


def rows(years: Years) -> list[Row]:
    """The losses of every strategy in the order of `COLUMNS`, the smallest of each marked."""
    best = [
        min((v for one in _able(years) if (v := _value(one, f)) is not None), default=None)
        for f in _FIGURES
    ]
    return [
        Row(
            one.strategy,
            "; ".join(one.reasons),
            tuple(
                _cell(getattr(one, figure), None if one.reasons else least, years.currency)
                for figure, least in zip(_FIGURES, best, strict=True)
            ),
        )
        for one in years.strategies
    ]


def _able(years: Years) -> list[Annual]:
    """The strategies that can be carried out."""
    return [one for one in years.strategies if not one.reasons]


def _value(one: Any, figure: str) -> float | None:
    value: float | None = getattr(one, figure).value
    return value


def _cell(interval: Interval, least: float | None, currency: str) -> Cell:
    value = interval.value
    return Cell(
        wording.figure(value, "money", currency),
        wording.between(interval, "money"),
        value is not None and value == least,
    )


def sentence(years: Years) -> str:
    """How many bad releases a year has, and which strategy's year is the cheapest."""
    mean, low, high = years.bad_releases
    text = (
        f"Of {years.releases:,} releases a year, {wording.share(years.chance)} of them defective, "
        f"{wording.count(mean or 0.0)} are bad on average and {wording.count(low or 0.0)} to "
        f"{wording.count(high or 0.0)} in nine years of ten; "
        f"{wording.share(years.spotless)} of the years have none. "
    )
    if not _able(years):
        return text + "No strategy can be carried out."
    cheapest = min(_able(years), key=lambda one: one.mean.value or 0.0)
    calmest = min(_able(years), key=lambda one: one.cvar95.value or 0.0)
    if calmest is cheapest:
        return text + f"Cheapest on average and in the worst years: {cheapest.strategy}."
    return text + (
        f"Cheapest on average: {cheapest.strategy}; in the worst years: {calmest.strategy}."
    )


def method(years: Years) -> str:
    """How the years were made, and what their intervals mean."""
    return (
        f"{years.years:,} simulated years of independent releases, each drawn from "
        f"{years.replications} replications a strategy; no release costs more than the worst of "
        "them. 95 % intervals: finite numbers of replications (200 bootstrap samples within "
        "strata) and of years."
    )


def document(years: Years) -> dict[str, Any]:
    """The years as plain data; missing values are None."""
    return {
        "releases": years.releases,
        "years": years.years,
        "defect_probability": years.chance,
        "currency": years.currency,
        "bad_releases": dict(zip(("mean", "p5", "p95"), years.bad_releases, strict=True)),
        "without_bad_release": years.spotless,
        "strategies": {
            one.strategy: {
                **{
                    figure: dict(getattr(one, figure)._asdict())
                    for figure in (*_FIGURES[:3], "sd", *_FIGURES[3:])
                },
                "curve": {key: list(values) for key, values in one.curve._asdict().items()},
            }
            for one in years.strategies
        },
    }


def exceedance(years: Years) -> str:
    """The chance that a year costs more than x, for every strategy, as one SVG element."""
    figure, axes = charts.canvas(7.4, 4.2)
    palette = charts.colours(one.strategy for one in years.strategies)
    for number, one in enumerate(years.strategies):
        colour, curve = palette[one.strategy], one.curve
        axes.fill_between(
            *(curve.x, [max(low, _LEAST / 2) for low in curve.low], curve.high),
            **{"step": "post", "color": colour, "alpha": 0.12, "linewidth": 0},
        )
        axes.step(
            *(curve.x, curve.share),
            where="post",
            color=colour,
            linestyle=_DASHES[number % len(_DASHES)],
            linewidth=1.6,
            label=one.strategy,
        )
    _scales(axes, years)
    axes.set_xlabel(f"loss of a year, x ({years.currency})")
    axes.set_ylabel("chance that a year costs more than x")
    figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    return charts.svg(
        figure,
        "year",
        "Loss exceedance of a year",
        f"For each strategy the probability that the {years.releases} releases of a year cost "
        f"more than x {years.currency}. Lower is better.",
    )


def _scales(axes: Any, years: Years) -> None:
    """Chances on a logarithmic scale, so that 5 % and 1 % can be read; losses where they span."""
    axes.set_yscale("log")
    axes.set_ylim(_LEAST, 1.15)
    ticks = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
    axes.set_yticks(ticks, [wording.share(tick) for tick in ticks])
    axes.minorticks_off()
    seen = [
        x
        for one in years.strategies
        for x, share in zip(one.curve.x, one.curve.share, strict=True)
        if share >= _LEAST
    ]
    low = min((x for x in seen if x > 0), default=0.0)
    high = max(seen, default=1.0)
    if low > 0 and high >= _DECADE * low:
        axes.set_xscale("log")
        axes.set_xlim(max(low, high / 1e4), high * 1.1)
    else:
        axes.set_xlim(0 if low < 0.5 * high else math.floor(low * 0.95), high * 1.05)
    axes.xaxis.set_major_formatter(lambda value, _: wording.money(value))
