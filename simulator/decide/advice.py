"""The main job: strategies compared, and what follows: verdict, flips and both uncertainties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.decide.flip import Flip, Search, flips, searched_flips
from simulator.decide.sensitivity import Uncertainty, matter, uncertainty
from simulator.findings.comparison import (
    Difference,
    Dominance,
    PacePoint,
    differences,
    dominance,
    fresh_study,
    pace_curves,
    pareto,
    simulate,
    simulate_until,
)
from simulator.findings.power import Sight, every_gate
from simulator.findings.results import Results, Risk
from simulator.findings.study import Progress
from simulator.findings.verdict import Recommendation, Threshold, recommend, thresholds

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

PACES = (0.25, 0.5, 1.0, 2.0, 4.0)


class EqualTime(NamedTuple):
    """Users harmed given a defect (mean), the least first, were every strategy stretched or
    squeezed to deploy in `time` seconds; strategies that cannot be that quick are left out.
    """

    time: float
    ranking: tuple[tuple[str, float], ...]


class Comparison(NamedTuple):
    """Results with everything that follows from them."""

    results: Results
    pace: dict[str, tuple[PacePoint, ...]]
    differences: tuple[Difference, ...]
    front: tuple[str, ...]
    dominance: tuple[Dominance, ...]
    thresholds: tuple[Threshold, ...]
    recommendation: Recommendation | None
    flips: tuple[Flip, ...] = ()
    searched: tuple[str, ...] = ()
    uncertainty: Mapping[str, tuple[Uncertainty, ...]] = MappingProxyType({})
    matter: tuple[str, ...] = ()
    gates: Mapping[str, tuple[Sight, ...]] = MappingProxyType({})

    @property
    def risk(self) -> Risk:
        """The risk of every strategy."""
        return self.results.risk()

    @property
    def scenario(self) -> Scenario:
        """The scenario that was compared."""
        return self.results.scenario


class Options(NamedTuple):
    """How much to work out: worker processes; paces of the curves (1 alone: none); `precision`,
    the relative half-width of the headline means that decides how many replications; whether the
    headlines get their range over the assumptions; whether every gate's power is worked out; where
    flips are searched beyond prices and the
    probability of a defect.
    """

    jobs: int = 1
    paces: Sequence[float] = PACES
    precision: float | None = None
    assumptions: bool = True
    gates: bool = True
    flips: Sequence[Search] = ()


def compare(
    scenario: Scenario,
    replications: int = 1000,
    seed: int = 1,
    names: Sequence[str] = (),
    options: Options | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """The main job: play every strategy and work out what follows."""
    options = options or Options()
    jobs = options.jobs
    if options.precision is None:
        results = simulate(scenario, replications, seed, names, jobs, progress)
    else:
        results = simulate_until(scenario, options.precision, seed, names, jobs, progress)
    if results.stopped:
        return conclude(results, confirm=False)
    parts = _worked_out(results, options, progress)
    found = next(parts)
    try:
        for more in parts:
            found = more
    except KeyboardInterrupt:
        results.stopped = True
    return found


def _worked_out(
    results: Results, options: Options, progress: Progress | None
) -> Iterator[Comparison]:
    """The comparison, ever more of it, so that an interruption keeps what is there."""
    jobs = options.jobs
    found = conclude(results, confirm=False)
    yield found
    found = conclude(results, pace_curves(results, options.paces, jobs, progress), jobs)
    yield found
    if options.gates:
        names = [name for name in results.names if not results.reasons[name]]
        found = found._replace(gates=every_gate(results.scenario, names, results.seed, jobs))
        yield found
    if options.flips and found.recommendation:
        best = found.recommendation.strategy
        more = searched_flips(results, best, options.flips, jobs, progress)
        found = found._replace(
            flips=(*more, *found.flips), searched=tuple(s.path for s in options.flips)
        )
        yield found
    if options.assumptions:
        ranges = uncertainty(results, jobs, progress)
        yield found._replace(uncertainty=ranges, matter=matter(ranges))


def conclude(
    results: Results,
    pace: dict[str, tuple[PacePoint, ...]] | None = None,
    jobs: int = 1,
    confirm: bool = True,
) -> Comparison:
    """Everything that follows from results that are there (pace curves only if given).

    With `confirm` the recommendation and its flips are checked with fresh replications.
    """
    fresh = fresh_study(results, jobs) if confirm and recommend(results) else None
    recommendation = recommend(results, fresh)
    return Comparison(
        results,
        pace or {},
        differences(results),
        pareto(results),
        dominance(results),
        thresholds(results),
        recommendation,
        flips(results, recommendation.strategy, fresh) if recommendation else (),
    )


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
