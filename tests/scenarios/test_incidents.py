"""The replayed incidents keep to what was published, and the page says what they say."""

from __future__ import annotations

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


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda incident: incident.scenario)
def test_something_else_would_have_harmed_far_less(incident: Incident) -> None:
    """At least one of the other strategies harms a tenth of the requests at most."""
    results = simulate(load(incident.scenario), 50, seed=1)
    failed = {
        name: risk.given_defect.mean("failed_requests") for name, risk in results.risk().items()
    }
    happened = failed.pop(HAPPENED)
    assert happened
    assert min(value for value in failed.values() if value is not None) < 0.1 * happened


def test_the_rule_spent_five_eighths_of_the_budget() -> None:
    """27 min of 43.2 min are 62.5 %; the propagation of the rule adds no failure of its own."""
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
