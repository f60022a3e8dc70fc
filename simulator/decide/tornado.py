"""How far every assumption alone moves figures of a strategy: headline means, or any statistic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from simulator.decide import alone
from simulator.decide.sensitivity import HEADLINES, SCREENED, SCREENED_KIND
from simulator.findings.comparison import SIDE_STUDY, side_study
from simulator.findings.executors import Workers
from simulator.findings.means import Interval
from simulator.findings.results import Results, meant
from simulator.findings.shifts import Shift, number, shift, value
from simulator.findings.study import Progress, Stratum, strata
from simulator.words.objectives import Measure, measure, possible
from simulator.words.problems import ScenarioError
from simulator.words.profiles import Assumption
from simulator.words.scenario import applies

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

SHOWN: Mapping[str, str | None] = {**HEADLINES, "loss": None}
MOST = 15
_HEADLINES = tuple(
    Measure(text=figure, figure=figure, statistic="mean", given=given)
    for figure, given in SHOWN.items()
)
_NOTHING: Mapping[str, tuple[Shift, Shift]] = MappingProxyType({})

Means = Mapping[str, float]


class Swing(NamedTuple):
    """An assumption, and by how much each figure moves (in its unit) when the assumption alone goes
    to its low and to its high value; `ends` holds these with what may be luck in them.

    Figures stand by the texts that ask for them, the headline means of `SHOWN` by their names.
    """

    assumption: Assumption
    at_low: Means
    at_high: Means
    ends: Mapping[str, tuple[Shift, Shift]] = _NOTHING

    def width(self, figure: str) -> float:
        """How far a figure moves between both ends and where it is now."""
        ends = [x for x in (self.at_low[figure], self.at_high[figure]) if not math.isnan(x)]
        return max([*ends, 0.0]) - min([*ends, 0.0])

    def sure(self, figure: str) -> bool:
        """Whether it is more than luck that the figure moves, to one of the ends at least."""
        return any(end.sure for end in self.ends[figure])


class Tornado(NamedTuple):
    """Figures of a strategy now, and every assumption's swing, with as many replications of good
    releases as played for each; `asked` tells what the figures are. Where all were looked at with
    fewer replications before, `screen` is what that gave, and the swings are those of the widest.
    """

    strategy: str
    now: Means
    swings: tuple[Swing, ...]
    replications: int
    asked: tuple[Measure, ...] = _HEADLINES
    base: Mapping[str, Interval] = MappingProxyType({})
    groups: tuple[Stratum, ...] = ()
    screen: Tornado | None = None

    @property
    def bad(self) -> int:
        """Replications of bad releases."""
        return sum(group.replications for group in self.groups if group.number)

    def under(self, one: Measure) -> int:
        """Replications under a figure's condition."""
        numbers = meant(self.groups, one.given)
        return sum(group.replications for group in self.groups if group.number in numbers)

    def widest(self, figure: str) -> list[Swing]:
        """The assumptions that move a figure, the one that moves it most first."""
        found = [swing for swing in self.swings if swing.width(figure) > 0]
        return sorted(found, key=lambda swing: -swing.width(figure))

    def less(self, figure: str) -> int:
        """How many assumptions move a figure in the screen only: less than those played again."""
        again = {swing.assumption.path for swing in self.swings}
        found = self.screen.widest(figure) if self.screen else ()
        return sum(swing.assumption.path not in again for swing in found)


def asked(scenario: Scenario, texts: Sequence[str]) -> tuple[Measure, ...]:
    """The figures in texts such as `users_harmed p95 given defect`, each once.

    Raises ValueError for an unknown figure, statistic or condition, or one that needs tenants.
    """
    found = {}
    for text in texts:
        one = measure(text)
        possible(one, [defect.kind for defect in scenario.change.defects])
        applies(one, scenario.traffic)
        found[one.figure, one.statistic, one.given] = one
    return tuple(found.values())


def tornado(
    results: Results,
    name: str,
    jobs: Workers = 1,
    progress: Progress | None = None,
    more: Sequence[Assumption] = (),
) -> Iterator[Tornado]:
    """The headline means, first with few replications, then again with more and only for the
    assumptions that matter.

    The luck is that of the results, so what moves a mean is the assumption and not the draw. `more`
    are assumptions beside the scenario's own.
    """
    rows = (*more, *_ranged(results.scenario))
    count = min(max(results.replications["good"], 1), SCREENED)
    coarse = strata(results.scenario, count, SCREENED_KIND)
    (first,) = _tornados(results, [name], rows, _HEADLINES, coarse, jobs, progress)
    yield first
    chosen = {s.assumption.path for f in SHOWN for s in first.widest(f)[:MOST]}
    fine = side_study(results)
    if sum(g.replications for g in fine) <= sum(g.replications for g in coarse):
        return
    again = [row for row in rows if row.path in chosen]
    (more_of,) = _tornados(results, [name], again, _HEADLINES, fine, jobs, progress)
    yield more_of._replace(now=_now(results, name), screen=first)


def tornados(
    results: Results,
    names: Sequence[str],
    figures: Sequence[Measure],
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> tuple[Tornado, ...]:
    """For each strategy, what every assumption with a range does to the figures.

    Every value is what `compare` gives with that value set, the same seed and as many replications:
    those of the results, but at most 200 per stratum group.
    """
    groups = studied(results.scenario, results.replications["good"])
    rows = _ranged(results.scenario)
    return _tornados(results, names, rows, tuple(figures), groups, jobs, progress)


def studied(scenario: Scenario, replications: int) -> tuple[Stratum, ...]:
    """The strata that `tornados` plays of a study with so many replications."""
    return strata(scenario, min(max(replications, 1), SIDE_STUDY))


def cost(scenario: Scenario, figures: Sequence[Measure], replications: int) -> int:
    """How many replications `tornados` plays for each strategy."""
    groups = studied(scenario, replications)
    paths = [row.path for row in _ranged(scenario)]
    return alone.cost(groups, paths, lambda path, group: _touches(path, group, groups, figures))


def _ranged(scenario: Scenario) -> tuple[Assumption, ...]:
    return tuple(row for row in scenario.assumed if None not in (row.low, row.high))


def _touches(
    path: str, group: Stratum, groups: Sequence[Stratum], figures: Sequence[Measure]
) -> bool:
    """Whether an assumption may move one of the figures by what happens in a stratum."""
    return any(
        group.number in meant(groups, one.given)
        and (one.unit == "money" or not path.startswith("costs."))
        for one in figures
    )


def _tornados(
    results: Results,
    names: Sequence[str],
    rows: Sequence[Assumption],
    figures: tuple[Measure, ...],
    groups: tuple[Stratum, ...],
    jobs: Workers,
    progress: Progress | None,
) -> tuple[Tornado, ...]:
    base = results.first({group.number: group.replications for group in groups}, names)
    groups = base.played(groups)
    changes, where = [], []
    for row in rows:
        for side, end in enumerate((row.low, row.high)):
            try:
                changes.append((row.path, results.scenario.with_(row.path, end)))
            except ScenarioError:
                continue
            where.append((row.path, side))
    found = alone.altered(
        *(base, groups, changes, jobs, progress),
        lambda path, group: _touches(path, group, groups, figures),
    )
    ends = dict(zip(where, found, strict=True))
    return tuple(
        Tornado(
            name,
            _now(base, name, figures),
            tuple(_swing(row, base, ends, name, figures) for row in rows),
            groups[0].replications,
            figures,
            {one.text: value(base.risk()[name].under(one.given), one) for one in figures},
            groups,
        )
        for name in names
    )


def _swing(
    row: Assumption,
    base: Results,
    ends: Mapping[tuple[str, int], Results],
    name: str,
    figures: Sequence[Measure],
) -> Swing:
    """What becomes of the figures at both ends of one assumption."""
    moved = {}
    for one in figures:
        now = base.risk()[name].under(one.given)
        low, high = (
            shift(now, ends.get((row.path, side), base).risk()[name].under(one.given), one)
            for side in (0, 1)
        )
        moved[one.text] = (low, high)
    at_low, at_high = ({text: pair[k].moved for text, pair in moved.items()} for k in (0, 1))
    return Swing(row, at_low, at_high, moved)


def _now(results: Results, name: str, figures: Sequence[Measure] = _HEADLINES) -> Means:
    risk = results.risk()[name]
    return {one.text: number(risk.under(one.given), one) for one in figures}
