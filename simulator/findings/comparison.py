"""Strategies side by side on the same releases: differences, what beats what, time against harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.findings import pairs, study
from simulator.findings.columns import Columns, joined
from simulator.findings.executors import Workers
from simulator.findings.means import Interval
from simulator.findings.pairs import Pair
from simulator.findings.results import Results
from simulator.findings.study import Job, Progress
from simulator.play.rehearsal import prepare
from simulator.words.figures import FIGURES
from simulator.words.shape import dotted

if TYPE_CHECKING:
    from simulator.play.plan import Plan
    from simulator.words.scenario import Scenario

COMPARED = ("users_harmed", "failed_requests", "time_to_deploy", "loss")
SIDE_STUDY, FEWEST = 200, 10
QUICK = 3
FIRST_LOOK, LAST_LOOK = 1000, 64_000


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


class Dominance(NamedTuple):
    """`better` has stochastically smaller values of `figure` than `worse`, given a defect."""

    better: str
    worse: str
    figure: str


def simulate(
    scenario: Scenario,
    replications: int = 1000,
    seed: int = 1,
    names: Sequence[str] = (),
    jobs: Workers = 1,
    progress: Progress | None = None,
    fewest: int = study.FEWEST_PER_STRATUM,
) -> Results:
    """Play a scenario's strategies; unsuitable ones are still played where possible.

    When it is interrupted the result holds what was finished and says `stopped`.
    """
    chosen = list(names) or list(scenario.strategies)
    groups = study.strata(scenario, replications, fewest)
    plans = {name: prepare(scenario, name) for name in chosen}
    able = _able(plans)
    stopped = False
    try:
        (columns,) = study.run([Job(scenario, able, groups)], seed, jobs, progress)
    except study.Interrupted as stop:
        (columns,), stopped = stop.columns, True
        if not columns:
            raise
    return Results(
        scenario,
        seed,
        groups,
        columns,
        {name: plans[name].limit for name in columns},
        {name: plans[name].reasons for name in chosen},
        stopped,
    )


def playable(scenario: Scenario, names: Sequence[str]) -> list[str]:
    """Those of the strategies that can be played at all, suitable or not."""
    return _able({name: prepare(scenario, name) for name in names})


def _able(plans: Mapping[str, Plan]) -> list[str]:
    return [name for name, plan in plans.items() if plan.rehearsed > 0 or not plan.reasons]


def simulate_until(
    scenario: Scenario,
    precision: float,
    seed: int = 1,
    names: Sequence[str] = (),
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> Results:
    """Play until the headline means are known to a relative precision (0.05: 5 %).

    Looks only at 1 000, 2 000, 4 000, ... replications per stratum group, at most 64 000; each
    strategy stops by itself. Pairs are compared on the replications both have. An interruption
    keeps the last look that is whole.
    """
    count = FIRST_LOOK
    results = simulate(scenario, count, seed, names, jobs, progress)
    while count < LAST_LOOK and not results.stopped:
        active = imprecise(results, precision)
        if not active:
            break
        count *= 2
        try:
            results = extended(results, count, active, jobs, progress)
        except study.Interrupted:
            results.stopped = True
    return results


def extended(
    results: Results,
    replications: int,
    names: Sequence[str] = (),
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> Results:
    """The same study with more replications of some strategies; those that are there are kept."""
    done = [group.replications for group in results.groups]
    groups = study.strata(results.scenario, replications)
    wanted = list(names) or list(results.names)
    (more,) = study.run([Job(results.scenario, wanted, groups, done)], results.seed, jobs, progress)
    columns = {name: dict(parts) for name, parts in results.columns.items()}
    for name, parts in more.items():
        for number, part in parts.items():
            columns[name][number] = joined([columns[name][number], part])
    return Results(results.scenario, results.seed, groups, columns, results.limits, results.reasons)


def imprecise(results: Results, precision: float) -> list[str]:
    """The strategies whose headline means are not known to a relative precision."""
    return [name for name in results.names if not _precise(results, name, precision)]


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
        if max(value - low, high - value) > precision * abs(value):
            return False
    return True


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


def side_study(results: Results, most: int = SIDE_STUDY) -> tuple[study.Stratum, ...]:
    """The strata of a side study: at most 200 replications per stratum group, 10 a kind."""
    count = min(max(results.replications["good"], 1), most)
    return study.strata(results.scenario, count, FEWEST)


Variant = tuple["Scenario", Sequence[str], Sequence[study.Stratum]]
"""A changed scenario, and which of its strategies and strata are played."""


def played(
    results: Results,
    variants: Sequence[Variant],
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> list[Results]:
    """Side studies of changed scenarios with the luck of the results, all at once."""
    return simulate_each(variants, results.seed, jobs, progress)


def simulate_each(
    variants: Sequence[Variant],
    seed: int = 1,
    jobs: Workers = 1,
    progress: Progress | None = None,
    keep: bool = False,
) -> list[Results]:
    """Studies of many scenarios, each of some strategies and strata, as one batch with one luck.

    With `keep` an interrupt gives what was finished, in results that say `stopped`.
    """
    work = [
        Job(scenario, names, study.weighed(scenario, groups))
        for scenario, names, groups in variants
    ]
    stopped = False
    try:
        found: Sequence[dict[str, dict[int, Columns]]]
        found = study.run(work, seed, jobs, progress)
    except study.Interrupted as stop:
        if not keep or not any(stop.columns):
            raise
        found, stopped = stop.columns, True
    return [
        Results(
            job.scenario,
            seed,
            tuple(job.groups),
            columns,
            {name: plan.limit for name, plan in plans.items()},
            {name: plan.reasons for name, plan in plans.items()},
            stopped,
        )
        for job, columns in zip(work, found, strict=True)
        for plans in [{name: prepare(job.scenario, name) for name in columns}]
    ]


def fresh_study(results: Results, names: Sequence[str], jobs: Workers = 1) -> Results:
    """A side study of some strategies with luck of its own: no winner by luck survives it."""
    other = results.other_luck()
    return played(other, [(results.scenario, names, side_study(results))], jobs)[0]


class PaceStudy(NamedTuple):
    """Side results of one strategy at one pace."""

    strategy: str
    pace: float
    results: Results


def pace_studies(
    results: Results, paces: Sequence[float], jobs: Workers = 1, progress: Progress | None = None
) -> tuple[PaceStudy, ...]:
    """Every bake, pause, wave and overlap stretched or squeezed.

    Strategies without any of these are played at their own pace only. At most 200 replications
    per stratum group are played for each pace; pace 1 alone gives nothing.
    """
    if list(paces) == [1]:
        return ()
    scenario, groups = results.scenario, side_study(results)
    variants, where = [], []
    for name in results.names:
        now = scenario.strategies[name].pace
        for pace in sorted(set(paces) | {1.0}):
            varied = scenario.with_(dotted(("strategies", name, "pace")), pace * now)
            if pace == 1 or not _same_speed(scenario, varied, name):
                variants.append((varied, [name], groups))
                where.append((name, pace))
    found = played(results, variants, jobs, progress)
    return tuple(PaceStudy(*at, side) for at, side in zip(where, found, strict=True))


def pace_curves(studies: Sequence[PaceStudy]) -> dict[str, tuple[PacePoint, ...]]:
    """Time against harm along the paces of every strategy."""
    curves: dict[str, list[PacePoint]] = {}
    for name, pace, side in studies:
        risk = side.risk()[name]
        point = PacePoint(
            pace, risk.given_good.time_to_deploy.mean, risk.given_defect.users_harmed.mean
        )
        curves.setdefault(name, []).append(point)
    return {name: tuple(points) for name, points in curves.items()}


def _same_speed(scenario: Scenario, varied: Scenario, name: str) -> bool:
    return prepare(scenario, name).rehearsed == prepare(varied, name).rehearsed
