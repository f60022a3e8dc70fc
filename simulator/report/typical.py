"""A typical bad release: the middle one of a study, replayed under every strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.choice import Choice, chosen
from simulator.play.replay import Replay, replay
from simulator.report import charts, courses, wording
from simulator.report.courses import Ending
from simulator.report.timeline import Courses

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison


class Course(NamedTuple):
    """One strategy's course of the release: what it came to, in a sentence, and as a picture."""

    ending: Ending
    sentence: str
    picture: str


class Typical(NamedTuple):
    """The release that was chosen, its defect and a sentence about it, and every course of it."""

    choice: Choice
    defect: str
    sentence: str
    stretched: bool
    courses: tuple[Course, ...]


def typical(comparison: Comparison) -> Typical | None:
    """The bad release in the middle by failed requests; None when none was played."""
    results, scenario = comparison.results.common(), comparison.scenario
    if not results.names:
        return None
    try:
        choice = chosen(results)
    except ValueError:
        return None
    names = [name for name in results.names if not results.reasons[name]]
    told = {
        name: replay(scenario, name, results.seed, choice.replication, choice.label)
        for name in names
    }
    if not told:
        return None
    along = courses.axis(list(told.values()))
    parts = {name: courses.pieces(one, scenario, along.end) for name, one in told.items()}
    top, palette = courses.highest(parts.values()), charts.colours(scenario.strategies)
    found, pictures = [], Courses(along, top)
    for number, (name, one) in enumerate(told.items()):
        marks, sentence = courses.marks(one, along), _sentence(one)
        picture = pictures.draw(f"course{number}", sentence, parts[name], marks, palette[name])
        found.append(Course(courses.ending(one), sentence, picture))
    return Typical(
        choice,
        courses.defect(scenario, choice.label),
        courses.summary(told, good=False),
        along.stretched,
        tuple(found),
    )


def _sentence(told: Replay) -> str:
    """What the release came to under one strategy."""
    end = courses.ending(told)
    text = f"{wording.named(end.strategy)}: {end.outcome}, {end.failed} failed requests, "
    text += f"{end.harmed} of users harmed"
    if end.detected != wording.DASH:
        text += f"; detected after {end.detected} by {end.by}"
    if end.back != wording.DASH:
        text += f", all traffic back after {end.back}"
    return f"{text}."
