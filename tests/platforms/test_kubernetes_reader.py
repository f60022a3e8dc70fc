"""Deployments of Kubernetes as they stand in manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import from_text, gather, imported
from tests.bring.coverage import ignored, without_effect

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 12
  minReadySeconds: 5
  progressDeadlineSeconds: 300
  strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 10%}}
  template: {spec: {terminationGracePeriodSeconds: 45}}
"""


def test_a_deployment_is_a_rolling_update_with_its_own_limits() -> None:
    scenario = imported(from_text(SHOP)).scenario
    assert scenario.service.instances == 12
    assert scenario.service.drain == 45
    strategy = scenario.strategies["current"].model_dump(mode="json")
    assert strategy["kind"] == "kubernetes_rolling"
    assert (strategy["max_surge"], strategy["max_unavailable"]) == ("2", "10%")
    assert (strategy["min_ready"], strategy["progress_deadline"]) == ("5s", "5m")


def test_what_counts_as_used_has_an_effect() -> None:
    found = imported(from_text(SHOP))
    assert without_effect(found) == []
    assert ignored(found) == 0


@pytest.mark.parametrize("name", ["coredns-coredns", "GoogleCloudPlatform-frontend"])
def test_real_deployments_are_read(manifests: Path, name: str) -> None:
    found = imported(gather([manifests / "kubernetes-deployment" / f"{name}.yaml"]))
    assert ignored(found) <= 0.2
    assert without_effect(found) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("maxSurge: 2, maxUnavailable: 10%", "maxSurge: 0, maxUnavailable: 0", "max_surge is 0"),
        ("minReadySeconds: 5", "minReadySeconds: 300", "longer than min_ready"),
        ("replicas: 12", 'replicas: "{{ .Values.replicas }}"', "render it first"),
        ("strategy: {", "strategy: {type: Recreate, ", "may not be given"),
    ],
)
def test_what_the_controller_rejects_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        imported(from_text(SHOP.replace(old, new)))
