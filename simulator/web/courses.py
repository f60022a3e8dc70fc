"""Charts of a replay (Altair): traffic, bad requests and events of one strategy."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from simulator.report.courses import EVENTS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.report.courses import Axis, Mark, Piece

_LABEL = (
    "datum.value == 0 ? '0' : datum.value < 3600 ? format(datum.value / 60, '~g') + ' min' : "
    "datum.value < 172800 ? format(datum.value / 3600, '~g') + ' h' : "
    "format(datum.value / 86400, '~g') + ' d'"
)
_SHAPES = ("circle", "diamond", "square", "triangle-up")
_LEFT, _TALL, _LANES, _PLACES = 84, 110, 150, 44
_SHARE = "format(datum.value, '.0%')"
_COUNT = "datum.value == 0 ? '0' : format(datum.value, '~s')"


def _time(along: Axis, labelled: bool) -> Any:
    scale = (
        alt.Scale(type="symlog", constant=60, domain=[0, along.end], nice=False)
        if along.stretched
        else alt.Scale(domain=[0, along.end], nice=False)
    )
    axis = alt.Axis(
        values=list(along.ticks),
        labelExpr=_LABEL,
        labels=labelled,
        ticks=labelled,
        labelOverlap="greedy",
        labelBound=5,
    )
    title = "time since the decision to deploy" if labelled else None
    return alt.X("time:Q", scale=scale, axis=axis, title=title)


def _stairs(
    pieces: Sequence[Piece], along: Axis, field: str, colour: str, top: float, name: str, label: str
) -> Any:
    """A stepped area with its title above it."""
    rows = [{"time": piece.start, "value": getattr(piece, field)} for piece in pieces]
    if pieces:
        rows.append({"time": pieces[-1].end, "value": getattr(pieces[-1], field)})
    return (
        alt.Chart(pd.DataFrame(rows, columns=["time", "value"]))
        .mark_area(
            interpolate="step-after", color=colour, opacity=0.35, line={"color": colour, "size": 2}
        )
        .encode(
            x=_time(along, False),
            y=alt.Y(
                "value:Q",
                scale=alt.Scale(domain=[0, top], nice=False),
                axis=alt.Axis(
                    labelExpr=label, tickCount=2, minExtent=_LEFT, maxExtent=_LEFT, grid=True
                ),
                title=None,
            ),
        )
        .properties(height=_TALL, title=_above(name))
    )


def _above(text: str) -> Any:
    return alt.TitleParams(text, anchor="start", fontSize=12, fontWeight="normal", offset=4)


def _events(found: Sequence[Mark], along: Axis, ink: str) -> Any:
    """A lane for each event, named on the axis; its time is written beside it."""
    rows = [mark._asdict() for mark in found]
    data = pd.DataFrame(rows, columns=["time", "event", "text", "late"])
    lanes = alt.Y(
        "event:N",
        sort=list(EVENTS),
        scale=alt.Scale(domain=list(EVENTS)),
        axis=alt.Axis(minExtent=_LEFT, maxExtent=_LEFT, grid=True, domain=False, ticks=False),
        title=None,
    )
    base = alt.Chart(data).encode(x=_time(along, True), y=lanes)
    points = base.mark_point(filled=True, size=90, opacity=1, color="#808080").encode(
        shape=alt.Shape(
            "event:N", scale=alt.Scale(domain=list(EVENTS), range=list(_SHAPES)), legend=None
        ),
        tooltip=["event", "text"],
    )
    texts = [
        base.transform_filter(alt.datum.late == late)
        .mark_text(align="right" if late else "left", dx=-9 if late else 9, fontSize=12, color=ink)
        .encode(text="text:N")
        for late in (False, True)
    ]
    return alt.layer(points, *texts).properties(height=_LANES)


_STATES = ("#3182BD", "#E6860A", "#C7C7C7", "#8C6BB1")
_LETTERS = ("O", "N", "S", "L")


def states() -> dict[str, str]:
    """Every state of an instance with its letter, and its colour."""
    return {
        f"{letter}: {state}": ink
        for letter, state, ink in zip(_LETTERS, STATES, _STATES, strict=True)
    }


def _states() -> Any:
    return alt.Scale(domain=list(STATES), range=list(_STATES))


def tiles(rows: Sequence[tuple[str, int, str]], names: Sequence[str], ink: str) -> Any:
    """The fleets of all strategies at one moment: a tile for so many instances.

    Neighbours of one state share a letter, large enough to be read on a phone.
    """
    data = pd.DataFrame(rows, columns=["strategy", "place", "state"])
    y = alt.Y(
        "strategy:N",
        sort=list(names),
        scale=alt.Scale(domain=list(names)),
        title=None,
        axis=alt.Axis(labelLimit=160, labelOverlap=False, domain=False, ticks=False),
    )
    x = alt.X("place:O", axis=None, scale=alt.Scale(domain=list(range(_PLACES))))
    base = alt.Chart(data).encode(x=x, y=y)
    squares = base.mark_rect(stroke=ink, strokeWidth=0.5).encode(
        color=alt.Color("state:N", scale=_states(), legend=None),
        tooltip=["strategy:N", "state:N"],
    )
    style: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold"}
    letters = alt.Chart(_lettered(rows)).encode(y=y, x=x, text="letter:N")
    inside = letters.transform_filter("!datum.beside").mark_text(color="#111111", **style)
    beside = letters.transform_filter("datum.beside").mark_text(color=ink, **style)
    return alt.layer(squares, inside, beside).properties(height=alt.Step(26))


def _lettered(rows: Sequence[tuple[str, int, str]]) -> pd.DataFrame:
    """Where letters stand: in the middle of a run of tiles, or beside a last one that is alone."""
    named = dict(zip(STATES, _LETTERS, strict=True))
    lasts = {strategy: place for strategy, place, _ in rows}
    found = []
    for (strategy, state), run in groupby(rows, key=lambda row: (row[0], row[2])):
        places = [place for _, place, _ in run]
        if len(places) > 1:
            found.append((strategy, places[(len(places) - 1) // 2], named[state], False))
        elif places[0] == lasts[strategy] and places[0] + 1 < _PLACES:
            found.append((strategy, places[0] + 1, named[state], True))
    return pd.DataFrame(found, columns=["strategy", "place", "letter", "beside"])


def _fleet(pieces: Sequence[Piece], along: Axis) -> Any:
    """Instances by version and state, one above the other."""
    edges = [(piece.start, piece.fleet) for piece in pieces]
    edges += [(pieces[-1].end, pieces[-1].fleet)] if pieces else []
    rows = [
        (time, state, order, count)
        for time, fleet in edges
        for order, (state, count) in enumerate(zip(STATES, fleet, strict=True))
    ]
    data = pd.DataFrame(rows, columns=["time", "state", "order", "instances"])
    return (
        alt.Chart(data)
        .mark_area(interpolate="step-after")
        .encode(
            x=_time(along, False),
            y=alt.Y(
                "instances:Q",
                stack="zero",
                axis=alt.Axis(tickCount=2, minExtent=_LEFT, maxExtent=_LEFT, format="~s"),
                title=None,
            ),
            color=alt.Color("state:N", scale=_states(), legend=None),
            order="order:Q",
        )
        .properties(height=_TALL, title=_above("instances, coloured as the tiles above"))
    )


def course(
    pieces: Sequence[Piece],
    found: Sequence[Mark],
    along: Axis,
    top: float,
    inks: tuple[str, str],
) -> tuple[Any, Any, Any, Any]:
    """One strategy's traffic on the new version, fleet, bad requests a minute up to `top`, events.

    `inks` are the colours of its areas and of texts.
    """
    colour, ink = inks
    weight = _stairs(pieces, along, "weight", colour, 1.0, "traffic on the new version", _SHARE)
    bad = _stairs(pieces, along, "bad_a_minute", colour, top, "bad requests a minute", _COUNT)
    return weight, _fleet(pieces, along), bad, _events(found, along, ink)
