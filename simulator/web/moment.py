"""One moment of a replay: every strategy's fleet and failures, with step, play and next event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import streamlit as st

from simulator.play.replay import Replay
from simulator.report import courses, wording
from simulator.report.courses import Axis, Piece
from simulator.web.charts import ink
from simulator.web.courses import states, tiles
from simulator.web.legend import legend
from simulator.web.plain import frame

_FRAMES, _EVERY = 40, 0.6
_KEY, _PLACE, _PLAYING, _PLACES = "t", "place", "playing", 400
_SECONDS = "Since the decision to deploy. It stands in the address of the page."


def show(told: Mapping[str, Replay], parts: Mapping[str, Sequence[Piece]], along: Axis) -> None:
    """Draw the moment that the link names, and the buttons that move it."""
    events = courses.moments(list(told.values()), along)
    end = int(along.end)

    @st.fragment(run_every=_EVERY if st.session_state.get(_PLAYING) else None)
    def watch() -> None:
        """One frame."""
        if st.session_state.get(_PLAYING):
            _step(1, along)
            if st.session_state[_KEY] >= end:
                st.session_state[_PLAYING] = False
                st.rerun()
        _buttons(events, along)
        now = _chosen(along)
        st.markdown(f"After **{wording.length(now)}**:")
        each = courses.each_tile(parts.values())
        rows = [row for name in told for row in courses.tiles(name, parts[name], now, each)]
        legend(states())
        st.altair_chart(
            tiles(rows, list(told), ink()),
            width="stretch",
            alt="Fleets at this moment; the table below says the same",
        )
        st.caption(
            f"A tile is {each} instance{'s' * (each > 1)}. Leaving: draining, or being reinstalled."
        )
        table = [courses.moment(one, parts[name], now) for name, one in told.items()]
        st.table(frame(table, courses.MOMENT), hide_index=True)

    watch()


def _chosen(along: Axis) -> int:
    """Draw the two ways to name a moment, along the axis of the pictures and in seconds."""
    left, right = st.columns([3, 1])
    now = int(
        right.number_input(
            "Seconds", 0, int(along.end), key=_KEY, bind="query-params", help=_SECONDS
        )
    )
    place = round(_PLACES * along.place(now))
    if st.session_state.get(_PLACE) != place:
        st.session_state[_PLACE] = place
    left.slider(
        "Moment along the axis",
        0,
        _PLACES,
        key=_PLACE,
        on_change=_drag,
        args=(along,),
        format=" ",
        help="The same axis as in the pictures below.",
    )
    return now


def _drag(along: Axis) -> None:
    _go(min(round(along.at(st.session_state[_PLACE] / _PLACES)), int(along.end)))


def _buttons(events: Sequence[int], along: Axis) -> None:
    playing = bool(st.session_state.get(_PLAYING))
    row = st.container(horizontal=True)
    row.button("Start", key="to start", on_click=_go, args=(0,))
    row.button("Previous event", key="previous", on_click=_event, args=(list(events), -1))
    row.button("Step", key="step", on_click=_step, args=(1, along))
    if row.button("Pause" if playing else "Play", key="play"):
        st.session_state[_PLAYING] = not playing
        st.rerun()
    row.button("Next event", key="next", on_click=_event, args=(list(events), 1))
    row.button("End", key="to end", on_click=_go, args=(int(along.end),))


def _go(second: int) -> None:
    st.session_state[_KEY] = second


def _step(steps: int, along: Axis) -> None:
    """A fortieth of the axis further, at least a second."""
    now = int(st.session_state.get(_KEY, 0))
    place = along.place(now) + steps / _FRAMES
    _go(min(max(round(along.at(min(place, 1.0))), now + 1), int(along.end)))


def _event(events: list[int], way: int) -> None:
    """To the next or the previous second at which something happens."""
    now = int(st.session_state.get(_KEY, 0))
    if way > 0:
        _go(next((second for second in events if second > now), now))
    else:
        before = [one for one, _ in pairwise([*events, events[-1] + 1]) if one < now]
        _go(before[-1] if before else 0)
