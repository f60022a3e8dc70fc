"""CodeDeploy's groups, and functions of SAM, as they stand in templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.platforms.codedeploy import rules
from simulator.words.problems import ScenarioError
from tests.bring.coverage import ignored, without_effect
from tests.platforms.watching import watched
from tests.play.playing import bare, play

SAMPLES = Path(__file__).parents[1] / "bring" / "samples"
SHIFT, HOSTS, FUNCTIONS = (
    (SAMPLES / f"{name}.yaml").read_text("utf-8") for name in ("blue-green", "hosts", "functions")
)


def read(text: str, old: str = "", new: str = "", workload: str | None = None) -> Imported:
    assert old in text
    return imported(from_text(text.replace(old, new, 1), "template.yaml"), workload)


def settings(found: Imported) -> dict[str, object]:
    return found.scenario.strategies["current"].model_dump(mode="json")


@pytest.mark.parametrize("text", [SHIFT, HOSTS, FUNCTIONS])
def test_what_counts_as_used_has_an_effect(text: str) -> None:
    found = read(text)
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_a_group_moves_its_service_by_a_shift_of_its_own() -> None:
    found = read(SHIFT)
    words = settings(found)
    assert found.workload.called == "AWS::CodeDeploy::DeploymentGroup/Group"
    assert found.others == ()  # the service is moved by its group
    assert (words["kind"], words["config"]) == ("codedeploy", "ECSCanary15Percent7Minutes")
    assert (words["rollback"], words["terminate_after"]) == (True, "20m")
    scenario = found.scenario
    assert (scenario.service.instances, scenario.service.drain) == (8, 60)
    (alarm,) = scenario.detection.alarms
    assert (alarm.metric, alarm.above, alarm.datapoints) == ("late", 0.05, "2 of 2")  # p95


def test_a_shift_of_ones_own_sends_its_share_for_its_time() -> None:
    """15 % for 7 min beside a full fleet, then everything: 60 s + 420 s until deployed."""
    strategy = "codedeploy: {config: ECSCanary15Percent7Minutes}"
    (outcome,) = play(bare(strategy=strategy, service="startup: 60s"), 1, bad=False)
    assert outcome.time_to_deploy == 480
    assert rules.shifts("ECSCanary15Percent7Minutes") == ((0.15, 420.0), (1.0, 0.0))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("ECSCanary15Percent7Minutes", ""),
        ("LambdaLinear1PercentEvery29Minutes", ""),  # 99 steps of 29 min: 2871
        ("LambdaLinear1PercentEvery30Minutes", "2970 minutes"),
        ("ECSCanary100Percent7Minutes", "from 1% to 99%"),
        ("ECSCanary5Percent2881Minutes", "2881 minutes"),
    ],
)
def test_shifts_that_codedeploy_refuses(config: str, reason: str) -> None:
    assert rules.is_shift(config)
    found = rules.refuse_shift(config)
    assert (reason in found) if reason else (found == "")
    if reason:
        with pytest.raises(ScenarioError, match=reason):
            bare(strategy=f"codedeploy: {{config: {config}}}")


def test_a_hook_before_traffic_finds_what_it_finds() -> None:
    """A test that finds everything harms nobody; one of half lets half through."""
    for catches, expected in (("100%", 0.0), ("50%", 0.5)):
        words = f"codedeploy: {{config: LambdaAllAtOnce, smoke: {{catches: {catches}}}}}"
        outcomes = play(bare(strategy=words, service="elastic: true"), 400)
        passed = sum(outcome.exposure_time > 0 for outcome in outcomes) / 400
        assert abs(passed - expected) <= 4 * (expected * (1 - expected) / 400) ** 0.5
    with pytest.raises(ScenarioError, match="smoke is for shifts"):
        bare(strategy="codedeploy: {smoke: {catches: 50%}}")


def test_hosts_in_place_keep_their_minimum_zone_by_zone() -> None:
    found = read(HOSTS)
    words = settings(found)
    assert (words["minimum_healthy"], words["zonal"], words["zone_minimum"]) == ("40%", True, "1")
    assert (words["monitor"], words["first_monitor"], words["rollback"]) == ("2m", "10m", True)
    assert found.scenario.service.instances == 9
    assert [row.path for row in found.assumed if "zones" in row.path] == ["service.zones"]
    rollout, _ = watched(found.scenario)
    assert rollout.script_end > 720  # two zones are watched


def test_hosts_are_cut_off_without_traffic_control() -> None:
    found = read(HOSTS, "WITH_TRAFFIC_CONTROL", "WITHOUT_TRAFFIC_CONTROL")
    assert found.scenario.service.drain == 0


def test_a_second_fleet_of_hosts_is_blue_green() -> None:
    found = read(HOSTS, "DeploymentType: IN_PLACE", "DeploymentType: BLUE_GREEN")
    assert settings(found)["kind"] == "blue_green"


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (SHIFT, "!Ref Slowly", "CodeDeployDefault.ECSCanary10Percent6Minutes", "no published"),
        (SHIFT, "CanaryPercentage: 15", "CanaryPercentage: 100", "from 1% to 99%"),
        (SHIFT, "DeploymentType: BLUE_GREEN", "DeploymentType: IN_PLACE", "refuses it for ECS"),
        (HOSTS, "Value: 40", "Value: 100", "not within 0 to 99"),
        (FUNCTIONS, "AutoPublishAlias: live", "Timeout: 3", "needs AutoPublishAlias"),
        (FUNCTIONS, "Type: Canary10Percent10Minutes", "", "is missing Type"),
        (FUNCTIONS, "Canary10Percent10Minutes", "Canary10Percent11Minutes", "did you mean"),
    ],
)
def test_what_is_rejected_is_refused_with_its_line(
    text: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        read(text, old, new)
    assert all(problem.line for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("events", "rollback", "automatic"),
    [
        ("[DEPLOYMENT_FAILURE]", True, "never"),
        ("[DEPLOYMENT_STOP_ON_ALARM]", False, "watched"),
        ("[DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM]", True, "watched"),
    ],
)
def test_events_say_what_is_taken_back(events: str, rollback: bool, automatic: str) -> None:
    found = read(SHIFT, "[DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM]", events)
    assert settings(found)["rollback"] is rollback
    assert found.scenario.response.automatic == automatic


def test_a_function_takes_what_holds_for_all() -> None:
    found = read(FUNCTIONS)
    assert found.workload.name == "Pay"
    assert settings(found)["config"] == "LambdaCanary10Percent10Minutes"
    service = found.scenario.service
    assert (service.elastic, service.concurrency) == (True, 200)
    (alarm,) = found.scenario.detection.alarms
    assert (alarm.above, alarm.datapoints) == (0.005, "1 of 1")  # 30 of 6000
    assert found.scenario.detection.people is not None


def test_a_function_has_its_own_preference_first() -> None:
    own = "Handler: pay.handler\n      DeploymentPreference: {Type: AllAtOnce}"
    found = read(FUNCTIONS, "Handler: pay.handler", own)
    assert settings(found)["config"] == "LambdaAllAtOnce"
    assert any("no time" in remark for remark in found.remarks)


def test_what_is_off_has_no_effect() -> None:
    off = "Handler: pay.handler\n      DeploymentPreference: {Enabled: false}"
    found = imported(from_text(FUNCTIONS.replace("Handler: pay.handler", off)), "Pay")
    assert settings(found)["kind"] == "big_bang"
    assert ignored(found) == 0


ALIAS = """\
Resources:
  Live:
    Type: AWS::Lambda::Alias
    UpdatePolicy:
      CodeDeployLambdaAliasUpdate:
        ApplicationName: pay
        DeploymentGroupName: !Ref Group
        BeforeAllowTrafficHook: !Ref Check
    Properties: {FunctionName: pay, FunctionVersion: "7", Name: live}
  Check:
    Type: AWS::Lambda::Function
    Properties: {Handler: check.handler}
  Group:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      ApplicationName: pay
      DeploymentConfigName: CodeDeployDefault.LambdaLinear10PercentEvery3Minutes
      DeploymentStyle: {DeploymentType: BLUE_GREEN, DeploymentOption: WITH_TRAFFIC_CONTROL}
"""


def test_an_alias_that_codedeploy_updates() -> None:
    found = imported(from_text(ALIAS))
    assert found.workload.called == "AWS::CodeDeploy::DeploymentGroup/Group"
    words = settings(found)
    assert words["config"] == "LambdaLinear10PercentEvery3Minutes"
    assert words["smoke"] == {"duration": "0s", "catches": "50%"}
    assert found.scenario.service.elastic
    assert ignored(found) == 0


def test_an_alias_without_a_preference_moves_at_once() -> None:
    text = FUNCTIONS.replace("DeploymentPreference:\n      Type", "Nothing:\n      Type")
    found = read(text, workload="Pay")
    assert settings(found)["kind"] == "big_bang"
    with pytest.raises(ScenarioError, match="2 workloads"):
        read(text)


@pytest.mark.parametrize(
    ("file", "alarms"),
    [
        ("aws-samples-safe-lambda-template", ()),
        ("aws-function_with_deployment_preference_all_parameters", (300.0,)),
    ],
)
def test_real_functions_are_read(manifests: Path, file: str, alarms: tuple[float, ...]) -> None:
    found = imported(gather([manifests / "sam-deploymentpreference" / f"{file}.yaml"]))
    assert settings(found)["config"] == "LambdaLinear10PercentEvery1Minute"
    assert tuple(alarm.period for alarm in found.scenario.detection.alarms) == alarms
    assert found.scenario.service.elastic
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    assert len(found.alternatives()) == 3
    slow = [remark for remark in found.remarks if "may take 11m to fire" in remark]
    assert [remark.endswith("over after 9m.") for remark in slow] == [True] * len(alarms)
