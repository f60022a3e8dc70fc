"""Workloads of Kubernetes as they stand in manifests, with their probes and what is beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, from_text, gather, imported
from simulator.decide.brought import beside
from simulator.words.scenario import Scenario
from tests.bring.coverage import counted, ignored, without_effect
from tests.play.playing import play

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 12
  minReadySeconds: 5
  progressDeadlineSeconds: 300
  strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 10%}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 45
      containers:
        - image: shop:1
          readinessProbe: {httpGet: {port: 80}, initialDelaySeconds: 20, periodSeconds: 4}
"""
SCALER = """\
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: shop}
spec:
  minReplicas: 4
  maxReplicas: 30
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  metrics:
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 65}}}
"""
BUDGET = """\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: shop}
spec: {minAvailable: 90%, selector: {matchLabels: {app: shop}}}
"""


def read(text: str) -> Imported:
    return imported(from_text(text))


def with_probes(probes: str) -> Imported:
    head, _, _ = SHOP.partition("          readinessProbe")
    return read(head + "".join(f"          {line}\n" for line in probes.splitlines()))


def startup(scenario: Scenario) -> tuple[float, float]:
    """The bounds of the start-up time, seconds."""
    law = scenario.service.startup
    return law.quantile(0.0), law.quantile(1.0)


def test_a_deployment_is_a_rolling_update_with_its_own_limits() -> None:
    scenario = read(SHOP).scenario
    assert scenario.service.instances == 12
    assert scenario.service.drain == 45
    strategy = scenario.strategies["current"].model_dump(mode="json")
    assert strategy["kind"] == "kubernetes_rolling"
    assert (strategy["max_surge"], strategy["max_unavailable"]) == ("2", "10%")
    assert (strategy["min_ready"], strategy["progress_deadline"]) == ("5s", "5m")


def test_nobody_but_a_person_rolls_a_deployment_back() -> None:
    response = read(SHOP).scenario.response
    assert response.automatic == "never"
    assert not response.hold  # an alarm does not stop the controller


def test_what_counts_as_used_has_an_effect() -> None:
    for text in (SHOP, SHOP + SCALER + BUDGET, STATEFUL, DAEMON):
        found = read(text)
        assert without_effect(found) == []
        assert ignored(found) == 0
        assert counted(found)["used"] >= 2


@pytest.mark.parametrize("name", ["coredns-coredns", "GoogleCloudPlatform-frontend"])
def test_real_deployments_are_read(manifests: Path, name: str) -> None:
    found = imported(gather([manifests / "kubernetes-deployment" / f"{name}.yaml"]))
    assert ignored(found) <= 0.2
    assert without_effect(found) == []
    assert counted(found)["used"] >= 2


def test_one_replica_of_which_one_may_be_missing_is_an_outage() -> None:
    """One pod and maxUnavailable 1: it goes at once, and the start of the new one is an outage."""
    text = SHOP.replace("replicas: 12", "replicas: 1").replace("10%", "1")
    found = read(text)
    assert any("nobody serves until the first new one is ready" in said for said in found.remarks)
    (outcome,) = play(found.scenario.with_("service.startup", "30s"), 1, bad=False)
    assert outcome.outage == 30
    assert not any("nobody serves" in said for said in read(SHOP).remarks)


@pytest.mark.parametrize(
    ("probes", "bounds", "killed"),
    [
        # a pod takes 5 s, its application 10 s
        ("readinessProbe: {periodSeconds: 6}", (15, 21), None),
        ("readinessProbe: {initialDelaySeconds: 30}", (35, 45), None),
        ("readinessProbe: {periodSeconds: 5, successThreshold: 3}", (25, 30), None),
        ("startupProbe: {periodSeconds: 2, failureThreshold: 30}", (15, 17), 65),
        (
            "startupProbe: {initialDelaySeconds: 9, failureThreshold: 6}\n"
            "livenessProbe: {failureThreshold: 1}",
            (15, 25),
            74,
        ),
        ("readinessProbe: {}\nlivenessProbe: {initialDelaySeconds: 20}", (15, 25), 55),
    ],
)
def test_probes_say_when_a_pod_is_ready_and_when_it_is_killed(
    probes: str, bounds: tuple[float, float], killed: float | None
) -> None:
    found = with_probes(probes)
    assert startup(found.scenario) == pytest.approx(bounds)
    assert found.scenario.service.start_failure.timeout == (killed or 600)
    assert without_effect(found) == []


def test_an_application_that_is_slower_than_its_probe_allows_never_starts() -> None:
    found = with_probes(
        "readinessProbe: {}\nlivenessProbe: {periodSeconds: 3, failureThreshold: 2}"
    )
    assert any("does not answer 6 s after it began" in said for said in found.remarks)
    assert found.scenario.service.start_failure.timeout == 600
    patient = with_probes("readinessProbe: {}\nlivenessProbe: {}")
    assert any("needs more than 30 s is killed" in said for said in patient.remarks)


def test_a_pod_without_probes_gets_requests_before_it_answers() -> None:
    assert any("before the application answers" in said for said in with_probes("").remarks)


def test_a_hook_that_sleeps_longer_than_the_grace_period() -> None:
    for hook in (
        "{exec: {command: [sh, -c, sleep 60]}}",
        "{sleep: {seconds: 60}}",
    ):
        found = with_probes(f"lifecycle: {{preStop: {hook}}}")
        assert any("preStop sleeps 60 s of a grace period of 45 s" in x for x in found.remarks)
    found = with_probes("lifecycle: {preStop: {exec: {command: [sleep, '10']}}}")
    assert not any("preStop" in said for said in found.remarks)
    assert found.scenario.service.ungraceful == 0
    assert any("No preStop sleep" in said for said in read(SHOP).remarks)
    assert read(SHOP).scenario.service.ungraceful == 2


def test_an_autoscaler_says_between_what_bounds_the_size_lies() -> None:
    found = read(SHOP + SCALER)
    assert found.scenario.service.instances == 12
    (row,) = (one for one in found.assumed if one.path == "service.instances")
    assert (row.low, row.high) == (4, 30)
    assert found.scenario.service.utilisation == pytest.approx(0.65)
    none = read(SHOP.replace("  replicas: 12\n", "") + SCALER)
    assert none.scenario.service.instances == 4


def test_a_disruption_budget_does_not_limit_a_rollout() -> None:
    """90 % of 12 have to be available, and yet a rolling update of all at once is as read."""
    found = read(SHOP + BUDGET)
    assert found.scenario.canonical() == read(SHOP).scenario.canonical()
    assert any("does not limit a rollout" in said for said in found.remarks)
    other = BUDGET.replace("app: shop", "app: other")
    assert not any("PodDisruptionBudget" in said for said in read(SHOP + other).remarks)


def test_a_paused_deployment_is_read_as_resumed() -> None:
    found = read(SHOP.replace("  replicas", "  paused: true\n  replicas"))
    assert any("It is paused" in said for said in found.remarks)


def test_the_oldest_deployments_have_other_defaults() -> None:
    """extensions/v1beta1: one above, one below, and no deadline."""
    text = "apiVersion: extensions/v1beta1\nkind: Deployment\nspec: {replicas: 4}\n"
    strategy = read(text).scenario.strategies["current"].model_dump(mode="json")
    assert (strategy["max_surge"], strategy["max_unavailable"]) == ("1", "1")
    assert strategy["progress_deadline"] == "3650d"


STATEFUL = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  minReadySeconds: 10
  serviceName: db
  podManagementPolicy: OrderedReady
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}
  template: {spec: {terminationGracePeriodSeconds: 20}}
"""
DAEMON = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  minReadySeconds: 7
  updateStrategy: {rollingUpdate: {maxUnavailable: 2}}
  template: {spec: {terminationGracePeriodSeconds: 10}}
"""


def test_a_stateful_set_replaces_one_pod_after_the_other_in_its_place() -> None:
    """Drained, started, ready for 10 s, three times over."""
    scenario = read(STATEFUL).scenario.with_("service.install", "30s")
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == 3 * (20 + 30 + 10)
    assert outcome.peak_instances == 3


def test_a_partition_keeps_the_others_old_until_it_is_lowered() -> None:
    found = read(STATEFUL.replace("maxUnavailable: 1", "partition: 2"))
    assert any("stops the update at 1 of 3 pods" in said for said in found.remarks)
    assert counted(found)["approximated"] == 1


def test_a_daemon_set_replaces_in_place_or_beside() -> None:
    strategy = read(DAEMON).scenario.strategies["current"].model_dump(mode="json")
    assert (strategy["kind"], strategy["batch"], strategy["in_place"]) == ("rolling", "2", True)
    strategy = (
        read(DAEMON.replace("maxUnavailable: 2", "maxSurge: 2"))
        .scenario.strategies["current"]
        .model_dump(mode="json")
    )
    assert (strategy["batch"], strategy["surge"], strategy["in_place"]) == ("2", "2", False)


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (SHOP, "maxSurge: 2, maxUnavailable: 10%", "maxSurge: 0, maxUnavailable: 0", "may not be"),
        (SHOP, "maxSurge: 2, maxUnavailable: 10%", "maxSurge: 0%, maxUnavailable: 0", "may not be"),
        (SHOP, "maxUnavailable: 10%", "maxUnavailable: 101%", "greater than 100%"),
        (SHOP, "minReadySeconds: 5", "minReadySeconds: 300", "greater than minReadySeconds"),
        (SHOP, "replicas: 12", 'replicas: "{{ .Values.replicas }}"', "render it first"),
        (SHOP, "strategy: {", "strategy: {type: Recreate, ", "may not be specified"),
        (SHOP, "strategy: {", "strategy: {type: OnDelete, ", "is not allowed"),
        (STATEFUL, "type: RollingUpdate", "type: OnDelete", "no rollout to simulate"),
        (DAEMON, "maxUnavailable: 2", "maxUnavailable: 2, maxSurge: 1", "both be set"),
        (DAEMON, "maxUnavailable: 2", "maxUnavailable: 0", "both be 0"),
    ],
)
def test_what_the_controller_rejects_is_refused(
    text: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(ManifestError, match=message):
        read(text.replace(old, new))


def test_there_are_other_ways_to_write_it() -> None:
    scenario, ways = beside(read(SHOP))
    assert {name: scenario.strategies[name].kind for name in ways} == {
        "one more, none missing": "kubernetes_rolling",
        "one at a time, 30 s each": "kubernetes_rolling",
        "recreate": "kubernetes_recreate",
        "ready for a minute": "kubernetes_rolling",
    }
    recreated = SHOP.replace(
        "{rollingUpdate: {maxSurge: 2, maxUnavailable: 10%}}", "{type: Recreate}"
    )
    scenario, ways = beside(read(recreated))
    assert scenario.strategies["one more, none missing"].kind == "kubernetes_rolling"
    assert "recreate" not in ways
    assert set(beside(read(STATEFUL))[1]) == {"ready for a minute"}
