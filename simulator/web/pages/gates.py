"""Gates: what each step of a strategy can see, by detector, by kind of defect, and how far."""

from __future__ import annotations

import streamlit as st

from simulator.report import gates
from simulator.web import choose, heat, jobs, state, waiting
from simulator.web.plain import frame, plain

EVERY = "all of them"

top = st.container()
with st.sidebar:
    st.header("Gates of")
    picked = choose.scenario(top, "strategy", "gate", "kind")
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
    seed = int(st.number_input("Seed", 0, 2**31, 1, key="seed", bind="query-params"))

st.title("What each gate can see")
st.markdown(
    f"**{plain(scenario.name)}**. A gate is a part of a deployment that watches before it goes "
    "on: a bake, an overlap, the watched phase after the last step. Its power is the chance that "
    "a bad release which reaches it is detected there."
)
every = wanted == EVERY
asked = tuple(names) if every else (str(wanted),)
try:
    job = jobs.seen(state.visitor(), scenario, asked, not every, seed)
except jobs.BusyError as error:
    st.warning(str(error))
    st.stop()
found = waiting.waited(job, "gates", "Playing the gates ...")
if found is None:
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

st.subheader("Longer, wider, or busier?")
if every:
    st.caption("Choose one strategy to see how the power of its gates grows.")
else:
    from simulator.web import reaching

    choices = gates.choices(found[str(wanted)])
    left, right = st.columns(2)
    gate = left.selectbox(
        "Gate",
        choices,
        key="gate",
        bind="query-params",
        help="Which part of the strategy is made longer, wider or busier.",
    )
    kinds = [gates.EVERY, *found[str(wanted)][0].given]
    kind = right.selectbox(
        "Against",
        kinds,
        key="kind",
        bind="query-params",
        help="Every kind of defect as often as it occurs, or one alone.",
    )
    try:
        closer = jobs.reached(state.visitor(), scenario, str(wanted), choices.index(gate), seed)
    except jobs.BusyError as error:
        st.warning(str(error))
        st.stop()
    curves = waiting.waited(closer, "reach", "Playing this gate longer, wider and busier ...")
    if curves is not None:
        st.markdown(plain(gates.enough(curves, kind)))
        told = gates.dots(curves, kind)
        for along in dict.fromkeys(dot.along for dot in told):
            some = [dot for dot in told if dot.along == along]
            now = next(curve.now for curve in curves if curve.along == along)
            st.altair_chart(
                reaching.along(some, now),
                width="stretch",
                alt=f"Releases detected by every detector along the {along} of the gate; the table "
                "below says the same",
            )
        st.caption(
            "One is moved, the others stay as they are; more traffic means more requests of the "
            "same users on a fleet that is as busy as now. Log scales. Dotted: 90 %. Shaded: the "
            "95 % interval of all detectors together. False alarms: good releases stopped by any."
        )
        with st.expander("The curves as a table"):
            rows = [(d.along, d.line, d.at_text, d.requests, d.text) for d in told]
            st.table(frame(rows, gates.DOTS), hide_index=True)

st.subheader("Take it with you")
only = "" if every else f" {choose.quoted(str(wanted))}"
st.code(f"deploysim rehearse {picked.command_name}{only}", language="bash", wrap_lines=True)
st.caption(
    "The command plays replications of its own: its figures differ from these within their "
    f"intervals. {picked.whose_file}"
)
