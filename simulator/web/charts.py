"""Charts of the page (Altair): one colour per strategy, named beside its point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd
import streamlit as st

from simulator.report import wording
from simulator.report.charts import colours

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison

_TICKS = (1, 5, 10, 30, 60, 240, 720, 1440, 10_080, 43_200)
_LABEL = (
    "datum.value < 60 ? datum.value + ' min' : "
    "datum.value < 1440 ? datum.value / 60 + ' h' : datum.value / 1440 + ' d'"
)


def ink() -> str:
    """The colour of texts in charts, legible on the visitor's background."""
    return "#E8E8E8" if st.context.theme.type == "dark" else "#262730"


def _points(comparison: Comparison) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A row per strategy, and a row per point of its pace curve."""
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for name, risk in comparison.risk.items():
        time = risk.given_good.time_to_deploy.mean
        harm = risk.given_defect.users_harmed.mean
        if time.value is None or harm.value is None:
            continue
        rows.append(
            {
                "strategy": name,
                "minutes": time.value / 60,
                "from": (time.low or time.value) / 60,
                "to": (time.high or time.value) / 60,
                "harmed": harm.value,
                "least": max(harm.low or 0.0, 0.0),
                "most": harm.high,
                "deploys in": wording.length(time.value),
                "users harmed": wording.share(harm.value),
            }
        )
        curves += [
            {
                "strategy": name,
                "minutes": p.time_to_deploy.value / 60,
                "harmed": p.users_harmed.value,
            }
            for p in comparison.pace.get(name, ())
            if p.time_to_deploy.value is not None and p.users_harmed.value is not None
        ]
    return rows, curves


def time_against_harm(comparison: Comparison) -> Any:
    """Time to deploy a good release against users harmed by a bad one, with intervals."""
    palette = colours(comparison.scenario.strategies)
    rows, curves = _points(comparison)
    data = pd.DataFrame(rows)
    colour = alt.Color(
        "strategy:N",
        scale=alt.Scale(domain=list(palette), range=list(palette.values())),
        legend=None,
    )
    minutes = alt.X(
        "minutes:Q",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(values=list(_TICKS), labelExpr=_LABEL),
        title="time to deploy a good release (log scale)",
    )
    harmed = alt.Y(
        "harmed:Q", axis=alt.Axis(format="%"), title="users harmed by a defective release"
    )
    base = alt.Chart(data).encode(color=colour)
    layers = [
        base.mark_rule(strokeWidth=1.5).encode(x=minutes, y=alt.Y("least:Q"), y2="most:Q"),
        base.mark_rule(strokeWidth=1.5).encode(x=alt.X("from:Q"), x2="to:Q", y=harmed),
        base.mark_point(filled=True, size=110, opacity=1).encode(
            x=minutes, y=harmed, tooltip=["strategy", "deploys in", "users harmed"]
        ),
        alt.Chart(data)
        .mark_text(align="left", dx=9, dy=-8, fontSize=13, color=ink())
        .encode(x=minutes, y=harmed, text="strategy:N"),
    ]
    if curves:
        lines = alt.Chart(pd.DataFrame(curves)).mark_line(opacity=0.5, strokeWidth=2)
        layers.insert(0, lines.encode(x=minutes, y=harmed, color=colour))
    return alt.layer(*layers).properties(height=380)
