"""Names beside what they name: each label where it covers least of curves and of other labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SIDES = ((1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
_GAP, _ROOM, _STEP = 6.5, 2.2, 2.9
_COVERED, _OUTSIDE, _FAR = 400.0, 400.0, 0.02


class Label(NamedTuple):
    """A name, the points (n, 2) of the axes' data beside which it may stand, and the colour of
    its frame (none without one).
    """

    text: str
    places: NDArray[np.float64]
    frame: str | None = None


def write(axes: Any, labels: Sequence[Label], drawn: Sequence[Any], ink: str, page: str) -> None:
    """Write every label; `drawn` holds points (n, 2) in data that had better stay uncovered.

    The figure has its layout already, at 72 dots an inch.
    """
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
        boxes, orders = _boxes(to_screen(label.places), box)
        best = boxes[int(np.argmin(_costs(boxes, orders, points, taken, inside)))]
        taken.append(best)
        text.xyann = axes.figure.transFigure.inverted().transform(best[0] + _ROOM)


def _boxes(places: Array, size: Array) -> tuple[Array, Array]:
    """Where a label of a size (in points) may stand: corners (n, 2, 2), low and high, and how late
    in the list each place comes.
    """
    centres = places[:, None, :] + np.array(_SIDES) * (size / 2 + _GAP - _ROOM)
    orders = np.arange(len(places))[:, None] + np.arange(len(_SIDES)) / len(_SIDES)
    flat = centres.reshape(-1, 2)
    return np.stack([flat - size / 2, flat + size / 2], axis=1), orders.ravel()


def _costs(
    boxes: Array, orders: Array, points: Array, taken: Sequence[Array], inside: Array
) -> Array:
    """How much each box covers, and how far it stands outside."""
    low, high = boxes[:, 0], boxes[:, 1]
    (x, y), (left, bottom), (right, top) = points.T, low.T[..., None], high.T[..., None]
    hit = np.count_nonzero((x > left) & (x < right) & (y > bottom) & (y < top), axis=1)
    over = sum((_overlaps(low, high, *other) for other in taken), np.zeros(len(boxes)))
    out = (np.maximum(inside[0] - low, 0) + np.maximum(high - inside[1], 0)).sum(axis=1)
    costs: Array = hit + _COVERED * over + _OUTSIDE * (out > 0) + out + _FAR * orders
    return costs


def _overlaps(low: Array, high: Array, other_low: Array, other_high: Array) -> Array:
    """Which share of each box another one covers."""
    sides = np.minimum(high, other_high) - np.maximum(low, other_low)
    shares: Array = np.maximum(sides, 0).prod(axis=1) / (high - low).prod(axis=1)
    return shares


def _dense(points: NDArray[np.float64], apart: float = _STEP) -> NDArray[np.float64]:
    """Points along a broken line (in points), about as far apart as asked."""
    parts = [points]
    ways = np.diff(points, axis=0)
    for start, way, length in zip(points[:-1], ways, np.hypot(*ways.T).tolist(), strict=True):
        steps = int(length / apart)
        if steps > 1:
            parts.append(start + np.linspace(0, 1, steps)[:, None] * way)
    return np.vstack(parts)
