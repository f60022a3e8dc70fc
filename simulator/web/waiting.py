"""Waiting for an answer: its progress, a button to cancel, and better answers as they come."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st

from simulator.web import jobs, state
from simulator.web.jobs import Job
from simulator.web.plain import plain

Found = TypeVar("Found")
_LOOK, _PATIENCE = 0.4, 20.0


def waited(job: Job[Found], slot: str, doing: str) -> Found | None:
    """The newest answer of a job, with its progress above; draws it anew with each better one."""
    with st.spinner(doing):
        found = job.wait(_PATIENCE)
    if job.error:
        st.error(f"This cannot be simulated:\n\n{plain(job.error)}")
        return None
    if found is None and job.ended:
        st.warning("Stopped before there was an answer.")
        if st.button("Go on", key=f"go on {slot}"):
            jobs.again(state.visitor(), slot)
            st.rerun()
    stage, running = job.stage, not job.ended
    place = st.container()
    if running:
        place, right = st.columns([5, 1], vertical_alignment="center")
        right.button(
            "Cancel", key=f"cancel {slot}", on_click=jobs.stop, args=(state.visitor(), slot)
        )

    @st.fragment(run_every=_LOOK if running else None)
    def watch() -> None:
        """One look at the job."""
        job.look()
        if job.stage != stage or (running and job.ended):
            st.rerun()
        if running:
            st.progress(min(job.done / max(job.total, 1), 1.0), "Looking closer ...")

    with place:
        watch()
    return found
