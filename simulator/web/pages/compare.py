"""Compare strategies: pick a scenario, change what people change, read the answer."""

from __future__ import annotations

import streamlit as st

from simulator.web import answers, controls, jobs, state
from simulator.web.plain import plain

top = st.container()
with st.sidebar:
    begun = state.base(top)
    label = answers.which_variant()
    edited = state.variant(begun, label)
    controls.usual(begun, edited)
    for title, draw in (
        ("What is wrong with bad releases", controls.mix),
        ("Strategies", controls.strategies),
        ("Every setting", controls.more),
    ):
        with st.expander(title, on_change="rerun", key=f"part {title}") as part:
            if part.open:
                draw(begun, edited)
    most, seed = answers.precision()
    answers.take_back(label)

labels = [state.FIRST_VARIANT, *([state.SECOND_VARIANT] if state.two() else [])]
variants = {name: state.variant(begun, name) for name in labels}
for name, variant in variants.items():
    answers.complain(name, variant)
try:
    found = answers.found(variants, most, seed)
except jobs.BusyError as error:
    st.warning(str(error))
    st.stop()
if not found:
    st.stop()

first = found[state.FIRST_VARIANT]
st.caption(
    "How should a release go out? deploysim plays good and bad releases of a service under each "
    "strategy, thousands of times. **Make it yours with the controls at the side**: all answers "
    "follow at once."
)
st.title(plain(first.scenario.name))
if first.scenario.question:
    st.markdown(f"*{plain(first.scenario.question)}*")
answers.changed(variants)
answers.verdicts(found)
playable = all(one.risk for one in found.values())
if playable:
    answers.tiles(found)

# Only now, so that the answer does not wait for what draws the pictures.
from simulator.web import evidence  # noqa: E402

if playable:
    evidence.show(found)
    answers.assumptions(found)
else:
    evidence.table(found)
answers.take_away(begun, variants, found, most, seed)
jobs.drawn(state.visitor(), variants)
