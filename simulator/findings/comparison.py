"""The comparison: strategies side by side, what beats what, and what is recommended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.findings import pairs, study
from simulator.findings.assumptions import Uncertainty, uncertainty
from simulator.findings.means import Interval
from simulator.findings.pairs import Pair
from simulator.findings.results import Results, Risk
from simulator.findings.study import Progress
from simulator.findings.verdict import Recommendation, Threshold, recommend, thresholds
from simulator.play.rehearsal import prepare
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

COMPARED = ("users_harmed", "failed_requests", "time_to_deploy", "loss")
SIDE_STUDY = 200
FIRST_LOOK, LAST_LOOK = 1000, 64_000
PACES = (0.25, 0.5, 1.0, 2.0, 4.0)


class PacePoint(NamedTuple):
    """One strategy at one pace: time to deploy given good (s), users harmed given a defect."""

    pace: float
    time_to_deploy: Interval
    users_harmed: Interval


class Difference(NamedTuple):
    """A figure of strategies a and b on the same releases."""

    figure: str
    a: str
    b: str
    pair: Pair


class EqualTime(NamedTuple):
    """Users harmed given a defect (mean), the least first, were every strategy stretched or
    squeezed to deploy in `time` seconds; strategies that cannot be that quick are left out.
    """

    time: float
    ranking: tuple[tuple[str, float], ...]


class Dominance(NamedTuple):
    """`better` has stochastically smaller values of `figure` than `worse`, given a defect."""

    better: str
    worse: str
    figure: str


class Comparison(NamedTuple):
    """Results with everything that follows from them."""

    results: Results
    pace: dict[str, tuple[PacePoint, ...]]
    differences: tuple[Difference, ...]
    front: tuple[str, ...]
    dominance: tuple[Dominance, ...]
    thresholds: tuple[Threshold, ...]
    recommendation: Recommendation | None
    uncertainty: dict[str, tuple[Uncertainty, ...]]

    @property
    def risk(self) -> Risk:
        """The risk of every strategy."""
        return self.results.risk()

    @property
    def scenario(self) -> Scenario:
        """The scenario that was compared."""
        return self.results.scenario


def simulate(
    scenario: Scenario,
    replications: int = 1000,
    seed: int = 1,
    names: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
    fewest: int = study.FEWEST_PER_STRATUM,
) -> Results:
    """Play a scenario's strategies; unsuitable ones are still played where possible.

    When it is interrupted the result holds what was finished and says `stopped`.
    """
    chosen = list(names) or list(scenario.strategies)
    groups = study.strata(scenario, replications, fewest)
    plans = {name: prepare(scenario, name) for name in chosen}
    playable = [name for name in chosen if plans[name].rehearsed > 0 or not plans[name].reasons]
    stopped = False
    try:
        columns = study.run(scenario, playable, groups, seed, jobs, progress)
    except study.Interrupted as stop:
        if not stop.columns:
            raise
        columns, stopped = stop.columns, True
    return Results(
        scenario,
        seed,
        groups,
        columns,
        {name: plans[name].limit for name in columns},
        {name: plans[name].reasons for name in chosen},
        stopped,
    )


def simulate_until(
    scenario: Scenario,
    precision: float,
    seed: int = 1,
    names: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
) -> Results:
    """Play until the headline means are known to a relative precision (0.05: 5 %).

    Looks only at 1 000, 2 000, 4 000, ... replications per stratum group, at most 64 000; each
    strategy stops by itself. Pairs are compared on the replications both have.
    """
    count = FIRST_LOOK
    results = simulate(scenario, count, seed, names, jobs, progress)
    while count < LAST_LOOK and not results.stopped:
        active = [name for name in results.names if not _precise(results, name, precision)]
        if not active:
            break
        done = [group.replications for group in results.groups]
        count *= 2
        groups = study.strata(scenario, count)
        more = study.run(scenario, active, groups, seed, jobs, progress, done)
        columns = {name: dict(parts) for name, parts in results.columns.items()}
        for name, parts in more.items():
            for number, part in parts.items():
                columns[name][number] = study.joined([columns[name][number], part])
        results = Results(scenario, seed, groups, columns, results.limits, results.reasons)
    return results


def _precise(results: Results, name: str, precision: float) -> bool:
    risk = results.risk()[name]
    for interval in (
        risk.given_good.time_to_deploy.mean,
        risk.given_defect.users_harmed.mean,
        risk.given_defect.failed_requests.mean,
    ):
        value, low, high = interval
        if value is None or low is None or high is None:
            continue
        if (high - low) / 2 > precision * abs(value):
            return False
    return True


def compare(
    scenario: Scenario,
    replications: int = 1000,
    seed: int = 1,
    names: Sequence[str] = (),
    jobs: int = 1,
    paces: Sequence[float] = PACES,
    progress: Progress | None = None,
    precision: float | None = None,
    assumptions: bool = False,
) -> Comparison:
    """The main job: play every strategy and work out what follows.

    With `precision` (relative half-width of the headline means) it decides how many replications;
    with `assumptions` every headline gets its range over the assumptions.
    """
    if precision is None:
        results = simulate(scenario, replications, seed, names, jobs, progress)
    else:
        results = simulate_until(scenario, precision, seed, names, jobs, progress)
    if results.stopped:
        return conclude(results, confirm=False)
    found = conclude(results, pace_curves(results, paces, jobs), jobs)
    if assumptions:
        found = found._replace(uncertainty=uncertainty(results, (), jobs, progress))
    return found


def conclude(
    results: Results,
    pace: dict[str, tuple[PacePoint, ...]] | None = None,
    jobs: int = 1,
    confirm: bool = True,
) -> Comparison:
    """Everything that follows from results that are there (pace curves only if given).

    With `confirm` the recommendation is checked with fresh replications.
    """
    return Comparison(
        results,
        pace or {},
        differences(results),
        pareto(results),
        dominance(results),
        thresholds(results),
        recommend(results, jobs, confirm),
        {},
    )


def differences(results: Results) -> tuple[Difference, ...]:
    """Paired differences of every two strategies on the same bad (times: good) releases."""
    risk = results.common().risk()
    found = []
    for figure in COMPARED:
        for a, b in combinations(risk, 2):
            condition = "good" if figure == "time_to_deploy" else "defect"
            x, y = risk[a].under(condition), risk[b].under(condition)
            pair = pairs.paired(
                x.values(figure),
                y.values(figure),
                x.strata,
                FIGURES[figure].smaller,
                max(results.limits[a], results.limits[b]),
            )
            found.append(Difference(figure, a, b, pair))
    return tuple(found)


def pareto(results: Results) -> tuple[str, ...]:
    """Strategies that none beats in time to deploy, users harmed given a defect and extra cost."""
    points = {}
    for name, risk in results.risk().items():
        time = risk.given_good.time_to_deploy.mean.value
        harm = risk.given_defect.users_harmed.mean.value
        cost = risk.all.extra_cost.mean.value
        if time is not None and harm is not None and cost is not None and risk.suitable:
            points[name] = (time, harm, cost)
    return pairs.front(points)


def dominance(results: Results) -> tuple[Dominance, ...]:
    """Pairs of strategies of which one harms stochastically fewer users given a defect."""
    risk = results.common().risk()
    found = []
    for a, b in combinations(risk, 2):
        x, y = risk[a].given_defect, risk[b].given_defect
        left, right = x.values("users_harmed"), y.values("users_harmed")
        if np.array_equal(left, right):
            continue
        if pairs.dominates(left, right, x.strata):
            found.append(Dominance(a, b, "users_harmed"))
        elif pairs.dominates(right, left, x.strata):
            found.append(Dominance(b, a, "users_harmed"))
    return tuple(found)


def pace_curves(
    results: Results, paces: Sequence[float], jobs: int = 1
) -> dict[str, tuple[PacePoint, ...]]:
    """Time against harm when every bake, pause, wave and overlap is stretched or squeezed.

    Strategies without any of these have a single point. At most 200 replications per stratum
    group are played for each pace; pace 1 alone gives no curves.
    """
    if list(paces) == [1]:
        return {}
    scenario = results.scenario
    count = min(max(results.replications["good"], 1), SIDE_STUDY)
    curves = {}
    for name in results.names:
        points = []
        for pace in sorted(set(paces) | {1.0}):
            varied = scenario.with_(
                f"strategies.{name}.pace", pace * scenario.strategies[name].pace
            )
            if pace != 1 and _same_speed(scenario, varied, name):
                continue
            side = simulate(varied, count, results.seed, [name], jobs)
            risk = side.risk()[name]
            points.append(
                PacePoint(
                    pace,
                    risk.given_good.time_to_deploy.mean,
                    risk.given_defect.users_harmed.mean,
                )
            )
        curves[name] = tuple(points)
    return curves


def equal_time(comparison: Comparison) -> EqualTime | None:
    """The strategies compared at the planned one's time to deploy, along their pace curves.

    Between two paces harm is linear in the logarithm of time; a strategy that is quicker than
    this at its slowest pace keeps the harm it has there. None without curves or a time.
    """
    scenario = comparison.scenario
    if scenario.to_check not in comparison.risk or not comparison.pace:
        return None
    time = comparison.risk[scenario.to_check].given_good.time_to_deploy.mean.value
    if time is None or time <= 0:
        return None
    found = []
    for name, points in comparison.pace.items():
        known = [
            (p.time_to_deploy.value, p.users_harmed.value)
            for p in points
            if p.time_to_deploy.value and p.users_harmed.value is not None
        ]
        known.sort()
        if known and known[0][0] <= time * (1 + 1e-9):
            times = np.log([t for t, _ in known])
            harm = float(np.interp(np.log(time), times, [h for _, h in known]))
            found.append((name, harm))
    return EqualTime(time, tuple(sorted(found, key=lambda item: item[1])))


def _same_speed(scenario: Scenario, varied: Scenario, name: str) -> bool:
    return prepare(scenario, name).rehearsed == prepare(varied, name).rehearsed
