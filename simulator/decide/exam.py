"""The answer to an exam question: every option played, ranked by the figure that decides."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.decide.flip import Bisection, both_ways
from simulator.findings import pairs, study
from simulator.findings.comparison import FEWEST, playable, simulate_each
from simulator.findings.executors import Workers
from simulator.findings.means import Interval
from simulator.findings.reconsider import PRICES, reconsidered
from simulator.findings.results import FRESH, Results
from simulator.findings.study import GOOD_RELEASE, Progress
from simulator.findings.verdict import Threshold, judge
from simulator.play.rehearsal import prepare
from simulator.words import options
from simulator.words.changes import number_at
from simulator.words.exam import Exam
from simulator.words.figures import FIGURES
from simulator.words.problems import ScenarioError

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

SIDE = 100
_NOTHING = Interval(None, None, None)
_WITHIN = 0.02


class Standing(NamedTuple):
    """How one option does: its letter and text, the strategy that was played, the deciding figure
    with its interval, the figures beside it, the objectives, why it cannot be carried out, and
    `off`, how far its prediction is from the simulated value (None for options to choose).
    """

    option: str
    text: str
    strategy: str
    value: Interval
    shown: tuple[Interval, ...]
    objectives: tuple[Threshold, ...]
    reasons: tuple[str, ...]
    off: float | None = None

    @property
    def missed(self) -> tuple[Threshold, ...]:
        """The objectives that are not kept."""
        return tuple(one for one in self.objectives if not one.passed)


class Turned(NamedTuple):
    """Where another option is the answer: `path` at `flips_at` instead of `now`, both as numbers
    in base units or as text of a file; `to` the other option (empty: none can be carried out); the
    options in their order there; and whether fresh luck agrees on both sides.
    """

    path: str
    now: float | str
    flips_at: float | str
    to: str
    ranking: tuple[Standing, ...]
    verified: bool


class Answer(NamedTuple):
    """The options in their order of merit, whether the first two can be told apart, and the flips
    (if they were `searched`).

    `replications` of good releases and of bad ones were played for each option.
    """

    scenario: Scenario
    exam: Exam
    ranking: tuple[Standing, ...]
    close: bool
    flips: tuple[Turned, ...]
    replications: int
    seed: int
    searched: bool

    @property
    def winner(self) -> str:
        """The letter of the best option; empty when none can be carried out."""
        return _best(self.ranking)


class _Luck(NamedTuple):
    """How many replications are played for each option, and with which seed."""

    replications: int
    seed: int


class _Played(NamedTuple):
    """One option: its scenario and strategy, what was found, or why it cannot be carried out."""

    scenario: Scenario
    strategy: str
    results: Results | None
    reasons: tuple[str, ...]


Ranking = tuple[Standing, ...]


def answer(
    scenario: Scenario,
    replications: int = 100,
    seed: int = 1,
    jobs: Workers = 1,
    progress: Progress | None = None,
    flip: bool = True,
) -> Answer:
    """Play every option of a scenario's exam question, rank them, and (with `flip`) look for the
    flip.

    It is searched with at most 100 replications of good and of bad releases, and verified
    with a seed of its own. Raises ScenarioError when the question does not fit the scenario.
    """
    exam = options.posed(scenario)
    table = _Table(scenario, exam, jobs, progress)
    ranking, close = table.ranked({}, _Luck(replications, seed))
    side = _Luck(min(replications, SIDE), seed)
    fresh = side._replace(seed=seed + FRESH)
    found = _turned(table, _best(ranking), side, fresh) if flip else ()
    return Answer(scenario, exam, ranking, close, found, replications, seed, flip)


class _Table:
    """The options of a question, played when they are asked for and never twice."""

    def __init__(
        self, scenario: Scenario, exam: Exam, jobs: Workers, progress: Progress | None
    ) -> None:
        self.scenario, self.exam = scenario, exam
        self._jobs, self._progress = jobs, progress
        self._known: dict[tuple[str, _Luck], Results] = {}

    def ranked(self, moved: Mapping[str, Any], luck: _Luck) -> tuple[Ranking, bool]:
        """The options, the best first, and whether the first two cannot be told apart."""
        exam = self.exam
        played = self._played(moved, luck)
        standing = {name: _standing(exam, name, played[name]) for name in exam.options}
        order = sorted(standing, key=lambda name: (*_merit(exam, standing[name]), name))
        first, second = order[:2]
        two = (standing[first], standing[second])
        close = _close(exam, two, (played[first], played[second]))
        return tuple(standing[name] for name in order), close

    def _played(self, moved: Mapping[str, Any], luck: _Luck) -> dict[str, _Played]:
        """Every option, those that are not known yet in one batch; predictions share one run."""
        names = list(self.exam.options)
        asked = {
            name: self._option(name, moved) for name in (names[:1] if self.exam.predicts else names)
        }
        keys = {
            name: (_what_is_played(one.scenario, one.strategy), luck)
            for name, one in asked.items()
            if playable(one.scenario, [one.strategy])
        }
        work = {}
        for name, key in keys.items():
            if key not in self._known and key not in work:
                own, strategy, *_ = asked[name]
                work[key] = (own, [strategy], _strata(self.exam, own, luck.replications))
        if work:
            batch = list(work.values())
            found = simulate_each(batch, luck.seed, self._jobs, self._progress)
            self._known |= dict(zip(work, found, strict=True))
        for name, key in keys.items():
            results = reconsidered(self._known[key], asked[name].scenario)
            asked[name] = asked[name]._replace(results=results)
        return dict.fromkeys(names, asked[names[0]]) if self.exam.predicts else asked

    def _option(self, name: str, moved: Mapping[str, Any]) -> _Played:
        """One option, not played yet; where it does not go with what was moved, why."""
        strategy = options.chosen(self.scenario, name)
        try:
            own = options.option(self.scenario, name, moved)
        except ScenarioError as error:
            if not moved:
                raise
            reasons = tuple(problem.message for problem in error.problems)
            return _Played(self.scenario, strategy, None, reasons)
        return _Played(own, strategy, None, prepare(own, strategy).reasons)


def _what_is_played(scenario: Scenario, strategy: str) -> str:
    """Everything that the replications of a strategy depend on, as text."""
    words = scenario.resolved()
    for key in ("name", "question", "planned", "objectives"):
        words.pop(key, None)
    words["change"].pop("defect_probability", None)
    for defect in words["change"]["defects"]:
        defect.pop("share", None)
    for price in PRICES:
        words["costs"].pop(price.split(".")[1], None)
    words["strategies"] = {strategy: words["strategies"][strategy]}
    return json.dumps(words, sort_keys=True)


def _strata(exam: Exam, scenario: Scenario, count: int) -> tuple[study.Stratum, ...]:
    """The kinds of releases that the question asks about."""
    groups = study.strata(scenario, count, min(FEWEST, count))
    asked = {one.given for one in (exam.decides, *exam.shows, *scenario.objectives)}
    if asked == {"good"}:
        return tuple(group for group in groups if group.label == GOOD_RELEASE)
    if not asked & {None, "good"}:
        return tuple(group for group in groups if group.label != GOOD_RELEASE)
    return groups


def _standing(exam: Exam, name: str, played: _Played) -> Standing:
    value, shown = _NOTHING, (_NOTHING,) * len(exam.shows)
    kept: tuple[Threshold, ...] = ()
    results, strategy = played.results, played.strategy
    if results is not None:
        risk = results.risk()[strategy]
        value, *rest = (
            risk.under(one.given).measure(one.figure, one.statistic)
            for one in (exam.decides, *exam.shows)
        )
        shown = tuple(rest)
        kept = tuple(
            judge(results, objective, strategy)
            for objective in played.scenario.objectives
            if objective.strategy in (None, strategy)
        )
    off = None
    if exam.predicts and value.value is not None:
        off = abs(options.predicted(exam, name) - value.value)
    text = exam.options[name].text
    return Standing(name, text, strategy, value, shown, kept, played.reasons, off)


def _merit(exam: Exam, standing: Standing) -> tuple[bool, int, float]:
    """What options are sorted by, least first: possible, objectives missed, the figure."""
    value = standing.value.value if standing.off is None else standing.off
    if value is None:
        value = math.inf
    elif exam.most and standing.off is None:
        value = -value
    return bool(standing.reasons), len(standing.missed), value


def _close(exam: Exam, two: tuple[Standing, Standing], played: tuple[_Played, _Played]) -> bool:
    """Whether the best two are told apart by nothing but the figure, and not by it either."""
    first, second = two
    if _merit(exam, first)[:2] != _merit(exam, second)[:2]:
        return False
    low, high = first.value.low, first.value.high
    if exam.predicts:
        middle = sum(options.predicted(exam, one.option) for one in two) / 2
        return low is None or high is None or low <= middle <= high
    if first.value.value is None or second.value.value is None:
        return first.value.value == second.value.value
    difference = _difference(exam, *played, (first, second))
    return (
        difference.low is None
        or difference.high is None
        or difference.low <= 0 <= (difference.high)
    )


def _difference(exam: Exam, a: _Played, b: _Played, two: tuple[Standing, Standing]) -> Interval:
    """The figure of a less that of b: replication by replication where both had the same luck."""
    assert a.results is not None
    assert b.results is not None
    measure = exam.decides
    x = a.results.risk()[a.strategy].under(measure.given)
    y = b.results.risk()[b.strategy].under(measure.given)
    alike = x.strata.sizes.tolist() == y.strata.sizes.tolist()
    if alike and measure.statistic == "mean" and measure.figure in FIGURES:
        limit = max(*a.results.limits.values(), *b.results.limits.values())
        found = pairs.paired(
            x.values(measure.figure), y.values(measure.figure), x.strata, True, limit
        )
        return found.mean
    first, second = (one.value for one in two)
    ends = (first.low, first.high, second.low, second.high)
    if any(end is None for end in ends):
        return _NOTHING
    assert first.value is not None
    assert second.value is not None
    low, high = first.low - second.high, first.high - second.low  # type: ignore[operator]
    return Interval(first.value - second.value, low, high)


def _best(ranking: Ranking) -> str:
    return "" if ranking[0].reasons else ranking[0].option


def _turned(table: _Table, best: str, side: _Luck, fresh: _Luck) -> tuple[Turned, ...]:
    """Where another option leads, along the path of the question or at its one other value."""
    scenario, turn = table.scenario, table.exam.flips
    if turn.to is not None:
        return _at_one_value(table, best, side, fresh)
    low, high = (
        number_at(options.moved(scenario, turn.path, value), turn.path)
        for value in (turn.low, turn.high)
    )
    now = number_at(scenario, turn.path)
    whole = isinstance(low, int) and isinstance(high, int)

    def ranking(value: float, luck: _Luck) -> Ranking:
        return table.ranked({turn.path: value}, luck)[0]

    found = both_ways(
        Bisection(turn.path, min(max(now, low), high), (low, high), best, _WITHIN, whole),
        lambda value: _best(ranking(value, side)),
        lambda value: _best(ranking(value, fresh)),
    )
    turned = []
    for flip in found:
        at = round(flip.flips_at) if whole else flip.flips_at
        there = ranking(at, side)
        turned.append(Turned(flip.path, now, at, flip.to, there, flip.verified))
    return tuple(turned)


def _at_one_value(table: _Table, best: str, side: _Luck, fresh: _Luck) -> tuple[Turned, ...]:
    """The answer at the one other value, if it is another one."""
    turn = table.exam.flips
    moved = {turn.path: options.end(turn.to)}
    ranking, again = (table.ranked(moved, luck)[0] for luck in (side, fresh))
    to = _best(ranking)
    if to == best:
        return ()
    same = _best(again) == to and _best(table.ranked({}, fresh)[0]) == best
    now = options.said(table.scenario, turn.path)
    return (Turned(turn.path, now, options.end(turn.to), to, ranking, same),)
