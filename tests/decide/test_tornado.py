"""Swings of any figure against comparisons with one setting changed, and luck told from effect."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simulator.decide import alone
from simulator.decide.flip import Search, assumed
from simulator.decide.sensitivity import whose
from simulator.decide.tornado import SHOWN, asked, cost, tornado, tornados
from simulator.findings.comparison import Variant, simulate
from simulator.findings.means import Strata
from simulator.findings.pairs import paired
from simulator.findings.results import Given, Results
from simulator.findings.shifts import shift
from simulator.findings.study import Stratum
from simulator.words.objectives import Measure
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 12, utilisation: 55%, errors: 0.1%}
traffic: {rate: 400 rps, users: 30k}
change: {defects: [{kind: errors, rate: 20%, share: 70%}, {kind: leak, share: 30%}]}
costs: {failed_request: 0.01}
strategies: {canary: {}, blue_green: {}}
"""
BARE = """
version: 1
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors}]}
strategies: {big_bang: {in_place: false}}
"""
FIGURES = (
    "users_harmed p95 given defect",
    "rollback_time p99 given errors",
    "time_to_mitigate cvar95 given leak",
    "time_to_detect applicable given defect",
    "escaped",
    "loss",
    "extra_cost given good",
)


@pytest.fixture(scope="module")
def results() -> Results:
    return simulate(loads(TEXT), 12, 3, ["canary"], fewest=6)


def test_every_end_is_what_a_comparison_with_that_value_says(results: Results) -> None:
    scenario = results.scenario
    figures = asked(scenario, FIGURES)
    (found,) = tornados(results, ["canary"], figures)
    assert found.replications == 12
    assert len(found.swings) == len([r for r in scenario.assumed if r.low is not None])
    some = ("change.defects[1].onset", "costs.watching", "costs.delay", "follow_up")
    swings = {swing.assumption.path: swing for swing in found.swings}
    told = set()
    for path in (*some, "change.defect_probability", found.widest(FIGURES[0])[0].assumption.path):
        row = swings[path].assumption
        for place, value in enumerate((row.low, row.high)):
            changed = scenario.with_(path, value)
            direct = simulate(changed, 12, 3, ["canary"], fewest=6).risk()["canary"]
            for one in figures:
                expected = direct.under(one.given).measure(one.figure, one.statistic)
                assert swings[path].ends[one.text][place].value == pytest.approx(expected)
                told.add((one.text, swings[path].ends[one.text][place].moved != 0))
    assert {text for text, moved in told if moved} >= {FIGURES[0], "loss", FIGURES[-1]}


APP = """
version: 1
profile: bare
service: {elastic: true}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: crash}]}
strategies: {phased: {recall: none, waves: [100%], bake: 0s}}
"""
STAFF = """
version: 1
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors, rate: 50%}]}
detection: {alarms: [{watch: new, above: 5%}]}
strategies:
  canary: {steps: [{weight: 0, audience: 200 users, bake: 30m}, {weight: 50%, bake: 5m}]}
"""


def test_how_soon_an_app_is_installed_is_varied() -> None:
    """Offered to all at once, it is with all but a thousandth after adoption x ln 1000."""
    path, figures = "strategies.phased.adoption", asked(loads(APP), ["time_to_deploy given good"])
    (found,) = tornados(simulate(loads(APP), 2, 1, fewest=2), ["phased"], figures)
    (swing,) = (one for one in found.swings if one.assumption.path == path)
    day, long = 86_400.0, math.log(1000)
    moved = (swing.at_low[figures[0].text], swing.at_high[figures[0].text])
    assert moved == pytest.approx(((day / 3 - day) * long, 3 * day * long), rel=0.01)
    assert Search(path, "8h", "4d") in assumed(loads(APP))


def test_what_an_audience_finds_is_varied() -> None:
    """The luck is that of the comparison, so the ends are what the stated values give."""
    path, figures = (
        "strategies.canary.steps[0].finds",
        asked(loads(STAFF), ["users_harmed given defect"]),
    )
    (found,) = tornados(simulate(loads(STAFF), 4, 1, fewest=40), ["canary"], figures)
    (swing,) = (one for one in found.swings if one.assumption.path == path)
    for end, finds in zip(swing.ends[figures[0].text], ("30%", "80%"), strict=True):
        stated = loads(STAFF.replace("200 users", f"200 users, finds: {finds}"))
        direct = simulate(stated, 4, 1, fewest=40).risk()["canary"]
        assert end.value == direct.under("defect").measure("users_harmed", "mean")
    assert swing.at_high[figures[0].text] < 0 < swing.at_low[figures[0].text]
    assert Search(path, "30%", "80%") in assumed(loads(STAFF))


def test_what_a_strategy_says_is_played_for_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = loads(STAFF.replace("strategies:", "strategies:\n  big_bang: {in_place: false}"))
    asked_for: dict[str, list[str]] = {}
    played = alone.played

    def told(base: Results, variants: list[Variant], *rest: Any) -> Any:
        for changed, names, _ in variants:
            own = changed.strategies["canary"] != scenario.strategies["canary"]
            asked_for["own" if own else "other"] = list(names)
        return played(base, variants, *rest)

    monkeypatch.setattr(alone, "played", told)
    both = ["big_bang", "canary"]
    (of_bang, _) = tornados(simulate(scenario, 4, 1, fewest=4), both, asked(scenario, ["escaped"]))
    assert asked_for == {"own": ["canary"], "other": both}
    (finds,) = (swing for swing in of_bang.swings if swing.assumption.path.endswith(".finds"))
    assert finds.width("escaped") == 0
    assert whose("service.startup", both) == whose("strategies", both) == both


def test_the_cost_is_told_beforehand() -> None:
    """Only strata of the figure's condition are played; the chance of a defect only weighs."""
    scenario = loads(BARE)
    bad = asked(scenario, ["users_harmed given errors"])
    played = []
    study = simulate(scenario, 50, 1)
    tornados(study, ["big_bang"], bad, 1, lambda done, total: played.append((done, total)))
    assert played[-1] == (cost(scenario, bad, 50), cost(scenario, bad, 50))
    assert cost(scenario, bad, 50) == 2 * 50 * (len(ranged(scenario, "costs.")) - 1)
    assert cost(scenario, asked(scenario, ["loss"]), 50) > 2 * cost(scenario, bad, 50)
    assert cost(scenario, bad, 10_000) == cost(scenario, bad, 200)


def test_what_is_left_of_a_screening_was_played_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every swing has the replications that are told; of the screening alone comes a number."""
    monkeypatch.setattr("simulator.decide.tornado.MOST", 2)
    study = simulate(loads(BARE), 20, 3, fewest=10)
    first, whole = tornado(study, "big_bang")
    assert (first.replications, whole.replications) == (16, 20)
    (exact,) = tornados(study, ["big_bang"], whole.asked)
    known = {swing.assumption.path: swing for swing in exact.swings}
    for swing in whole.swings:
        for figure in SHOWN:
            ends = [end.moved for end in known[swing.assumption.path].ends[figure]]
            assert [end.moved for end in swing.ends[figure]] == pytest.approx(ends)
    again = {swing.assumption.path for swing in whole.swings}
    for figure in SHOWN:
        wide = [swing.assumption.path for swing in first.widest(figure)]
        assert again.issuperset(wide[:2])
        assert whole.less(figure) == len(set(wide) - again)
    assert whole.less("users_harmed") > 0
    assert first.less("users_harmed") == 0


def ranged(scenario: Scenario, without: str) -> list[str]:
    """The paths of assumptions with a range, but for a section."""
    return [
        row.path
        for row in scenario.assumed
        if row.low is not None and not row.path.startswith(without)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("users_harm p95", "did you mean users_harmed"),
        ("users_harmed p96 given defect", "did you mean p9"),
        ("users_harmed p95 given bad", "write one of good, defect, errors, leak"),
        ("users_harmed p95 given lek", "did you mean leak"),
        ("stuck p95", "leave out p95"),
        ("tenants_harmed mean", "tenants_harmed needs tenants: write e.g. traffic: {users: "),
    ],
)
def test_a_wrong_figure_is_refused_with_the_nearest_word(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        asked(loads(TEXT), [text])


def given(columns: list[np.ndarray], chances: tuple[float, ...]) -> Given:
    """A condition of made-up replications."""
    groups = tuple(
        Stratum(str(k), k, chance, len(column))
        for k, (chance, column) in enumerate(zip(chances, columns, strict=True))
    )
    parts = {k: {"ended": column, "loss": column} for k, column in enumerate(columns)}
    return Given(groups, parts, 1e6)


def test_resamples_agree_with_the_paired_interval_of_a_mean() -> None:
    """With weights that did not change a mean has Student's interval; resampled it is as wide."""
    luck, chances = np.random.default_rng(5), (0.8, 0.2)
    before = [luck.lognormal(0, 1, size) for size in (200, 300)]
    after = [one * luck.normal(1.05, 0.2, len(one)) for one in before]
    a, b = given(after, chances), given(before, chances)
    mean = Measure(text="loss", figure="loss", statistic="mean")
    exact = shift(b, a, mean)
    strata = Strata.of(np.repeat([0, 1], (200, 300)), chances)
    pair = paired(np.concatenate(after), np.concatenate(before), strata).mean
    assert (exact.moved, exact.low, exact.high) == pytest.approx(pair)
    other = given(after, (0.8 + 1e-9, 0.2))
    near = shift(b, other, mean)
    assert near.moved == pytest.approx(exact.moved, rel=1e-6)
    assert near.high - near.low == pytest.approx(exact.high - exact.low, rel=0.15)


@pytest.mark.parametrize("statistic", ["mean", "p50", "p95", "cvar95"])
def test_luck_is_seldom_taken_for_an_effect(statistic: str) -> None:
    """Independent draws of one law differ by luck alone: at most some 5 % are called sure."""
    luck, one = np.random.default_rng(7), Measure(text="x", figure="loss", statistic=statistic)
    sure = 0
    for _ in range(100):
        a, b = (given([luck.lognormal(0, 1, 200)], (1.0,)) for _ in range(2))
        sure += shift(a, b, one).sure
    assert sure <= 12  # mean 5, standard deviation 2.2: beyond three of them


def test_a_quantile_among_the_censored_is_endless() -> None:
    p95 = Measure(text="loss p95", figure="loss", statistic="p95")
    values = np.arange(1.0, 201.0)
    censored = np.where(values > 150, np.inf, values)
    found = shift(given([values], (1.0,)), given([censored], (1.0,)), p95)
    assert found.value.value is None
    assert found.moved == math.inf
    assert found.sure
    assert not shift(given([values], (1.0,)), given([values], (1.0,)), p95).sure
    nothing = given([np.full(20, np.nan)], (1.0,))
    assert not shift(nothing, nothing, p95).sure
