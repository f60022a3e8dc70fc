"""The options of an exam question, each as a scenario of its own, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulator.words.changes import number_at, parse_path
from simulator.words.documents import Path
from simulator.words.exam import Exam, Turn
from simulator.words.objectives import quantity
from simulator.words.problems import Problem, ScenarioError
from simulator.words.shape import Found, dotted, near

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

_HERE: Path = ("exam",)


def posed(scenario: Scenario) -> Exam:
    """The question of a scenario; raises ScenarioError when it has none or it cannot be asked."""
    if scenario.exam is None:
        message = "is missing; write exam: {decides: ..., options: ..., flips: ...}"
        raise ScenarioError([Problem(scenario.name, "exam", None, None, message)])
    found = wrong(scenario)
    if found:
        raise ScenarioError(
            Problem(scenario.name, dotted(path), None, None, message) for path, message in found
        )
    return scenario.exam


def option(scenario: Scenario, name: str, moved: Mapping[str, Any]) -> Scenario:
    """The scenario of one option, with other settings `moved` before it; without the question.

    Raises ScenarioError when the two do not go together.
    """
    assert scenario.exam is not None
    own = {path: _text(value) for path, value in scenario.exam.options[name].changes.items()}
    return scenario.with_all({"exam": "none", **moved, **own})


def chosen(scenario: Scenario, name: str) -> str:
    """The strategy that an option stands for."""
    assert scenario.exam is not None
    return scenario.exam.options[name].strategy or scenario.planned


def predicted(exam: Exam, name: str) -> float:
    """The value that an option predicts, in the unit of the figure; raises ValueError."""
    return quantity(str(exam.options[name].value), exam.decides.unit)


def moved(scenario: Scenario, path: str, value: Any) -> Scenario:
    """The scenario without its question and with one setting moved; raises ScenarioError."""
    return scenario.with_all({"exam": "none", path: _text(value)})


def said(scenario: Scenario, path: str) -> str:
    """What stands at a path of the scenario, as text of a file."""
    where: Any = scenario.resolved()
    for key in parse_path(path):
        where = where[key] if isinstance(key, int) else where.get(str(key), "none")
    return _text(where)


def end(value: Any) -> str:
    """A value of `flips` as text of a file."""
    return _text(value)


def _text(value: Any) -> str:
    """A value of a file as text that is read strictly."""
    return value if isinstance(value, str) else json.dumps(value)


def wrong(scenario: Scenario) -> Found:
    """Everything in the question that does not fit the scenario, with its place."""
    exam = scenario.exam
    if exam is None:
        return []
    return [*_measures(scenario, exam), *_options(scenario, exam), *_flips(scenario, exam.flips)]


def _measures(scenario: Scenario, exam: Exam) -> Iterator[tuple[Path, str]]:
    """Conditions of figures that the scenario does not have."""
    kinds = (one.kind for one in scenario.change.defects)
    known = list(dict.fromkeys(("good", "defect", *kinds)))
    asked = [((*_HERE, "decides"), exam.decides)]
    asked += [((*_HERE, "shows", k), one) for k, one in enumerate(exam.shows)]
    for place, one in asked:
        if one.given is not None and one.given not in known:
            listed = ", ".join(known)
            yield place, f"nothing is given as {one.given!r} here; write one of {listed}"


def _options(scenario: Scenario, exam: Exam) -> Iterator[tuple[Path, str]]:
    for name, one in exam.options.items():
        here = (*_HERE, "options", name)
        if one.strategy is not None and one.strategy not in scenario.strategies:
            known = list(scenario.strategies)
            message = f"no strategy is called {one.strategy!r}; there are {', '.join(known)}"
            yield (*here, "strategy"), message + near(one.strategy, known)
        elif one.value is not None:
            try:
                predicted(exam, name)
            except ValueError as error:
                yield (*here, "value"), str(error)
        try:
            option(scenario, name, {})
        except ScenarioError as error:
            for problem in error.problems:
                key = _key(one.changes, problem.path)
                place = (*here, "set", *((key,) if key is not None else ()))
                yield place, f"{problem.path}: {problem.message}"


def _key(changes: Mapping[str, Any], path: str) -> str | None:
    """The change that a problem at a path comes from."""
    for key in changes:
        try:
            own = dotted(parse_path(key))
        except ValueError:
            own = key
        if path.startswith(own) or own.startswith(path):
            return key
    return None


def _flips(scenario: Scenario, turn: Turn) -> Iterator[tuple[Path, str]]:
    here = (*_HERE, "flips")
    found = []
    for key in ("low", "high", "to"):
        value = getattr(turn, key)
        if value is None:
            continue
        try:
            there = moved(scenario, turn.path, value)
            if key != "to":
                number_at(scenario, turn.path)
                found.append(number_at(there, turn.path))
        except ScenarioError as error:
            yield from (((*here, key), f"{p.path}: {p.message}") for p in error.problems)
            return
        except (TypeError, KeyError, IndexError):
            yield (*here, "path"), f"{turn.path} is no number; write to: instead of low and high"
            return
    if len(found) > 1 and not found[0] < found[1]:
        yield (*here, "low"), f"{turn.low} is not below {turn.high}; exchange them"
