"""Comparisons for the page, remembered by what was asked."""

from __future__ import annotations

import streamlit as st

from simulator.findings.comparison import Comparison, compare, conclude
from simulator.findings.results import Results
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

MOST_REPLICATIONS = 2000


@st.cache_resource(max_entries=20, show_spinner=False)
def simulated(text: str, folder: str | None, replications: int, seed: int) -> Comparison:
    """The comparison of a scenario given as resolved text, its pace curves included."""
    scenario = loads(text, folder=folder)
    count = min(replications, MOST_REPLICATIONS)
    return compare(scenario, count, seed, jobs=1, paces=(0.5, 1.0, 2.0))


def with_probability(found: Comparison, scenario: Scenario, probability: float) -> Comparison:
    """The same replications for another probability of a defect: answers at once."""
    results = found.results.reweighted(probability)
    own = Results(
        scenario, results.seed, results.groups, results.columns, results.limits, results.reasons
    )
    return conclude(own, found.pace, confirm=False)
