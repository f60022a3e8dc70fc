"""The replayed incidents keep to what was published, and the page says what they say."""

from __future__ import annotations

import math

import pytest

from simulator.findings.comparison import simulate
from simulator.words.reading import load
from tests.scenarios.incidents import HAPPENED, INCIDENTS, PAGE, Incident, budget_spent, told, write

AWAY = 0.02


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.scenario)
def test_the_model_is_where_the_publication_is(incident: Incident) -> None:
    """Every published moment within 2 %."""
    story = told(incident)
    for event in incident.events:
        assert event.model(story) == pytest.approx(event.published, rel=AWAY), event.what


# Failed requests by arithmetic, as a part of those as it happened. Content: one tenth for 78 min
# and another for 48 of them. The stale server: 20 min at an eighth or seven eighths, 25 at
# everything.
INSTEAD = {
    "incident-content-push": {
        "one percent first": (0.01, 0.01),
        "waves of a tenth": (0.2, 0.1 * (78 + 48) / 78),
    },
    "incident-stale-server": {
        "one server first": (0.125, (20 * 7 / 8 + 25) / (20 / 8 + 25)),
        "all eight at once": (1.0, 0.0),
    },
    "incident-global-rule": {"a hundredth first": (0.01, 0.01), "waves": (0.1, 0.1)},
    # Nineteen sites: down for 28.55 min, and then each for its turn of 147 s.
    "incident-nineteen-sites": {
        "one site first": (1 / 19, 1713 / (19 * 1713 + 147 * 19 * 20 / 2)),
        "one after the other": (1 / 19, 1713 / (19 * 1713 + 147 * 19 * 20 / 2)),
    },
}


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.scenario)
def test_what_a_canary_or_waves_would_have_done(incident: Incident) -> None:
    """Peak exposure to 0.01 points, and failed requests within 1 % of the arithmetic."""
    risk = simulate(load(incident.scenario), 50, seed=1).risk()
    failed = {name: found.given_defect.mean("failed_requests") for name, found in risk.items()}
    happened = failed.pop(HAPPENED)
    assert happened
    assert set(failed) == set(INSTEAD[incident.scenario])
    for name, (peak, part) in INSTEAD[incident.scenario].items():
        assert risk[name].given_defect.mean("peak_exposure") == pytest.approx(peak, abs=1e-4)
        assert failed[name] == pytest.approx(part * happened, rel=0.01), name


def test_who_is_harmed_where_one_site_is_down() -> None:
    """Users stay with their site: with one of nineteen down at most 1 in 19 is harmed."""
    risk = simulate(load("incident-nineteen-sites"), 50, seed=1).risk()
    harmed = risk["one site first"].given_defect.mean("users_harmed")
    assert harmed is not None
    assert 0.95 / 19 < harmed < 1 / 19


def test_nearly_every_host_that_was_up_met_the_update() -> None:
    """A host that asks every 15 min meets it within 78 min with 1 - e^(-78/15) = 99.4 %."""
    harmed = simulate(load("incident-content-push"), 50, seed=1).risk()[HAPPENED].given_defect
    assert harmed.mean("users_harmed") == pytest.approx(1 - math.exp(-78 / 15), abs=0.001)


def test_the_rule_spent_five_eighths_of_the_budget() -> None:
    """27 min of 43.2 min are 62.5 %, from the moment at which the rule is there."""
    assert budget_spent() == pytest.approx(27 / 43.2, rel=0.001)


def test_going_back_the_wrong_way_is_most_of_the_harm() -> None:
    """20 min at an eighth, 25 min at everything: 25 / 27.5 of the failed requests, and worse than
    finishing, which would have left no old code at all."""
    results = simulate(load("incident-stale-server"), 50, seed=1)
    bad = results.risk()[HAPPENED].given_defect
    assert bad.mean("failed_requests") == pytest.approx(1000 * 60 * (20 / 8 + 25), rel=0.01)
    assert bad.mean("rollback_worse") == 1


def test_the_page_is_current() -> None:
    """Write it anew with: python -m tests.scenarios.incidents"""
    assert PAGE.read_text("utf-8") == write()
