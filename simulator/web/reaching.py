"""Charts of how far a gate sees (Altair): power along its length, weight and traffic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from simulator.findings.reach import LENGTH, TRAFFIC, WEIGHT
from simulator.report.gates import FALSE_ALARM, TOGETHER, Dot
from simulator.web.charts import apart, beside, dark, ink

_TITLES = {
    LENGTH: "length of the gate",
    WEIGHT: "share of the traffic",
    TRAFFIC: "traffic, times today's",
}
_LABELS = {
    LENGTH: "datum.value < 100 ? format(datum.value, '~g') + ' s' : "
    "datum.value < 7200 ? format(datum.value / 60, '~g') + ' min' : "
    "datum.value < 172800 ? format(datum.value / 3600, '~g') + ' h' : "
    "format(datum.value / 86400, '~g') + ' d'",
    WEIGHT: "format(datum.value, '~%')",
    TRAFFIC: "format(datum.value, '~g') + ' x'",
}
_TICKS = {
    LENGTH: (
        *(1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400),
        *(172_800, 604_800, 1_209_600, 2_592_000, 7_776_000),
    ),
    WEIGHT: (0.001, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1),
    TRAFFIC: (0.001, 0.01, 0.1, 1, 10),
}
_INKS = ("#0072B2", "#C7682B", "#009E73", "#AA4499", "#8C6D31", "#5B7F95")
_INKS_ON_DARK = ("#4A9EDB", "#E6965A", "#2FBF94", "#D98BC9", "#C9A75A", "#9FBBCB")
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 2])
_TALL, _GAP, _WANTED = 260, 0.11, 0.9


def along(found: Sequence[Dot], now: float) -> Any:
    """Power of every detector along one setting; today's value is a line, 90 % another."""
    data = pd.DataFrame(found, columns=list(Dot._fields))
    what = str(data.along.iloc[0])
    names = [TOGETHER, *(n for n in dict.fromkeys(data.line) if n not in (TOGETHER, FALSE_ALARM))]
    inks = [ink(), *(_INKS_ON_DARK if dark() else _INKS)][: len(names)]
    names, inks = [*names, FALSE_ALARM], [*inks, "#A0A0A0" if dark() else "#707070"]
    dashes = [*_DASHES[: len(names) - 1], [1, 4]]
    colour = alt.Color("line:N", scale=alt.Scale(domain=names, range=inks), legend=None)
    dash = alt.StrokeDash("line:N", scale=alt.Scale(domain=names, range=dashes), legend=None)
    least, most = float(data["at"].min()), float(data["at"].max())
    x = alt.X(
        "at:Q",
        scale=alt.Scale(type="log", domain=[least, most], nice=False),
        axis=alt.Axis(
            values=[tick for tick in _TICKS[what] if least <= tick <= most],
            labelExpr=_LABELS[what],
            labelOverlap="greedy",
        ),
        title=_TITLES[what],
    )
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="~%", tickCount=5),
        title="releases detected",
    )
    base = alt.Chart(data).encode(x=x, color=colour)
    tooltip = ["line:N", *(alt.Tooltip(f"{k}:N", title=k) for k in ("at_text", "requests", "text"))]
    band = base.transform_filter(alt.datum.line == TOGETHER).mark_area(opacity=0.15, color=ink())
    layers = [
        band.encode(y=alt.Y("low:Q", title="releases detected"), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y, strokeDash=dash),
        base.mark_circle(size=36, opacity=1).encode(y=y, tooltip=tooltip),
        _names(data, colour, x),
        _rule(now, x),
        alt.Chart(pd.DataFrame({"value": [_WANTED]}))
        .mark_rule(strokeDash=[2, 3], color=ink(), opacity=0.6)
        .encode(y=y),
    ]
    padding = {"left": 5, "right": beside(names), "top": 22, "bottom": 5}
    return alt.layer(*layers).properties(height=_TALL, padding=padding)


def _names(data: pd.DataFrame, colour: Any, x: Any) -> Any:
    """Every line's name at its right end, kept apart from each other."""
    ends = data.sort_values("at").groupby("line", sort=False).tail(1).sort_values("value")
    places = apart(ends.value.tolist(), _GAP)
    over = max(places[-1] - 1.0, 0.0)
    placed = ends.assign(place=[max(place - over, 0.0) for place in places])
    return (
        alt.Chart(placed)
        .mark_text(align="left", dx=7, fontSize=12, clip=False)
        .encode(x=x, y=alt.Y("place:Q", title="releases detected"), text="line:N", color=colour)
    )


def _rule(now: float, x: Any) -> Any:
    """Today's value."""
    data = pd.DataFrame({"at": [now], "text": ["now"]})
    rule = alt.Chart(data).mark_rule(color=ink(), strokeDash=[4, 2]).encode(x=x)
    text = (
        alt.Chart(data)
        .mark_text(align="center", baseline="bottom", dy=-3, fontSize=12, color=ink())
        .encode(x=x, y=alt.value(0), text="text:N")
    )
    return rule + text
