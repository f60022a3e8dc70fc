"""The page Replay without a browser: the release, the moment, and links to both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.findings.comparison import simulate
from simulator.play.replay import Replay, replay
from simulator.report import courses
from simulator.web import state
from simulator.words.reading import load, loads
from tests.web import APP, settled

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")
OWN = """version: 1
name: small
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 20k}
change: {defects: [{kind: errors, rate: {uniform: {low: 5%, high: 20%}}}]}
detection: {alarms: [{above: 5%}]}
strategies: {big_bang: {in_place: false}, canary: {steps: [{weight: 50%, bake: 5m}]}}
"""


def opened(**link: str) -> Any:
    page = testing.AppTest.from_file(APP, default_timeout=120)
    for key, value in {"scenario": "textbook", **link}.items():
        page.query_params[key] = value
    page.switch_page("../pages/replay.py").run()
    assert not page.exception
    return page


def moment(page: Any) -> int:
    return int(page.number_input(key="t").value)


def test_buttons_move_the_moment() -> None:
    page = opened()
    assert moment(page) == 0
    page.button(key="next").click().run()
    first = moment(page)
    assert first > 0
    page.button(key="next").click().run()
    assert moment(page) > first
    page.button(key="previous").click().run()
    assert moment(page) == first
    page.button(key="step").click().run()
    assert moment(page) > first
    page.button(key="to end").click().run()
    end = moment(page)
    assert end == page.number_input(key="t").max
    page.button(key="to start").click().run()
    assert moment(page) == 0
    assert not page.exception


def test_the_slider_goes_along_the_axis_of_the_pictures() -> None:
    page = opened(defect="errors", which="by number", k="1")
    page.slider(key="place").set_value(200)
    page.run()
    assert not page.exception
    middle = moment(page)
    told = replays(1)
    along = courses.axis(list(told.values()))
    assert middle == round(along.at(0.5))
    page.number_input(key="t").set_value(0)
    page.run()
    assert page.slider(key="place").value == 0


def replays(number: int) -> dict[str, Replay]:
    scenario = load("textbook")
    return {name: replay(scenario, name, 1, number, "errors") for name in scenario.strategies}


def test_play_moves_on_by_itself_and_pauses() -> None:
    page = opened()
    page.button(key="play").click().run()
    assert page.button(key="play").label == "Pause"
    before = moment(page)
    page.run()
    assert moment(page) > before
    page.button(key="play").click().run()
    assert page.button(key="play").label == "Play"
    stands = moment(page)
    page.run()
    assert moment(page) == stands


@pytest.mark.parametrize(
    "link",
    [
        {"t": "garbage", "k": "-1"},
        {"t": "999999999"},
        {"which": "by number", "k": "3", "defect": "slow", "seed": "2", "t": "120"},
        {"which": "worst", "defect": "crash"},
        {"which": "typical", "defect": "good"},
        {"defect": "<b>nothing</b>", "seed": "-4"},
    ],
)
def test_every_link_shows_a_release(link: dict[str, str]) -> None:
    page = opened(**link)
    assert page.title[0].value == "One release, replayed"
    assert len(page.table) >= 2
    assert "deploysim replay textbook" in page.code[0].value
    if link.get("t") == "120":
        assert moment(page) == 120
        assert "--replication 3 --seed 2" in page.code[0].value


def test_the_worst_is_the_worst_of_a_thousand() -> None:
    """The number that the page shows is the one with the most failed requests of the same study."""
    page = settled(opened(which="worst", scenario=state.OWN, own=state.packed(OWN)))
    told = next(part.value for part in page.markdown if "the worst of" in part.value)
    assert "the worst of 1,000 bad releases" in told
    results = simulate(loads(OWN), 1000, 1)
    failed = sum(c[1]["failed_requests"] for c in results.columns.values())
    assert f"replication {int(np.argmax(failed))} of" in told


def test_instances_are_those_that_are_paid_for() -> None:
    """A rolling update of 20 takes 5 out at a time; a second fleet doubles them."""
    scenario = load("textbook")
    told = replay(scenario, "blue_green", 1, 0, "good")
    both = [span for span in told.course if span.old == span.new == 20]
    assert both
    last = told.course[-1]
    assert (last.old, last.new, last.starting, last.leaving) == (0, 20, 0, 0)
    for span in told.course:
        assert span.old + span.new + span.starting + span.leaving >= 20
        assert min(span.old, span.new, span.starting, span.leaving) >= 0
    first = replay(scenario, "rolling", 1, 0, "good").course[0]
    assert (first.old, first.new, first.starting) == (15, 0, 5)


def test_failures_so_far_end_at_what_was_expected() -> None:
    scenario = load("textbook")
    told = replay(scenario, "big_bang", 1, 3, "errors")
    along = courses.axis([told])
    parts = courses.pieces(told, scenario, along.end)
    whole = sum(p.bad_a_minute * (p.end - p.start) / 60 for p in parts)
    said = courses.moment(told, parts, along.end)
    assert said.bad == courses.wording.count(whole)
    assert courses.moment(told, parts, 0.0).bad == "0"
    for place in (0.0, 0.3, 1.0):
        assert along.place(along.at(place)) == pytest.approx(place)
    each = courses.each_tile([parts])
    for moment_of in (0.0, along.end / 2):
        assert len(courses.tiles("big_bang", parts, moment_of, each)) <= 44


def test_neighbouring_tiles_share_a_letter_and_a_lone_last_one_has_it_beside() -> None:
    from simulator.web.courses import _lettered

    fleet = ["old, serving"] * 5 + ["new, serving"]
    rows = [("canary", place, state) for place, state in enumerate(fleet)]
    found = _lettered([*rows, ("rolling", 0, "starting")])
    assert found.to_numpy().tolist() == [
        ["canary", 2, "O", False],
        ["canary", 6, "N", True],
        ["rolling", 1, "S", True],
    ]
