"""How many tenants are harmed: closed forms, and tenants drawn one by one."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from simulator.cli.tables import comparison_table
from simulator.decide.advice import conclude
from simulator.findings.comparison import simulate
from simulator.report.export import csv_text, document
from simulator.report.markdown import markdown
from simulator.words.reading import ScenarioError, loads
from simulator.words.scenario import Scenario
from simulator.words.tenants import Tenants
from simulator.words.writing import dump
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play

RATE, USERS, BAD, WEIGHT = 10.0, 2000, 0.05, 0.2
SEEN, DECIDED = 900.0, 300.0
TENANTS = f"{{count: {USERS}, largest: 20%, zipf: 1}}"


def shop(traffic: str = "sticky: false", users: str = TENANTS, **words: str) -> Scenario:
    """A canary of a fifth that fails in one of twenty requests until it is taken back."""
    given = {
        "rate": f"rate: {RATE:g} rps",
        "users": users,
        "traffic": traffic,
        "defect": f"{{kind: errors, rate: {100 * BAD:g}%}}",
        "strategy": f"canary: {{steps: [{{weight: {WEIGHT}, bake: 1h}}]}}",
        **noticed(SEEN, DECIDED),
    }
    return bare(**(given | words))


def sizes(largest: float, zipf: float, count: int) -> list[float]:
    """Users of each tenant, one after the other: the last one has what is left."""
    found, left, number = list[float](), 1.0, 1
    while left > 1e-12:
        found.append(min(largest / number**zipf, left))
        left -= found[-1]
        number += 1
    return [count * share for share in found]


def test_requests_that_meet_the_mix_harm_tenants_by_their_size() -> None:
    """Of a tenant with the share s of the users the bad requests are Poisson, s x rate x w x p x
    (D + R) in the mean: 1 - e^(-that), in the mean over all tenants."""
    bad = RATE * WEIGHT * BAD * (SEEN + DECIDED)
    each = [-math.expm1(-size / USERS * bad) for size in sizes(0.2, 1, USERS)]
    outcomes = play(shop(), 5)
    assert near([o.tenants_harmed for o in outcomes], float(np.mean(each)))
    assert outcomes[0].tenants_harmed > outcomes[0].users_harmed


@pytest.mark.parametrize("traffic", ["sticky: true", "sticky: false"])
def test_tenants_drawn_one_by_one_come_to_the_same(traffic: str) -> None:
    """Every user of every tenant has a place of their own in a sticky canary, and Poisson requests
    of which some are bad; a tenant counts as soon as one of its users is harmed."""
    rng = np.random.default_rng(3)
    users = np.round(sizes(0.2, 1, USERS)).astype(int)
    owner = np.repeat(np.arange(len(users)), users)
    mean = RATE * BAD * (SEEN + DECIDED) / USERS
    shares = []
    for _ in range(400):
        if traffic == "sticky: true":
            harmed = (rng.random(len(owner)) < WEIGHT) & (rng.poisson(mean, len(owner)) > 0)
        else:
            harmed = rng.poisson(WEIGHT * mean, len(owner)) > 0
        shares.append(len(np.unique(owner[harmed])) / len(users))
    found = play(shop(traffic), 1)[0].tenants_harmed
    error = float(np.std(shares)) / math.sqrt(len(shares))
    assert abs(found - np.mean(shares)) < 4 * error + 0.002  # users of a tenant are whole there


def test_who_can_meet_it_at_all_bounds_what_tenants_meet() -> None:
    """Every request fails of the 5 % of the users who can meet it: of n users one is among them
    with 1 - 0.95^n."""
    scenario = shop(
        defect="{kind: errors, rate: 100%, users: 5%}",
        rate="rate: 1000 rps",
        strategy="big_bang: {in_place: false}",
    )
    each = [1 - 0.95**size for size in sizes(0.2, 1, USERS)]
    assert play(scenario, 1)[0].tenants_harmed == pytest.approx(np.mean(each), abs=1e-6)


def test_nothing_failed_harms_nobody_and_without_tenants_there_is_no_figure() -> None:
    assert play(shop(), 1, bad=False)[0].tenants_harmed == 0.0
    assert math.isnan(play(shop(users=f"{USERS}"), 1)[0].tenants_harmed)


@pytest.mark.parametrize(
    ("largest", "zipf", "count"),
    [
        (0.15, 1.1, 250_000),
        (0.02, 0.5, 10**6),
        (0.12, 1, 10**6),
        (0.61, 2, 10**5),
        (0.25, 1e-9, 80),
    ],
)
def test_tenants_in_classes_are_those_counted_one_by_one(
    largest: float, zipf: float, count: int
) -> None:
    """The largest has its share, all of them have all users, and the share harmed is the mean over
    each of them, whatever share of the users is."""
    tenants, exact = Tenants(count=count, largest=largest, zipf=zipf), sizes(largest, zipf, count)
    numbers, users = tenants.sizes
    assert users[0] == pytest.approx(largest * count)
    assert float(np.dot(numbers, users)) == pytest.approx(count)
    assert numbers.sum() == pytest.approx(len(exact), abs=1)
    for share in (1e-6, 1e-4, 0.01, 0.3):
        mean = np.mean(-np.expm1(np.array(exact) * math.log1p(-share)))
        assert tenants.harmed(share) == pytest.approx(mean, rel=2e-3)
    assert tenants.harmed(0.0) == 0.0
    assert tenants.harmed(1.0) == 1.0


def test_tables_have_the_figure_only_where_there_are_tenants() -> None:
    with_them = conclude(simulate(shop(), 5, fewest=5), confirm=False)
    without = conclude(simulate(shop(users=f"{USERS}"), 5, fewest=5), confirm=False)
    for found, there in ((with_them, True), (without, False)):
        texts = [comparison_table(found, False), markdown(found), csv_text(found)]
        texts.append(json.dumps(document(found)))
        assert [("enants" in text) for text in texts] == [there] * 4
    mean = with_them.risk["canary"].given_defect.tenants_harmed.mean.value
    assert mean == pytest.approx(play(shop(), 1)[0].tenants_harmed, rel=0.05)


def test_a_file_with_tenants_reads_back() -> None:
    scenario = shop().with_("traffic.users.zipf", "0.9")
    again = loads(dump(scenario))
    assert again.traffic == scenario.traffic
    assert again.sha256 == scenario.sha256
    assert again.traffic.users == USERS
    assert any("tenants, the largest of 400 users" in note for note in again.notes)
    assert shop(users="2k").resolved()["traffic"]["users"] == 2000


@pytest.mark.parametrize(
    ("users", "remedy"),
    [
        ("{count: 5000, largest: 15%, zipf: 1.1}", "come to 76.6 % of the users: raise largest"),
        ("{count: 1M, largest: 1%, zipf: 3}", "raise largest or count, or lower zipf"),
        ("{count: 1M, largest: 10%}", "zipf: is missing"),
        ("{count: 1M, largest: 0%, zipf: 1}", "largest: 0% is too small"),
        ("{count: few, largest: 10%, zipf: 1}", "users.count: 'few' is not a whole number"),
        ("many", "traffic.users: 'many' is not a whole number"),
    ],
)
def test_tenants_that_cannot_be_are_refused(users: str, remedy: str) -> None:
    with pytest.raises(ScenarioError, match=remedy):
        shop(users=users)


def test_what_nobody_has_modelled_or_asked_is_refused() -> None:
    cells = "cells: [{name: a, share: 30%}, {name: b, share: 70%}]"
    with pytest.raises(ScenarioError, match=r"waves of cells and tenants of traffic.users are not"):
        shop(service=cells, strategy="phased: {by: cells}")
    steps = "[{weight: 0, audience: 50 users}, {weight: 30%}]"
    with pytest.raises(ScenarioError, match=r"an audience and tenants of traffic.users are not"):
        shop(strategy=f"canary: {{steps: {steps}}}")
    with pytest.raises(ScenarioError, match=r"tenants_harmed needs tenants: write e.g. traffic"):
        shop(users="2k").with_("objectives", "[tenants_harmed mean < 5% given defect]")
