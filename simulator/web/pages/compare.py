"""Compare strategies: pick a scenario, change what people change, read the answer."""

from __future__ import annotations

import json

import streamlit as st

from simulator.report import headlines, wording
from simulator.report.export import document
from simulator.report.page import page as report_page
from simulator.web import charts, choose, jobs
from simulator.web.plain import frame, plain
from simulator.words.reading import ScenarioError
from simulator.words.writing import dump

with st.sidebar:
    st.header("Scenario")
    try:
        picked = choose.scenario("instances", "defective", "users")
    except ScenarioError as error:
        st.error(f"This cannot be simulated:\n\n{error}")
        st.stop()
    chosen = picked.scenario
    service, change = chosen.service, chosen.change
    st.header("What people change")
    instances = st.number_input(
        "Instances", 1, 100_000, service.instances, key="instances", bind="query-params"
    )
    probability = st.slider(
        "Defective releases, %",
        0.5,
        50.0,
        100 * change.defect_probability,
        0.5,
        key="defective",
        bind="query-params",
        help="Your change failure rate. Answers at once: the same replications, weighted anew.",
    )
    users = st.number_input(
        "Users", 100, 100_000_000, chosen.traffic.users, step=1000, key="users", bind="query-params"
    )
    replications = st.select_slider(
        "Replications",
        [50, 150, 500, 1000, 2000],
        150,
        key="n",
        bind="query-params",
        help="Of good and of bad releases, for each strategy. More make intervals narrower.",
    )

changes = []
if instances != service.instances:
    changes.append(("service.instances", str(instances)))
if users != chosen.traffic.users:
    changes.append(("traffic.users", str(users)))
try:
    scenario = chosen
    for path, value in changes:
        scenario = scenario.with_(path, value)
    with st.spinner(f"Playing {plain(scenario.name)} ..."):
        found = jobs.simulated(dump(scenario), picked.folder, int(replications), 1)
    if abs(probability / 100 - change.defect_probability) > 1e-9:
        changes.append(("change.defect_probability", f"{probability:g}%"))
        scenario = scenario.with_(*changes[-1])
        found = jobs.with_probability(found, scenario, probability / 100)
except ScenarioError as error:
    st.error(f"This cannot be simulated:\n\n{error}")
    st.stop()

st.title(plain(scenario.name))
if scenario.question:
    st.markdown(f"*{plain(scenario.question)}*")
st.info(plain(headlines.verdict(found)))

best = found.recommendation.strategy if found.recommendation else next(iter(found.risk))
figures = headlines.headline(found.risk[best])
st.markdown(f"**{plain(best)}** in four figures")
tiles = st.columns(4)
for tile, label, index, unit in (
    (tiles[0], "deploys in", 0, "s"),
    (tiles[1], "caught before full", 1, "share"),
    (tiles[2], "users harmed (p95, bad)", 2, "share"),
    (tiles[3], "false alarms", 5, "share"),
):
    interval = figures[index]
    tile.metric(
        label,
        wording.figure(interval.value, unit),
        help=f"95 % interval: {wording.between(interval, unit)}",
        border=True,
    )

st.subheader("Time against harm")
st.altair_chart(
    charts.time_against_harm(found),
    width="stretch",
    alt="Time to deploy a good release against users harmed by a bad one; the table below has both",
)
st.caption("Lower left is better. Bars: 95 % intervals, simulation error only.")

st.subheader("The strategies side by side")
heads = ["strategy", *(" ".join(column) for column in headlines.COLUMNS)]
rows = [
    [
        row.strategy,
        *(f"{'★ ' if cell.best else ''}{cell.value} ({cell.interval})" for cell in row.cells),
    ]
    for row in headlines.rows(found)
]
st.table(frame(rows, heads), hide_index=True)
counts = found.results.replications
st.caption(
    f"★ best of its column. In brackets: 95 % intervals. {counts['bad']} bad and "
    f"{counts['good']} good replications a strategy."
)

st.subheader("Where bad releases are caught, and by whom")
where = [
    [name, headlines.caught(risk, "caught_at"), headlines.caught(risk, "caught_by")]
    for name, risk in found.risk.items()
]
st.table(frame(where, ("strategy", "at", "by")), hide_index=True)

with st.expander("What is assumed"):
    for text in headlines.assumptions(found, 10):
        st.markdown(f"- `{text}`")
    for text in scenario.notes:
        st.markdown(f"- {plain(text)}")

sets = "".join(f' --set {path}="{value}"' for path, value in changes)
command = f"deploysim compare {picked.command_name} -n {replications}{sets}"
st.subheader("Take it with you")
st.code(command, language="bash")
first, second, third = st.columns(3)
first.download_button(
    "Scenario (YAML)", dump(scenario), f"{picked.stem}.yaml", on_click="ignore", width="stretch"
)
second.download_button(
    "Results (JSON)",
    lambda: json.dumps(document(found), indent=1),
    f"{picked.stem}.json",
    on_click="ignore",
    width="stretch",
)
third.download_button(
    "Report (HTML)",
    lambda: report_page(found, command),
    f"{picked.stem}.html",
    on_click="ignore",
    width="stretch",
)
