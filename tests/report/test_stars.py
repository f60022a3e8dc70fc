"""What earns a star or a place beside the recommendation, and what is said of it."""

from __future__ import annotations

from functools import cache

from simulator.decide.advice import Comparison, at_a_glance
from simulator.findings.comparison import simulate
from simulator.report import headlines
from simulator.report.judged import judged
from simulator.words.reading import load

NEVER, OFTEN = "rolling in place", "blue/green, 3 h"


@cache
def played(name: str) -> Comparison:
    return at_a_glance(simulate(load(name), 20, 1, fewest=3))


def test_a_strategy_that_never_deploys_a_good_release_earns_no_star() -> None:
    found = played("service-jvm-monolith")
    assert not found.risk[NEVER].deploys
    rows = {row.strategy: row for row in headlines.rows(found)}
    assert not any(cell.best for cell in rows[NEVER].cells)
    others = [row for name, row in rows.items() if name != NEVER]
    assert all(any(row.cells[k].best for row in others) for k in range(len(headlines.COLUMNS)))


def test_what_cannot_be_carried_out_earns_no_star() -> None:
    found = played("service-inference")
    rows = [row for row in headlines.rows(found) if row.note]
    assert rows
    assert not any(cell.best for row in rows for cell in row.cells)


def test_an_endless_time_is_decided_and_said() -> None:
    found = played("service-jvm-monolith")
    (time,) = (row for row in judged(found, NEVER) if row.expression.startswith("time_to_deploy"))
    assert (time.passed, time.decided) == (False, True)
    assert time.value == "never deploys a good release"
    assert time.sentence.endswith("3h given good: never deploys a good release.")


def test_what_speaks_against_the_runner_up_stands_beside_it() -> None:
    found = played("service-eks-shop")
    assert found.recommendation is not None
    assert found.recommendation.runner_up == "big bang"
    text = headlines.doubts(found)
    assert "Runner-up: “big bang” (keeps none of 2 objectives; deploys only" in text
    assert "Mind that it deploys only" not in text


def test_a_runner_up_that_keeps_everything_stands_alone() -> None:
    found = played("service-jvm-monolith")
    assert found.recommendation is not None
    better = found._replace(recommendation=found.recommendation._replace(runner_up=OFTEN))
    assert f"Runner-up: “{OFTEN}”. " in headlines.doubts(better)


def test_a_recommendation_that_hardly_deploys_says_so() -> None:
    found = played("service-jvm-monolith")
    assert found.recommendation is not None
    worse = found._replace(recommendation=found.recommendation._replace(strategy=NEVER))
    assert "Mind that it deploys only 0 % of good releases." in headlines.doubts(worse)
