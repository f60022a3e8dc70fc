"""What the pages have worked out, remembered by what was asked."""

from __future__ import annotations

import os

import streamlit as st

from simulator.decide.advice import Comparison, conclude
from simulator.findings.choice import Choice, chosen
from simulator.findings.comparison import simulate
from simulator.findings.power import ALL, Sight, sights
from simulator.findings.results import Results
from simulator.play.replay import Replay, replay
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

MOST_REPLICATIONS = 2000
_LOOKED_AT, _OF_A_KIND = 40, 10
_PLAYED, _PLAYED_OF_A_KIND = 80, 20
_CORES = min(os.cpu_count() or 1, 4)


@st.cache_resource(max_entries=20, show_spinner=False)
def simulated(text: str, folder: str | None, replications: int, seed: int) -> Comparison:
    """The comparison of a scenario given as resolved text."""
    scenario = loads(text, folder=folder)
    count = min(replications, MOST_REPLICATIONS)
    return conclude(simulate(scenario, count, seed, jobs=_CORES), confirm=False)


def with_probability(found: Comparison, scenario: Scenario, probability: float) -> Comparison:
    """The same replications for another probability of a defect: answers at once."""
    results = found.results.reweighted(probability)
    own = Results(
        scenario, results.seed, results.groups, results.columns, results.limits, results.reasons
    )
    return conclude(own, found.pace, confirm=False)


@st.cache_resource(max_entries=20, show_spinner=False)
def looked_at(text: str, folder: str | None, seed: int) -> Results:
    """A small study, to choose replications from."""
    return simulate(loads(text, folder=folder), _LOOKED_AT, seed, fewest=_OF_A_KIND)


def choice(results: Results, label: str | None, worst: bool) -> Choice:
    """A typical replication of a small study, or its worst."""
    return chosen(results, label, worst)


@st.cache_resource(max_entries=40, show_spinner=False)
def replayed(
    text: str, folder: str | None, names: tuple[str, ...], seed: int, replication: int, label: str
) -> dict[str, Replay]:
    """One replication under several strategies."""
    scenario = loads(text, folder=folder)
    return {name: replay(scenario, name, seed, replication, label) for name in names}


@st.cache_resource(max_entries=60, show_spinner=False)
def seen(text: str, folder: str | None, name: str, every: bool, seed: int) -> tuple[Sight, ...]:
    """What the gates of a strategy see: with every detector alone, or with all together."""
    detectors = None if every else (ALL,)
    scenario = loads(text, folder=folder)
    return sights(scenario, name, seed, _PLAYED, detectors, _PLAYED_OF_A_KIND)
