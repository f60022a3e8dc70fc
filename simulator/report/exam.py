"""An exam question and its answer in words: the table, why each option loses, and the flip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.findings.means import Interval
from simulator.report import wording
from simulator.words import options
from simulator.words.figures import MEANINGS

if TYPE_CHECKING:
    from simulator.decide.exam import Answer, Standing, Turned
    from simulator.words.objectives import Measure
    from simulator.words.scenario import Scenario

_HOUR, _MINUTE = 3600.0, 60.0
_ALIKE = 1.05
_MANY, _HOURS = 100.0, 1000.0
_FULL, _LONG, _MILLION = 1000.0, 1e4, 1e6


class Row(NamedTuple):
    """A line of the table: what it is about, and a cell for each option in their order of merit.

    `missed` tells for each option whether it is an objective that is not kept.
    """

    label: str
    cells: tuple[str, ...]
    missed: tuple[bool, ...]


def question(scenario: Scenario) -> str:
    """The question as one paragraph."""
    return " ".join(scenario.question.split())


def table(answer: Answer) -> list[Row]:
    """The deciding figure, its interval, what is shown beside it, and the objectives."""
    exam, ranking = answer.exam, answer.ranking
    fine = (False,) * len(ranking)
    values = [one.value for one in ranking]
    cells = tuple(_said(answer, exam.decides, value) for value in values)
    bounds = tuple(_between(answer, exam.decides, value) for value in values)
    both = zip(cells, bounds, strict=True)
    rows = [
        Row(f"decides: {named(exam.decides)}", cells, fine),
        *([Row("  95 % interval", bounds, fine)] if any(_differs(*b) for b in both) else []),
        *_user_time(answer, exam.decides, values),
    ]
    for number, measure in enumerate(exam.shows):
        shown = [one.shown[number] for one in ranking]
        rows.append(Row(named(measure), tuple(_said(answer, measure, v) for v in shown), fine))
        rows += _user_time(answer, measure, shown)
    for objective in answer.scenario.objectives:
        found = [
            next((o for o in one.objectives if o[0] == objective.text), None) for one in ranking
        ]
        cells = tuple(_said(answer, objective, o.value) if o else wording.DASH for o in found)
        missed = tuple(o is not None and not o.passed for o in found)
        rows.append(Row(f"asked: {objective.text}", cells, missed))
    return rows


def _differs(cell: str, bounds: str) -> bool:
    return bool(bounds) and not cell.startswith(bounds)


def named(measure: Measure) -> str:
    """A figure with its statistic and condition, in words."""
    words = [measure.figure.replace("_", " ")]
    if measure.statistic != "mean":
        words.append(measure.statistic)
    if measure.given is not None:
        kinds = {"good": "good releases", "defect": "bad releases"}
        words.append(kinds.get(measure.given, measure.given.replace("_", " ")))
    return ", ".join(words)


def _user_time(answer: Answer, measure: Measure, values: Sequence[Interval]) -> list[Row]:
    """Exposed time of all traffic, as time of users."""
    if measure.figure != "exposure_time" or measure.statistic == "applicable":
        return []
    users = answer.scenario.traffic.users
    most = max((value.value or 0.0 for value in values), default=0.0) * users
    size, unit = (_HOUR, "user-h") if most >= _HOURS * _HOUR else (_MINUTE, "user-min")
    cells = tuple(
        wording.DASH if v.value is None else f"{v.value * users / size:,.0f} {unit}" for v in values
    )
    return [Row(f"  x {users:,} users", cells, (False,) * len(values))]


def _said(answer: Answer, measure: Measure, value: Interval) -> str:
    return _number(answer, measure, value.value)


def _number(answer: Answer, measure: Measure, value: float | None) -> str:
    """A value with its unit; counts and money up to a million in full."""
    currency = answer.scenario.costs.currency
    if value is not None and measure.unit in ("count", "money") and _FULL <= abs(value) < _MILLION:
        return f"{value:,.0f} {currency if measure.unit == 'money' else ''}".strip()
    return wording.figure(value, measure.unit, currency)


def _between(answer: Answer, measure: Measure, value: Interval) -> str:
    large = value.high is not None and value.high >= _LONG
    if value.low is None or value.high is None or large or measure.unit not in ("count", "money"):
        return wording.between(value, measure.unit)
    low, high = (_number(answer, measure, end).split(" ")[0] for end in (value.low, value.high))
    return low if low == high else f"{low}–{high}"


def meanings(answer: Answer) -> list[str]:
    """What the figures of the table mean, once each."""
    exam = answer.exam
    asked = (exam.decides, *exam.shows, *answer.scenario.objectives)
    names = dict.fromkeys(one.figure for one in asked)
    return [f"{name.replace('_', ' ')}: {MEANINGS[name]}" for name in names]


def verdict(answer: Answer) -> str:
    """Which option it is."""
    first, second = answer.ranking[:2]
    if first.reasons:
        return "No option can be carried out."
    if answer.close:
        return f"Too close to call: {first.option} or {second.option}."
    return f"{first.option}: {first.text}"


def because(answer: Answer) -> str:
    """What decided for the first option."""
    first = answer.ranking[0]
    decides = answer.exam.decides
    value = _said(answer, decides, first.value)
    if first.reasons:
        return f"{first.option} {why(answer, first, first)}"
    if answer.exam.predicts:
        return f"The run finds {value} ({named(decides)})."
    least = "largest" if answer.exam.most else "smallest"
    has = f"{first.option} has the {least} figure that decides ({named(decides)}: {value})"
    rivals = [
        one
        for one in answer.ranking[1:]
        if not one.reasons and len(one.missed) <= len(first.missed)
    ]
    if not first.objectives:
        return f"{has}."
    if first.missed:
        return f"No option keeps every objective; of those that miss the fewest {has}."
    if not rivals:
        return "It alone keeps what is asked."
    others = " and ".join(one.option for one in rivals)
    return f"{others} {'keep' if len(rivals) > 1 else 'keeps'} what is asked too, but {has}."


def why(answer: Answer, one: Standing, first: Standing) -> str:
    """Why an option loses against the first one, in numbers."""
    if one.reasons:
        return f"cannot be carried out: {'; '.join(one.reasons)}."
    decides = answer.exam.decides
    if answer.exam.predicts and first.value.value is not None:
        gap = options.predicted(answer.exam, one.option) - first.value.value
        return f"{_number(answer, decides, abs(gap))} too {'much' if gap > 0 else 'little'}."
    parts = []
    asked = {objective.text: objective for objective in answer.scenario.objectives}
    for missed in one.missed:
        found = _said(answer, asked[missed.expression], missed.value)
        parts.append(f"misses {missed.expression}, it comes to {found}")
    if len(one.missed) <= len(first.missed):
        own, best = (_said(answer, decides, o.value) for o in (one, first))
        parts.append(f"{named(decides)} {own} instead of {best}{_times(one, first)}")
    return f"{'; '.join(parts)}."


def _times(one: Standing, first: Standing) -> str:
    """How many times as much, where that says something."""
    own, best = one.value.value, first.value.value
    if not own or not best or own / best < _ALIKE or own / best > _MANY:
        return ""
    return f", {own / best:.2g} times as much"


def losers(answer: Answer) -> list[tuple[str, str]]:
    """Every option that is not the answer, in the order of their letters, and why it loses."""
    first, *others = answer.ranking
    return [
        (one.option, why(answer, one, first)) for one in sorted(others, key=lambda one: one.option)
    ]


def flips(answer: Answer) -> list[str]:
    """Where another option is the answer, or that nothing of what was tried changes it."""
    turn = answer.exam.flips
    if not answer.searched:
        return []
    if answer.flips:
        return [_flip(answer, one) for one in answer.flips]
    tried = turn.to if turn.to is not None else f"{turn.low} to {turn.high}"
    return [f"{turn.path} does not change the answer ({tried} was tried)."]


def _flip(answer: Answer, turned: Turned) -> str:
    to = turned.ranking[0]
    before = next((one for one in turned.ranking if one.option == answer.winner), to)
    if isinstance(turned.flips_at, str) or isinstance(turned.now, str):
        place = f"with {turned.path}: {turned.flips_at}"
    else:
        at, now = (
            wording.setting(answer.scenario, turned.path, v) for v in (turned.flips_at, turned.now)
        )
        place = f"with {turned.path} at {at} (now {now})"
    if not turned.to:
        return f"None of them {place}: {to.option} {why(answer, to, to)}"
    text = f"{to.option} {place}."
    if answer.exam.predicts:
        text += f" Then the run finds {_said(answer, answer.exam.decides, to.value)}."
    else:
        text += f" Then {before.option}: {why(answer, before, to)}"
    return f"{text} {'Verified' if turned.verified else 'Not confirmed'} with fresh luck."


def document(answer: Answer) -> dict[str, Any]:
    """The answer as plain data for JSON: keys as in the scenario file, missing values null."""
    exam, lost = answer.exam, dict(losers(answer))
    return {
        "schema_version": 1,
        "name": answer.scenario.name,
        "question": question(answer.scenario),
        "decides": exam.decides.text,
        "unit": exam.decides.unit,
        "seed": answer.seed,
        "replications": answer.replications,
        "answer": None if answer.close else answer.winner or None,
        "close": answer.close,
        "options": {
            one.option: _option(answer, one, lost.get(one.option)) for one in answer.ranking
        },
        "explanation": [verdict(answer), because(answer)],
        "flips": [
            {
                "path": one.path,
                "now": one.now,
                "flips_at": one.flips_at,
                "to": one.to,
                "verified": one.verified,
                "text": _flip(answer, one),
            }
            for one in answer.flips
        ],
    }


def _option(answer: Answer, one: Standing, lost: str | None) -> dict[str, Any]:
    shown = zip(answer.exam.shows, one.shown, strict=True)
    return {
        "text": one.text,
        "strategy": one.strategy,
        "value": one.value._asdict(),
        "shows": {measure.text: value._asdict() for measure, value in shown},
        "objectives": [
            {"expression": o.expression, "value": o.value._asdict(), "passed": o.passed}
            for o in one.objectives
        ],
        "reasons": list(one.reasons),
        "loses": lost,
    }
