"""Auto Scaling groups as they stand in CloudFormation templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.words.problems import ScenarioError
from tests.bring.coverage import ignored, without_effect

SAMPLE = Path(__file__).parents[1] / "bring" / "samples" / "group.yaml"
GROUP = SAMPLE.read_text("utf-8")


def read(old: str = "", new: str = "", text: str = GROUP, **parameters: str) -> Imported:
    assert old in text
    return imported(from_text(text.replace(old, new, 1), "group.yaml"), parameters=parameters)


def settings(found: Imported) -> dict[str, object]:
    return found.scenario.strategies["current"].model_dump(mode="json")


def test_a_group_is_a_rolling_update_with_its_policy() -> None:
    found = read()
    expected = {
        "kind": "cloudformation_rolling",
        "max_batch": "2",
        "min_in_service": 5,
        "pause": "12m",
        "wait_on_signals": True,
        "min_successful": "80%",
    }
    assert expected.items() <= settings(found).items()
    service = found.scenario.service
    assert (service.instances, service.limit, service.drain) == (6, 8, 45)
    assert service.start_failure.timeout == 300 + 120 + 3 * 10
    assert found.scenario.detection.alarms == ()
    assert found.origins["strategies.current.pause"] == (
        "group.yaml:15 Resources.Web.UpdatePolicy.AutoScalingRollingUpdate.PauseTime",
    )


def test_what_counts_as_used_has_an_effect() -> None:
    found = read()
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_parameters_replace_their_defaults() -> None:
    assert read(Size="7").scenario.service.instances == 7
    with pytest.raises(ManifestError, match="no template has a parameter 'Sice'"):
        read(Sice="7")


def test_what_is_known_only_later_is_assumed_to_be_the_default() -> None:
    found = read("Default: 6", "MinValue: 1")
    (note,) = [note for note in found.notes if note.path.endswith("DesiredCapacity")]
    assert (note.kind, note.value) == ("assumed", "!Ref Size")
    assert "--parameter" in note.why
    assert found.scenario.service.instances == 2  # MinSize


def test_altered_keeps_the_parameters() -> None:
    found = read(Size="7")
    for alternative in found.alternatives():
        again = found.altered(alternative)
        assert again.scenario.service.instances == 7
        assert again.scenario.canonical() != found.scenario.canonical()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MinInstancesInService: 5", "MinInstancesInService: 8", r"not below MaxSize \(8\)"),
        ("PT12M", "PT1H1S", "longer than an hour"),
        ("PT12M", "12m", "no ISO 8601 duration"),
        ("MaxBatchSize: 2", "MaxBatchSize: 101", "not within 1 to 100"),
        ("AZRebalance", "Launch", "no new instance is started"),
        ("AZRebalance", "Lunch", "is no process; allowed: Launch"),
        ("WaitOnResourceSignals: true", "WaitOnResourceSignals: false", "counts signals"),
        ("MaxSize: 8", "MaxSize: 5", "below the 6 instances"),
        ("AutoScalingRollingUpdate:", "AutoScalingScheduledAction:", "has no UpdatePolicy"),
        ("Default: 6", "Default: 0", "no instances that could be replaced"),
    ],
)
def test_what_cloudformation_rejects_is_refused_with_its_line(
    old: str, new: str, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        read(old, new)
    assert all(problem.line for problem in caught.value.problems)


def test_a_larger_batch_than_fits_below_max_size_is_smaller() -> None:
    found = read("MaxBatchSize: 2", "MaxBatchSize: 6")
    assert settings(found)["max_batch"] == "3"  # 8 - 5
    assert any("room for 3 at a time" in remark for remark in found.remarks)


def test_a_minimum_of_active_instances_is_kept_in_service() -> None:
    text = GROUP.replace("MinInstancesInService: 5", "MinActiveInstancesPercent: 70")
    assert settings(read(text=text))["min_in_service"] == 5  # 70 % of 6 are 4.2


def test_without_signals_the_next_batch_does_not_wait() -> None:
    text = GROUP.replace("MinSuccessfulInstancesPercent: 80", "").replace(
        "WaitOnResourceSignals: true", ""
    )
    found = read("MinInstancesInService: 5", "", text)
    assert settings(found)["min_in_service"] == 0
    assert any("after 720 s, whether" in remark for remark in found.remarks)
    waits = next(one for one in found.alternatives() if one.name == "wait for signals")
    assert [(view.key, value) for view, value in waits.changes] == [
        ("WaitOnResourceSignals", True),
        ("PauseTime", "PT15M"),
    ]


def test_who_replaces_a_group_builds_a_second_one() -> None:
    rolling = "AutoScalingRollingUpdate:"
    found = read(rolling, f"AutoScalingReplacingUpdate: {{WillReplace: true}}\n      {rolling}")
    assert settings(found)["kind"] == "immutable"
    assert settings(found)["first"] == "100%"
    text = GROUP.replace(
        rolling, f"AutoScalingReplacingUpdate: {{WillReplace: true}}\n      {rolling}"
    )
    bare = text.replace(
        "    CreationPolicy:\n      ResourceSignal: {Count: !Ref Size, Timeout: PT10M}\n", ""
    )
    assert any("before its instances serve" in remark for remark in read(text=bare).remarks)


def test_checks_of_ec2_do_not_see_the_application() -> None:
    assert read("HealthCheckType: ELB", "").scenario.detection.health == "none"
    assert read("AZRebalance", "ReplaceUnhealthy").scenario.detection.health == "none"
    assert read().scenario.detection.health == "on"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("aws-cloudformation-AutoScalingRollingUpdates", ("1", 1, "15m", 0.0)),
        ("widdix-cluster", ("1", 0, "15m", 0.0)),
    ],
)
def test_real_groups_are_read(manifests: Path, file: str, expected: tuple[object, ...]) -> None:
    found = imported(gather([manifests / "cfn-updatepolicy" / f"{file}.yaml"]))
    words = settings(found)
    told = (words["max_batch"], words["min_in_service"], words["pause"])
    assert (*told, found.scenario.service.drain) == expected
    assert found.scenario.service.instances == 2
    assert ignored(found) <= 0.2
    assert without_effect(found) == []


def test_a_template_without_a_rollout_says_what_it_has() -> None:
    text = "Resources: {Bucket: {Type: 'AWS::S3::Bucket'}}"
    with pytest.raises(ManifestError, match=r"nothing here is rolled out .*AWS::S3::Bucket"):
        imported(from_text(text))
