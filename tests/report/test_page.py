"""The report: one file that asks for nothing, well-formed, accessible, the same every time."""

from __future__ import annotations

from functools import cache

import pytest

from simulator.decide.advice import at_a_glance
from simulator.findings.choice import chosen
from simulator.play.replay import replay
from simulator.report import series
from simulator.report.page import page
from simulator.report.typical import typical
from tests.report.comparing import hostile, plain
from tests.report.pages import Page

COMMAND = "deploysim compare mine.yaml -n 60 --seed 1"


@cache
def everything() -> str:
    return page(hostile(), COMMAND)


@pytest.fixture(scope="module", params=["everything", "little"])
def text(request: pytest.FixtureRequest) -> str:
    return everything() if request.param == "everything" else page(plain(), COMMAND)


def test_it_is_well_formed_and_asks_for_nothing(text: str) -> None:
    read = Page(text)
    assert read.faults == []
    assert read.outside() == []
    assert len(read.ids()) == len(set(read.ids()))
    assert {"script", "img", "b", "i", "iframe", "link"}.isdisjoint(t for t, _ in read.elements)


def test_every_table_is_named_and_headed_and_every_picture_told(text: str) -> None:
    read = Page(text)
    tables = read.all("table")
    assert tables
    assert len(read.all("caption")) == len(tables)
    assert all(head.get("scope") in ("col", "row", "rowgroup") for head in read.all("th"))
    pictures = read.all("svg")
    assert len(pictures) >= 5
    for picture in pictures:
        title, description = picture["aria-labelledby"].split()
        assert picture["role"] == "img"
        assert {title, description} <= set(read.ids())
    assert all(len(title) > 15 for title in read.texts["title"])
    targets = {a["href"][1:] for a in read.all("a") if a["href"].startswith("#")}
    assert targets <= set(read.ids())


def test_it_is_small_and_the_same_every_time() -> None:
    first = everything()
    assert len(first.encode()) < 500_000
    assert page(hostile(), COMMAND) == first


def test_it_says_what_it_must() -> None:
    text = everything()
    wanted = (
        "Recommended: ",
        "Objectives",
        "side by side",
        "What each gate can see",
        "Time against harm",
        "A typical bad release",
        "What a release costs",
        "What would change the answer",
        "What moves a figure",
        "not concerned",
        "judgement",
        COMMAND,
        hostile().scenario.sha256,
        "&lt;img src=x onerror=alert(1)&gt;",
    )
    assert [part for part in wanted if part not in text] == []


def test_a_strategy_has_one_colour_in_every_picture() -> None:
    text = everything()
    for number, _ in enumerate(hostile().risk):
        pictures = text.split("<svg")[1:]
        courses = [one for one in pictures if f'id="course{number}-title"' in one]
        assert len(courses) == 1
        used = {f"--c{k}" for k in range(8) if f"var(--c{k})" in courses[0].split("</svg>")[0]}
        assert used == {f"--c{number}"}


def test_the_typical_release_is_the_one_that_a_replay_shows() -> None:
    found, results = typical(hostile()), hostile().results
    assert found is not None
    choice = chosen(results)
    assert found.choice == choice
    for course in found.courses:
        name = course.ending.strategy
        told = replay(results.scenario, name, results.seed, choice.replication, choice.label)
        assert course.ending.outcome == told.outcome.outcome.replace("_", " ")
        played = results.columns[name]
        number = next(g.number for g in results.groups if g.label == choice.label)
        failed = played[number]["failed_requests"][choice.replication]
        assert told.outcome.failed_requests == pytest.approx(failed)


def test_the_parts_of_a_bill_add_up_to_its_total() -> None:
    parts: dict[str, float] = {}
    for row in series.bill(hostile()):
        parts[row.strategy] = parts.get(row.strategy, 0.0) + row.amount
    totals = {total.strategy: total.amount for total in series.totals(hostile())}
    assert set(parts) == set(totals)
    for name, total in totals.items():
        assert parts[name] == pytest.approx(total, rel=1e-9)


def test_an_interrupted_study_and_one_without_the_planned_strategy_make_a_page_too() -> None:
    results = hostile().results
    parts = {name: dict(columns) for name, columns in results.columns.items()}
    name = results.names[-1]
    parts[name] = {
        number: {key: values[:7] for key, values in part.items()}
        for number, part in parts[name].items()
    }
    stopped = results.with_columns(parts)
    stopped.stopped = True
    text = page(at_a_glance(stopped), COMMAND)
    assert Page(text).faults == []
    assert "Interrupted" in text
    alone = page(at_a_glance(results.first({}, ["blue_green"])), COMMAND)
    assert Page(alone).faults == []
    assert "Planned:" not in alone
    assert "var(--c2)" in alone
    assert "var(--c0)" not in alone
