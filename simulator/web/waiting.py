"""Waiting for answers: their progress, a button to cancel, and better answers as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from simulator.web import jobs, state
from simulator.web.jobs import Job
from simulator.web.plain import plain

Found = TypeVar("Found")
PATIENCE = 20.0
_LOOK = 0.25
_CLOSER = "Looking closer; what stands below becomes more precise."


def waited(job: Job[Found], slot: str, doing: str) -> Found | None:
    """The newest answer of a job, with its progress above; draws it anew with each better one."""
    with st.spinner(doing):
        found = job.wait(PATIENCE)
    if job.error:
        st.error(f"This cannot be simulated:\n\n{plain(job.error)}")
        return None
    progress({slot: job}, lambda _: _CLOSER)
    return found


def progress(asked: Mapping[str, Job[Any]], told: Callable[[Sequence[Job[Any]]], str]) -> None:
    """How far jobs are, by their slots, with a button to stop; or that they were stopped.

    `told` says in words what those that go on are doing. The page is drawn anew with each better
    answer.
    """
    visitor = state.visitor()
    stages = {slot: job.stage for slot, job in asked.items()}
    running = any(jobs.going(visitor, slot, job) for slot, job in asked.items())
    place = st.container()  # one place whatever is in it: what stands below keeps its own
    if running:
        place, right = place.columns([5, 1], vertical_alignment="center")
        # Outside of what looks again and again, so that it interrupts whatever is being drawn.
        right.button(
            "Cancel",
            key=f"cancel {' '.join(asked)}",
            on_click=jobs.stop,
            args=(visitor, tuple(asked)),
            width="stretch",
        )
    redraw = {"due": False}

    def go_on(slots: Sequence[str]) -> None:
        """Ask again what was stopped, and draw the page anew."""
        for slot in slots:
            jobs.again(visitor, slot)
        redraw["due"] = True

    @st.fragment(run_every=_LOOK if running else None)
    def watch() -> None:
        """One look at the jobs; what was stopped is told at once, before all is drawn anew."""
        for job in asked.values():
            job.look()
        still = [job for slot, job in asked.items() if jobs.going(visitor, slot, job)]
        if redraw["due"] or {slot: job.stage for slot, job in asked.items()} != stages:
            st.rerun()
        if still:
            done = sum(job.done for job in still) / max(sum(job.total for job in still), 1)
            st.progress(min(done, 1.0), told(still))
        else:
            redraw["due"] = running
            _stopped(asked, go_on)

    with place:
        watch()


def _stopped(asked: Mapping[str, Job[Any]], go_on: Callable[[Sequence[str]], None]) -> None:
    """That some were stopped before their last answer, with a button to go on."""
    slots = tuple(slot for slot, job in asked.items() if jobs.stopped(state.visitor(), slot, job))
    if not slots:
        return
    done = all(asked[slot].found is not None for slot in slots)
    why = asked[slots[0]].why
    st.caption(f"{why}: this is what was found." if done else f"{why} before there was an answer.")
    # Told to the jobs before anything is drawn: a click must not be lost when all is drawn anew.
    st.button("Go on", key=f"go on {' '.join(slots)}", on_click=go_on, args=(slots,))
