"""Outcomes of many replications as columns, and the same packed to be handed over or written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from simulator.play.outcome import TEXTS, Outcome

Columns = dict[str, NDArray[np.float64] | list[str]]
"""By the outcome's field: text as lists, all else as float arrays, a value for each replication."""

Packed = tuple[list[list[str]], NDArray[np.float64]]
"""Columns of text, and all others as the rows of one array, fields x replications."""

_NUMBERS = tuple(name for name in Outcome._fields if name not in TEXTS)


def columns(rows: Sequence[Outcome]) -> Columns:
    """Outcomes as columns."""
    result: Columns = {}
    for name, values in zip(Outcome._fields, zip(*rows, strict=True), strict=True):
        result[name] = list(values) if name in TEXTS else np.array(values, dtype=float)
    return result


def joined(pieces: Sequence[Columns]) -> Columns:
    """Columns one after the other."""
    result: Columns = {}
    for name in pieces[0]:
        if name in TEXTS:
            result[name] = [value for piece in pieces for value in piece[name]]
        else:
            result[name] = np.concatenate([piece[name] for piece in pieces])
    return result


def packed(found: Columns) -> Packed:
    """A few large things instead of many small ones: handed over in a tenth of the time."""
    numbers = np.array([found[name] for name in _NUMBERS], dtype="<f8")
    return [cast(list[str], found[name]) for name in TEXTS], numbers


def unpacked(found: Packed) -> Columns:
    """The columns again, in the outcome's order."""
    texts, numbers = found
    parts: Columns = dict(zip(TEXTS, texts, strict=True))
    parts |= dict(zip(_NUMBERS, numbers, strict=True))
    return {name: parts[name] for name in Outcome._fields}
