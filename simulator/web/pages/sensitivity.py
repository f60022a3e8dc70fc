"""Sensitivity: what the assumptions are worth, and where another strategy would win."""

from __future__ import annotations

import streamlit as st

from simulator.web import choose, jobs, leaning, state
from simulator.web.plain import plain

top = st.container()
with st.sidebar:
    begun = state.base(top, ("strategy", "across", "down"))
    variant = state.variant(begun)
    scenario = variant.scenario
    strategy, figure = leaning.tornado_choices(scenario)
    across, down = leaning.map_choices(scenario)

st.title("What the answer leans on")
st.markdown(
    f"**{plain(scenario.name)}**. Most numbers of a scenario are assumptions. Here each is moved "
    "to its plausible ends, with the same luck, so that whatever changes is the assumption's doing."
)
if variant.changes:
    st.caption("With the changes made on Compare: " + plain(", ".join(variant.changes)))
try:
    leaning.show_map(begun, variant, across, down)
    leaning.show_tornado(begun, variant, strategy, figure)
    if told := choose.whose_file(begun):
        st.caption(f"In the commands, {told}")
except jobs.BusyError as error:
    st.warning(str(error))
