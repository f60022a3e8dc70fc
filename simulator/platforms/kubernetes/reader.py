"""Reading Deployments, StatefulSets and DaemonSets of Kubernetes, with what stands beside them.

Source: apps/v1, autoscaling/v2 and policy/v1 types and defaults; pkg/apis/apps/validation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from simulator.words import pods
from simulator.words.brought import NAME, Alternative, Draft, Reader, Workload
from simulator.words.limits import fenceposts
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.bring.view import View

_API = ("apps/", "extensions/")
_OLDEST = "extensions/v1beta1"
_NO_DEADLINE = 10 * 365 * 86_400
_GOES_ON = "the controller goes on until somebody pauses it or rolls back"
_NO_ROLLBACK = "never: no controller of Kubernetes rolls back, a person does"


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The Deployments, StatefulSets and DaemonSets among the documents."""
    readers = {"Deployment": read, "StatefulSet": read_stateful, "DaemonSet": read_daemon}
    for document in documents:
        reader = readers.get(document.label)
        if reader is not None and document.name("apiVersion").startswith(_API):
            beside = tuple(_beside(document, documents))
            yield Workload(
                document.name("metadata", "name") or "unnamed",
                document.label,
                (document, *beside),
                lambda draft, reader=reader, own=document, beside=beside: reader(  # type: ignore[misc]
                    own, draft, beside
                ),
                lambda own=document: alternatives(own),  # type: ignore[misc]
            )


def _beside(document: View, documents: Sequence[View]) -> Iterator[View]:
    """Autoscalers that point to a workload, and disruption budgets that select its pods."""
    own = document.peek("spec", "template", "metadata", "labels")
    same = document.label, document.name("metadata", "name")
    for other in documents:
        if other.label == "HorizontalPodAutoscaler":
            target = other.at("spec", "scaleTargetRef")
            if (target.name("kind"), target.name("name")) == same:
                yield other
        elif other.label == "PodDisruptionBudget" and _selects(other, own):
            yield other


def _selects(budget: View, labels: Any) -> bool:
    """Whether pods with these labels are those of a disruption budget."""
    chosen = budget.peek("spec", "selector", "matchLabels")
    both = isinstance(chosen, dict) and isinstance(labels, dict) and bool(chosen)
    return both and all(labels.get(key) == value for key, value in chosen.items())


def read(document: View, draft: Draft, beside: Sequence[View] = ()) -> None:
    """Put what a Deployment says about its rollout into the draft."""
    spec = document.at("spec").mapping()
    _common(spec, draft, beside)
    paused = spec.at("paused")
    if paused.flag():
        paused.say("approximated", "it is read as if resumed", "nothing rolls while it is paused")
        draft.remark("It is paused: nothing rolls out until it is resumed. Simulated as resumed.")
    strategy = spec.at("strategy").mapping()
    kind = strategy.at("type")
    deadline = spec.at("progressDeadlineSeconds")
    oldest = document.name("apiVersion") == _OLDEST
    seconds = min(deadline.integer(_NO_DEADLINE if oldest else 600, 0, 2**31 - 1), _NO_DEADLINE)
    if kind.choice({"RollingUpdate": False, "Recreate": True}, False):
        rolling = strategy.at("rollingUpdate")
        if rolling.exists:
            raise rolling.wrong(
                "may not be specified when strategy `type` is 'Recreate' (the API rejects it); "
                "remove it"
            )
        draft.strategy("kubernetes_recreate", {"progress_deadline": seconds}, kind, deadline)
        return
    _rolling(spec, draft, seconds, "1" if oldest else "25%")


def _rolling(spec: View, draft: Draft, deadline: float, usual: str) -> None:
    """A rolling update of a Deployment, unless the API would reject it."""
    rolling = spec.at("strategy", "rollingUpdate").mapping()
    surge, missing = rolling.at("maxSurge"), rolling.at("maxUnavailable")
    ready, until = spec.at("minReadySeconds"), spec.at("progressDeadlineSeconds")
    above, below, wait = surge.portion(usual), missing.portion(usual), ready.seconds(0)
    if below.endswith("%") and float(below[:-1]) > 100:
        raise missing.wrong("must not be greater than 100% (the API rejects it); lower it")
    if float(above.rstrip("%")) == float(below.rstrip("%")) == 0:
        raise missing.wrong(
            "may not be 0 when `maxSurge` is 0 (the API rejects it); allow one of the two"
        )
    if wait >= deadline:
        where = until if until.exists else ready
        raise where.wrong(
            "progressDeadlineSeconds must be greater than minReadySeconds (the API rejects it)"
        )
    draft.strategy("kubernetes_rolling", {}, spec.at("strategy", "type"))
    for key, value, where in (
        ("max_surge", above, surge),
        ("max_unavailable", below, missing),
        ("min_ready", wait, ready),
        ("progress_deadline", deadline, until),
    ):
        draft.put(f"strategies.{NAME}.{key}", value, where)
    size = int(draft.keys["service.instances"])
    limits = fenceposts(Portion.parse(above), Portion.parse(below), size)
    if limits.unavailable >= size:
        draft.remark(
            f"{below} of {size} pods may be missing: all old ones go at once, and nobody serves "
            "until the first new one is ready."
        )


def read_stateful(document: View, draft: Draft, beside: Sequence[View] = ()) -> None:
    """Put what a StatefulSet says about its rollout into the draft: one pod after the other.

    A pod keeps its name: the new one starts when the old one is gone.
    """
    spec = document.at("spec").mapping()
    _common(spec, draft, beside)
    strategy = spec.at("updateStrategy").mapping()
    _updates_itself(strategy.at("type"))
    missing, ready = strategy.at("rollingUpdate", "maxUnavailable"), spec.at("minReadySeconds")
    partition = strategy.at("rollingUpdate", "partition")
    kept = partition.integer(0)
    if kept:
        size = spec.at("replicas").integer(1)
        partition.say(
            "approximated",
            "read as if it were lowered to 0 at once",
            f"{max(size - kept, 0)} of {size} pods are updated until somebody lowers it",
        )
        draft.remark(
            f"partition {kept} stops the update at {max(size - kept, 0)} of {size} pods until it "
            "is lowered; simulated without it."
        )
    _one_place(draft, missing, ready, strategy.at("type"))


def read_daemon(document: View, draft: Draft, beside: Sequence[View] = ()) -> None:
    """Put what a DaemonSet says about its rollout into the draft; how many nodes is assumed."""
    spec = document.at("spec").mapping()
    _common(spec, draft, beside, counted=False)
    draft.assume("service.instances", 10, 3, 100, "judgement: a pod on each of so many nodes")
    strategy = spec.at("updateStrategy").mapping()
    _updates_itself(strategy.at("type"))
    rolling, ready = strategy.at("rollingUpdate").mapping(), spec.at("minReadySeconds")
    surge, missing = rolling.at("maxSurge"), rolling.at("maxUnavailable")
    above, below = surge.portion("0"), missing.portion("0" if surge.exists else "1")
    both = float(above.rstrip("%")) > 0, float(below.rstrip("%")) > 0
    if both[0] == both[1]:
        message = "may not both be set" if both[0] else "may not both be 0"
        raise (surge if surge.exists else missing).wrong(
            f"maxSurge and maxUnavailable {message} (the API rejects it)"
        )
    if not both[0]:
        _one_place(draft, missing, ready, strategy.at("type"))
        return
    draft.strategy("rolling", {}, strategy.at("type"))
    draft.put(f"strategies.{NAME}.batch", above, surge)
    draft.put(f"strategies.{NAME}.surge", above, surge)
    draft.put(f"strategies.{NAME}.pause", ready.seconds(0), ready)


def _updates_itself(kind: View) -> None:
    """Refuse updates that happen only when somebody deletes pods."""
    if kind.choice({"RollingUpdate": False, "OnDelete": True}, False):
        raise kind.wrong(
            "OnDelete updates a pod only when somebody deletes it: there is no rollout to simulate"
        )


def _one_place(draft: Draft, missing: View, ready: View, kind: View) -> None:
    """Pods that are replaced in their place: drained, then started again."""
    pods.in_place(draft)
    draft.strategy("rolling", {"in_place": True}, kind)
    draft.put(f"strategies.{NAME}.batch", missing.portion("1"), missing)
    draft.put(f"strategies.{NAME}.pause", ready.seconds(0), ready)


def _common(spec: View, draft: Draft, beside: Sequence[View], counted: bool = True) -> None:
    """What all of them say: how many pods, how they start and stop, what stands beside them."""
    draft.put("profile", pods.PROFILE, "assumed of Kubernetes: a cluster with spare room")
    draft.undone_by_people(_NO_ROLLBACK)
    draft.put("response.hold", False, _GOES_ON)
    if counted:
        replicas = spec.at("replicas")
        draft.put("service.instances", replicas.integer(1, 1), replicas)
    pods.read(spec.at("template", "spec").mapping(), draft)
    for other in beside:
        if other.label == "PodDisruptionBudget":
            draft.remark(
                f"The PodDisruptionBudget {other.name('metadata', 'name')} does not limit a "
                "rollout: it holds for evictions, as when a node is drained."
            )
        elif counted:
            _scaled(spec, other, draft)


def _scaled(spec: View, scaler: View, draft: Draft) -> None:
    """An autoscaler beside it says within what bounds its size lies."""
    bounds = scaler.at("spec").mapping()
    least, most = bounds.at("minReplicas"), bounds.at("maxReplicas")
    low = least.integer(1, 1)
    high = most.integer(low, low)
    given = spec.at("replicas").integer(low, 1)
    size = min(max(given, low), high)
    name = scaler.name("metadata", "name")
    told = f"judgement: the HorizontalPodAutoscaler {name} keeps {low} to {high} pods"
    draft.assume("service.instances", size, low, high, told)
    draft.remark(f"An autoscaler keeps {low} to {high} pods; {size} are assumed, and no scaling.")
    for metric in bounds.at("metrics").items():
        target = metric.at("resource", "target", "averageUtilization")
        if metric.name("resource", "name") == "cpu" and target.exists:
            _busy(target.percent(), name, draft)
    old = bounds.at("targetCPUUtilizationPercentage")
    if old.exists:
        _busy(old.percent(), name, draft)


def _busy(share: float, name: str, draft: Draft) -> None:
    told = f"judgement: what {name} aims at, of the CPU that pods ask for"
    draft.assume("service.utilisation", f"{100 * share:g}%", "40%", "85%", told)


def alternatives(document: View) -> Iterator[Alternative]:
    """Other ways to write a workload's rollout."""
    spec = document.at("spec")
    ready = spec.at("minReadySeconds")
    if document.label == "Deployment":
        strategy = spec.at("strategy")
        kind, rolling = strategy.at("type"), strategy.at("rollingUpdate")
        surge, missing = rolling.at("maxSurge"), rolling.at("maxUnavailable")
        rolls = () if strategy.peek("type") != "Recreate" else ((kind, "RollingUpdate"),)
        careful = (*rolls, (surge, 1), (missing, 0))
        yield Alternative("one more, none missing", careful, "never fewer pods than wanted")
        small = (*careful, (ready, 30))
        yield Alternative(
            "one at a time, 30 s each",
            small,
            "few users meet a bad version before somebody can act",
        )
        if not rolls:
            gone = ((kind, "Recreate"), (rolling, None))
            yield Alternative("recreate", gone, "never two versions at once")
    aim = "a pod that fails at once stops the rollout"
    yield Alternative("ready for a minute", ((ready, 60),), aim)


READER = Reader(
    "kubernetes", "Deployments, StatefulSets and DaemonSets of Kubernetes (apps/v1)", find
)
