"""Replay: one release, the same for every strategy, on one time axis, with its journals."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from simulator.findings.choice import chosen
from simulator.report import charts as report_charts
from simulator.report import courses, wording
from simulator.web import choose, jobs, moment, state, waiting
from simulator.web.charts import ink
from simulator.web.courses import course
from simulator.web.plain import frame, plain
from simulator.words.reading import ScenarioError
from simulator.words.writing import dump

ANY, GOOD = "any", "good"
TYPICAL, WORST, NUMBER = "typical", "worst", "by number"

top = st.container()
with st.sidebar:
    st.header("Release")
    picked = choose.scenario(top, "defect", "k", "t")
    scenario = picked.scenario
    which = st.radio(
        "Which release",
        [TYPICAL, WORST, NUMBER],
        key="which",
        bind="query-params",
        help="Ordered by the failed requests of all strategies together: typical is the middle "
        "one of a small study, worst the last one of a thousand.",
    )
    kinds = [*scenario.change.labels, GOOD]
    kind = st.selectbox(
        "What is wrong with it",
        kinds if which == NUMBER else [ANY, *kinds],
        key="defect",
        bind="query-params",
        help="A kind of defect of the scenario; any of them, as often as they occur; or a good "
        "release.",
    )
    number = st.number_input(
        "Number of the replication",
        0,
        99_999,
        0,
        key="k",
        bind="query-params",
        disabled=which != NUMBER,
        help="Each number is another release: the same for every strategy.",
    )
    seed = st.number_input("Seed", 0, 2**31, 1, key="seed", bind="query-params")

st.title("One release, replayed")
text = dump(scenario)
try:
    job = jobs.looked_at(state.visitor(), scenario, int(seed), which == WORST)
except jobs.BusyError as error:
    st.warning(str(error))
    st.stop()
study = waiting.waited(job, "replay", f"Looking for a release of {plain(scenario.name)} ...")
if study is None:
    st.stop()
try:
    with st.spinner("Playing it again, and writing everything down ..."):
        if which == NUMBER:
            label, replication = kind, int(number)
            why = "chosen by its number"
        else:
            found = chosen(study, None if kind == ANY else kind, which == WORST)
            label, replication = found.label, found.replication
            among = f"{found.among:,} {'good' if kind == GOOD else 'bad'} releases"
            why = f"{'the worst' if which == WORST else 'the middle one'} of {among}"
        told = jobs.replayed(text, picked.folder, study.names, int(seed), replication, label)
except ScenarioError as error:
    st.error(f"This cannot be replayed:\n\n{plain(str(error))}")
    st.stop()
if not told:
    st.warning("No strategy of this scenario can be carried out, so there is nothing to replay.")
    for name, reasons in study.reasons.items():
        st.markdown(f"- **{plain(name)}**: {plain('; '.join(reasons))}")
    st.stop()

st.markdown(f"**{plain(scenario.name)}**, replication {replication} of *{plain(label)}*: {why}.")
if words := courses.defect(scenario, label):
    st.caption(f"The defect is drawn from: {plain(words)}")
if sentence := courses.summary(told, label == GOOD):
    st.info(plain(sentence))

st.subheader("What it came to")
endings = [courses.ending(one) for one in told.values()]
st.table(frame(endings, courses.ENDINGS), hide_index=True)
if skipped := [name for name in scenario.strategies if name not in told]:
    st.caption(
        f"Not replayed, because they cannot be carried out here: {plain(' · '.join(skipped))}."
    )

along = courses.axis(list(told.values()))
parts = {name: courses.pieces(one, scenario, along.end) for name, one in told.items()}
st.subheader("Moment by moment")
moment.show(told, parts, along)

st.subheader("Strategy by strategy")
highest = courses.highest(parts.values())
st.caption(
    "The same axes for all. "
    + ("Early moments are stretched, because some take much longer. " if along.stretched else "")
    + "Bad requests: failed, rejected, late or corrupt, as expected from moment to moment."
)
palette = report_charts.colours(scenario.strategies)
for (name, one), ending in zip(told.items(), endings, strict=True):
    with st.container(border=True, key=f"course-{name}", gap="small"):
        st.markdown(f"**{plain(name)}**: {ending.outcome}, {ending.failed} failed requests")
        marks = courses.marks(one, along)
        said = ", ".join(f"{mark.event} at {mark.text}" for mark in marks) or "no event"
        for chart, what in zip(
            course(parts[name], marks, along, highest, (palette[name], ink())),
            (
                "traffic on the new version",
                "instances by version and state",
                "bad requests a minute",
                f"events: {said}",
            ),
            strict=True,
        ):
            st.altair_chart(chart, width="stretch", alt=f"{name}, {what}, over time")
        with st.expander(f"Journal of {plain(name)}"):
            told_as = [(wording.length(time), line) for time, line in one.story()]
            st.table(frame(told_as, ("after", "what happens")), hide_index=True)

with st.expander("The charts as a table"):
    st.dataframe(
        pd.DataFrame(courses.table(parts), columns=list(courses.TABLE)),
        hide_index=True,
        alt="For each strategy and piece of time: traffic on the new version and bad requests",
    )

st.subheader("Take it with you")
st.code(
    f"deploysim replay {picked.command_name} {choose.quoted(next(iter(told)))} "
    f"--defect {choose.quoted(label)} --replication {replication} --seed {seed}",
    language="bash",
    wrap_lines=True,
)
st.caption(f"The address of this page leads back to this very release. {picked.whose_file}")
