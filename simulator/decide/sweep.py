"""Sweeps: the same study at many points of a scenario, on a grid or a Latin hypercube."""

from __future__ import annotations

import difflib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.decide.tornado import SHOWN
from simulator.decide.winners import Axis
from simulator.findings.comparison import FEWEST, Variant, playable, simulate_each
from simulator.findings.estimates import Estimates
from simulator.findings.executors import Workers
from simulator.findings.reconsider import only_weighs, reconsidered
from simulator.findings.study import Progress, strata
from simulator.words.changes import number_at, parse_path
from simulator.words.documents import DocumentError, read
from simulator.words.figures import FIGURES
from simulator.words.problems import Problem, ScenarioError
from simulator.words.shape import dotted

if TYPE_CHECKING:
    import pandas as pd

    from simulator.findings.results import Results, StrategyRisk
    from simulator.words.scenario import Scenario

MOST = 500
_DIGITS = 4
_SPAN = re.compile(r"\s*([\d.+-][^,]*?)\s*\.\.\s*([\d+-][^,]*?)\s*")
_LIST = "list the values: PATH=a,b,c"
_EXAMPLE = "write PATH=a,b,c, e.g. response.watch=5m,15m,1h, or with --lhs PATH=LOW..HIGH"

Vary = Mapping[str, str | Sequence[Any]]
"""For each path its values, as a text `a, b, c` of a scenario file or as a sequence (YAML texts or
Python), or a text `low..high` for a Latin hypercube."""


class Point(NamedTuple):
    """A valid scenario of a sweep and, in the order of the paths, what it is given there.

    `values` are numbers in base units (seconds, shares, requests/s, money) where every point has
    a number at that path, else texts; `texts` are those of a scenario file. `played` is the same
    scenario without what only weighs, and `key` tells which points share its replications.
    """

    scenario: Scenario
    values: tuple[float | str, ...]
    texts: tuple[str, ...]
    played: Scenario
    key: tuple[str, ...]


class Design(NamedTuple):
    """The points of a sweep over `paths`; `drawn`: a Latin hypercube, evenly in the logarithm
    along the paths of which `logarithmic` says so. Otherwise a grid, the last path fastest.
    """

    scenario: Scenario
    paths: tuple[str, ...]
    points: tuple[Point, ...]
    drawn: bool
    logarithmic: tuple[bool, ...]


class Row(NamedTuple):
    """One figure of one strategy at one point: `point` is its number, from 0.

    Without an `estimate`: the strategy cannot be played there, or nothing is under the condition.
    """

    point: int
    strategy: str
    suitable: bool
    figure: str
    given: str
    estimate: Estimates | None


class Sweep:
    """What every strategy came to at every point; all points had the same luck.

    `studies` tells how many of the points were played: the others only weigh differently.
    `stopped`: it was interrupted, and rows are missing or have fewer replications.
    """

    def __init__(
        self,
        design: Design,
        rows: tuple[Row, ...],
        replications: int,
        seed: int,
        studies: int,
        stopped: bool = False,
    ) -> None:
        self.design, self.rows, self.stopped = design, rows, stopped
        self.replications, self.seed, self.studies = replications, seed, studies

    @property
    def strategies(self) -> tuple[str, ...]:
        """Every strategy that occurs, in the order of the points."""
        return tuple(dict.fromkeys(row.strategy for row in self.rows))

    @property
    def figures(self) -> dict[str, str]:
        """Every figure and the condition under which it is taken."""
        return {row.figure: row.given for row in self.rows}

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Tidy data: one row per point, strategy and figure; each path is a column.

        Columns of the paths hold `Point.values`; `mean`, `low`, `high` are the mean with its 95 %
        interval (simulation error only), the other statistics carry theirs in their names.
        """
        import pandas as pd

        return pd.DataFrame([self._cells(row) for row in self.rows])

    def _cells(self, row: Row) -> dict[str, Any]:
        point = self.design.points[row.point]
        cells: dict[str, Any] = {"point": row.point}
        cells |= dict(zip(self.design.paths, point.values, strict=True))
        cells |= {"strategy": row.strategy, "suitable": row.suitable, "figure": row.figure}
        cells |= {"given": row.given, "unit": FIGURES[row.figure].unit}
        found = row.estimate
        cells["n"] = found.n if found else 0
        for name in ("mean", "p50", "p95", "p99", "cvar95", "applicable", "censored"):
            value, low, high = getattr(found, name) if found else (None, None, None)
            lead = "" if name == "mean" else f"{name}_"
            numbers = {name: value, f"{lead}low": low, f"{lead}high": high}
            cells |= {key: math.nan if one is None else one for key, one in numbers.items()}
        return cells


def designed(scenario: Scenario, vary: Vary, samples: int | None = None, seed: int = 1) -> Design:
    """The points of a sweep, every one a valid scenario: a grid, or with `samples` as many points
    of a Latin hypercube.

    There a range is drawn from evenly, in the logarithm where both ends are positive and a decade
    or more apart; of a list every value comes equally often. Raises ValueError for what is no
    design or has more than 500 points, ScenarioError for paths and values the scenario refuses.
    """
    if not vary:
        raise ValueError(f"nothing is varied; {_EXAMPLE}")
    given = {path: _listed(path, values) for path, values in vary.items()}
    if samples is None:
        for path, one in given.items():
            if isinstance(one, _Span):
                raise ValueError(f"{path}={one.low}..{one.high} needs --lhs N, or {_LIST}")
        count = math.prod(len(values) for values in given.values())
        _few(count, "take fewer values, or draw some of them with --lhs N")
        chosen = list(itertools.product(*given.values()))
        logarithmic = (False,) * len(given)
    else:
        _few(samples, "draw fewer")
        axes = {path: _axis(scenario, path, one) for path, one in given.items()}
        chosen = _hypercube(axes, samples, seed)
        logarithmic = tuple(isinstance(a, _Range) and a.axis.logarithmic for a in axes.values())
    return Design(
        scenario, tuple(given), _points(scenario, tuple(given), chosen), bool(samples), logarithmic
    )


def _few(count: int, remedy: str) -> None:
    if not 1 <= count <= MOST:
        raise ValueError(f"{count:,} points, but a sweep has 1 to {MOST}; {remedy}")


class _Span(NamedTuple):
    """The ends of a range, as texts of a scenario file."""

    low: str
    high: str


def _listed(path: str, values: str | Sequence[Any]) -> _Span | tuple[Any, ...]:
    """The values of a path, each as `Scenario.with_` takes it, or the ends of a range."""
    if not isinstance(values, str):
        found = tuple(values)
    elif span := _SPAN.fullmatch(values):
        return _Span(span[1], span[2])
    else:
        try:
            items = read(f"[{values}]").data
        except DocumentError as error:
            raise ValueError(f"{path}={values} cannot be read ({error}); {_EXAMPLE}") from None
        found = tuple(json.dumps(item, ensure_ascii=False) for item in items)
    if not found:
        raise ValueError(f"{path} has no values; {_EXAMPLE}")
    return found


class _Range(NamedTuple):
    """A range to draw from, whether only whole numbers stand there, and whether per cents do."""

    axis: Axis
    whole: bool
    percent: bool


def _axis(
    scenario: Scenario, path: str, given: _Span | tuple[Any, ...]
) -> _Range | tuple[Any, ...]:
    """A path as it is drawn from; raises ScenarioError for a range that is none there."""
    if not isinstance(given, _Span):
        return given
    ends: list[float] = []
    for text in given:
        (point,) = _points(scenario, (path,), [(text,)])
        try:
            ends.append(number_at(point.scenario, path))
        except TypeError:
            raise _refused(path, f"is no number, so it has no range; {_LIST}") from None
    if not ends[0] < ends[1]:
        raise _refused(path, f"{given.low} is not below {given.high}; write LOW..HIGH")
    whole = all(isinstance(end, int) for end in ends)
    return _Range(Axis(path, *ends), whole, all(text.endswith("%") for text in given))


def _hypercube(
    axes: Mapping[str, _Range | tuple[Any, ...]], samples: int, seed: int
) -> list[tuple[Any, ...]]:
    """Points of a Latin hypercube (McKay, Beckman and Conover 1979, doi:10.2307/1268522)."""
    from scipy.stats import qmc

    shares = qmc.LatinHypercube(len(axes), rng=np.random.default_rng(seed)).random(samples)
    return [
        tuple(_drawn(axis, share) for axis, share in zip(axes.values(), row, strict=True))
        for row in shares.tolist()
    ]


def _drawn(axis: _Range | tuple[Any, ...], share: float) -> Any:
    """What lies at a share, 0 to 1, of an axis; numbers with four digits."""
    if not isinstance(axis, _Range):
        return axis[int(share * len(axis))]
    value = axis.axis.at(share)
    if axis.whole:
        return round(value)
    size = 100 if axis.percent else 1
    ends = size * axis.axis.low, size * axis.axis.high
    number = min(max(float(f"{size * value:.{_DIGITS}g}"), ends[0]), ends[1])
    return f"{number:.12g}%" if axis.percent else number


def _points(
    scenario: Scenario, paths: Sequence[str], chosen: Sequence[tuple[Any, ...]]
) -> tuple[Point, ...]:
    """Scenarios at the chosen values; raises one ScenarioError with everything that is refused."""
    scenarios: list[Scenario] = []
    refused: dict[str, Problem] = {}
    for values in chosen:
        try:
            scenarios.append(scenario.with_all(dict(zip(paths, values, strict=True))))
        except ScenarioError as error:
            for problem in error.problems:
                told = _at(problem, paths, values)
                refused.setdefault(str(told), told)
    if refused:
        raise ScenarioError(refused.values())
    played = [path for path in paths if not only_weighs(parse_path(path))]
    numbers = [_numbers(scenarios, path) for path in paths]
    weighed: dict[tuple[str, ...], Scenario] = {}
    found = []
    for number, (one, values) in enumerate(zip(scenarios, chosen, strict=True)):
        part = {p: value for p, value in zip(paths, values, strict=True) if p in played}
        key = tuple(repr(value) for value in part.values())
        if key not in weighed:
            weighed[key] = scenario.with_all(part) if part else scenario
        texts = tuple(_text(one, path, value) for path, value in zip(paths, values, strict=True))
        shown = tuple(n[number] if n else text for n, text in zip(numbers, texts, strict=True))
        found.append(Point(one, shown, texts, weighed[key], key))
    return tuple(found)


def _at(problem: Problem, paths: Sequence[str], values: Sequence[Any]) -> Problem:
    """A problem of a point as one of the sweep; one that is at no varied path tells the point."""
    message = problem.message
    if len(paths) > 1 and not any(_within(problem.path, path) for path in paths):
        point = ", ".join(f"{p} = {_plain(v)}" for p, v in zip(paths, values, strict=True))
        message += f" (at {point})"
    return problem._replace(file="vary", line=None, column=None, message=message)


def _within(place: str, path: str) -> bool:
    """Whether one of two places lies in the other."""
    try:
        path = dotted(parse_path(path))
    except ValueError:
        return True
    return place.startswith(path) or path.startswith(place)


def _refused(path: str, message: str) -> ScenarioError:
    return ScenarioError([Problem("vary", path, None, None, message)])


def _numbers(scenarios: Sequence[Scenario], path: str) -> list[float] | None:
    """The numbers of all points at a path; None where one of them has no number there."""
    try:
        return [float(number_at(one, path)) for one in scenarios]
    except (TypeError, ValueError, KeyError, IndexError):
        return None


def _text(scenario: Scenario, path: str, value: Any) -> str:
    """A value as a scenario file would say it in one line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        where: Any = scenario.resolved()
        for key in parse_path(path):
            where = where[key]
        return str(where)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        content = read(value).data
        return content if isinstance(content, str) else value.replace('"', "")
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def asked(
    scenario: Scenario, figures: Sequence[str] = (), given: str | None = None
) -> dict[str, str | None]:
    """The figures of a sweep and the condition of each (None: over all releases).

    Without `figures` the headlines and the loss; without `given` each under its own condition:
    times given good, harm given a defect, money over all. Raises ValueError for an unknown one.
    """
    for figure in figures:
        if figure not in FIGURES:
            near = difflib.get_close_matches(figure, FIGURES, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"unknown figure {figure!r}; allowed: {', '.join(FIGURES)}{hint}")
    labels = scenario.change.labels
    kinds = tuple(dict.fromkeys(label.rstrip(" 0123456789") for label in labels))
    allowed = dict.fromkeys(("all", "good", "defect", *kinds, *labels))
    if given is not None and given not in allowed:
        raise ValueError(f"no release is {given!r}; there are {', '.join(allowed)}")
    wanted = None if given == "all" else given
    return {f: SHOWN.get(f) if given is None else wanted for f in figures or SHOWN}


def sweep(
    design: Design,
    figures: Mapping[str, str | None] = SHOWN,
    replications: int = 200,
    seed: int = 1,
    names: Sequence[str] = (),
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> Sweep:
    """Play the points of a design, as one batch, with the same luck at every point.

    `replications` of good releases and as many of bad ones a strategy, each kind at least 10;
    points that differ only in odds, prices or objectives share them. `figures` as from `asked`.
    When it is interrupted the sweep holds what was finished and says `stopped`.
    """
    variants: dict[tuple[str, ...], Variant] = {}
    for point in design.points:
        if point.key not in variants:
            wanted = _chosen(point.played, names)
            groups = strata(point.played, replications, FEWEST)
            variants[point.key] = (point.played, playable(point.played, wanted), groups)
    found = simulate_each(list(variants.values()), seed, jobs, progress, keep=True)
    stopped = any(side.stopped for side in found)
    sides = dict(zip(variants, found, strict=True))
    rows: list[Row] = []
    for number, point in enumerate(design.points):
        results = reconsidered(sides[point.key], point.scenario)
        shown = list(results.names) if stopped else _chosen(point.scenario, names)
        rows += _rows(number, results, shown, figures)
    return Sweep(design, tuple(rows), replications, seed, len(variants), stopped)


def _chosen(scenario: Scenario, names: Sequence[str]) -> list[str]:
    return [name for name in scenario.strategies if not names or name in names]


def _rows(
    number: int, results: Results, names: Sequence[str], figures: Mapping[str, str | None]
) -> list[Row]:
    risk = results.risk()
    return [
        Row(
            number,
            name,
            name in risk and risk[name].suitable,
            figure,
            given or "all",
            _estimate(risk[name], figure, given) if name in risk else None,
        )
        for name in names
        for figure, given in figures.items()
    ]


def _estimate(risk: StrategyRisk, figure: str, given: str | None) -> Estimates | None:
    under = risk.under(given)
    return under.estimate(figure) if under.n else None
