"""Names beside what they name: each label where it covers least of curves and of other labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDES = ((1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
_GAP, _ROOM = 9.0, 3.0
_COVERED, _OUTSIDE, _FAR = 400.0, 400.0, 0.02


class Label(NamedTuple):
    """A name, the points (n, 2) of the axes' data beside which it may stand, and the colour of
    its frame (none without one).
    """

    text: str
    places: NDArray[np.float64]
    frame: str | None = None


def write(axes: Any, labels: Sequence[Label], drawn: Sequence[Any], ink: str, page: str) -> None:
    """Write every label; `drawn` holds points (n, 2) in data that had better stay uncovered."""
    axes.figure.draw_without_rendering()
    to_screen = axes.transData.transform
    points = np.vstack([_dense(to_screen(np.asarray(one, float))) for one in drawn])
    room = axes.get_window_extent()
    inside = np.array([[room.x0, room.y0], [room.x1, room.y1]])
    taken: list[NDArray[np.float64]] = []
    for label in labels:
        text = axes.annotate(
            label.text,
            (0, 0),
            xycoords="figure fraction",
            fontsize=9,
            color=ink,
            ha="left",
            va="bottom",
            bbox=None
            if label.frame is None
            else {"boxstyle": "round,pad=0.18", "facecolor": page, "edgecolor": label.frame},
        )
        text.set_in_layout(False)
        size = text.get_window_extent()
        box = np.array([size.width, size.height]) + 2 * _ROOM
        best = min(
            _boxes(to_screen(label.places), box), key=lambda one: _cost(one, points, taken, inside)
        )
        taken.append(best[0])
        text.xyann = axes.figure.transFigure.inverted().transform(best[0][0] + _ROOM)


def _boxes(
    places: NDArray[np.float64], size: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], float]]:
    """Where a label of a size (pixels) may stand, with how late in the list the place comes."""
    found = []
    for number, place in enumerate(places):
        for order, side in enumerate(_SIDES):
            centre = place + np.array(side) * (size / 2 + _GAP - _ROOM)
            found.append((np.array([centre - size / 2, centre + size / 2]), number + order / 8))
    return found


def _cost(
    one: tuple[NDArray[np.float64], float],
    points: NDArray[np.float64],
    taken: Sequence[NDArray[np.float64]],
    inside: NDArray[np.float64],
) -> float:
    """How much a box covers, and how far it stands outside."""
    (low, high), order = one
    hit = int(np.sum(np.all((points > low) & (points < high), axis=1)))
    over = sum(_overlap(low, high, *other) for other in taken)
    out = float(np.sum(np.maximum(inside[0] - low, 0) + np.maximum(high - inside[1], 0)))
    return hit + _COVERED * over + _OUTSIDE * (out > 0) + out + _FAR * order


def _overlap(low: Any, high: Any, other_low: Any, other_high: Any) -> float:
    """Which share of a box another one covers."""
    sides = np.minimum(high, other_high) - np.maximum(low, other_low)
    return float(np.prod(np.maximum(sides, 0)) / np.prod(high - low))


def _dense(points: NDArray[np.float64], apart: float = 4.0) -> NDArray[np.float64]:
    """Points along a broken line (pixels), about as far apart as asked."""
    parts = [points]
    for start, end in itertools.pairwise(points):
        steps = int(np.hypot(*(end - start)) / apart)
        if steps > 1:
            parts.append(start + np.linspace(0, 1, steps)[:, None] * (end - start))
    return np.vstack(parts)
