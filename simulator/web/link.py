"""What the link of a tab says, however far its browser lags behind.

A browser that has not heard of a change yet sends the link from before it with whatever it asks for
next; taken at its word, it would undo the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

SCENARIO = "scenario"
KEYS = ("set", "b", "fix", "two", "own", "m", "example", "workload", "profile", "compared")
"""What the pages write themselves; none may be a widget's own that Streamlit binds to the link."""
_WRITTEN = "links written"

_Said = dict[str, list[str]]


class _Written:
    """What was said at one place (page, scenario): the newest, and marks of all there was."""

    def __init__(self, place: tuple[str | None, str | None], said: _Said) -> None:
        self.place, self.newest, self._known = place, said, {hash(repr(said))}

    def knows(self, said: _Said) -> bool:
        """Whether the link said so before."""
        return hash(repr(said)) in self._known

    def note(self, said: _Said) -> None:
        """The link said so at some time."""
        self._known.add(hash(repr(said)))

    def say_so(self) -> None:
        """What the link says now is the newest."""
        self.newest = _said()
        self.note(self.newest)


def goes_back() -> bool:
    """Whether the visitor has gone back or forth in the history: the link is meant as it is."""
    run = get_script_run_ctx()
    return run is not None and run.is_history_navigation


def asked() -> _Said:
    """The link that the visitor came with, with what the framework takes out of it."""
    run = get_script_run_ctx()
    return parse_qs(run.query_string, keep_blank_values=True, max_num_fields=1000) if run else {}


def take_at_its_word(said: Mapping[str, list[str]]) -> None:
    """Have the link say this, and widgets begin with it, as if the visitor had opened it.

    Of a link that the visitor goes back to, the framework takes out what widgets of another page
    are bound to, whatever this page has.
    """
    run, query = get_script_run_ctx(), urlencode(said, doseq=True)
    if run is None:
        return
    told = any(st.query_params.get_all(key) != values for key, values in said.items())
    with suppress(AttributeError), run.session_state.query_params() as params:
        params.populate_from_query_string(query)  # nothing of this is promised to stay
        params.set_initial_query_params(query)
        if told:
            params._send_query_param_msg()
    _catch_up()


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
    written = _catch_up()
    _put(key, values)
    written.say_so()


def write_all(told: Mapping[str, Sequence[str]]) -> None:
    """Have keys say these values, all at once: each change of a link is a step in the history."""
    written = _catch_up()
    st.query_params.update(told)
    written.say_so()


def _put(key: str, values: Sequence[str]) -> None:
    if values:
        st.query_params[key] = list(values)
    else:
        st.query_params.pop(key, None)


def _said() -> _Said:
    return {key: st.query_params.get_all(key) for key in KEYS if key in st.query_params}


def _catch_up() -> _Written:
    """Say again what was written last, if the browser repeats what the link said before it.

    Who goes back in the history, or to another page or scenario, means what the link says.
    """
    run, said = get_script_run_ctx(), _said()
    place = (run.page_script_hash if run else None, st.query_params.get(SCENARIO))
    written: _Written | None = st.session_state.get(_WRITTEN)
    if written is None or written.place != place or (goes_back() and said != written.newest):
        written = st.session_state[_WRITTEN] = _Written(place, said)
    elif not written.knows(said):
        written.newest = said
        written.note(said)
    elif said != written.newest:
        for key in KEYS:  # each is told to the browser by itself, and may come back
            if said.get(key) != written.newest.get(key):
                _put(key, written.newest.get(key, ()))
                written.note(_said())
    return written
