"""Which scenario a page is about: a packaged one, or the visitor's own of this session."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from simulator.web.own import NAME, read
from simulator.words.reading import load, packaged, packaged_folder
from simulator.words.scenario import Scenario

OWN = NAME
OWN_TEXT = "own_text"
FIRST = "textbook"


class Chosen(NamedTuple):
    """A scenario, the name it is chosen by, and the folder its files are in (None: of no file)."""

    name: str
    scenario: Scenario
    folder: str | None

    @property
    def stem(self) -> str:
        """A name for files that are downloaded."""
        return "my-own" if self.folder is None else file_name(self.name)

    @property
    def command_name(self) -> str:
        """What a command line would say for it."""
        return "my-own.yaml" if self.folder is None else self.name


def scenario(*forget: str) -> Chosen:
    """Draw the select box and give what is chosen.

    `forget` names widgets whose values are dropped when another scenario is chosen.
    """
    own = st.session_state.get(OWN_TEXT)
    names = packaged()
    options = names if own is None else [OWN, *names]
    if own is None and st.query_params.get("scenario") == OWN:
        st.warning(
            "This link is of a scenario of somebody's own, which is known to their browser tab "
            "alone. Ask for its file and open it on the page Scenarios."
        )
    name = st.selectbox(
        "Scenario",
        options,
        index=options.index(FIRST) if FIRST in options else 0,
        key="scenario",
        bind="query-params",
        help="Each answers one question. The page Scenarios shows them and takes your own.",
        on_change=_drop,
        args=(forget,),
    )
    if own is not None and name == OWN:
        return Chosen(OWN, read(own), None)
    folder = (packaged_folder() / f"{name}.yaml").parent
    return Chosen(name, load(name), str(folder))


def rows(names: Sequence[str], width: int) -> list[Sequence[str]]:
    """Names in rows of so many."""
    return [names[i : i + width] for i in range(0, len(names), width)]


def file_name(name: str) -> str:
    """A scenario's name as a file may be called."""
    return name.replace("/", "-")


def quoted(name: str) -> str:
    """A name as a shell takes it."""
    return shlex.quote(name)


def _drop(keys: tuple[str, ...]) -> None:
    """Let widgets begin anew: what they said was about another scenario."""
    for key in keys:
        st.session_state.pop(key, None)
