"""The page Gates without a browser: what each gate sees, and how far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.web import jobs, state
from tests.web import APP, settled

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")
OWN = """version: 1
name: small
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 20k}
change:
  defects: [{kind: errors, rate: 20%}, {kind: wrong_data, rate: 1%}]
detection: {alarms: [{above: 5%}]}
response: {watch: 0s}
costs: {failed_request: 0.01}
strategies:
  canary: {steps: [{weight: 10%, bake: 5m}, {weight: 50%, bake: 10m}]}
  big_bang: {in_place: false}
"""


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    """A quarter of the replications: what is shown is tested here, not how precise it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_GATES_PLAYED", ((20, 5), (60, 15)))
        patch.setattr(jobs, "_REACH_PLAYED", ((10, 5), (30, 10)))
        yield


def opened(**link: Any) -> Any:
    """The page about a small scenario, when nothing is worked out any more."""
    page = testing.AppTest.from_file(APP, default_timeout=120)
    for key, value in {"scenario": state.OWN, "own": state.packed(OWN), **link}.items():
        page.query_params[key] = value
    return settled(page.switch_page("../pages/gates.py").run())


@pytest.fixture(scope="module")
def first() -> Any:
    return opened()


def texts(page: Any) -> str:
    return " ".join(str(part.value) for part in [*page.info, *page.markdown, *page.caption])


def test_every_gate_and_detector_has_a_row(first: Any) -> None:
    power = first.table[0].value
    assert list(power.gate.unique()) == ["10%, 5 min", "50%, 10 min"]
    assert list(power.columns) == ["gate", "detector", "every kind", "errors", "wrong_data"]
    assert (power["wrong_data"] == "0 %").all()
    assert "blindest gate" in first.info[0].value
    assert first.code[0].value == "deploysim rehearse my-own.yaml canary"


def test_one_gate_is_drawn_along_its_length_weight_and_traffic(first: Any) -> None:
    assert len(first.get("vega_lite_chart")) == 3
    curves = first.table[2].value
    assert set(curves.along) == {"length", "weight", "traffic"}
    assert {"all together", "false alarms"} <= set(curves.detector)
    assert "no weight up to 100 %" in texts(first)


def test_choices_are_controls_and_links() -> None:
    page = opened(gate="50%, 10 min", kind="wrong_data")
    assert page.selectbox(key="gate").value == "50%, 10 min"
    assert "no length up to" in texts(page)
    page.selectbox(key="kind").set_value("errors")
    page = settled(page.run())
    assert "no length up to" not in texts(page)
    page.selectbox(key="gate").set_value("10%, 5 min")
    assert "(now 5 min)" in texts(settled(page.run()))
    page.number_input(key="seed").set_value(7)
    settled(page.run())


def test_a_strategy_without_gates_and_all_of_them() -> None:
    page = opened(strategy="big_bang")
    assert "No gate" in page.info[0].value
    assert not page.get("vega_lite_chart")
    page.selectbox(key="strategy").set_value("all of them")
    page = settled(page.run())
    assert list(page.table[0].value.strategy.unique()) == ["canary"]
    assert "Without any gate: big\\_bang" in texts(page)
    assert "Choose one strategy" in texts(page)


def test_what_was_stopped_can_go_on() -> None:
    page = testing.AppTest.from_file(APP, default_timeout=120)
    page.query_params["scenario"] = "web-shop"
    page.query_params["seed"] = "3"
    page.switch_page("../pages/gates.py").run()
    page.button(key="cancel gates").click().run()
    assert not page.exception
    assert not any(button.key == "cancel gates" for button in page.button)
    assert any("Stopped" in caption.value for caption in page.caption)
    page.button(key="go on gates").click().run()
    assert not page.exception
    assert page.table or any(button.key == "cancel gates" for button in page.button)
