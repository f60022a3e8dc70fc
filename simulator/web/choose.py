"""Which scenario a page is about: a packaged one, or the visitor's own of this session."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from simulator.web import state
from simulator.web.plain import plain
from simulator.web.state import Base
from simulator.words.reading import packaged_folder
from simulator.words.scenario import Scenario

One = TypeVar("One")
OWN, OWN_TEXT, FIRST = state.OWN, state.OWN_TEXT, state.FIRST


class Chosen(NamedTuple):
    """A scenario with the changes of the link, what a command line would say for it, and which
    file that is: nothing for a packaged one.
    """

    scenario: Scenario
    folder: str | None
    command_name: str
    whose_file: str


def scenario(top: DeltaGenerator, *forget: str) -> Chosen:
    """Draw the select box and give what is chosen; what is wrong is told at the `top`.

    `forget` names widgets whose values are dropped when another scenario is chosen.
    """
    begun = state.base(top, forget)
    found = state.variant(begun)
    if found.changes:
        st.caption("With the changes made on Compare: " + plain(", ".join(found.changes)))
    folder = None if begun.name == OWN else str(packaged_folder())
    name = "".join(state.command(begun, found))
    return Chosen(found.scenario, folder, name, whose_file(begun))


def whose_file(begun: Base) -> str:
    """Where the file of commands comes from, for a scenario of one's own; else nothing."""
    if begun.name != OWN:
        return ""
    return (
        f"{state.stem(begun)}.yaml is what Compare offers as “Scenario (YAML)”, with its changes."
    )


def rows(ones: Sequence[One], width: int) -> list[Sequence[One]]:
    """Them in rows of so many."""
    return [ones[i : i + width] for i in range(0, len(ones), width)]


def quoted(name: str) -> str:
    """A name as a shell takes it."""
    return shlex.quote(name)
