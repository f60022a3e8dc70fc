"""Rollouts as they stand in manifests, with templates and whatever else stands beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.decide.brought import beside
from simulator.play.rehearsal import rehearse
from tests.bring.coverage import ignored, without_effect

ROLLOUT = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec:
  replicas: 8
  minReadySeconds: 5
  progressDeadlineSeconds: 300
  progressDeadlineAbort: true
  selector: {matchLabels: {app: shop}}
  template: {spec: {terminationGracePeriodSeconds: 45}}
  strategy:
    canary:
"""
ROUTED = """\
      canaryService: new
      stableService: old
      minPodsPerReplicaSet: 2
      scaleDownDelaySeconds: 60
      abortScaleDownDelaySeconds: 120
      trafficRouting: {nginx: {stableIngress: shop}, maxTrafficWeight: 1000}
      analysis:
        startingStep: 2
        templates: [{templateName: rates}]
        args: [{name: limit, value: "0.97"}, {name: service, value: new}]
      steps:
      - setCanaryScale: {replicas: 3}
      - setWeight: 50
      - pause: {duration: 2m30s}
      - setCanaryScale: {matchTrafficWeight: true}
      - setWeight: 500
      - analysis: {templates: [{templateName: times, clusterScope: true}]}
      - pause: {duration: 90}
"""
TEMPLATES = """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rates}
spec:
  args: [{name: limit, value: "0.9"}, {name: service}]
  metrics:
  - name: success
    interval: 30s
    initialDelay: 20s
    failureLimit: 2
    consecutiveErrorLimit: 7
    successCondition: result[0] >= {{ args.limit }}
    provider:
      prometheus:
        address: http://prometheus
        query: sum(rate(ok{service="{{args.service}}"}[2m])) / sum(rate(all[2m]))
---
apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
metadata: {name: times}
spec:
  metrics:
  - name: p90 latency
    interval: 1m
    count: 3
    failureCondition: result[0] > 0.5
    provider: {prometheus: {query: "histogram_quantile(0.9, x)"}}
"""
BASIC = """\
      maxSurge: 1
      maxUnavailable: 0
      steps:
      - setWeight: 5
      - pause: {}
      - setWeight: 50
      - pause: {duration: 10m}
"""
BLUE_GREEN = """\
    blueGreen:
      activeService: live
      previewService: preview
      previewReplicaCount: 2
      autoPromotionEnabled: true
      autoPromotionSeconds: 600
      scaleDownDelaySeconds: 900
      abortScaleDownDelaySeconds: 60
      postPromotionAnalysis: {templates: [{templateName: rates}]}
"""


def read(text: str) -> Imported:
    return imported(from_text(text))


def strategy(found: Imported) -> dict[str, Any]:
    words: dict[str, Any] = found.scenario.strategies["current"].model_dump(
        mode="json", exclude_defaults=True, exclude_none=True
    )
    return words


def test_a_canary_with_traffic_routing_and_analyses() -> None:
    """Weights are parts of maxTrafficWeight; the analysis begins before the same step; arguments
    are filled in, of the Rollout before those of the template."""
    found = read(ROLLOUT + ROUTED + TEMPLATES)
    assert strategy(found) == {
        "traffic_routing": True,
        "min_ready": "5s",
        "progress_deadline": "5m",
        "progress_abort": True,
        "min_pods": "2",
        "scale_down_delay": "1m",
        "abort_scale_down_delay": "2m",
        "starting_step": 2,
        "analysis": [
            {
                "name": "analysis success", "above": "3%", "interval": "30s",
                "initial_delay": "20s", "failure_limit": 2, "error_limit": 7, "window": "2m",
            }
        ],
        "steps": [
            {"canary_scale": "3"},
            {"weight": "5%"},
            {"pause": "150s"},
            {"match_weight": True},
            {"weight": "50%"},
            {
                "analysis": [
                    {
                        "name": "analysis p90 latency", "metric": "late", "above": "10%",
                        "interval": "1m", "count": "3",
                    }
                ]
            },
            {"pause": "90s"},
        ],
    }  # fmt: skip
    assert (found.scenario.service.instances, found.scenario.service.drain) == (8, 45)
    assert rehearse(found.scenario, "current").suitable


@pytest.mark.parametrize(
    "text",
    [
        ROLLOUT + ROUTED + TEMPLATES,
        ROLLOUT + BASIC,
        ROLLOUT.replace("    canary:\n", "") + BLUE_GREEN + TEMPLATES,
    ],
)
def test_what_counts_as_used_has_an_effect(text: str) -> None:
    found = read(text)
    assert without_effect(found) == []
    assert ignored(found) == 0


@pytest.mark.parametrize(
    "name", ["canary-rollout", "rollout-analysis-step", "rollout-bluegreen", "rollout-canary"]
)
def test_real_rollouts_are_read(manifests: Path, name: str) -> None:
    found = imported(gather([manifests / "argo-rollouts" / f"argoproj-{name}.yaml"]))
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    assert rehearse(found.scenario, "current").suitable
    assert len(beside(found)[1]) >= 2


@pytest.mark.parametrize("name", ["checkout", "front"])
def test_one_of_several_in_a_file(name: str) -> None:
    file = Path(__file__).parents[2] / "bring" / "samples" / "rollout.yaml"
    found = imported(gather([file]), name)
    assert found.others == (f"Rollout/{'front' if name == 'checkout' else 'checkout'}",)
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    assert rehearse(found.scenario, "current").suitable


def test_a_pause_without_duration_waits_for_a_person() -> None:
    found = read(ROLLOUT + BASIC)
    assert "approve" in strategy(found)["steps"][1]
    (note,) = (note for note in found.notes if note.kind == "assumed")
    assert note.path.endswith("steps[1].pause")
    assert "strategies.current.steps[1].approve" in {row.path for row in found.assumed}
    found.scenario.with_("strategies.current.steps[1].approve", "5m")


def test_weights_that_pods_cannot_come_near_to_are_told_in_numbers() -> None:
    """5 % of 8 pods with a surge is 1 of 9."""
    assert any("5 % is 1 of 9 pods" in remark for remark in read(ROLLOUT + BASIC).remarks)


def test_a_blue_green() -> None:
    found = read(ROLLOUT.replace("    canary:\n", "") + BLUE_GREEN + TEMPLATES)
    words = strategy(found)
    assert words["preview_replicas"] == "2"
    assert (words["auto_promotion_after"], words["scale_down_delay"]) == ("10m", "15m")
    (post,) = words["post_promotion_analysis"]
    assert post["above"] == "10%"
    by_hand = BLUE_GREEN.replace("autoPromotionEnabled: true", "autoPromotionEnabled: false")
    found = read(ROLLOUT.replace("    canary:\n", "") + by_hand + TEMPLATES)
    assert strategy(found)["auto_promotion"] is False
    assert "auto_promotion_after" not in strategy(found)
    assert any("autoPromotionSeconds: 600 does nothing" in remark for remark in found.remarks)


def test_an_earliest_abort_is_told_in_minutes_and_weight() -> None:
    """Three failed measurements half a minute apart, the first after 20 s: 80 s, and the pause of
    2 min 30 s that begins with the step is at 5 %."""
    remarks = read(ROLLOUT + ROUTED + TEMPLATES).remarks
    assert any("3 failed measurements, 1.33 min" in r and "weight is 5%" in r for r in remarks)
    slow = (ROLLOUT + ROUTED + TEMPLATES).replace("interval: 30s", "interval: 10m")
    assert any("everybody may have the new version" in remark for remark in read(slow).remarks)


def test_a_measurement_right_after_a_weight_is_told() -> None:
    text = (ROLLOUT + ROUTED + TEMPLATES).replace("- pause: {duration: 90}", "- pause: {}")
    (remark,) = (r for r in read(text).remarks if "right after a weight" in r)
    assert remark.startswith("Step 6 ")
    names = beside(read(text))[1]
    paused = names["a pause before each measurement"]
    assert any(len(value) == 8 for _, value in paused.changes)


def test_an_analysis_from_the_beginning_is_told() -> None:
    text = (ROLLOUT + ROUTED + TEMPLATES).replace("startingStep: 2", "startingStep: 0")
    found = read(text)
    assert any("before a canary pod serves" in remark for remark in found.remarks)
    others = beside(found)[1]
    after = found.altered(others["the analysis after the first weight"])
    assert strategy(after)["starting_step"] == 2
    often = found.altered(others["measured twice as often"])
    assert strategy(often)["analysis"][0]["interval"] == "15s"


def test_a_paused_rollout_is_read_as_if_resumed() -> None:
    found = read((ROLLOUT + BASIC).replace("  replicas: 8", "  paused: true\n  replicas: 8"))
    assert any("It is paused" in remark for remark in found.remarks)
    assert ignored(found) == 0


def test_templates_that_are_missing_or_not_named_are_told() -> None:
    missing = read(ROLLOUT + ROUTED)
    assert any("times, rates is not among" in remark for remark in missing.remarks)
    assert "analysis" not in strategy(missing)
    assert len(strategy(missing)["steps"]) == 6
    unused = read(ROLLOUT + BASIC + TEMPLATES)
    assert any("nothing measures the new version" in remark for remark in unused.remarks)
    assert "the analysis beside the steps" in beside(unused)[1]


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ('provider: {prometheus: {query: "histogram_quantile(0.9, x)"}}', "provider: {job: {}}", 0),
        ("failureCondition: result[0] > 0.5", "failureCondition: result.bad", 1),
        ("  metrics:\n  - name: p90", "  dryRun: [{metricName: .*}]\n  metrics:\n  - name: p90", 0),
    ],
)
def test_metrics_that_say_nothing_about_requests(old: str, new: str, left: int) -> None:
    """A Job's verdict and a dry run are left out; a condition that is not understood is assumed."""
    found = read((ROLLOUT + ROUTED + TEMPLATES).replace(old, new))
    steps = [step for step in strategy(found)["steps"] if "analysis" in step]
    assert len(steps) == left
    if left:
        assert steps[0]["analysis"][0]["above"] == "5%"
        assert "strategies.current.steps[5].analysis[0].above" in {r.path for r in found.assumed}


def test_a_workload_that_the_rollout_moves_is_not_one_of_its_own() -> None:
    text = (ROLLOUT + BASIC).replace(
        "  template: {spec: {terminationGracePeriodSeconds: 45}}\n",
        "  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: shop}\n",
    )
    deployment = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 0
  template: {spec: {terminationGracePeriodSeconds: 77}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: shop}
spec:
  scaleTargetRef: {kind: Rollout, name: shop}
  minReplicas: 6
  maxReplicas: 12
"""
    found = read(text.replace("  replicas: 8\n", "") + deployment)
    assert (found.scenario.service.instances, found.scenario.service.drain) == (6, 77)
    assert found.others == ()
    assert without_effect(found) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stableService: old", "stableService: new", "is the canaryService, too"),
        ("setWeight: 50\n", "setWeight: 1001\n", "not within 0 to 1000"),
        ("pause: {duration: 90}", "pause: {duration: 0}", "must be above"),
        (
            "      minPodsPerReplicaSet: 2\n",
            "      dynamicStableScale: true\n",
            "cannot stand with",
        ),
        (
            "      trafficRouting: {nginx: {stableIngress: shop}, maxTrafficWeight: 1000}\n",
            "",
            "0 to 100",
        ),
        ("minReadySeconds: 5", "minReadySeconds: 300", "longer than min_ready"),
        (
            "    canary:\n",
            "    blueGreen: {activeService: a}\n    canary:\n",
            "both canary and blueGreen",
        ),
    ],
)
def test_what_the_controller_rejects_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read((ROLLOUT + ROUTED + TEMPLATES).replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("previewService: preview", "previewService: live", "give two different ones"),
        ("activeService: live\n", "maxUnavailable: 1\n", "has no activeService"),
        ("scaleDownDelaySeconds: 900", "scaleDownDelayRevisionLimit: 11", "history has 10"),
    ],
)
def test_a_blue_green_that_is_rejected(old: str, new: str, message: str) -> None:
    text = ROLLOUT.replace("    canary:\n", "") + BLUE_GREEN + TEMPLATES
    with pytest.raises(ManifestError, match=message):
        read(text.replace(old, new, 1))


def test_text_without_a_percent_sign_is_a_percentage() -> None:
    found = read((ROLLOUT + BASIC).replace("maxSurge: 1\n", 'maxSurge: "25"\n'))
    assert strategy(found).get("max_surge", "25%") == "25%"
    (note,) = (note for note in found.notes if note.path.endswith("maxSurge"))
    assert note.kind == "approximated"


def test_neither_strategy_is_refused() -> None:
    with pytest.raises(ManifestError, match="neither canary nor blueGreen"):
        read(ROLLOUT.replace("    canary:\n", "    {}\n"))
