"""Charts of a comparison (Altair): one colour per strategy, named beside what it draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd
import streamlit as st

from simulator.report import charts as report_charts
from simulator.report import series, wording

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.report.series import Look

_TICKS = (0.1, 1, 2, 5, 10, 30, 60, 240, 720, 1440, 4320, 10_080, 43_200)
_LABEL = (
    "datum.value < 1 ? 'at once' : datum.value < 60 ? datum.value + ' min' : "
    "datum.value < 1440 ? datum.value / 60 + ' h' : datum.value / 1440 + ' d'"
)
STAGES = dict(zip(series.STAGES, report_charts.STAGES, strict=True))
_SHAPES = ("circle", "triangle-up")
_TALL, _ROW = 380, 26
_NEAR, _CLOSE, _MARGIN, _ROOMY, _INSTANT = 6, 0.07, 1.9, 5.0, 6.0
_MANY, _SAME_TIME, _SAME_HARM = 8, 1.25, 0.03
_NAMED_AT, _NAME = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.27, 0.35, 0.45, 0.55, 0.65), 0.3


def dark() -> bool:
    """Whether the visitor's background is dark."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """The colour of texts in charts, legible on the visitor's background."""
    return "#E8E8E8" if dark() else "#262730"


def colours(names: Iterable[str]) -> dict[str, str]:
    """The colour of every strategy, as in reports; lighter where the background is dark."""
    found = report_charts.colours(names)
    return {
        name: report_charts.LIGHTER.get(one, one) if dark() else one for name, one in found.items()
    }


def _scale(palette: Mapping[str, str]) -> Any:
    return alt.Scale(domain=list(palette), range=list(palette.values()))


def _coloured(palette: Mapping[str, str]) -> Any:
    return alt.Color("strategy:N", scale=_scale(palette), legend=None)


def _frame(rows: Sequence[Any], kind: type) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(kind._fields))  # type: ignore[attr-defined]


def written(names: Iterable[str]) -> dict[str, str]:
    """What is written beside a strategy's points and lines: its name, or with many its number."""
    listed = list(dict.fromkeys(names))
    many = len(listed) > _MANY
    return {name: str(place) if many else name for place, name in enumerate(listed, 1)}


def numbered(names: Iterable[str]) -> dict[str, str]:
    """The colour of every number with its strategy's name; empty where names are written."""
    palette = colours(names)
    texts = written(palette)
    return {f"{texts[name]} {name}": ink for name, ink in palette.items() if texts[name] != name}


def everyone(variants: Mapping[str, Comparison]) -> dict[str, str]:
    """The colours of all strategies of all variants."""
    names = [name for found in variants.values() for name in found.scenario.strategies]
    return colours(dict.fromkeys(names))


def time_against_harm(variants: Mapping[str, Comparison]) -> Any:
    """Time to deploy a good release against users harmed by a bad one, of one or two variants."""
    frames, curves = [], []
    for number, (label, found) in enumerate(variants.items()):
        data = _frame(series.points(found), series.Point)
        data["variant"], data["named"] = label, data.strategy
        data["written"] = data.strategy.map(written(everyone(variants)))
        if len(variants) > 1:
            data["named"] = data.strategy + f" ({label})"
            data["written"] += f" ({label})"
        frames.append(data.assign(shape=_SHAPES[number]))
        curve = _frame(series.paces(found), series.PaceRow)
        curves.append(curve.assign(line=curve.strategy + label))
    data, curve = pd.concat(frames, ignore_index=True), pd.concat(curves, ignore_index=True)
    for column in ("time", "time_low", "time_high"):
        data[column] = data[column].clip(lower=_INSTANT) / 60
    curve["time"] = curve.time.clip(lower=_INSTANT) / 60
    data["written"] = _together(data)
    return alt.layer(*_plane(data, curve, everyone(variants))).properties(height=_TALL)


def _plane(data: pd.DataFrame, curve: pd.DataFrame, palette: Mapping[str, str]) -> list[Any]:
    colour, fill = _coloured(palette), alt.Fill("strategy:N", scale=_scale(palette), legend=None)
    x = alt.X(
        "time:Q",
        scale=alt.Scale(type="log", nice=False, domain=_around(data, curve)),
        axis=alt.Axis(values=list(_TICKS), labelExpr=_LABEL, labelOverlap=True),
        title="time to deploy a good release (log scale)",
    )
    y = alt.Y(
        "harm:Q",
        axis=alt.Axis(format="~%"),
        scale=alt.Scale(zero=True),
        title="users harmed by a bad release, mean",
    )
    base = alt.Chart(data).encode(color=colour)
    tooltip = [
        alt.Tooltip("named:N", title="strategy"),
        alt.Tooltip("deploys_in:N", title="deploys in"),
        alt.Tooltip("harmed:N", title="users harmed"),
    ]
    layers = [
        alt.Chart(curve)
        .mark_line(opacity=0.45, strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, detail="line:N"),
        base.mark_rule(strokeWidth=1.5, clip=True).encode(x=x, y="harm_low:Q", y2="harm_high:Q"),
        base.mark_rule(strokeWidth=1.5, clip=True).encode(x="time_low:Q", x2="time_high:Q", y=y),
        base.mark_point(size=120, opacity=1, strokeWidth=2).encode(
            x=x,
            y=y,
            shape=alt.Shape("shape:N", scale=None),
            fill=fill,
            fillOpacity=alt.condition("datum.unbeaten", alt.value(1), alt.value(0)),
            tooltip=tooltip,
        ),
    ]
    sides = _sides(data)
    for (side, below), some in data.groupby([sides, _below(data, sides)], sort=True):
        layers.append(
            alt.Chart(some)
            .mark_text(
                align="left" if side == "right" else "right",
                dx=10 if side == "right" else -10,
                dy=18 if below else -9,
                fontSize=13,
                color=ink(),
            )
            .encode(x=x, y=y, text="written:N")
        )
    return layers


def _together(data: pd.DataFrame) -> list[str]:
    """Texts of points; those of points at the same place stand together beside the first."""
    rows: list[dict[Any, Any]] = data.to_dict("records")
    top = max([row["harm"] for row in rows], default=0.0) or 1.0
    firsts: list[dict[Any, Any]] = []
    for row in rows:
        for first in firsts:
            apart = max(row["time"], first["time"]) / min(row["time"], first["time"])
            if apart < _SAME_TIME and abs(row["harm"] - first["harm"]) < _SAME_HARM * top:
                first["written"] += f" · {row['written']}"
                row["written"] = ""
                break
        else:
            firsts.append(row)
    return [row["written"] for row in rows]


def _around(data: pd.DataFrame, curve: pd.DataFrame) -> list[float]:
    """A range of minutes with room for names at both ends."""
    times = [*data.time, *curve.time]
    least, most = min(times, default=1.0), max(times, default=1.0)
    left = data[_sides(data) == "left"].time.min() if len(data) else most
    room = _ROOMY if left < least * _ROOMY / _MARGIN else _MARGIN
    return [max(least, 0.05) / room, max(most, 0.1) * _MARGIN]


def _sides(data: pd.DataFrame) -> pd.Series[str]:
    """On which side of its point a name stands: away from a neighbour, and from the edge."""
    rows: list[dict[Any, Any]] = data.to_dict("records")
    top = max([row["harm"] for row in rows], default=0.0) or 1.0
    longest = max([row["time"] for row in rows], default=0.0)
    placed = []
    for row in rows:
        near = [
            other
            for other in rows
            if 1 < other["time"] / row["time"] < _NEAR
            and abs(other["harm"] - row["harm"]) < _CLOSE * top
        ]
        last = row["time"] >= longest / 2 and len(rows) > 1
        placed.append("left" if near or last else "right")
    return pd.Series(placed, index=data.index)


def _below(data: pd.DataFrame, sides: pd.Series[str]) -> pd.Series[bool]:
    """Whether a name stands below its point: every other one of neighbours on the same side."""
    rows: list[dict[Any, Any]] = data.assign(side=sides, below=False).to_dict("records")
    top = max([row["harm"] for row in rows], default=0.0) or 1.0
    before: dict[Any, Any] | None = None
    for row in sorted(rows, key=lambda row: float(row["time"])):
        if not row["written"]:
            continue
        if before and before["side"] == row["side"] and not before["below"]:
            near = row["time"] / before["time"] < _NEAR
            row["below"] = near and abs(row["harm"] - before["harm"]) < _CLOSE * top
        before = row
    return pd.Series([row["below"] for row in rows], index=data.index)


def _rows(found: Comparison) -> Any:
    """Strategies down, in the scenario's order."""
    return alt.Y(
        "strategy:N",
        sort=list(found.risk),
        title=None,
        axis=alt.Axis(labelLimit=220, labelOverlap=False),
    )


def _stacked(
    data: pd.DataFrame, found: Comparison, what: str, kinds: Sequence[str], inks: Sequence[str]
) -> Any:
    """Bars that add up, from the left in the order of their kinds."""
    return (
        alt.Chart(data)
        .mark_bar(stroke=ink(), strokeWidth=0.4)
        .encode(
            y=_rows(found),
            color=alt.Color(
                f"{what}:N",
                scale=alt.Scale(domain=list(kinds), range=list(inks)),
                legend=None,
            ),
            order="order:Q",
            tooltip=["strategy:N", f"{what}:N", "text:N"],
        )
        .properties(height=alt.Step(_ROW))
    )


def detected(found: Comparison) -> Any:
    """When bad releases are detected: before full exposure, watched, later, never."""
    data = _frame(series.stages(found), series.Stage)
    x = alt.X("share:Q", axis=alt.Axis(format="%"), title="bad releases", stack="zero")
    return _stacked(data, found, "stage", list(STAGES), list(STAGES.values())).encode(x=x)


def parts_of_bill(found: Comparison) -> dict[str, str]:
    """The parts that a bill has, in their order, each with its colour."""
    rows = sorted(series.bill(found), key=lambda row: row.order)
    return {row.part: report_charts.BILL[int(row.order)] for row in rows}


def bill(found: Comparison) -> Any:
    """What one release costs on average, good or bad, by its parts."""
    data = _frame(series.bill(found), series.Part)
    parts = parts_of_bill(found)
    currency = found.scenario.costs.currency
    x = alt.X("amount:Q", title=f"{currency} a release", stack="zero")
    bars = _stacked(data, found, "part", list(parts), list(parts.values())).encode(x=x)
    totals = [(name, risk.all.loss.mean.value or 0.0) for name, risk in found.risk.items()]
    rows = [(name, total, wording.money(total, currency)) for name, total in totals]
    texts = (
        alt.Chart(pd.DataFrame(rows, columns=["strategy", "total", "text"]))
        .mark_text(align="left", dx=5, fontSize=12, color=ink())
        .encode(y=_rows(found), x="total:Q", text="text:N")
    )
    return alt.layer(bars, texts).properties(height=alt.Step(_ROW))


def exceedance(found: Comparison, widest: float) -> Any:
    """The chance that a bad release harms more than a share of the users, up to `widest`."""
    data = _frame(series.exceedances(found), series.Exceeds)
    palette = colours(found.scenario.strategies)
    x = alt.X(
        "x:Q",
        axis=alt.Axis(format="~%"),
        scale=alt.Scale(domain=[0, max(widest, 1e-6)]),
        title="share of users harmed, x",
    )
    title = "bad releases that harm more than x"
    axis = alt.Axis(format="%")
    base = alt.Chart(data).encode(x=x, color=_coloured(palette))
    band = base.mark_area(interpolate="step-after", opacity=0.12).encode(
        y=alt.Y("low:Q", title=title, axis=axis), y2="high:Q"
    )
    line = base.mark_line(interpolate="step-after", strokeWidth=2).encode(
        y=alt.Y("share:Q", axis=axis, title=title),
        strokeDash=alt.StrokeDash("strategy:N", scale=alt.Scale(domain=list(palette)), legend=None),
        tooltip=[
            "strategy:N",
            alt.Tooltip("x:Q", format=".2%", title="more than"),
            alt.Tooltip("share:Q", format=".1%", title="chance"),
        ],
    )
    places = _where_named(data)
    places["written"] = places.strategy.map(written(palette))
    named = alt.Chart(places).encode(x=x, y="share:Q", text="written:N")
    style: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold", "dy": -9, "align": "left"}
    halo = named.mark_text(stroke="#191919" if dark() else "#FFFFFF", strokeWidth=4, **style)
    names = named.mark_text(**style).encode(color=_coloured(palette))
    return alt.layer(band, line, halo, names).properties(height=340)


def _where_named(data: pd.DataFrame) -> pd.DataFrame:
    """For each curve the point to write its name at: away from other curves and other names."""
    wide = float(data.x.max() or 1.0)
    grid = [wide * part for part in _NAMED_AT]
    curves = {
        name: [float(part.share.iloc[max(int((part.x <= x).sum()) - 1, 0)]) for x in grid]
        for name, part in data.sort_values("x").groupby("strategy", sort=False)
    }
    top = float(data.share.max() or 1.0)
    placed: list[tuple[Any, float, float]] = []
    for name, curve in curves.items():
        others = [other for key, other in curves.items() if key != name]

        def free(k: int, curve: list[float] = curve, others: list[list[float]] = others) -> float:
            """How far a point is from what is there."""
            lines = min([abs(curve[k] - other[k]) for other in others], default=top) / top
            taken = [
                abs(curve[k] - y) / top for _, x, y in placed if abs(grid[k] - x) < _NAME * wide
            ]
            return min(lines, 0.1) + min([*taken, 0.2])

        best = max(range(len(grid)), key=free)
        placed.append((name, grid[best], curve[best]))
    return pd.DataFrame(placed, columns=["strategy", "x", "share"])


def apart(places: Sequence[float], gap: float) -> list[float]:
    """Ascending places moved up so that neighbours are at least `gap` apart."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + gap) if found else place)
    return found


def beside(names: Iterable[str]) -> int:
    """Pixels for names that stand beside a chart."""
    return min(20 + 7 * max(map(len, names), default=0), 240)


def narrowing(looks: Sequence[Look], colour: str) -> Any:
    """How the interval of one figure shrank with ever more replications."""
    data = pd.DataFrame(looks, columns=["n", "value", "low", "high", "text"])
    data["n"] = data.n.map("{:,}".format)
    x = alt.X("n:N", sort=None, title="replications", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(data).encode(x=x, tooltip=["n:N", "text:N"])
    y = alt.Y("low:Q", axis=alt.Axis(format="~%", tickCount=3), title=None)
    return alt.layer(
        base.mark_rule(strokeWidth=3, color=colour).encode(y=y, y2="high:Q"),
        base.mark_point(filled=True, size=70, color=colour, opacity=1).encode(y="value:Q"),
    ).properties(height=130)
