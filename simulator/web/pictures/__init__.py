"""Pictures of the model, drawn in the ink of the visitor's theme."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import streamlit as st

from simulator.web.charts import ink

_HERE = Path(__file__).parent
_WIDE = 860


def picture(name: str) -> None:
    """Show a picture of this folder; its title is its text alternative."""
    text = (_HERE / f"{name}.svg").read_text("utf-8")
    title = ElementTree.fromstring(text).findtext("{*}title") or name
    st.image(text.replace("currentColor", ink()), width=_WIDE, alt=title)
