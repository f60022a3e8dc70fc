"""The page Sensitivity without a browser: the map of winners, the tornado, and bad links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.decide.tornado import tornados
from simulator.findings.comparison import simulate
from simulator.report import tornadoes
from simulator.web import leaning
from simulator.web.plain import plain
from simulator.words.objectives import measure
from simulator.words.reading import loads
from tests.web import APP, settled

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")
OWN = """version: 1
name: small
profile: ecs-fargate
service: {instances: 8, utilisation: 50%}
traffic: {rate: 200 rps, users: 20k}
change: {defects: [{kind: errors, rate: 20%}]}
costs: {failed_request: 0.01, delay: 3/h}
strategies: {canary: {}, big_bang: {in_place: false}}
"""


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    """A fifth of the replications: what is shown is tested here, not how precise it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaning, "_BASED_ON", 40)
        yield


def opened(**link: Any) -> Any:
    """The page about a small scenario, with its first answers."""
    from simulator.web import state

    page = testing.AppTest.from_file(APP, default_timeout=120)
    for key, value in {"scenario": state.OWN, "own": state.packed(OWN), **link}.items():
        page.query_params[key] = value
    page.switch_page("../pages/sensitivity.py").run()
    assert not page.exception
    return page


def choose(page: Any, *choices: tuple[str, str]) -> None:
    """Make choices one after the other, and wait for the last answer."""
    for label, value in choices:
        next(box for box in page.selectbox if box.label == label).set_value(value)
        page.run()
        assert not page.exception
    settled(page)


def charts(page: Any) -> int:
    return len(page.get("vega_lite_chart")) + len(page.get("arrow_vega_lite_chart"))


@pytest.fixture(scope="module")
def first() -> Any:
    return settled(opened())


def test_it_shows_who_wins_where_and_what_moves_a_figure(first: Any) -> None:
    assert first.title[0].value == "What the answer leans on"
    assert charts(first) == 2
    assert "--flips" in first.code[0].value
    winners = first.table[0].value
    assert len(winners) == 81
    assert list(winners.columns)[:2] == ["change: defect probability", "costs: failed request"]
    assert set(winners["wins"]) <= {"canary", "big\\_bang"}
    assert not first.error


def test_the_table_has_sources_for_every_assumption(first: Any) -> None:
    table = first.table[1].value
    assert list(table.columns)[-3:] == ["kind", "source", "setting"]
    told = dict(zip(table["setting"], table["assumption"], strict=True))
    for path, name in told.items():
        last = path.replace("\\", "").rpartition(".")[2].partition("[")[0]
        assert name.endswith(last.replace("_", " ")), (path, name)
    assert not any("_" in name or "." in name for name in told.values())
    assert set(table["kind"]) <= {"measured", "judgement", "documented", "published", "definition"}
    assert all(table["source"])


def test_every_choice_is_answered() -> None:
    page = opened()
    for label, value in (("Figure", "time_to_deploy"), ("of the strategy", "big_bang")):
        next(box for box in page.selectbox if box.label == label).set_value(value)
        page.run()
        assert not page.exception
    assert any("time to deploy" in heading.value for heading in page.subheader)
    for label, value in (("Across", "costs.delay"), ("Up", "service.instances")):
        next(box for box in page.selectbox if box.label == label).set_value(value)
        page.run()
        assert not page.exception
    assert "service.instances" in page.code[0].value
    next(box for box in page.selectbox if box.label == "Up").set_value("costs.delay")
    page.run()
    assert any("two different" in warning.value for warning in page.main.warning)
    assert any("time to deploy" in heading.value for heading in page.subheader)


def test_any_statistic_of_any_figure_is_moved_as_the_command_line_does() -> None:
    """The bars are those of `compare --tornado` with as many replications."""
    page = opened()
    choose(page, ("Figure", "rollback_time"), ("Statistic", "p95"), ("of the strategy", "canary"))
    assert any("rollback time (95th percentile)" in one.value for one in page.subheader)
    assert "--strategy canary --tornado 'rollback_time p95'" in page.code[1].value
    asked = measure("rollback_time p95")
    scenario = loads(OWN)
    (exact,) = tornados(simulate(scenario, 40, 1, ["canary"], fewest=10), ["canary"], [asked])
    sure = [swing for swing in exact.widest(asked.text) if swing.sure(asked.text)]
    bars = [tornadoes.bar(scenario, swing, asked) for swing in sure[: tornadoes.MOST]]
    table = page.table[1].value
    assert [plain(bar.at_low) for bar in bars] == list(table["at its low"])
    assert [plain(bar.path) for bar in bars] == list(table["setting"])


def test_bars_of_a_headline_mean_have_as_many_replications_as_the_caption_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where others were looked at with fewer: these are counted, and have no bar."""
    from simulator.web import state

    monkeypatch.setattr("simulator.decide.tornado.MOST", 2)
    monkeypatch.setattr(leaning, "_BASED_ON", 20)
    text = OWN.replace("200 rps", "210 rps")
    page = opened(own=state.packed(text))
    choose(page, ("of the strategy", "canary"))
    told = next(one.value for one in page.caption if one.value.startswith("Each bar"))
    assert "20 good and 20 bad replications, the same luck." in told
    assert "others moved it less in a first look with 16 good and 16 bad replications." in told
    asked = measure("users_harmed given defect")
    scenario = loads(text)
    (exact,) = tornados(simulate(scenario, 20, 1, ["canary"], fewest=10), ["canary"], [asked])
    bars = {bar.path: bar for s in exact.swings for bar in (tornadoes.bar(scenario, s, asked),)}
    table = page.table[1].value
    rows = [bars[path.replace("\\", "")] for path in table["setting"]]
    assert [plain(bar.at_low) for bar in rows] == list(table["at its low"])
    assert [plain(bar.at_high) for bar in rows] == list(table["at its high"])


def test_a_figure_that_does_not_exist_for_these_releases_is_said_to_have_no_value() -> None:
    page = opened()
    choose(page, ("Figure", "time_to_detect"), ("Releases", "good"))
    assert any("has no value under" in info.value for info in page.info)
    assert not page.exception


@pytest.mark.parametrize(
    "link",
    [
        {"across": "nonsense"},
        {"strategy": "<b>"},
        {"figure": "42"},
        {"given": "x"},
        {"set": "a.b=1"},
    ],
)
def test_a_garbage_link_still_shows_an_answer(link: dict[str, str]) -> None:
    page = opened(**link)
    assert charts(page) >= 1


def test_without_prices_and_objectives_it_says_so() -> None:
    from simulator.web import state

    free = "costs: {failed_request: 0, corrupt_write: 0, outage: 0/h, delay: 0/h}"
    bare = OWN.replace("costs: {failed_request: 0.01, delay: 3/h}", free)
    page = opened(own=state.packed(bare))
    assert any("nothing is recommended" in info.value for info in page.info)
