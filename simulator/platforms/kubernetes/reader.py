"""Reading Deployments of Kubernetes. Source: apps/v1 and core/v1 types and defaults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.words.brought import Alternative, Draft, Reader, Workload

if TYPE_CHECKING:
    from simulator.bring.view import View

_API = ("apps/", "extensions/")
PROFILE = "k8s-spare"


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The Deployments among the documents."""
    for document in documents:
        if document.label == "Deployment" and document.name("apiVersion").startswith(_API):
            yield _workload(document, documents)


def _workload(document: View, documents: Sequence[View]) -> Workload:
    return Workload(
        document.name("metadata", "name") or "unnamed",
        "Deployment",
        (document,),
        lambda draft: read(document, draft),
        lambda: alternatives(document),
    )


def read(document: View, draft: Draft) -> None:
    """Put what a Deployment says about its rollout into the draft."""
    spec = document.at("spec").mapping()
    draft.put("profile", PROFILE, "assumed of Kubernetes: a cluster with spare room")
    replicas = spec.at("replicas")
    draft.put("service.instances", replicas.integer(1, 1), replicas)
    read_pods(spec.at("template", "spec").mapping(), draft)
    strategy = spec.at("strategy").mapping()
    kind = strategy.at("type")
    deadline = spec.at("progressDeadlineSeconds")
    if kind.choice({"RollingUpdate": False, "Recreate": True}, False):
        rolling = strategy.at("rollingUpdate")
        if rolling.exists:
            raise rolling.wrong("may not be given when strategy.type is Recreate; remove it")
        settings = {"progress_deadline": deadline.seconds(600)}
        draft.strategy("kubernetes_recreate", settings, kind, deadline)
        return
    rolling = strategy.at("rollingUpdate").mapping()
    surge, missing = rolling.at("maxSurge"), rolling.at("maxUnavailable")
    ready = spec.at("minReadySeconds")
    draft.strategy("kubernetes_rolling", {}, kind)
    for key, value, where in (
        ("max_surge", surge.portion("25%"), surge),
        ("max_unavailable", missing.portion("25%"), missing),
        ("min_ready", ready.seconds(0), ready),
        ("progress_deadline", deadline.seconds(600), deadline),
    ):
        draft.put(f"strategies.current.{key}", value, where)


def read_pods(spec: View, draft: Draft) -> None:
    """Put what a pod template says about starting and stopping into the draft."""
    grace = spec.at("terminationGracePeriodSeconds")
    draft.put("service.drain", grace.seconds(30), grace)


def alternatives(document: View) -> Iterator[Alternative]:
    """Other ways to write a Deployment's rollout."""
    spec = document.at("spec")
    rolling = spec.at("strategy", "rollingUpdate")
    careful = ((rolling.at("maxSurge"), 1), (rolling.at("maxUnavailable"), 0))
    yield Alternative("one more, none missing", careful, "never fewer pods than wanted")
    ready = ((spec.at("minReadySeconds"), 60),)
    yield Alternative("ready for a minute", ready, "a pod that fails at once stops the rollout")


READER = Reader("kubernetes", "Deployments of Kubernetes (apps/v1)", find)
