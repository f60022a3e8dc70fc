"""What stands behind an answer: the pictures and tables of the page Compare."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from simulator.decide.advice import Comparison
from simulator.report import headlines, series, wording
from simulator.report.headlines import Cell
from simulator.web import charts
from simulator.web.answers import named
from simulator.web.legend import legend
from simulator.web.plain import frame, plain


def show(found: Mapping[str, Comparison]) -> None:
    """Everything behind an answer."""
    plane(found)
    st.subheader("The strategies side by side")
    table(found)
    widest = max(row.x for one in found.values() for row in series.exceedances(one))
    for title, draw in (
        ("Where bad releases are caught", detected),
        ("How bad it can get", partial(exceedance, widest=widest)),
        ("The bill", bill),
        ("How sure is that?", certainty),
    ):
        st.subheader(title)
        for column, (label, one) in zip(st.columns(len(found)), found.items(), strict=True):
            with column:
                if len(found) > 1:
                    st.markdown(f"**Variant {label}**")
                draw(one)


def plane(found: Mapping[str, Comparison]) -> None:
    """Time against harm: a point for every strategy, as a chart and as a table."""
    st.subheader("Time against harm")
    legend(charts.numbered(charts.everyone(found)))
    st.altair_chart(
        charts.time_against_harm(found),
        width="stretch",
        alt="Time to deploy a good release against users harmed by a bad one, mean; the table has "
        "every point",
    )
    with st.expander("The points and curves as a table"):
        rows = [
            (name + (f" ({label})" if len(found) > 1 else ""), *rest)
            for label, one in found.items()
            for name, *rest in series.plane(one)
        ]
        st.table(frame(rows, series.PLANE), hide_index=True)
    st.caption(
        "Lower left is better. Filled: no other strategy is better in time, harm and extra cost. "
        "Bars: 95 % intervals, simulation error only. Lines: the same strategy with every bake, "
        "pause and wave 4 times shorter to 4 times longer."
        + (" Circles are variant A, triangles variant B." if len(found) > 1 else "")
    )


def table(found: Mapping[str, Comparison]) -> None:
    """Every strategy of every variant with its six figures and their intervals."""
    heads = ["strategy", *(" ".join(column) for column in headlines.COLUMNS)]
    told = [(label, row) for label, one in found.items() for row in headlines.rows(one)]
    order = list(dict.fromkeys(row.strategy for _, row in told))
    rows = [
        [row.strategy + (f" ({label})" if len(found) > 1 else ""), *map(_cell, row.cells)]
        for label, row in sorted(told, key=lambda item: order.index(item[1].strategy))
    ]
    st.table(frame(rows, heads), hide_index=True, alt="Six figures of every strategy")
    first = next(iter(found.values()))
    counts = first.results.replications
    st.caption(
        f"★ best of its column, {headlines.STARRED}. In brackets: 95 % intervals; ?: this end "
        f"takes more replications to know. {counts['bad']:,} bad and {counts['good']:,} good "
        "replications a strategy."
    )
    for name, reasons in first.results.reasons.items():
        if reasons:
            st.caption(f"Cannot be carried out here: {plain(name)}: {plain('; '.join(reasons))}")


def _cell(cell: Cell) -> str:
    star = "★ " if cell.best else ""
    return f"{star}{cell.value}" + (f" ({cell.interval})" if cell.interval else "")


def detected(one: Comparison) -> None:
    """When bad releases are detected, and by whom."""
    legend(charts.STAGES)
    st.altair_chart(
        charts.detected(one), width="stretch", alt="When bad releases are detected, by strategy"
    )
    with st.expander("As tables: when, at which step, and by whom"):
        stages = {(row.strategy, row.stage): row.text for row in series.stages(one)}
        rows = [[name, *(stages.get((name, s), "0 %") for s in charts.STAGES)] for name in one.risk]
        st.table(frame(rows, ("strategy", *charts.STAGES)), hide_index=True)
        where = [
            [name, headlines.caught(risk, "caught_at"), headlines.caught(risk, "caught_by")]
            for name, risk in one.risk.items()
        ]
        st.table(frame(where, ("strategy", "at", "by")), hide_index=True)


def exceedance(one: Comparison, widest: float) -> None:
    """How bad it can get: the chance of harming more than a share of the users, up to `widest`."""
    legend(charts.numbered(one.scenario.strategies))
    st.altair_chart(
        charts.exceedance(one, widest),
        width="stretch",
        alt="For each strategy the chance that a bad release harms more than a share of the users",
    )
    st.caption("Lower is better. Bands: 95 % intervals.")
    with st.expander("As a table"):
        heads = ("strategy", *(f"more than {wording.share(x)}" for x in series.EXCEEDED))
        st.table(frame(series.exceeded(one), heads), hide_index=True)


def bill(one: Comparison) -> None:
    """What one release costs on average, in money."""
    parts = series.bill(one)
    if not parts:
        st.caption("Nothing is priced in this scenario: set prices under Every setting, costs.")
        return
    legend(charts.parts_of_bill(one))
    st.altair_chart(
        charts.bill(one), width="stretch", alt="Expected cost of a release by its parts"
    )
    with st.expander("As a table"):
        currency = one.scenario.costs.currency
        rows = [
            [
                name,
                wording.figure(risk.all.loss.mean.value, "money", currency),
                wording.between(risk.all.loss.mean, "money"),
                "; ".join(f"{p.part} {p.text}" for p in parts if p.strategy == name),
            ]
            for name, risk in one.risk.items()
        ]
        heads = ("strategy", "a release costs", "95 % interval", "of which")
        st.table(frame(rows, heads), hide_index=True)


def certainty(one: Comparison) -> None:
    """How the interval of the main figure became narrower."""
    best = named(one)
    looks = series.narrowing(one, best)
    st.markdown(f"Users harmed by a bad release under **{plain(best)}**, mean and 95 % interval:")
    st.altair_chart(
        charts.narrowing(looks, charts.colours(one.scenario.strategies)[best]),
        width="stretch",
        alt="The interval after ever more replications: "
        + "; ".join(f"{look.replications}: {look.text}" for look in looks),
    )
    with st.expander("The looks as a table"):
        rows = [[f"{look.replications:,}", look.text] for look in looks]
        st.table(frame(rows, ("replications", "users harmed (95 % interval)")), hide_index=True)
    st.caption(
        "This is simulation error only. What the assumptions are worth is on the page Sensitivity."
    )
