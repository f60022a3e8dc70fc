"""The second uncertainty: what the headline figures would be if an assumption were otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.columns import Columns
from simulator.findings.comparison import played, side_study
from simulator.findings.executors import Workers
from simulator.findings.study import Progress, Stratum, strata
from simulator.words.changes import parse_path
from simulator.words.figures import FIGURES
from simulator.words.problems import ScenarioError
from simulator.words.profiles import Assumption

if TYPE_CHECKING:
    from simulator.findings.results import Results, StrategyRisk
    from simulator.words.scenario import Scenario

HEADLINES = {
    "time_to_deploy": "good",
    "users_harmed": "defect",
    "failed_requests": "defect",
    "extra_cost": None,
}
_WITHOUT_EFFECT = (
    *("costs.", "slo.", "response.fix", "response.retry"),
    *("change.defect_probability", "change.changes.bisect"),
)
_OF_A_DEFECT = re.compile(r"change\.defects\[(\d+)\]\.(?!share)")
_NAMED = 3
SCREENED, SCREENED_KIND = 16, 4

Moves = dict[str, dict[str, dict[str, list[float]]]]


class Uncertainty(NamedTuple):
    """A headline mean's range: `simulation` is its 95 % interval, `assumptions` the least and
    most it takes when one assumption after the other goes to its low or high value; `largest`
    names those that move it most. All in the figure's unit.
    """

    figure: str
    simulation: tuple[float | None, float | None]
    assumptions: tuple[float, float]
    largest: tuple[str, ...]


class _Wanted(NamedTuple):
    """An assumption to vary for a strategy, and the conditions that matter."""

    row: Assumption
    strategy: str
    given: frozenset[str]


def varied(scenario: Scenario) -> tuple[Assumption, ...]:
    """The assumptions that have a plausible range and can move a headline figure."""
    return tuple(
        row
        for row in scenario.assumed
        if row.low is not None and row.high is not None and not row.path.startswith(_WITHOUT_EFFECT)
    )


def uncertainty(
    results: Results, jobs: Workers = 1, progress: Progress | None = None
) -> dict[str, tuple[Uncertainty, ...]]:
    """Vary every assumption alone to its low and high value, for each strategy.

    Few replications first tell which assumptions matter; those that raise and lower a headline
    most are then played with a side study's replications (at most 200 per stratum group). The luck
    is that of the results, so a difference is the assumption's and not the draw's; it is added to
    the value of the main study.
    """
    both = frozenset(("good", "defect"))
    rows = varied(results.scenario)
    count = min(max(results.replications["good"], 1), SCREENED)
    coarse = strata(results.scenario, count, SCREENED_KIND)
    wanted = [_Wanted(row, name, both) for row in rows for name in whose(row.path, results.names)]
    moves = _moves(results, wanted, coarse, jobs, progress)
    fine = side_study(results)
    if sum(g.replications for g in fine) > sum(g.replications for g in coarse):
        chosen = _ends(moves, {row.path: row for row in rows})
        for name, figures in _moves(results, chosen, fine, jobs, progress).items():
            for figure, by_path in figures.items():
                moves[name][figure].update(by_path)
    risk = results.risk()
    return {name: _ranges(risk[name], moves.get(name, {})) for name in results.names}


def matter(found: dict[str, tuple[Uncertainty, ...]]) -> tuple[str, ...]:
    """The assumptions by how often they are among those that move time or harm most."""
    score: dict[str, int] = {}
    for rows in found.values():
        for row in rows:
            if row.figure == "extra_cost":
                continue
            for place, path in enumerate(row.largest):
                score[path] = score.get(path, 0) + _NAMED - place
    return tuple(sorted(score, key=lambda path: (-score[path], path)))


def _ends(moves: Moves, rows: dict[str, Assumption]) -> list[_Wanted]:
    """The assumptions that raise and lower each headline of each strategy most."""
    given: dict[tuple[str, str], set[str]] = {}
    for name, figures in moves.items():
        for figure, by_path in figures.items():
            conditions = [HEADLINES[figure] or "good", HEADLINES[figure] or "defect"]
            highest = max(by_path, key=lambda path: max(by_path[path]))
            lowest = min(by_path, key=lambda path: min(by_path[path]))
            for path in (highest, lowest):
                if any(by_path[path]):
                    given.setdefault((path, name), set()).update(conditions)
    return [_Wanted(rows[path], name, frozenset(on)) for (path, name), on in given.items()]


def _ordered(by_path: dict[str, list[float]]) -> list[str]:
    """The paths with the largest effects, at most three."""
    size = {path: max(map(abs, values)) for path, values in by_path.items()}
    return sorted((p for p in size if size[p] > 0), key=lambda p: -size[p])[:_NAMED]


def _moves(
    results: Results,
    wanted: Sequence[_Wanted],
    groups: tuple[Stratum, ...],
    jobs: Workers,
    progress: Progress | None,
) -> Moves:
    """How far each headline mean moves with each assumption, by strategy, figure and path."""
    base = results.first({group.number: group.replications for group in groups})
    variants, where = [], []
    for want in wanted:
        for value in (want.row.low, want.row.high):
            try:
                scenario = results.scenario.with_(want.row.path, value)
            except ScenarioError:
                continue
            variants.append(
                (scenario, [want.strategy], concerned(want.row.path, want.given, groups))
            )
            where.append(want)
    now = {name: _means(base, name, {}) for name in results.names}
    moves: Moves = {}
    for want, side in zip(where, played(results, variants, jobs, progress), strict=True):
        name = want.strategy
        for figure, mean in _means(base, name, side.columns.get(name, {})).items():
            if HEADLINES[figure] is None or HEADLINES[figure] in want.given:
                by_path = moves.setdefault(name, {}).setdefault(figure, {})
                by_path.setdefault(want.row.path, []).append(mean - now[name][figure])
    return moves


def concerned(
    path: str, given: Collection[str], groups: tuple[Stratum, ...]
) -> tuple[Stratum, ...]:
    """The strata that an assumption can touch: what one defect is like touches it alone."""
    only = _OF_A_DEFECT.match(path)
    if only:
        return tuple(g for g in groups if g.number == int(only[1]) + 1)
    return tuple(g for g in groups if ("defect" if g.number else "good") in given)


def whose(path: str, names: Sequence[str]) -> list[str]:
    """The strategies that a setting can touch: what one of them says touches it alone."""
    section, *rest = parse_path(path)
    return [name for name in names if section != "strategies" or rest[:1] in ([], [name])]


def _means(base: Results, name: str, changed: Mapping[int, Columns]) -> dict[str, float]:
    """The headline means of one strategy with some strata replaced."""
    columns = {**base.columns[name], **changed}
    risk = base.with_columns({name: columns}).risk()[name]
    return {figure: risk.under(given).mean(figure) or 0.0 for figure, given in HEADLINES.items()}


def _ranges(
    risk: StrategyRisk, moves: dict[str, dict[str, list[float]]]
) -> tuple[Uncertainty, ...]:
    found = []
    for figure, given in HEADLINES.items():
        interval = risk.under(given).estimate(figure).mean
        if interval.value is None:
            continue
        steps = moves.get(figure, {})
        every = [0.0, *(step for values in steps.values() for step in values)]
        known = FIGURES[figure]
        found.append(
            Uncertainty(
                figure,
                (interval.low, interval.high),
                (
                    max(interval.value + min(every), known.least),
                    min(interval.value + max(every), known.most),
                ),
                tuple(_ordered(steps)),
            )
        )
    return tuple(found)
