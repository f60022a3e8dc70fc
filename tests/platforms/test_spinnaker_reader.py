"""Pipelines and canary configs as they stand in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.words.settings import stated
from simulator.words.strategy import kinds
from tests.bring.coverage import ignored, without_effect


def deployed(ref: str, after: list[str], cluster: str, **more: Any) -> dict[str, Any]:
    """A stage that deploys a manifest of its own."""
    kind = more.pop("kind", "ReplicaSet")
    spec = more.pop("spec", {"replicas": 2})
    return {
        "type": "deployManifest", "refId": ref, "requisiteStageRefIds": after,
        "name": f"Deploy {cluster}", "cloudProvider": "kubernetes", "source": "text",
        "moniker": {"app": "shop", "cluster": cluster},
        "manifests": [{"kind": kind, "metadata": {"name": cluster}, "spec": spec}], **more,
    }  # fmt: skip


ANALYSED: dict[str, Any] = {
    "type": "kayentaCanary", "refId": "3", "requisiteStageRefIds": ["1", "2"], "name": "Analyse",
    "analysisType": "realTime",
    "canaryConfig": {
        "beginCanaryAnalysisAfterMins": "5", "canaryAnalysisIntervalMins": "30",
        "lookbackMins": "45", "lifetimeDuration": "PT2H0M", "canaryConfigId": "x",
        "scopes": [{"scopeName": "default", "step": 120, "controlScope": "shop-baseline"}],
        "scoreThresholds": {"pass": "90", "marginal": "60"},
    },
}  # fmt: skip
FULL: dict[str, Any] = {
    "name": "shop", "application": "shop", "limitConcurrent": True,
    "stages": [
        deployed("6", ["4"], "shop", spec={"replicas": 12},
                 trafficManagement={"enabled": True, "options": {"strategy": "highlander"}}),
        deployed("1", [], "shop-baseline"),
        deployed("2", [], "shop-canary"),
        ANALYSED,
        {"type": "deleteManifest", "refId": "4", "requisiteStageRefIds": ["3"], "name": "Delete",
         "manifestName": "replicaSet shop-canary"},
        {"type": "undoRolloutManifest", "refId": "7", "requisiteStageRefIds": ["6"],
         "name": "Undo", "numRevisionsBack": 1, "stageEnabled": {"type": "expression",
         "expression": "${ #stage('Deploy shop')['status'].toString() == 'TERMINAL' }"}},
    ],
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "name": "shop config",
    "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {}},
    "metrics": [
        {"name": "error rate", "groups": ["Errors"], "query": {"metricName": "http_5xx"},
         "analysisConfigurations": {"canary": {"direction": "increase", "critical": True,
                                    "effectSize": {"allowedIncrease": 1.2,
                                                   "criticalIncrease": 2}}}},
        {"name": "latency p99", "groups": ["Latency"], "query": {"metricName": "time"},
         "analysisConfigurations": {"canary": {"direction": "increase", "mustHaveData": True}}},
        {"name": "memory", "groups": ["Saturation"], "query": {"metricName": "rss"},
         "analysisConfigurations": {"canary": {"direction": "increase"}}},
        {"name": "cpu", "groups": ["Saturation"], "query": {"metricName": "cpu"},
         "analysisConfigurations": {"canary": {"direction": "increase"}}},
    ],
    "classifier": {"groupWeights": {"Errors": 50, "Latency": 30},
                   "scoreThresholds": {"pass": 95, "marginal": 75}},
}  # fmt: skip


def read(*documents: Any) -> Imported:
    manifests = [
        manifest
        for number, one in enumerate(documents)
        for manifest in from_text(json.dumps(one, indent=1), f"{number}.json")
    ]
    return imported(manifests)


def stages(found: Imported) -> list[dict[str, Any]]:
    strategy = found.scenario.strategies["current"].model_dump(mode="json", exclude_defaults=True)
    return strategy["stages"]  # type: ignore[no-any-return]


def test_a_pipeline_is_its_stages_in_the_order_in_which_they_wait() -> None:
    found = read(FULL)
    assert found.workload.called == "Pipeline/shop"
    assert found.scenario.service.instances == 12
    canary, analysed, deleted, deploy = stages(found)
    assert canary == {"kind": "deploy_canary", "instances": "2"}
    assert deleted == {"kind": "delete_canary"}
    assert deploy == {"kind": "deploy", "rollout": "highlander"}
    assert analysed == {
        "kind": "canary_analysis", "delay": "5m", "interval": "30m", "lookback": "45m",
        "lifetime": "2h", "passing": "90%", "marginal": "60%", "step": "2m",
    }  # fmt: skip
    assert found.scenario.strategies["current"].on_failure == "clean_up"  # type: ignore[attr-defined]


def test_a_config_gives_its_metrics_with_their_weights() -> None:
    """Errors 50, latency 30, what is left is shared by memory and CPU, which nothing moves."""
    found = read(FULL, CONFIG)
    analysed = stages(found)[1]
    assert analysed["metrics"] == [
        {"weight": 0.5, "critical": True, "allowed_increase": 1.2, "critical_increase": 2.0},
        {"metric": "late", "weight": 0.3, "must_have_data": True},
    ]
    assert analysed["unseen"] == "20%"
    assert found.others == ()
    assert without_effect(found) == []
    assert ignored(found) == 0


def test_a_config_alone_is_a_stage_with_the_start_values() -> None:
    found = read(CONFIG)
    assert found.workload.called == "CanaryConfig/shop config"
    assert [one["kind"] for one in stages(found)] == [
        *("deploy_canary", "canary_analysis", "delete_canary", "deploy"),
    ]
    paths = {row.path for row in found.assumed}
    assert {f"strategies.current.stages[1].{key}" for key in ("lifetime", "interval")} <= paths
    without = read({**CONFIG, "classifier": {}})
    paths = {row.path for row in without.assumed}
    assert {f"strategies.current.stages[1].{key}" for key in ("passing", "marginal")} <= paths
    assert without_effect(found) == []


def changed(stage: int, **more: Any) -> dict[str, Any]:
    return {**FULL, "stages": [
        {**one, **more} if number == stage else one for number, one in enumerate(FULL["stages"])
    ]}  # fmt: skip


@pytest.mark.parametrize(
    ("manifest", "remark"),
    [
        (FULL, "The canary config is not among the files"),
        ({**FULL, "stages": FULL["stages"][1:4]}, "deploys nothing to production"),
        ({**FULL, "stages": FULL["stages"][:5]}, "until a person deletes it"),
        ({**FULL, "stages": [
            *FULL["stages"][:3],
            {**ANALYSED, "failPipeline": False, "continuePipeline": True},
        ]}, "the analysis has no effect"),
        ({**FULL, "stages": [*FULL["stages"], {
            **FULL["stages"][2], "refId": "9", "requisiteStageRefIds": ["2"]}]}, "something else"),
        (changed(3, canaryConfig={**ANALYSED["canaryConfig"], "lifetimeDuration": "PT30M"}),
         "compares 15 values a side"),
        (changed(3, type="manualJudgment"), "A person judges by hand"),
        (FULL, "No alarm stops a pipeline"),
    ],
)  # fmt: skip
def test_what_an_author_should_know_is_said(manifest: Any, remark: str) -> None:
    assert any(remark in text for text in read(manifest).remarks)


def test_metrics_that_cannot_fail_a_canary_are_said() -> None:
    only = {**CONFIG, "metrics": CONFIG["metrics"][2:], "classifier": {}}
    assert any("None of the canary config's 2 metrics" in text for text in read(only).remarks)
    weights = {"groupWeights": {"Errors": 2, "Latency": 1}}
    assert any("carry 3% of the score" in text
               for text in read({**CONFIG, "classifier": weights}).remarks)  # fmt: skip


def test_expressions_are_noted_and_not_guessed() -> None:
    words = {**ANALYSED["canaryConfig"], "lifetimeDuration": "${ parameters.lifetime }"}
    found = read(changed(3, canaryConfig=words))
    assert "lifetime" not in stages(found)[1]
    (note,) = (one for one in found.notes if one.path.endswith("lifetimeDuration"))
    assert (note.kind, note.consequence) == ("assumed", "3 hours is taken instead")
    assert "strategies.current.stages[1].lifetime" in {row.path for row in found.assumed}


GROUPS: dict[str, Any] = {
    "name": "servers",
    "stages": [
        {"type": "deploy", "refId": "1", "requisiteStageRefIds": [], "name": "Deploy",
         "clusters": [{"application": "shop", "strategy": "rollingredblack", "cloudProvider": "aws",
                       "capacity": {"min": 3, "max": 30, "desired": 20},
                       "targetPercentages": [25, 50], "delayBeforeCleanup": 300,
                       "rollback": {"onFailure": True}}]},
        {"type": "wait", "refId": "2", "requisiteStageRefIds": ["1"], "waitTime": 900},
    ],
}  # fmt: skip


def test_server_groups_are_replaced_part_by_part() -> None:
    found = read(GROUPS)
    deploy, wait = stages(found)
    assert deploy["steps"] == ["25%", "50%", "100%"]
    assert (deploy["rollout"], deploy["wait"]) == ("rolling_red_black", "5m")
    assert wait == {"kind": "wait", "duration": "15m"}
    assert found.scenario.service.instances == 20
    assert without_effect(found) == []
    cluster = GROUPS["stages"][0]["clusters"][0]
    cluster = {**cluster, "strategy": "redblack", "scaleDown": True, "delayBeforeScaleDownSec": 60}
    kept = read({**GROUPS, "stages": [{**GROUPS["stages"][0], "clusters": [cluster]}]})
    assert stages(kept)[0] == {"kind": "deploy", "keep_old": "1m"}


def test_a_deployment_rolls_by_its_own_limits() -> None:
    spec = {"replicas": 9, "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
    stage = deployed("1", [], "shop", kind="Deployment", spec=spec)
    found = read({"name": "plain", "stages": [stage]})
    assert stages(found) == [
        {"kind": "deploy", "rollout": "none", "max_surge": "1", "max_unavailable": "0"}
    ]
    assert without_effect(found) == []


SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 9
  strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}
  template: {spec: {terminationGracePeriodSeconds: 45, containers: [{name: shop, image: shop}]}}
"""


@pytest.mark.parametrize("production", [True, False])
def test_a_manifest_beside_the_pipeline_is_what_it_deploys(production: bool) -> None:
    """The manifest is an artifact; the pipeline, or what is assumed to follow it, deploys it."""
    canary, deploy = ({**deployed(ref, [], name), "manifests": []} for ref, name in
                      (("1", "shop-canary"), ("2", "shop")))  # fmt: skip
    stages_ = [canary, deploy] if production else [canary]
    pipeline = {"name": "shop", "stages": stages_}
    beside = SHOP.replace("shop}", "shop-canary}").replace("replicas: 9", "replicas: 3")
    found = imported(
        [
            *from_text(json.dumps(pipeline), "pipeline.json"),
            *from_text(f"{SHOP}---\n{beside}", "shop.yaml"),
        ]
    )
    assert (found.workload.called, found.others) == ("Pipeline/shop", ())
    assert stages(found)[0] == {"kind": "deploy_canary", "instances": "3", "baseline": False}
    assert stages(found)[1] == {
        "kind": "deploy", "rollout": "none", "max_surge": "2", "max_unavailable": "0",
    }  # fmt: skip
    assert (found.scenario.service.instances, found.scenario.service.drain) == (9, 45)
    assert ignored(found) <= 0.2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"lifetimeDuration": "2 hours"}, "not a duration"),
        ({"scoreThresholds": {"pass": "900"}}, "per cent"),
        ({"canaryAnalysisIntervalMins": "soon"}, "not a whole number"),
        ({"lifetimeDuration": "PT10S"}, "below a minute"),
    ],
)
def test_values_that_cannot_be_are_refused(words: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(changed(3, canaryConfig={**ANALYSED["canaryConfig"], **words}))


def test_alternatives_change_the_rollout() -> None:
    found = read(FULL, CONFIG)
    before = stated(found.scenario.strategies["current"])
    names = []
    for alternative in found.alternatives():
        names.append(alternative.name)
        assert alternative.name not in kinds()
        assert stated(found.altered(alternative).scenario.strategies["current"]) != before
    assert {"a run every ten minutes", "critical errors", "red/black"} <= set(names)


def test_a_pipeline_without_an_analysis_is_offered_one() -> None:
    """It begins when the canary is there, and what waited for the canary waits for it."""
    later = {"type": "manualJudgment", "refId": "2", "requisiteStageRefIds": ["1"]}
    found = read({"name": "shop", "stages": [deployed("1", [], "shop-canary"), later]})
    first = found.alternatives()[0]
    assert first.name == "analyse the canary"
    kinds_ = [one["kind"] for one in stages(found.altered(first))]
    assert kinds_ == ["deploy_canary", "canary_analysis", "manual_judgment", "deploy"]


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("spinnaker-pipeline", "spinnaker-deploy-canary-pipeline.json"),
        ("kayenta-canaryconfig", "spinnaker-prometheus_canary_config.json"),
    ],
)
def test_real_files_are_read(manifests: Path, folder: str, file: str) -> None:
    found = imported(gather([manifests / folder / file]))
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
