"""Canaries of Flagger as they stand in manifests, with what they point to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported, workloads
from simulator.decide.brought import beside
from simulator.play.rehearsal import rehearse
from tests.bring.coverage import counted, ignored, without_effect
from tests.play.playing import play

CANARY = """\
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: cart, namespace: shop}
spec:
  provider: istio
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: cart}
  progressDeadlineSeconds: 120
  service: {port: 80, timeout: 15s, retries: {attempts: 3}}
  analysis:
    interval: 30s
    threshold: 4
    maxWeight: 30
    stepWeight: 10
    metrics:
      - {name: request-success-rate, thresholdRange: {min: 99.5}, interval: 1m}
      - {name: request-duration, thresholdRange: {max: 250}, interval: 30s}
    webhooks:
      - {name: load, url: "http://tester/", metadata: {cmd: "hey -z 2m -q 5 -c 4 http://cart/"}}
"""
TARGET = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart}
spec:
  replicas: 8
  strategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}
  template:
    spec:
      terminationGracePeriodSeconds: 15
      containers: [{image: cart, readinessProbe: {periodSeconds: 4}}]
"""
SCALER = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: cart}
spec: {minReplicas: 2, maxReplicas: 20}
"""


def read(text: str) -> Imported:
    return imported(from_text(text))


def settings(text: str) -> dict[str, Any]:
    """The strategy that was read, as a file has it."""
    return read(text).scenario.strategies["current"].model_dump(mode="json")


def analysed(*lines: str) -> str:
    """The canary with another analysis."""
    head, _, _ = CANARY.partition("    interval: 30s")
    return head + "".join(f"    {line}\n" for line in lines)


def remarked(found: Imported, text: str) -> bool:
    return any(text in remark for remark in found.remarks)


def test_a_canary_is_read_tick_by_tick() -> None:
    found = settings(CANARY)
    assert (found["interval"], found["threshold"]) == ("30s", 4)
    assert (found["max_weight"], found["step_weight"]) == ("30%", "10%")
    assert found["progress_deadline"] == "2m"
    assert found["load_test"] == "20 rps"
    assert [(m["metric"], m["above"], m["window"]) for m in found["metrics"]] == [
        ("errors", "0.5%", "1m"),
        ("late", "1%", "30s"),
    ]


def test_flagger_itself_rolls_back_and_no_alarm_stands_beside_it() -> None:
    scenario = read(CANARY).scenario
    assert scenario.response.automatic == "watched"
    assert scenario.detection.alarms == ()
    wrong = {"strategies.current.load_test_shows": "100%", "change.defects[0].rate": "30%"}
    (bad,) = play(scenario.with_all(wrong), 1)
    assert bad.caught_by == "failed checks"
    assert bad.time_to_detect == 5 * 30


def test_the_deployment_that_it_moves_is_no_workload_of_its_own() -> None:
    (only,) = workloads(from_text(CANARY + TARGET))
    assert only.called == "Canary/cart"
    service = read(CANARY + TARGET).scenario.service
    assert (service.instances, service.drain) == (8, 15)
    assert service.startup.quantile(1.0) == pytest.approx(5 + 10 + 4)
    found = settings(CANARY + TARGET)
    assert (found["max_surge"], found["max_unavailable"]) == ("50%", "0")
    assert len(workloads(from_text(CANARY + TARGET.replace("name: cart}", "name: other}")))) == 2


def test_its_autoscaler_says_between_what_bounds_the_size_lies() -> None:
    reference = "  autoscalerRef: {kind: HorizontalPodAutoscaler, name: cart}\n  progress"
    found = read(CANARY.replace("  progress", reference) + SCALER + TARGET)
    assert found.scenario.service.instances == 8
    (row,) = (one for one in found.assumed if one.path == "service.instances")
    assert (row.low, row.high) == (2, 20)


def test_a_target_that_is_recreated_takes_its_primary_away() -> None:
    target = TARGET.replace(
        "{rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}", "{type: Recreate}"
    )
    found = read(CANARY + target)
    assert remarked(found, "all pods of the primary go at once")
    steady = {"service.startup": "30s", "service.ungraceful": "0s"}
    (good,) = play(found.scenario.with_all(steady), 1, bad=False)
    rate = found.scenario.traffic.mean
    assert good.expected_failed_requests == pytest.approx(0.7 * 30 * rate, rel=0.05)


def test_what_counts_as_used_has_an_effect() -> None:
    for text in (CANARY, CANARY + TARGET, CANARY + TARGET + SCALER):
        found = read(text)
        assert without_effect(found) == []
        assert ignored(found) <= 0.2
        assert counted(found)["used"] >= 11


@pytest.mark.parametrize("name", ["fluxcd-istio-abtest", "fluxcd-istio-canary"])
def test_real_canaries_are_read(manifests: Path, name: str) -> None:
    found = imported(gather([manifests / "flagger" / f"{name}.yaml"]))
    assert ignored(found) == 0
    assert without_effect(found) == []
    assert counted(found)["used"] >= 8
    assert rehearse(found.scenario, "current").suitable
    assert remarked(found, "for 165s (documented 150s)")


def test_a_test_by_match_is_for_a_share_of_the_users() -> None:
    text = analysed("interval: 1m", "iterations: 5", "maxWeight: 20", "match: [{headers: {a: b}}]")
    found = read(text)
    strategy = settings(text)
    assert (strategy["iterations"], strategy["match"]) == (5, "10%")
    (weight,) = (note for note in found.notes if note.path.endswith("maxWeight"))
    assert weight.kind == "no_effect"
    assert remarked(found, "The last check sees users who match")


def test_blue_green_sees_nothing_without_requests_of_its_own() -> None:
    metric = "metrics: [{name: request-success-rate, thresholdRange: {min: 99}}]"
    found = read(analysed("iterations: 5", metric))
    assert not rehearse(found.scenario, "current").suitable
    mirrored = read(analysed("iterations: 5", "mirror: true", "mirrorWeight: 40", metric))
    assert rehearse(mirrored.scenario, "current").suitable
    assert mirrored.scenario.strategies["current"].model_dump(mode="json")["mirror"] == "40%"


def test_without_a_mesh_weights_have_no_say() -> None:
    found = read(CANARY.replace("provider: istio", "provider: kubernetes"))
    assert remarked(found, "Without a mesh no traffic can be shifted")
    assert {n.kind for n in found.notes if n.path.endswith("Weight")} == {"no_effect"}
    entries = rehearse(found.scenario, "current").journal
    assert [e.detail for e in entries if e.verb == "shift"] == [1.0]


def test_steps_of_its_own() -> None:
    strategy = settings(analysed("stepWeights: [1, 5, 40]", "stepWeightPromotion: 20"))
    assert strategy["step_weights"] == ["1%", "5%", "40%"]
    assert strategy["step_weight_promotion"] == "20%"
    both = read(analysed("stepWeights: [1, 5, 40]", "maxWeight: 90"))
    assert [n.kind for n in both.notes if n.path.endswith("maxWeight")] == ["no_effect"]
    assert remarked(read(analysed("maxWeight: 50", "stepWeight: 20")), "go up to 60%")


@pytest.mark.parametrize(
    ("written", "interval"),
    [("5s", "10s"), ("1m30s", "90s"), ("60", "1m"), ("45", "1m"), ("2h", "2h")],
)
def test_intervals_as_flagger_takes_them(written: str, interval: str) -> None:
    """Ten seconds at least, and a minute for what Go cannot read."""
    assert settings(analysed(f"interval: {written}", "stepWeight: 10"))["interval"] == interval


def test_old_spellings_and_defaults() -> None:
    text = CANARY.replace("analysis:", "canaryAnalysis:").replace("threshold: 4", "threshold: 0")
    assert settings(text)["threshold"] == 1
    old = analysed("stepWeight: 10", "metrics: [{name: request-success-rate, threshold: 98}]")
    (metric,) = settings(old)["metrics"]
    assert (metric["above"], metric["window"]) == ("2%", "1m")


def test_queries_of_your_own_are_noted() -> None:
    query = "{name: checkout, templateRef: {name: checkout}, thresholdRange: {max: 5}}"
    template = "---\napiVersion: flagger.app/v1beta1\nkind: MetricTemplate\n"
    template += "metadata: {name: checkout}\nspec: {provider: {type: prometheus}, query: up}\n"
    found = read(analysed("stepWeight: 10", f"metrics: [{query}]") + template)
    assert {n.why for n in found.notes if n.kind == "ignored"} >= {
        "what its query measures is not known",
        "what a query of your own measures is not known",
    }
    assert remarked(found, "No metric that is known is checked")


def hooked(hook: str) -> dict[str, Any]:
    return settings(analysed("interval: 30s", "stepWeight: 10", f"webhooks: [{hook}]"))


@pytest.mark.parametrize(
    ("command", "rate"),
    [
        ("hey -z 1m -q 10 -c 2 http://x/", "20 rps"),
        ("hey -z 15s -q 10 -c 2 http://x/", "10 rps"),  # half of each tick
        ("hey -z 1m -q 3 http://x/", "150 rps"),  # 50 workers
        ("hey -q 3 http://x/", "6.66667 rps"),  # 200 at each tick
        ("hey -n 600 -c 10 http://x/", "20 rps"),  # 600 at each tick
        ("hey -z 1m -c 2 http://x/", None),  # as many as it can
        ("wrk -t2 -d30s http://x/", None),
        ("helm test cart", None),
    ],
)
def test_load_tests_say_how_much_they_send(command: str, rate: str | None) -> None:
    assert hooked(f'{{metadata: {{cmd: "{command}"}}}}')["load_test"] == rate


def test_hooks_that_test_or_wait_for_a_person() -> None:
    assert hooked("{type: pre-rollout}")["pre_rollout"] == "30%"
    assert hooked("{type: confirm-rollout, url: 'http://x/gate/check'}")["confirm_rollout"]
    assert hooked("{type: confirm-promotion}")["confirm_promotion"]
    assert not hooked("{type: confirm-rollout, url: 'http://x/gate/approve'}")["confirm_rollout"]
    for quiet in ("event", "post-rollout", "rollback", "confirm-traffic-increase"):
        assert hooked(f"{{type: {quiet}}}")["pre_rollout"] == "0%"


def test_without_an_analysis_everybody_gets_it_at_once() -> None:
    head, _, _ = CANARY.partition("  analysis:")
    for text in (head, CANARY.replace("  analysis", "  skipAnalysis: true\n  analysis")):
        assert settings(text)["skip_analysis"] is True
        assert remarked(read(text), "No analysis")
    assert remarked(read(CANARY.replace("  analysis", "  suspend: true\n  analysis")), "suspended")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stepWeight: 10", "stepWeight: 0", "no tick would ever change the weight"),
        ("stepWeight: 10", "stepWeights: [10, 5]", "no tick would ever change the weight"),
        ("maxWeight: 30", "maxWeight: 130", "not within 0 to 100"),
        ("kind: Deployment", "kind: Service", "is not simulated"),
        ("threshold: 4", 'threshold: "{{ .Values.threshold }}"', "render it first"),
    ],
)
def test_what_could_never_be_rolled_out_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read(CANARY.replace(old, new))


def test_there_are_other_ways_to_write_it() -> None:
    scenario, ways = beside(read(CANARY))
    assert set(ways) == {
        "two failed checks",
        "a tick each minute",
        "from 1 % to 50 % in six steps",
        "steps of 2 %",
        "checked up to everybody",
    }
    assert all(rehearse(scenario, name).suitable for name in ways)
    rounds = read(analysed("iterations: 5", "match: [{headers: {a: b}}]"))
    assert "twice the iterations" in beside(rounds)[1]
