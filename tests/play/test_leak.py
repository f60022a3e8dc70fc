"""The course of a leak against a plain sum over instances."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simulator.play.leak import Leak

COHORTS = [(3, 0.0), (1, 40.0), (6, 40.0), (2, 700.0)]
ONSET, RAMP, MOST = 100.0, 300.0, 0.2


def plain(t: np.ndarray) -> np.ndarray:
    total = sum(count for count, _ in COHORTS)
    grown = sum(n * np.clip((t - since - ONSET) / RAMP, 0, 1) for n, since in COHORTS)
    return MOST * grown / total


def test_the_rate_is_the_mean_over_instances():
    t = np.linspace(0, 1500, 3001)
    assert Leak(COHORTS, ONSET, RAMP, MOST).at(t) == pytest.approx(plain(t), abs=1e-12)


def test_means_are_exact_over_cells_that_straddle_kinks():
    edges = np.array([0.0, 50.0, 120.0, 333.0, 800.0, 1200.0, 5000.0])
    fine = [np.linspace(a, b, 200_001) for a, b in pairwise(edges)]
    expected = [np.trapezoid(plain(t), t) / (t[-1] - t[0]) for t in fine]
    assert Leak(COHORTS, ONSET, RAMP, MOST).means(edges) == pytest.approx(expected, rel=1e-7)


def test_a_level_is_exceeded_from_where_the_rate_has_it():
    leak = Leak(COHORTS, ONSET, RAMP, MOST)
    moment = leak.exceeds(0.1)
    assert float(plain(np.array([moment]))[0]) == pytest.approx(0.1)
    assert leak.exceeds(0.3) == float("inf")
    assert leak.exceeds(-1.0) == -float("inf")


def test_a_leak_without_a_ramp_is_a_jump():
    leak = Leak([(4, 0.0), (4, 100.0)], 10.0, 0.0, 0.5)
    assert leak.means(np.array([0.0, 10.0, 110.0, 200.0])) == pytest.approx([0, 0.25, 0.5])
    assert leak.kinks(0.0, 50.0) == pytest.approx([10.0, 10.0], abs=1e-5)


def test_lines_between_its_edges_lag_by_a_quarter_of_a_second():
    """The harm so far, even between the edges, is what it is at most 0.25 s later."""
    leak = Leak(COHORTS, ONSET, RAMP, MOST)
    edges = leak.edges(0.0, 5000.0)
    assert (edges[0], edges[-1]) == (0.0, 5000.0)
    t = np.linspace(100.5, 1500.0, 20_001)
    line = np.interp(t, edges, [leak.upto(x) for x in edges])
    assert all(line - [leak.upto(x) for x in t] >= -1e-12)
    assert all(line <= np.array([leak.upto(x + 0.2501) for x in t]) + 1e-12)
    assert len(edges) < 100


def test_one_span_is_a_cell_of_its_own():
    leak, edges = Leak(COHORTS, ONSET, RAMP, MOST), [0.0, 50.0, 120.0, 140.0, 333.0, 800.0, 5000.0]
    cells = leak.means(np.array(edges))
    assert [leak.mean(a, b) for a, b in pairwise(edges)] == pytest.approx(cells, abs=1e-15)
