"""Deployments of AppConfig and stages of API Gateway as they stand in templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.words.problems import ScenarioError
from tests.bring.coverage import ignored, without_effect

SAMPLES = Path(__file__).parents[1] / "bring" / "samples"
CONFIGURATION, STAGE = (
    (SAMPLES / f"{name}.yaml").read_text("utf-8") for name in ("configuration", "stage")
)


def read(text: str, old: str = "", new: str = "") -> Imported:
    assert old in text
    return imported(from_text(text.replace(old, new, 1), "template.yaml"))


def settings(found: Imported) -> dict[str, object]:
    return found.scenario.strategies["current"].model_dump(mode="json")


@pytest.mark.parametrize("text", [CONFIGURATION, STAGE])
def test_what_counts_as_used_has_an_effect(text: str) -> None:
    found = read(text)
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_a_deployment_grows_as_its_strategy_says() -> None:
    found = read(CONFIGURATION)
    words = settings(found)
    assert (words["kind"], words["strategy"], words["growth"]) == ("appconfig", "custom", "linear")
    assert (words["factor"], words["duration"], words["bake"]) == ("25%", "40m", "15m")
    (alarm,) = found.scenario.detection.alarms  # 100 * errors / requests > 2
    assert (alarm.above, alarm.period) == (0.02, 60)
    assert "service.instances" in [row.path for row in found.assumed]


def test_predefined_strategies_are_known_by_name() -> None:
    text = CONFIGURATION.replace("!Ref Rollout", "AppConfig.AllAtOnce")
    found = imported(from_text(text), "Change")
    assert settings(found)["strategy"] == "AppConfig.AllAtOnce"
    names = [one.name for one in found.alternatives()]
    assert names == ["AppConfig.Linear20PercentEvery6Minutes", "AppConfig.Canary10Percent20Minutes"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("GrowthFactor: 25", "GrowthFactor: 0.5", "factor is at least 1%"),
        ("GrowthFactor: 25", "Description: slow", "is missing"),
        ("DeploymentDurationInMinutes: 40", "DeploymentDurationInMinutes: 1441", "not within 0"),
        ("GrowthType: LINEAR", "GrowthType: SQUARE", "allowed: LINEAR, EXPONENTIAL"),
        ("!Ref Rollout", "AppConfig.Linear", "neither in the files nor predefined"),
    ],
)
def test_what_appconfig_rejects_is_refused(old: str, new: str, message: str) -> None:
    text = CONFIGURATION.replace(old, new)
    with pytest.raises(ScenarioError, match=message):
        imported(from_text(text), "Change")


def test_an_environment_without_monitors_takes_nothing_back() -> None:
    found = read(CONFIGURATION, "Monitors: [{AlarmArn: !GetAtt Errors.Arn}]", "")
    assert found.scenario.detection.alarms == ()


def test_a_stage_with_a_canary() -> None:
    found = read(STAGE)
    words = settings(found)
    assert words["kind"] == "canary"
    assert found.scenario.service.elastic
    (step,) = words["steps"]  # type: ignore[misc]
    assert (step["weight"], step["bake"]) == ("12.5%", "1h")
    assert "strategies.current.steps[0].bake" in [row.path for row in found.assumed]
    with pytest.raises(ScenarioError, match="no request reaches the canary"):
        read(STAGE, "PercentTraffic: 12.5", "UseStageCache: true")


def test_a_stage_without_a_canary_counts_where_nothing_else_does() -> None:
    bare = STAGE.replace("      CanarySetting: {DeploymentId: two, PercentTraffic: 12.5}\n", "")
    assert settings(read(bare))["kind"] == "big_bang"
    both = bare + CONFIGURATION.removeprefix("Resources:\n")
    assert read(both).workload.name == "Change"


def test_a_real_api_is_read(manifests: Path) -> None:
    found = imported(gather([manifests / "apigateway-appconfig" / "aws-samples-template.yaml"]))
    assert settings(found)["kind"] == "big_bang"
    assert "every request at once" in found.remarks[0]
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    careful = found.altered(found.alternatives()[0])
    assert settings(careful)["kind"] == "canary"
