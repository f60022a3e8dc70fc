"""What the link of a tab says, however far its browser lags behind.

A browser that has not heard of a change yet sends the link from before it with whatever it asks for
next; taken at its word, it would undo the change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

SCENARIO = "scenario"
_KEYS = ("set", "b", "fix", "two", "own", "m", "example", "workload", "profile", "compared")
_WRITTEN, _MOST = "links written", 20

_Said = dict[str, list[str]]


def values(key: str) -> list[str]:
    """All values of a key; none if the link does not have it."""
    _catch_up()
    return st.query_params.get_all(key)


def value(key: str) -> str | None:
    """The last value of a key."""
    found = values(key)
    return found[-1] if found else None


def write(key: str, *values: str) -> None:
    """Have a key say these values; without any it leaves the link."""
    _catch_up()
    _put(key, values)
    written, said = st.session_state[_WRITTEN][1], _said()
    if said != written[-1]:
        written.append(said)
    del written[:-_MOST]


def _put(key: str, values: Sequence[str]) -> None:
    if values:
        st.query_params[key] = list(values)
    else:
        st.query_params.pop(key, None)


def _said() -> _Said:
    return {key: st.query_params.get_all(key) for key in _KEYS if key in st.query_params}


def _catch_up() -> None:
    """Say again what was written last, if the browser repeats what the link said before it.

    Who goes back in the history, or to another page or scenario, means what the link says.
    """
    run, said = get_script_run_ctx(), _said()
    place = (run and run.page_script_hash, st.query_params.get(SCENARIO))
    known: tuple[Any, list[_Said]] | None = st.session_state.get(_WRITTEN)
    meant = run is not None and run.is_history_navigation
    if known is None or known[0] != place or (meant and said != known[1][-1]):
        st.session_state[_WRITTEN] = (place, [said])
    elif said not in known[1]:
        known[1].append(said)
    elif said != known[1][-1]:
        for key in _KEYS:
            _put(key, known[1][-1].get(key, ()))
