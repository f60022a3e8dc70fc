"""The main job: strategies compared, and what follows: verdict, flips and both uncertainties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.decide import flip, tornado
from simulator.decide.flip import Flip, Search, checked, flips, searched_flips
from simulator.decide.sensitivity import Uncertainty, matter, uncertainty
from simulator.decide.tornado import Tornado, tornados
from simulator.decide.years import Years, years
from simulator.findings import reconsider
from simulator.findings.comparison import (
    QUICK,
    SIDE_STUDY,
    Difference,
    Dominance,
    PacePoint,
    PaceStudy,
    differences,
    dominance,
    extended,
    fresh_study,
    pace_curves,
    pace_studies,
    pareto,
    simulate,
    simulate_until,
)
from simulator.findings.executors import Workers
from simulator.findings.power import Sight, every_gate
from simulator.findings.results import Results, Risk
from simulator.findings.study import Progress
from simulator.findings.verdict import (
    Recommendation,
    Threshold,
    has_money,
    ranking,
    recommend,
    thresholds,
)

if TYPE_CHECKING:
    from simulator.words.objectives import Measure
    from simulator.words.scenario import Scenario

FIRST, GROWTH = 20, 3
_LEADING = 3
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
    paces: tuple[PaceStudy, ...]
    front: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    recommendation: Recommendation | None = None
    flips: tuple[Flip, ...] = ()
    searched: tuple[Search, ...] = ()
    uncertainty: Mapping[str, tuple[Uncertainty, ...]] = MappingProxyType({})
    matter: tuple[str, ...] = ()
    gates: Mapping[str, tuple[Sight, ...]] = MappingProxyType({})
    year: Years | None = None
    tornados: tuple[Tornado, ...] = ()

    @property
    def pace(self) -> dict[str, tuple[PacePoint, ...]]:
        """Time against harm along the paces of every strategy; empty without pace studies."""
        return pace_curves(self.paces)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Paired differences of every two strategies on the same releases."""
        return differences(self.results)

    @property
    def dominance(self) -> tuple[Dominance, ...]:
        """Pairs of strategies of which one harms stochastically fewer users given a defect."""
        return dominance(self.results)

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
    flips are searched beyond prices and the probability of a defect; for how many releases a year
    its losses are worked out (0: not); and of which figures the assumptions are moved one by one.
    """

    jobs: Workers = 1
    paces: Sequence[float] = PACES
    precision: float | None = None
    assumptions: bool = True
    gates: bool = True
    flips: Sequence[Search] = ()
    per_year: int = 0
    tornado: Sequence[Measure] = ()


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
    found = conclude(results, confirm=False)
    if results.stopped:
        return found
    try:
        for more in _worked_out(found, options, progress):
            found = more
    except KeyboardInterrupt:
        results.stopped = True
    return found


def refined(
    scenario: Scenario,
    replications: int = 1000,
    seed: int = 1,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Iterator[Comparison]:
    """The comparison after a quick first look (20 replications) and ever more of it.

    What comes last is what `compare` gives; a keyboard interrupt ends it early.
    """
    options = options or Options()
    first = min(FIRST, replications)
    results = simulate(scenario, first, seed, (), options.jobs, progress, QUICK)
    found = at_a_glance(results)
    yield found
    for size in _sizes(replications):
        results = extended(results, size, (), options.jobs, progress)
        found = at_a_glance(results)
        yield found
    yield from _worked_out(conclude(results, confirm=False), options, progress)


def _sizes(replications: int) -> Iterator[int]:
    """How many replications are looked at after the first look."""
    size = FIRST * GROWTH
    while size < replications:
        yield size
        size *= GROWTH
    yield replications


def _worked_out(
    found: Comparison, options: Options, progress: Progress | None
) -> Iterator[Comparison]:
    """A comparison with its flips, ever more of it: an interruption keeps what is there."""
    jobs, results = options.jobs, found.results
    if not results.names:
        return
    paces = pace_studies(results, options.paces, jobs, progress)
    found = _confirmed(found._replace(paces=paces), jobs)
    if options.per_year and has_money(results):
        found = found._replace(year=years(results, options.per_year, results.seed))
    yield found
    if options.gates:
        names = [name for name in results.names if not results.reasons[name]]
        found = found._replace(gates=every_gate(results.scenario, names, results.seed, jobs))
        yield found
    if options.flips and found.recommendation:
        best = found.recommendation.strategy
        more = searched_flips(results, best, options.flips, jobs, progress)
        found = found._replace(flips=(*more, *found.flips), searched=tuple(options.flips))
        yield found
    if options.tornado:
        swings = tornados(results, leaning(found), options.tornado, jobs, progress)
        found = found._replace(tornados=swings)
        yield found
    if options.assumptions:
        ranges = uncertainty(results, jobs, progress)
        yield found._replace(uncertainty=ranges, matter=matter(ranges))


def on_demand(scenario: Scenario, options: Options, replications: int) -> list[str]:
    """What is worked out only when asked for, and how many more replications it plays."""
    if options.precision is not None:
        replications = SIDE_STUDY
    told = []
    if options.flips:
        played = flip.cost(scenario, options.flips, replications)
        told.append(
            f"--flips: {len(options.flips)} settings, at least {played:,} more replications for "
            "each strategy"
        )
    if options.tornado:
        played = tornado.cost(scenario, options.tornado, replications)
        told.append(
            f"--tornado: every assumption at its low and high value, at least {played:,} more "
            "replications for the planned and the recommended strategy each (or for --strategy)"
        )
    return told


def leaning(found: Comparison) -> list[str]:
    """The strategies whose figures are told of when assumptions move: those that were chosen, else
    the planned and the recommended one.
    """
    names = found.results.names
    if set(names) != set(found.scenario.strategies):
        return list(names)
    best = found.recommendation.strategy if found.recommendation else None
    return [name for name in names if name in (found.scenario.to_check, best)]


def conclude(
    results: Results,
    paces: tuple[PaceStudy, ...] = (),
    jobs: Workers = 1,
    confirm: bool = True,
) -> Comparison:
    """Everything that follows from results that are there (curves of pace only if given).

    With `confirm` the recommendation and its flips are checked with fresh replications of every
    strategy that may lead: the first three, and whoever leads beyond a flip.
    """
    found = at_a_glance(results)._replace(paces=paces)
    if found.recommendation is None:
        return found
    best = found.recommendation.strategy
    found = found._replace(flips=flips(results, best))
    return _confirmed(found, jobs) if confirm else found


def _confirmed(found: Comparison, jobs: Workers) -> Comparison:
    """The comparison with its recommendation and flips checked with fresh replications."""
    if found.recommendation is None:
        return found
    results, best = found.results, found.recommendation.strategy
    leading = dict.fromkeys([*ranking(results)[:_LEADING], *(one.to for one in found.flips)])
    fresh = fresh_study(results, list(leading), jobs)
    return found._replace(
        recommendation=recommend(results, fresh), flips=checked(found.flips, best, fresh)
    )


def at_a_glance(results: Results) -> Comparison:
    """What results that are there show at once: no curves, no flips, nothing checked."""
    return Comparison(results, (), pareto(results), thresholds(results), recommend(results))


def reconsidered(found: Comparison, scenario: Scenario) -> Comparison:
    """The comparison as one of `scenario`, without playing anything; see `only_weighs`."""
    if scenario.sha256 == found.scenario.sha256:
        return found
    results = reconsider.reconsidered(found.results, scenario)
    if not found.paces:
        return at_a_glance(results)
    paces = tuple(
        one._replace(results=reconsider.reconsidered(one.results, scenario)) for one in found.paces
    )
    again = conclude(results, paces, confirm=False)._replace(gates=found.gates)
    if found.year is None or not has_money(results):
        return again
    return again._replace(year=years(results, found.year.releases, results.seed))


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
