"""The sections of a scenario, and what a strategy is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from simulator.words import Scenario, Step, Strategy, loads, shape
from simulator.words.distributions import Constant
from simulator.words.strategy import kinds
from simulator.words.units import Duration
from tests.words.files import BARE, IN_FULL


def models(model: type[BaseModel]) -> Iterable[type[BaseModel]]:
    """A model and every model inside it."""
    yield model
    for field in shape.fields(model).values():
        for inner in shape.traits(field)[0]:
            yield from models(inner)


@pytest.mark.parametrize(
    "model", [*dict.fromkeys(models(Scenario)), *kinds().values()], ids=lambda model: model.__name__
)
def test_every_model_is_frozen_closed_and_described(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen")
    assert model.model_config.get("extra") == "forbid"
    assert model.__doc__
    for key, field in model.model_fields.items():
        assert field.description or key == "kind", f"{model.__name__}.{key}"


def test_a_mapping_gives_a_key_its_python_name() -> None:
    scenario = loads(IN_FULL)
    assert scenario.service.errors is not None
    assert scenario.service.errors.block == 300
    assert scenario.service.warm_up is not None
    assert scenario.service.warm_up.duration == 60


def test_errors_may_be_a_plain_share() -> None:
    errors = loads(BARE.replace("capacity", "errors: 0.3%, capacity")).service.errors
    assert errors is not None
    assert (errors.mean, errors.cv) == (0.003, 0)


def test_shares_of_defects_are_normalised_and_kinds_are_numbered() -> None:
    text = """\
change:
  defects:
    - {kind: errors, share: 30%, rate: 5%}
    - {kind: crash, share: 10%}
    - {kind: errors, share: 20%, rate: 5%}
"""
    change = loads(BARE + text).change
    assert change.labels == ("errors", "crash", "errors 2")
    assert change.shares == pytest.approx((1 / 2, 1 / 6, 1 / 3))


def test_a_rate_is_at_most_everything() -> None:
    text = BARE + "change: {defects: [{kind: errors, rate: {lognormal: {median: 60%, sigma: 2}}}]}"
    (defect,) = loads(text).change.defects
    assert defect.kind == "errors"
    assert defect.rate.quantile(0.99) == 1


@pytest.mark.parametrize(("datapoints", "m", "n"), [("2 of 3", 2, 3), ("1 of 1", 1, 1)])
def test_datapoints_are_m_of_n(datapoints: str, m: int, n: int) -> None:
    text = BARE + f"detection: {{alarms: [{{datapoints: {datapoints}}}]}}\n"
    (alarm,) = loads(text).detection.alarms
    assert (alarm.m, alarm.n) == (m, n)


@pytest.mark.parametrize(
    ("alarms", "labels"),
    [
        ("[{}]", ["alarm"]),
        ("[{name: mine}]", ["mine"]),
        ("[{}, {watch: service, metric: late}]", ["alarm new errors", "alarm service late"]),
        ("[{}, {}, {name: mine}]", ["alarm new errors", "alarm new errors 2", "mine"]),
        ("[{}, {name: alarm new errors}]", ["alarm new errors 2", "alarm new errors"]),
    ],
)
def test_alarms_have_names_of_their_own(alarms: str, labels: list[str]) -> None:
    scenario = loads(BARE + f"detection: {{alarms: {alarms}}}\n")
    assert [alarm.label for alarm in scenario.detection.alarms] == labels


class Wait(Strategy):
    """Waits, then switches."""

    kind: Literal["wait_for_it"] = "wait_for_it"
    pause: Duration = Field(60.0, description="How long.")

    def release(self, rollout: Any) -> Iterator[Any]:
        yield from rollout.shift(1)

    def roll_back(self, rollout: Any) -> Iterator[Any]:
        yield from rollout.return_to_old()


@pytest.fixture
def wait() -> Iterator[None]:
    """A strategy of another package, for one test."""
    Strategy.kinds["wait_for_it"] = Wait
    yield
    del Strategy.kinds["wait_for_it"]


Strategy.kinds.pop("wait_for_it")


def test_a_strategy_is_found_by_its_kind(wait: None) -> None:
    text = BARE.replace("canary: {}", "wait_for_it: {pause: 2m}, late: {kind: wait_for_it}")
    strategies = loads(text).strategies
    assert isinstance(strategies["wait_for_it"], Wait)
    assert strategies["wait_for_it"].pause == 120
    assert strategies["late"].kind == "wait_for_it"


def test_a_strategy_may_be_given_as_an_object(wait: None) -> None:
    scenario = loads(BARE).with_("strategies.mine", Wait(pause=5))
    assert scenario.with_("strategies.mine.pause", "9s").strategies["mine"] == Wait(pause=9)


def test_a_strategy_cannot_be_made_without_its_runbooks() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Strategy(kind="nothing")  # type: ignore[abstract]


def test_a_step_takes_plain_numbers_in_python() -> None:
    step = Step(weight=0.05, bake=600, approve=60)
    assert step.approve == Constant(value=60)
    with pytest.raises(ValidationError):
        Step(weight=5)
