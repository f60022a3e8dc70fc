"""The textbook's order holds over most of what a service can be like."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import qmc

from simulator.findings.comparison import simulate
from simulator.words.reading import load
from simulator.words.scenario import Scenario

DRAWS = int(os.environ.get("DRAWS", "20"))


class Input(NamedTuple):
    """A key of the scenario and its range, drawn on a logarithmic scale."""

    path: str
    low: float
    high: float
    text: Callable[[float], str]


def percent(share: float) -> str:
    return f"{100 * share:.5f}%"


def seconds(length: float) -> str:
    return f"{length:.1f}s"


INPUTS = (
    Input("traffic.rate", 200, 1600, lambda x: f"{x:.0f} rps"),
    Input("traffic.users", 2e4, 5e5, lambda x: f"{x:.0f}"),
    Input("service.startup", 20, 300, seconds),
    Input("service.errors.mean", 5e-5, 2e-3, percent),
    Input("detection.people.report_rate", 2e-4, 1e-2, percent),
    Input("detection.people.triage", 300, 3600, seconds),
    Input("detection.alarms[0].above", 5e-3, 3e-2, percent),
    Input("detection.alarms[0].delay", 10, 300, seconds),
    Input("response.page.decide", 120, 2400, seconds),
    Input("response.watch", 60, 3600, seconds),
)


def reference() -> Scenario:
    return load(
        "textbook",
        sets=[
            "strategies={big_bang: {in_place: false}, phased: {}, parallel_adoption: {}}",
            "planned=phased",
            "objectives=[]",
            "detection.people={report_rate: 0.1%}",
            "detection.alarms=[{above: 1%, datapoints: 2 of 3, minimum_requests: 20, delay: 60s}]",
        ],
    )


def test_big_bang_phased_parallel() -> None:
    """Fastest and riskiest, in between, slowest and safest, in at least 90 % of Latin-hypercube
    draws of what is no strategy (20 here; DRAWS=200 gives the full share). A strategy that never
    gets a good release through counts as slowest."""
    points = qmc.LatinHypercube(len(INPUTS), rng=np.random.default_rng(1)).random(DRAWS)
    kept, flips = 0, []
    for point in points:
        scenario = reference()
        for x, (path, low, high, text) in zip(point, INPUTS, strict=True):
            scenario = scenario.with_(path, text(low * (high / low) ** x))
        risk = simulate(scenario, 40, seed=1, fewest=8).risk()
        times = [r.given_good.time_to_deploy.mean.value or np.inf for r in risk.values()]
        harms = [r.given_defect.users_harmed.mean.value or 0.0 for r in risk.values()]
        holds = times == sorted(times) and harms == sorted(harms, reverse=True)
        kept += holds
        if not holds:
            flips.append((point.round(2).tolist(), times, harms))
    print(f"the textbook's order holds in {kept} of {DRAWS} draws; flips: {flips}")
    assert kept >= 0.9 * DRAWS


def test_where_it_flips_detection_slower_than_the_waves() -> None:
    """Phased is no safer than big bang once everything is moved before anybody notices: then both
    expose everyone for nearly as long (within 10 %)."""
    scenario = load(
        "textbook",
        sets=[
            "profile=bare",
            "strategies={big_bang: {in_place: false}, phased: {bake: 5m}}",
            "planned=phased",
            "objectives=[]",
            "detection={noticed: {after: 6h}}",
            "change.defects=[{kind: errors, rate: 5%}]",
        ],
    )
    risk = simulate(scenario, 50, seed=1).risk()
    big, phased = (r.given_defect.users_harmed.mean.value for r in risk.values())
    assert phased == pytest.approx(big, rel=0.1)
