"""Published incidents replayed: the model's timeline beside the published one, as a page.

`python -m tests.scenarios.incidents` writes docs/incidents.md anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulator.findings.comparison import simulate
from simulator.findings.means import Interval
from simulator.play.replay import Replay, replay
from simulator.report import wording
from simulator.words.reading import load

PAGE = Path(__file__).parents[2] / "docs" / "incidents.md"
HAPPENED = "as it happened"
WIDTH = 100


class Event(NamedTuple):
    """Something published, minutes after the harm began, and where the model has it."""

    what: str
    published: float
    model: Callable[[Replay], float]


class Incident(NamedTuple):
    """One incident: its scenario, the events to compare, what it teaches, and what is left out."""

    scenario: str
    events: tuple[Event, ...]
    lesson: str
    beyond: str


def harm_begins(told: Replay) -> float:
    """The first moment at which somebody meets the defect, seconds."""
    return next(span.start for span in told.course if span.harm > 0)


def at(verb: str) -> Callable[[Replay], float]:
    """When the journal says this, minutes after the harm began."""

    def moment(told: Replay) -> float:
        found = next(entry.time for entry in told.journal if entry.verb == verb)
        return (found - harm_begins(told)) / 60

    return moment


def share_below(level: float) -> Callable[[Replay], float]:
    """When the new version's share has fallen below a level, minutes after the harm began."""

    def moment(told: Replay) -> float:
        high = max(index for index, span in enumerate(told.course) if span.weight >= level)
        return (told.course[high].end - harm_begins(told)) / 60

    return moment


def harm_over(told: Replay) -> float:
    """When the last request fails, minutes after the harm began."""
    last = max(span.end for span in told.course if span.harm > 0)
    return (last - harm_begins(told)) / 60


INCIDENTS = (
    Incident(
        "incident-content-push",
        (Event("the update is taken back", 78, at("roll back")),),
        "A hundredth of the hosts first, watched for two hours, and the update never reaches the "
        "second step: a hundredth of the harm. Waves of a tenth every half an hour spare four "
        "fifths of the hosts and no more, because noticing takes longer than a wave.",
        "That a crashed host stays down until somebody repairs it by hand, which took days: taking "
        "the update back helps only hosts that had not met it, so the users harmed are the hosts "
        "to repair, and failed requests (a host that stays down asks for nothing) are too many. "
        "How the 78 min divide into noticing and deciding was not published.",
    ),
    Incident(
        "incident-stale-server",
        (Event("everything is stopped", 45, harm_over),),
        "Until the decision one server of eight is wrong, an eighth of the harm; going back makes "
        "all eight wrong, and ten elevenths of the harm fall into the 25 minutes after it. A small "
        "first step is no help when it is the old code that fails: with one new server, seven of "
        "eight are wrong from the beginning. All eight at once leaves no old code that could "
        "misread the flag.",
        "When the good code was removed was not published; 20 minutes are assumed. Positions in a "
        "market, and what they lose, are not requests that fail; a flag that is raised days after "
        "the code is here one migration with the first wave.",
    ),
    Incident(
        "incident-global-rule",
        (
            Event("the first page", 3, at("detect")),
            Event("the rules are switched off", 25, at("roll back")),
            Event("everything is back", 27, harm_over),
        ),
        "27 minutes of nothing are 62.5 % of a month's budget of 99.9 %. A hundredth of the "
        "machines first spends a hundredth of that, waves that begin with a tenth a tenth.",
        "Up to 82 % of the traffic was lost; the model loses all of it. The rule went out in "
        "seconds and came back in two minutes; the model has one propagation for both ways. That "
        "the outage kept its responders out of their own tools is in the time of the decision.",
    ),
    Incident(
        "incident-nineteen-sites",
        (
            Event("an incident is declared", 5, at("detect")),
            Event("the first site is back", 31, share_below(18.5 / 19)),
            Event("the last site is back", 75, share_below(0.5 / 19)),
        ),
        "With one site first, and an hour before the others, one site is down until it is decided "
        "to go back; the other eighteen never are. One site after the other every ten minutes is "
        "as good, as long as noticing (5 min) is faster than the next step. The change had been "
        "at other locations for two and a half hours; they were built differently, and a first "
        "step protects only what is like it.",
        "Sites differ in size; here they are alike, and a site that is down loses its users' "
        "requests instead of sending them to the next one. The last sites were late because "
        "engineers undid each other's work; here each takes as long.",
    ),
)


def told(incident: Incident) -> Replay:
    """The incident as it happened."""
    scenario = load(incident.scenario)
    return replay(scenario, HAPPENED, kind=scenario.change.labels[0])


def write() -> str:
    """The page."""
    lines = [
        "# Incidents replayed",
        "",
        "Four published incidents as packaged scenarios: the model's timeline beside the published",
        "one, and what a canary or waves would have done with the same change, detection and",
        "decision. Generated by `python -m tests.scenarios.incidents`; sources stand in the",
        "scenarios. Times are minutes since the harm began. Everything but the counts is fixed;",
        "95 % intervals of the means (simulation only) are shown where they have any width.",
    ]
    for incident in INCIDENTS:
        lines += _section(incident)
    return "\n".join(lines) + "\n"


def _section(incident: Incident) -> list[str]:
    scenario, story = load(incident.scenario), told(incident)
    question = f"`{incident.scenario}`: {scenario.question}"
    lines = ["", f"## {scenario.name}", "", _wrapped(question), ""]
    lines += ["| event | published | model |", "|---|---:|---:|"]
    lines += [
        f"| {event.what} | {event.published:g} min | {event.model(story):.1f} min |"
        for event in incident.events
    ]
    lines += [
        "",
        "| strategy | peak exposure | users harmed | failed requests |",
        "|---|---:|---:|---:|",
    ]
    results = simulate(scenario, 100, seed=1)
    for name, risk in results.risk().items():
        bad = risk.given_defect
        cells = [
            _with_interval(found, unit)
            for figure, unit in (
                ("peak_exposure", "share"),
                ("users_harmed", "share"),
                ("failed_requests", "count"),
            )
            for found in [bad.estimate(figure).mean]
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    beyond = f"*Beyond the model:* {incident.beyond}"
    return [*lines, "", _wrapped(incident.lesson), "", _wrapped(beyond)]


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def _with_interval(found: Interval, unit: str) -> str:
    value, bounds = wording.figure(found.value, unit), wording.between(found, unit)
    return value if bounds == value else f"{value} ({bounds})"


def budget_spent() -> float:
    """The mean share of a month's error budget that the global rule spent."""
    results = simulate(load("incident-global-rule"), 100, seed=1)
    spent = results.risk()[HAPPENED].given_defect.mean("budget_spent")
    return float(np.nan if spent is None else spent)


if __name__ == "__main__":
    PAGE.write_text(write(), "utf-8")
