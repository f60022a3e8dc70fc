"""What the colours of a chart mean, as a line of text that wraps where the page is narrow."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

_SWATCH = (
    "display:inline-block;width:0.8em;height:0.8em;margin-right:0.4em;border-radius:2px;"
    "border:1px solid rgba(128,128,128,0.6);background:"
)


def legend(inks: Mapping[str, str]) -> None:
    """Show every meaning beside its colour (`#rrggbb`); nothing where there is none."""
    if not inks:
        return
    parts = [
        f'<span style="display:inline-block;margin-right:1.2em;white-space:nowrap">'
        f'<span aria-hidden="true" style="{_SWATCH}{ink}"></span>{escape(text)}</span>'
        for text, ink in inks.items()
    ]
    st.html(f'<div style="font-size:0.875rem;line-height:1.7">{" ".join(parts)}</div>')
