"""The router: which pages there are."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from simulator.web import pool, state

_PAGES = Path(__file__).parent / "pages"
_ALL = (
    ("compare.py", "Compare", "Every strategy of a scenario side by side, and a recommendation."),
    ("imports.py", "Import", "Your own rollout from its manifests, and what it would miss."),
    ("replay.py", "Replay", "One release under every strategy, moment by moment."),
    ("gates.py", "Gates", "What each step and detector can see, and what it is blind to."),
    ("sensitivity.py", "Sensitivity", "What the answer leans on, and where another would win."),
    ("scenarios.py", "Scenarios", "The packaged scenarios, and an editor for one of your own."),
    ("how.py", "How it works", "What every figure means, what is assumed, and the limits."),
)


def run() -> None:
    """Set the page up and run the one that was chosen."""
    pool.warm_up()
    st.set_page_config(page_title="deploysim", page_icon="🚦", layout="wide")
    pages = [
        st.Page(_PAGES / name, title=title, help=what, default=name == "compare.py")
        for name, title, what in _ALL
    ]
    page = st.navigation(pages, position="top")
    state.carry(page.url_path)
    page.run()
