"""The page Compare without a browser: it answers, explains itself, and keeps what is typed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from simulator.decide.advice import Options
from simulator.web import jobs, state
from tests.web import APP, settled
from tests.web.test_gates import OWN

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")


SMALL = {"scenario": state.OWN, "own": state.packed(OWN)}


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    """Curves along three paces instead of five."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "Options", partial(Options, paces=(0.5, 1.0, 2.0)))
        yield


def opened(**link: Any) -> Any:
    """The page, opened by a link, with its first answer."""
    page = testing.AppTest.from_file(APP, default_timeout=120)
    for key, value in {"n": "50", **link}.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


FEWER = [f"strategies.{name}=none" for name in ("phased", "parallel_adoption", "rolling")]


@pytest.fixture(scope="module")
def first() -> Any:
    return settled(opened(set=FEWER))


def verdict(page: Any) -> str:
    return str(page.info[0].value)


def command(page: Any) -> str:
    return str(page.code[0].value)


def changed(page: Any) -> str:
    """What the page says was changed, as path=value."""
    told = (str(caption.value) for caption in page.caption)
    found = next((text for text in told if text.startswith("Changed: ")), "")
    return found.replace("\\", "").replace(" = ", "=")


def test_it_opens_with_an_answer(first: Any) -> None:
    assert first.title[0].value == "The textbook's strategies"
    assert verdict(first).startswith("Recommended")
    assert len(first.metric) == 4
    assert "deploysim compare textbook -n 50 --seed 1" in command(first)
    assert len(first.get("vega_lite_chart")) + len(first.get("arrow_vega_lite_chart")) == 5
    assert not first.error
    assert not first.warning


def test_settings_stand_in_words_with_their_paths_in_tables(first: Any) -> None:
    assert "takes over where “change\\: defect probability” is below" in verdict(first)
    assert "defect_probability" not in verdict(first)
    turns = next(t.value for t in first.table if "flips at" in t.value.columns)
    assert list(turns.columns) == ["where", "now", "low to high", "flips at", "to", "setting"]
    assert "change\\: defect probability" in list(turns["where"])
    assert all(turns["low to high"])
    assert "change.defect\\_probability" in list(turns["setting"])
    assumed = next(text.value for text in first.markdown if "response\\: watch = " in text.value)
    assert assumed.endswith("(setting response.watch)")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("change.defect_probability", "40%"),
        ("change.defects[0].share", "90%"),
        ("costs.failed_request", "5"),
        ("planned", "blue_green"),
    ],
)
def test_odds_and_prices_answer_without_playing(
    first: Any, monkeypatch: pytest.MonkeyPatch, path: str, value: str
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("played again")

    monkeypatch.setattr("simulator.findings.study.run", never)
    page = opened(set=[*FEWER, f"{path}={value}"])
    assert f"{path}={value}" in command(page)
    assert verdict(page)


def test_the_slider_of_the_probability_is_written_into_the_command() -> None:
    page = opened()
    slider = next(s for s in page.select_slider if s.label == "Defective releases")
    slider.set_value(20.0)
    page.run()
    assert "change.defect_probability=20%" in command(page)
    assert verdict(page) != ""


def test_every_usual_control_changes_what_is_played() -> None:
    page = opened(**SMALL)
    for label, text, path in (
        ("Instances", "12", "service.instances=12"),
        ("Users", "5k", "traffic.users=5k"),
        ("Requests", "600 rps", "traffic.rate=600 rps"),
        ("Watched after the rollout for", "1h", "response.watch=1h"),
        ("A failed request costs", "0.5", "costs.failed_request=0.5"),
    ):
        box = next(b for b in page.text_input if b.label == label)
        box.set_value(text)
        page.run()
        assert path in changed(page)
    page = page.button(key="back").click().run()
    assert not changed(page)


def test_what_a_box_shows_is_no_change_when_a_browser_sends_it_back() -> None:
    """7k is shown as 7000; a browser that sends that back leaves the link and the command alone."""
    page = opened(scenario="quiet-api", set="traffic.users=7k")
    box = next(box for box in page.text_input if box.label == "Users")
    assert box.value == "7000"
    box.set_value("7000 ").run()
    assert command(page).endswith("--set traffic.users=7k")
    next(box for box in page.text_input if box.label == "Users").set_value("8k").run()
    assert command(page).endswith("--set traffic.users=8k")


def test_a_browser_that_lags_behind_undoes_no_change() -> None:
    """What it asks for next comes with the link from before the change, or between two changes."""
    page = opened(**SMALL)
    slider = next(s for s in page.select_slider if s.label == "Defective releases")
    slider.set_value(20.0)
    page.run()
    first = dict(page.query_params)
    page.query_params.pop("set")
    box = next(box for box in page.text_input if box.label == "Users")
    box.set_value("5k")
    page.run()
    both = {"change.defect_probability=20%", "traffic.users=5k"}
    assert set(page.query_params["set"]) == both
    page.query_params["set"] = first["set"]
    page.run()
    assert set(page.query_params["set"]) == both
    assert all(one in changed(page) for one in both)
    page.button(key="back").click().run()
    page.query_params["set"] = first["set"]
    page.run()
    assert not changed(page)


def test_a_wrong_value_is_told_and_kept_and_the_rest_is_answered() -> None:
    page = opened()
    box = next(b for b in page.text_input if b.label == "Requests")
    box.set_value("lots")
    page.run()
    assert any("lots" in error.value for error in page.error)
    assert next(b for b in page.text_input if b.label == "Requests").value == "lots"
    assert verdict(page).startswith("Recommended")
    assert "--set" not in command(page)


def test_strategies_are_added_copied_and_removed() -> None:
    page = opened()
    page.session_state["part Strategies"] = True
    page = page.run()
    assert page.expander
    page = opened(set=["strategies.phased=none", 'strategies["canary 2"]={kind: canary, pace: 2}'])
    text = command(page)
    assert "strategies.phased=none" in text
    assert "canary 2" in text
    names = [str(row) for row in page.table[0].value.iloc[:, 0]]
    assert "canary 2" in names
    assert "phased" not in names


def unfolded(part: str, **link: Any) -> Any:
    """The page with one of the folded parts of its controls open."""
    page = opened(**link)
    page.session_state[f"part {part}"] = True
    page.run()
    assert not page.exception
    return page


def test_strategies_are_added_copied_and_removed_by_hand() -> None:
    page = unfolded("Strategies", **SMALL)
    page.selectbox(key="strategy A").set_value("canary")
    page.run()
    page.button(key="A copy").click().run()
    assert "canary 2" in changed(page)
    page.selectbox(key="strategy A").set_value("big_bang")
    page.run()
    page.button(key="A remove").click().run()
    assert "strategies.big_bang=none" in changed(page)
    page.selectbox(key="kind A").set_value("shadow")
    page.run()
    assert any("Mirror a share of the traffic" in caption.value for caption in page.caption)
    page.button(key="A add").click().run()
    assert not page.exception
    names = [str(row) for row in page.table[0].value.iloc[:, 0]]
    assert {"canary 2", "shadow"} <= set(names)
    assert "big\\_bang" not in names


def test_kinds_of_the_textbook_come_before_those_of_platforms() -> None:
    from simulator.web.controls import kind_named, offered

    kinds = offered()
    assert kinds.index("shadow") < kinds.index("appconfig")
    assert kind_named("blue_green") == "blue green"
    assert kind_named("ecs_blue_green") == "ECS: blue green"
    assert kind_named("beanstalk") == "Elastic Beanstalk"
    assert kind_named("maintenance_window") == "Systems Manager: maintenance window"


def test_many_strategies_are_numbered_and_named_beside_their_colours() -> None:
    from simulator.web import charts

    few, many = [f"s{k}" for k in range(8)], [f"s{k}" for k in range(12)]
    assert charts.written(few) == {name: name for name in few}
    assert not charts.numbered(few)
    assert list(charts.numbered(many))[11] == "12 s11"
    assert len(set(charts.numbered(many).values())) == 12


def test_names_of_points_at_one_place_stand_together() -> None:
    import pandas as pd

    from simulator.web.charts import _together

    rows = [
        ("dns", 65.0, 0.07),
        ("swap", 70.0, 0.071),
        ("canary", 65.0, 0.2),
        ("clone", 78.0, 0.07),
    ]
    data = pd.DataFrame(rows, columns=["written", "time", "harm"])
    assert _together(data) == ["dns · swap · clone", "", "canary", ""]


def test_what_is_wrong_inside_a_value_is_named() -> None:
    page = opened(set="strategies.new={kind: blue_green, cutover: {kind: swap_group}}")
    assert any("cutover.kind\\: unknown key" in error.value for error in page.error)


def test_the_mix_of_defects_is_moved_without_playing() -> None:
    page = unfolded("What is wrong with bad releases")
    sliders = [s for s in page.select_slider if "%" in s.label]
    assert len(sliders) == 8
    sliders[0].set_value(80)
    page.run()
    assert "change.defects[0].share=80%" in command(page).replace("'", "")
    assert verdict(page).startswith("Recommended")


def test_every_section_of_every_setting_is_drawn_and_one_is_changed() -> None:
    page = unfolded("Every setting", **SMALL)
    sections = next(box for box in page.selectbox if box.label == "Section")
    assert "service" in sections.options
    assert "big_bang" in sections.options
    for label in sections.options:
        next(box for box in page.selectbox if box.label == "Section").select(label)
        page.run()
        assert not page.exception, label
        assert not page.error, label
    next(box for box in page.selectbox if box.label == "Section").select("response")
    page.run()
    key = "A every response.decide"
    page.text_input(key=key).set_value("1m")
    page.run()
    assert "response.decide=1m" in changed(page)


def test_replications_and_seed_are_controls() -> None:
    page = opened(**SMALL)
    page.select_slider(key="n").set_value(150)
    page.number_input(key="seed").set_value(9)
    page = settled(page.run())
    assert "-n 150 --seed 9" in command(page)


def test_what_was_stopped_says_so_and_goes_on() -> None:
    page = opened(scenario="web-shop", seed="4", n="2000")
    page.button(key="cancel A").click().run()
    assert any("Stopped" in caption.value for caption in page.caption)
    assert verdict(page)
    assert not any(button.key == "cancel A" for button in page.button)
    page.run()
    page.button(key="go on A").click().run()
    assert not page.exception
    assert any(button.key == "cancel A" for button in page.button)


def test_the_command_gives_the_finished_answer_and_the_page_says_when_that_is_shown(
    first: Any,
) -> None:
    page = opened(scenario="quiet-api", n="2000", seed="5")
    page.button(key="cancel A").click().run()
    assert "-n 2000 --seed 5" in command(page)
    told = [str(caption.value) for caption in page.caption]
    assert any("the finished answer, from more replications than are shown" in t for t in told)
    assert not any("same figures come from" in text for text in told)
    assert any("same figures come from" in str(caption.value) for caption in first.caption)


def test_what_cannot_be_carried_out_is_not_blamed_on_prices() -> None:
    text = (
        "version: 1\nprofile: ecs-fargate\nservice: {instances: 4, utilisation: 50%, limit: 4}\n"
        "traffic: {rate: 40 rps, users: 9k}\ncosts: {failed_request: 0.01}\n"
        "strategies: {blue_green: {}}\n"
    )
    page = opened(scenario=state.OWN, own=state.packed(text))
    assert verdict(page).startswith("None of these can be carried out")
    assert "needs 8 instances" in verdict(page)


def test_two_variants_stand_side_by_side() -> None:
    page = opened(two="1", b="service.instances=40")
    assert "Variant A" in verdict(page)
    assert "Variant B" in page.info[1].value
    assert len(page.metric) == 8
    assert "--set" not in command(page)
    assert "service.instances=40" in page.code[1].value
    assert len(page.get("vega_lite_chart")) + len(page.get("arrow_vega_lite_chart")) == 9
    assert sum(part.value == "**Variant B**" for part in page.markdown) == 4
    page.toggle[0].set_value(False)
    page.run()
    assert len(page.metric) == 4


@pytest.mark.parametrize(
    "link",
    [
        {"scenario": "no-such-thing"},
        {"n": "1000000000"},
        {"seed": "-7"},
        {"set": "x"},
        {"set": "traffic.trace={file: /etc/passwd, per: 1m}"},
        {"set": "strategies.canary.steps=[[[[[[["},
        {"own": "!!!!"},
        {"own": "eJwLAAAAAQ"},
        {"two": "1", "b": "service.instances=0"},
        {"set": "service.instances=" + "9" * 5000},
    ],
)
def test_a_garbage_link_still_shows_an_answer(link: dict[str, str]) -> None:
    page = opened(**link)
    assert not page.exception
    assert page.info, [error.value for error in page.error]
    assert "passwd" not in "".join(e.value for e in page.info)


@pytest.mark.parametrize("page", ["compare", "gates", "replay", "sensitivity"])
def test_what_is_wrong_with_a_link_is_told_where_a_phone_shows_it(page: str) -> None:
    found = testing.AppTest.from_file(APP, default_timeout=120)
    found.query_params["own"] = state.packed('"![x](http://127.0.0.1:9/x.png)": 1')
    found.query_params["scenario"] = "quiet-api"
    found.switch_page(f"../pages/{page}.py").run()
    assert not found.exception
    told = " ".join(error.value for error in found.main.error)
    assert "cannot be read" in told
    assert "![" not in told


def test_a_link_opens_no_file_of_this_machine() -> None:
    page = opened(set="traffic.trace={file: /etc/passwd, per: 1m}")
    assert any("names a file" in error.value for error in page.error)


def test_names_are_never_read_as_html_or_markdown() -> None:
    page = opened(set='strategies["<img src=x onerror=alert(1)>"]={kind: canary}')
    cells = [str(row) for row in page.table[0].value.iloc[:, 0]]
    assert any("\\<img" in cell for cell in cells)


def test_strategies_that_can_never_finish_have_a_row_and_a_reason() -> None:
    slow = OWN.replace("startup: 30s", "startup: 15m, start_failure: {timeout: 10m}")
    page = settled(opened(scenario=state.OWN, own=state.packed(slow)))
    assert verdict(page).startswith("None of these can be carried out")
    assert any("can never finish" in str(one.value) for one in page.caption)
