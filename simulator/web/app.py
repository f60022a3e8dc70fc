"""The router: which pages there are."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).parent / "pages"


def run() -> None:
    """Set the page up and run the one that was chosen."""
    st.set_page_config(page_title="deploysim", page_icon="🚦", layout="wide")
    page = st.navigation(
        [st.Page(_PAGES / "compare.py", title="Compare strategies", default=True)], position="top"
    )
    page.run()
