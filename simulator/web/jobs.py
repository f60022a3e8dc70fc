"""Comparisons for the page, remembered by what was asked."""

from __future__ import annotations

import os

import streamlit as st

from simulator.decide.advice import Comparison, conclude
from simulator.findings.comparison import simulate
from simulator.findings.results import Results
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

MOST_REPLICATIONS = 2000
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
