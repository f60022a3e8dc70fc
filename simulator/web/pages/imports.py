"""Import: a rollout of one's own from its manifests, what became of every field, what to change."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from simulator.bring.recognise import READERS
from simulator.web import answers, bringing, brought, choose, own, state
from simulator.web.plain import plain
from simulator.words.problems import Problem, ScenarioError

COMPARE = Path(__file__).parent / "compare.py"

st.title("Import your rollout")
st.markdown(
    "For everybody who ships a service: paste the manifests that roll it out today; hundreds of "
    "good and bad releases are played with them, and you read **what your rollout would miss, "
    "which fields to change, and what that costs**."
)
top = st.container()
text = brought.take(top)
if text is not None and (scenario := brought.scenario_in(text)) is not None:
    try:
        own.read(scenario)
    except ScenarioError as error:
        with bringing.editor(text):
            bringing.wrong(error.problems, text, "scenario")
        st.stop()
    brought.forget()
    state.take_own(scenario)
    st.switch_page(COMPARE, query_params={"scenario": choose.OWN})

reading = None
problems: tuple[Problem, ...] = ()
if text is not None:
    try:
        with st.spinner("Reading the manifests ..."):
            reading = brought.reading(text)
    except ScenarioError as error:
        problems = error.problems
if text is None or reading is None:
    with bringing.editor(text):
        if text is not None:
            bringing.wrong(problems, text, "rollout")
    st.caption(
        "**Read here:** " + plain(" · ".join(reader.reads for reader in READERS)) + ". A scenario "
        "file is opened in Compare."
    )
    st.caption(
        "Manifests stay in this tab and in its address: share the link only with those who may "
        "read them."
    )
    st.stop()

names = ", ".join(dict.fromkeys(name for name, _ in brought.files(text)))
with st.expander(f"The manifests: {plain(names)}"):
    bringing.editor(text)
if st.session_state.get(brought.DRAFT) != text or brought.opened():
    st.warning("The manifests were changed and are not read yet: open them above and read them.")
if brought.too_long():
    st.caption("These manifests are too long for a link: to share this page, share the files.")
bringing.choices(reading)
bringing.summary(reading)
st.markdown(
    "[What was read](#read) · [What is assumed](#assumed) · [Not carried over](#notes) · "
    "[Other ways to write it](#compared) · [Take it with you](#take)"
)

st.header("What was read", anchor="read")
bringing.used(reading)

st.header("What is assumed", anchor="assumed")
st.markdown(
    "What no manifest says. **Put your own values in**: all answers follow. The others stay at "
    "defaults that are listed on the page How it works."
)
answers.complain("", reading.variant)
place = st.container()

st.header("What was not carried over", anchor="notes")
bringing.notes(reading)

st.header("Other ways to write it", anchor="compared")
with place:
    swings = bringing.assumptions(reading)
found = None
if brought.compared():
    found = bringing.advice(reading, swings)
else:
    count = len(reading.alternatives)
    st.markdown(
        f"{count} other way{'s' * (count != 1)} to write {bringing.name_of(reading)}: "
        f"{plain(', '.join(reading.alternatives)) or 'none is known for it'}. Compared on the same "
        "good and bad releases, with the assumptions above."
    )
    st.button("**Compare them**", key="compare", on_click=brought.compare)
if st.button(
    "Open in Compare",
    key="open in compare",
    icon="➡️",
    help="With every other way to write it as a strategy: all figures, charts and controls.",
):
    state.take_own(bringing.as_scenario(reading))
    st.switch_page(COMPARE, query_params={"scenario": choose.OWN})

st.header("Take it with you", anchor="take")
bringing.take_away(reading, swings, found)
