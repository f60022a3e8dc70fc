"""Gates: what each step of a strategy can see, by detector and by kind of defect."""

from __future__ import annotations

import streamlit as st

from simulator.report import gates
from simulator.web import choose, heat, jobs
from simulator.web.plain import frame, plain
from simulator.words.reading import ScenarioError
from simulator.words.writing import dump

EVERY = "all of them"

with st.sidebar:
    st.header("Gates of")
    try:
        picked = choose.scenario("strategy")
    except ScenarioError as error:
        st.error(f"This cannot be used:\n\n{error}")
        st.stop()
    scenario = picked.scenario
    names = list(scenario.strategies)
    options = [EVERY, *names]
    wanted = st.selectbox(
        "Strategy",
        options,
        index=options.index(scenario.to_check),
        key="strategy",
        bind="query-params",
        help="One strategy: every detector alone and all together. All of them: all together.",
    )
    seed = st.number_input("Seed", 0, 2**31, 1, key="seed", bind="query-params")

st.title("What each gate can see")
st.markdown(
    f"**{plain(scenario.name)}**. A gate is a part of a deployment that watches before it goes "
    "on: a bake, an overlap, the watched phase after the last step. Its power is the chance that "
    "a bad release which reaches it is detected there."
)
every = wanted == EVERY
text, found = dump(scenario), {}
try:
    for name in names if every else [wanted]:
        with st.spinner(f"Playing the gates of {plain(name)} ..."):
            found[name] = jobs.seen(text, picked.folder, name, not every, int(seed))
except ScenarioError as error:
    st.error(f"This cannot be simulated:\n\n{error}")
    st.stop()

st.info(plain(gates.sentence(found)))
lines = gates.lines(found)
if blank := [name for name, sights in found.items() if not sights]:
    st.caption(f"Without any gate: {plain(' · '.join(blank))}.")
if not lines:
    st.stop()

st.subheader("Power by kind of defect")
st.table(heat.table(lines, every), hide_index=True)
st.caption(
    "The share of bad releases that is detected at this gate, were every one to reach it. Deep "
    "blue sees most, no colour next to nothing. Crashes never serve traffic and are left out."
)

st.subheader("How long it takes, and what it costs")
table = frame(gates.details(found), gates.DETAILS)
st.table(table if every else table.drop(columns="strategy"), hide_index=True)
st.caption(
    "False alarms: good releases that are stopped there, a 95 % interval. After: from the first "
    "traffic to the detection. 90 % in: the smallest bake after which nine bad releases in ten are "
    "detected; > means longer than all that were tried."
)

st.subheader("Take it with you")
only = "" if every else f" {choose.quoted(wanted)}"
st.code(f"deploysim rehearse {picked.command_name}{only}", language="bash")
