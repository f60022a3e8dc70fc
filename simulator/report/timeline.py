"""One replication as a picture: weight, capacity, harm and events on one time axis."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.play.replay import sentence
from simulator.report import charts, wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.play.replay import Replay, Span
    from simulator.report.courses import Axis, Mark, Piece
    from simulator.words.scenario import Scenario


_HEADROOM = 215
_MARKS = ("detect", "decide", "roll back", "rolled back", "deployed", "judge")


def timeline(told: Replay, scenario: Scenario, kind: str) -> bytes:
    """A replay as the content of a file of this kind, svg or png."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "deploysim"
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(9, 6), layout="constrained")
    rows = figure.subplots(3, 1, sharex=True)
    marks = [entry for entry in told.journal if entry.verb in _MARKS]
    end = max([entry.time for entry in told.journal], default=1.0) * 1.08 + 30
    course = [span for span in told.course if span.start < end]
    edges = np.array([span.start for span in course] + [min(course[-1].end, end)])
    unit, size = _unit(end)
    edges = edges / size

    _rows(rows, course, edges, scenario, size)
    rows[2].set_xlabel(f"time since the decision to deploy, {unit}")
    for axes in rows:
        axes.grid(True, color="#dddddd", linewidth=0.6)
        for mark in marks:
            axes.axvline(mark.time / size, color="#555555", linewidth=0.8, linestyle=":")
    for number, mark in enumerate(marks):
        rows[0].annotate(
            sentence(mark),
            (mark.time / size, 100 - 15 * (number % 5)),
            xytext=(-3 if mark.time > 0.6 * end else 3, 0),
            textcoords="offset points",
            fontsize=7,
            va="top",
            ha="right" if mark.time > 0.6 * end else "left",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    harmed = wording.share(told.outcome.users_harmed)
    figure.suptitle(
        f"{told.strategy}, {told.defect}: {told.outcome.outcome.replace('_', ' ')}, "
        f"{harmed} of users harmed",
        fontsize=11,
    )
    file = BytesIO()
    figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return file.getvalue()


def _rows(rows: Any, course: list[Span], edges: Any, scenario: Scenario, size: float) -> None:
    """Draw weight, capacity against load, and harm; `edges` in units of `size` seconds."""

    def stairs(axes: Any, values: list[float], **style: Any) -> None:
        axes.stairs(values, edges, baseline=None, linewidth=1.6, **style)

    stairs(rows[0], [100 * s.weight for s in course], color=charts.COLOURS[0])
    rows[0].set_ylabel("traffic on new, %")
    rows[0].set_ylim(-4, 104)
    each = scenario.capacity_per_instance
    if np.isfinite(each):
        total = [s.old_capacity + s.new_capacity for s in course]
        stairs(rows[1], [s.old_capacity for s in course], color=charts.COLOURS[7], label="old")
        stairs(rows[1], [s.new_capacity for s in course], color=charts.COLOURS[0], label="new")
        times = np.linspace(0, edges[-1], 200)
        rate = np.asarray(scenario.traffic.at(times * size))
        rows[1].plot(times, rate, color=charts.COLOURS[5], linestyle="--", label="load")
        rows[1].set_ylim(0, max(*total, float(rate.max())) * 1.25)
        rows[1].legend(frameon=False, fontsize=8, loc="upper right", ncols=3)
    else:
        rows[1].text(0.5, 0.5, "capacity is not limited", ha="center", transform=rows[1].transAxes)
    rows[1].set_ylabel("requests/s")
    stairs(rows[2], [100 * s.harm for s in course], color=charts.COLOURS[5], fill=False)
    rows[2].set_ylabel("bad requests, %")
    rows[2].set_ylim(bottom=0)


def _unit(end: float) -> tuple[str, float]:
    if end > 3 * 86_400:
        return "days", 86_400.0
    if end > 3 * 3600:
        return "hours", 3600.0
    return "minutes", 60.0


class Courses:
    """Pictures of one release under several strategies: traffic on the new version above bad
    requests. They share the time axis, the scales and the places of everything but the courses, so
    one figure is drawn again and again; `top` is the highest rate of bad requests a minute.
    """

    def __init__(self, along: Axis, top: float) -> None:
        self._along = along
        self._figure, (upper, lower) = charts.canvas(4.9, 2.7, 2)
        self._upper, self._lower = upper, lower
        title = {"fontsize": 9, "loc": "left", "color": charts.INK}
        upper.set_ylim(0, _HEADROOM)
        upper.set_yticks([0, 50, 100], ["0 %", "50 %", "100 %"])
        upper.set_title("traffic on the new version", y=1, **title)
        lower.set_ylim(0, top)
        lower.yaxis.set_major_locator(_few())
        lower.yaxis.set_major_formatter(lambda value, _: wording.count(value))
        lower.set_title("bad requests a minute", y=1, **title)
        lower.set_xlim(0, 1)
        places = [along.place(tick) for tick in along.ticks]
        lower.set_xticks(places, [wording.length(tick) if tick else "0" for tick in along.ticks])
        charts.settle(self._figure)

    def draw(
        self, key: str, title: str, parts: Sequence[Piece], marks: Sequence[Mark], colour: str
    ) -> str:
        """One strategy's release as an SVG element."""
        drawn = [*self._courses(parts, colour), *self._marks(marks)]
        description = "Traffic on the new version and bad requests a minute over time."
        picture = charts.svg(self._figure, key, title, description)
        for one in drawn:
            one.remove()
        return picture

    def _courses(self, parts: Sequence[Piece], colour: str) -> Iterator[Any]:
        place = self._along.place
        edges = [*(place(part.start) for part in parts), place(parts[-1].end)] if parts else [0, 1]
        for axes, values in (
            (self._upper, [100 * part.weight for part in parts]),
            (self._lower, [part.bad_a_minute for part in parts]),
        ):
            heights = values or [0.0]
            filled = {"fill": True, "baseline": 0, "alpha": 0.3, "linewidth": 0}
            yield axes.stairs(heights, edges, color=colour, **filled)
            yield axes.stairs(heights, edges, color=colour, linewidth=1.6, baseline=None)

    def _marks(self, marks: Sequence[Mark]) -> Iterator[Any]:
        for number, mark in enumerate(sorted(marks, key=lambda one: one.time)):
            place = self._along.place(mark.time)
            for axes in (self._upper, self._lower):
                yield axes.axvline(place, color=charts.INK, linewidth=0.8, linestyle=":")
            yield self._upper.annotate(
                f"{mark.event} {mark.text}",
                (place, _HEADROOM - 12 - 26 * (number % 4)),
                xytext=(-4 if mark.late else 4, 0),
                textcoords="offset points",
                fontsize=8,
                color=charts.INK,
                va="center",
                ha="right" if mark.late else "left",
                bbox={"boxstyle": "square,pad=0.1", "facecolor": charts.PAGE, "edgecolor": "none"},
            )


def _few() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(2)
