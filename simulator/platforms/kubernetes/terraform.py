"""Reading Deployments of Kubernetes that stand in Terraform plans.

Source: kubernetes_deployment(_v1) of the Terraform Kubernetes provider; its defaults are apps/v1's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from simulator.words.brought import Alternative, Draft, Reader, Workload

if TYPE_CHECKING:
    from simulator.bring.view import View

_LABELS = ("kubernetes_deployment", "kubernetes_deployment_v1")
PROFILE = "k8s-spare"


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The Deployments among the resources."""
    for document in documents:
        if document.label in _LABELS:
            yield Workload(
                document.called,
                document.label,
                (document,),
                partial(read, document),
                partial(alternatives, document),
            )


def read(document: View, draft: Draft) -> None:
    """Put what a Deployment says about its rollout into the draft."""
    spec = document.at("spec", 0)
    draft.put("profile", PROFILE, "assumed of Kubernetes: a cluster with spare room")
    replicas = spec.at("replicas")
    draft.put("service.instances", replicas.integer(1, 1), replicas)
    grace = spec.at("template", 0, "spec", 0, "termination_grace_period_seconds")
    draft.put("service.drain", grace.seconds(30), grace)
    kind, deadline = spec.at("strategy", 0, "type"), spec.at("progress_deadline_seconds")
    rolling = spec.at("strategy", 0, "rolling_update", 0)
    if kind.choice({"RollingUpdate": False, "Recreate": True}, False):
        if rolling.exists:
            raise rolling.wrong("may not be given when the strategy is Recreate; remove it")
        draft.strategy("kubernetes_recreate", {}, kind)
    else:
        surge, missing = rolling.at("max_surge"), rolling.at("max_unavailable")
        ready = spec.at("min_ready_seconds")
        draft.strategy("kubernetes_rolling", {}, kind)
        draft.put("strategies.current.max_surge", surge.portion("25%"), surge)
        draft.put("strategies.current.max_unavailable", missing.portion("25%"), missing)
        draft.put("strategies.current.min_ready", ready.seconds(0), ready)
    draft.put("strategies.current.progress_deadline", deadline.seconds(600), deadline)


def alternatives(document: View) -> Iterator[Alternative]:
    """Other ways to write a Deployment's rollout."""
    spec = document.at("spec", 0)
    rolling = spec.at("strategy", 0, "rolling_update", 0)
    careful = ((rolling.at("max_surge"), "1"), (rolling.at("max_unavailable"), "0"))
    yield Alternative("one more, none missing", careful, "never fewer pods than wanted")
    ready = ((spec.at("min_ready_seconds"), 60),)
    yield Alternative("ready for a minute", ready, "a pod that fails at once stops the rollout")


READER = Reader("kubernetes", "Deployments of Kubernetes in Terraform plans", find)
