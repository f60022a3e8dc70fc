"""The second uncertainty: what the headline figures would be if an assumption were otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.study import Progress
from simulator.words.problems import ScenarioError
from simulator.words.profiles import Assumption

if TYPE_CHECKING:
    from simulator.findings.results import Results, StrategyRisk
    from simulator.words.scenario import Scenario

SIDE_STUDY, FEWEST = 100, 10
HEADLINES = {
    "time_to_deploy": "good",
    "users_harmed": "defect",
    "failed_requests": "defect",
    "extra_cost": None,
}
_WITHOUT_EFFECT = ("costs.", "slo.", "change.defect_probability", "response.fix", "response.retry")
_NAMED = 3


class Uncertainty(NamedTuple):
    """A headline mean's range: `simulation` is its 95 % interval, `assumptions` the least and
    most it takes when one assumption after the other goes to its low or high value; `largest`
    names those that move it most. All in the figure's unit.
    """

    figure: str
    simulation: tuple[float | None, float | None]
    assumptions: tuple[float, float]
    largest: tuple[str, ...]


def varied(scenario: Scenario) -> tuple[Assumption, ...]:
    """The assumptions that have a plausible range and can move a headline figure."""
    return tuple(
        row
        for row in scenario.assumed
        if row.low is not None and row.high is not None and not row.path.startswith(_WITHOUT_EFFECT)
    )


def uncertainty(
    results: Results,
    names: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[str, tuple[Uncertainty, ...]]:
    """Vary every assumption alone to its low and high value, for each strategy.

    At most 100 replications per stratum group and at least 10 a kind, with the luck of the
    results, so that a difference is the assumption's and not the draw's; it is added to the value
    of the main study.
    """
    scenario = results.scenario
    chosen = list(names) or list(results.names)
    rows = varied(scenario)
    base = _means(results, scenario, chosen, jobs)
    moved: dict[str, dict[str, dict[str, list[float]]]] = {}
    for number, row in enumerate(rows):
        for value in (row.low, row.high):
            try:
                other = _means(results, scenario.with_(row.path, value), chosen, jobs)
            except ScenarioError:
                continue
            for name in chosen:
                for figure, mean in other[name].items():
                    by_path = moved.setdefault(name, {}).setdefault(figure, {})
                    by_path.setdefault(row.path, []).append(mean - base[name][figure])
        if progress is not None:
            progress(number + 1, len(rows))
    risk = results.risk()
    return {name: _ranges(risk[name], moved.get(name, {})) for name in chosen}


def _ranges(
    risk: StrategyRisk, moved: dict[str, dict[str, list[float]]]
) -> tuple[Uncertainty, ...]:
    found = []
    for figure, given in HEADLINES.items():
        interval = risk.under(given).estimate(figure).mean
        if interval.value is None:
            continue
        steps = moved.get(figure, {})
        every = [0.0, *(step for values in steps.values() for step in values)]
        size = {path: max(map(abs, values)) for path, values in steps.items()}
        largest = sorted((p for p in size if size[p] > 0), key=lambda p: -size[p])[:_NAMED]
        low = max(interval.value + min(every), 0.0)
        found.append(
            Uncertainty(
                figure,
                (interval.low, interval.high),
                (low, interval.value + max(every)),
                tuple(largest),
            )
        )
    return tuple(found)


def _means(
    results: Results, scenario: Scenario, names: Sequence[str], jobs: int
) -> dict[str, dict[str, float]]:
    from simulator.findings.comparison import simulate

    count = min(max(results.replications["good"], 1), SIDE_STUDY)
    risk = simulate(scenario, count, results.seed, names, jobs, fewest=FEWEST).risk()
    return {
        name: {
            figure: risk[name].under(given).estimate(figure).mean.value or 0.0
            for figure, given in HEADLINES.items()
        }
        for name in names
    }
