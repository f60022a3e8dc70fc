"""A table of shares, coloured: the number stands in every cell, the colour only repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from simulator.web.plain import plain

if TYPE_CHECKING:
    from simulator.report.gates import Line

# Steps of one hue, from what sees a little to what sees nearly all; text stands 4.5 : 1 or more.
_STEPS = (
    (0.90, "#0B4A85", "#FFFFFF"),
    (0.60, "#5B9BD0", "#101010"),
    (0.30, "#A3C8E6", "#101010"),
    (0.05, "#DCEAF6", "#101010"),
)


def _style(power: float | None) -> str:
    """The colours of a cell; plain when it sees next to nothing."""
    for least, paper, ink in _STEPS:
        if power is not None and power >= least:
            return f"background-color: {paper}; color: {ink}"
    return ""


def table(lines: Sequence[Line], with_strategy: bool) -> Any:
    """Gates and detectors down, kinds of defects across, the power in every cell."""
    keys = ("strategy", "gate", "detector") if with_strategy else ("gate", "detector")
    rows = [
        {
            **{key: plain(getattr(line, key)) for key in keys},
            **{kind: plain(square.text) for kind, square in line.squares.items()},
        }
        for line in lines
    ]
    kinds = [kind for kind in (rows[0] if rows else ()) if kind not in keys]
    text = pd.DataFrame(rows)
    colours = pd.DataFrame("", index=text.index, columns=text.columns)
    for number, line in enumerate(lines):
        for kind in kinds:
            colours.loc[number, kind] = _style(line.squares[kind].power)
    return text.style.apply(lambda _: colours, axis=None)
