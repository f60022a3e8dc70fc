"""Pictures of the model, drawn in the ink of the visitor's theme."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import streamlit as st

from simulator.web.charts import ink

_HERE = Path(__file__).parent
_WIDE, _LEGIBLE = 860, 760


def picture(name: str) -> None:
    """Show a picture of this folder; its title is its text alternative.

    Where the page is too narrow for its letters to be read, the picture is moved sideways.
    """
    text = (_HERE / f"{name}.svg").read_text("utf-8")
    title = ElementTree.fromstring(text).findtext("{*}title") or name
    drawn = b64encode(text.replace("currentColor", ink()).encode()).decode()
    st.html(
        f'<div style="overflow-x:auto" tabindex="0" role="region" aria-label="{name}">'
        f'<img src="data:image/svg+xml;base64,{drawn}" alt="{escape(title)}" '
        f'style="width:100%;min-width:{_LEGIBLE}px;max-width:{_WIDE}px"></div>'
    )
