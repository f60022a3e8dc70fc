"""Scenarios: the packaged ones as cards, and an editor for one's own."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from simulator.web import choose, own, state
from simulator.web.plain import frame, plain
from simulator.words.documents import MOST_BYTES
from simulator.words.reading import ScenarioError, load, packaged, packaged_folder

COMPARE, IMPORT = (Path(__file__).parent / name for name in ("compare.py", "imports.py"))
names = packaged()

st.title("Scenarios")
st.markdown(
    "A scenario is a file: one service, its traffic, what may be wrong with a release, who would "
    "notice, and the strategies to compare. Each of these answers one question; "
    "[one of your own](#own) stands below."
)
for row in choose.rows(names, 3):
    for column, name in zip(st.columns(3), row, strict=False):
        scenario = load(name)
        with column.container(border=True, height="stretch", key=f"card-{name.replace('/', '-')}"):
            st.markdown(f"**{plain(scenario.name)}**")
            st.markdown(plain(scenario.question) or "No question is stated.")
            st.caption(plain(" · ".join(scenario.strategies)))
            st.page_link(
                COMPARE, label=f"Compare {plain(name)}", query_params={"scenario": name}, icon="➡️"
            )

st.header("Your own", anchor="own")
st.markdown(
    "Copy one of them, or open a file, and change it. It stays in this browser tab: nobody else "
    "sees it, and it is gone when the tab is closed, so download it."
)

st.page_link(IMPORT, label="There are manifests, but no scenario yet: import them", icon="➡️")


def copy() -> None:
    """Put a packaged scenario into the editor."""
    path = packaged_folder() / f"{st.session_state.copied}.yaml"
    st.session_state.draft = path.read_text("utf-8")


def opened() -> None:
    """Put an uploaded file into the editor, or say why it cannot be read."""
    st.session_state.unreadable = None
    if (file := st.session_state.file) is not None:
        try:
            st.session_state.draft = own.decoded(file.getvalue())
        except ScenarioError as error:
            st.session_state.unreadable = str(error)


def use() -> None:
    """Take the editor's text as one's own scenario, or keep what is wrong with it."""
    st.session_state.problems = None
    try:
        own.read(st.session_state.draft)
    except ScenarioError as error:
        st.session_state.problems = error.problems
    else:
        state.take_own(st.session_state.draft)


left, right = st.columns(2)
with left:
    st.selectbox("A packaged scenario", names, key="copied", index=names.index(choose.FIRST))
    st.button("Copy it into the editor", on_click=copy)
with right:
    st.file_uploader(
        "A file of yours (YAML, up to 1 MiB)",
        ["yaml", "yml"],
        key="file",
        on_change=opened,
        max_upload_size=1,
    )
    if st.session_state.get("unreadable"):
        st.error(plain(st.session_state.unreadable))


def begin() -> None:
    """Put the scenario in use into the editor, unless something else was typed there."""
    used, shown = st.session_state.get(choose.OWN_TEXT), st.session_state.get("shown")
    if used != shown and st.session_state.get("draft") in (None, "", shown):
        st.session_state.draft = used
    st.session_state.shown = used


begin()
draft = st.text_area(
    "The scenario",
    key="draft",
    height=420,
    max_chars=MOST_BYTES,
    persist_state="session",
    placeholder="version: 1\nprofile: ecs-fargate\nservice: {instances: 12, utilisation: 55%}\n"
    "traffic: {rate: 400 rps, users: 30k}\nstrategies: {rolling: {}, canary: {}, blue_green: {}}",
)
first, second, _ = st.columns(3)
first.button(
    "Check and use it",
    type="primary",
    on_click=use,
    help="Nothing is simulated yet.",
    width="stretch",
)
second.download_button(
    "Download", draft or "", "my-own.yaml", disabled=not draft, on_click="ignore", width="stretch"
)

problems = st.session_state.get("problems")
text = st.session_state.get(choose.OWN_TEXT)
if problems:
    st.error("This is no scenario yet. What is wrong, and what to do about it:")
    rows = [own.told(problem, draft or "") for problem in problems]
    st.table(frame(rows, own.TOLD), hide_index=True)
elif text is not None:
    scenario = own.read(text)
    st.success(
        f"In use as “{choose.OWN}”: {plain(scenario.name)}, "
        f"{plain(' · '.join(scenario.strategies))}. Choose it on every page."
        + ("" if text == draft else " The editor has changes that are not in use yet.")
    )
    st.page_link(
        COMPARE, label="Compare its strategies", query_params={"scenario": choose.OWN}, icon="➡️"
    )
