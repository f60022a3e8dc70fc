"""Reading Rollouts of Argo with what stands beside them: Services, workloads, autoscalers.

Source: argo-rollouts docs/features/specification.md, pkg/apis/rollouts/v1alpha1/types.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulator.platforms.argo_rollouts import remarks, rules
from simulator.platforms.argo_rollouts.alternatives import alternatives
from simulator.platforms.argo_rollouts.templates import Templates
from simulator.words import pods
from simulator.words.brought import NAME, Assumed, Draft, Reader, Workload
from simulator.words.limits import fenceposts
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.bring.view import View

_PATH = f"strategies.{NAME}"
_MINUTE = 60.0
_APPROVE = {"lognormal": {"median": "30m", "p95": "4h"}}
_PERSON = "a person promotes: judgement, half an hour, one in twenty after more than 4 h"
_ITSELF = "its own analyses abort at once; whatever else is noticed calls a person"
_NOT_SIMULATED = {
    "experiment": "experiments beside the canary are not simulated",
    "setHeaderRoute": "routing by headers is not simulated",
    "setMirrorRoute": "mirrored routes are not simulated",
    "plugin": "plugins are not simulated",
}


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The Rollouts among the documents."""
    for document in documents:
        if document.label == "Rollout" and document.name("apiVersion").startswith("argoproj.io/"):
            yield _workload(document, documents)


def _workload(document: View, documents: Sequence[View]) -> Workload:
    beside = _beside(document, documents)
    moved = document.name("spec", "workloadRef", "name")
    return Workload(
        document.name("metadata", "name") or "unnamed",
        "Rollout",
        (document, *beside),
        lambda draft: read(document, beside, draft),
        lambda: alternatives(document, Templates(beside)),
        (f"{document.name('spec', 'workloadRef', 'kind')}/{moved}",) if moved else (),
    )


def _beside(document: View, documents: Sequence[View]) -> tuple[View, ...]:
    """The documents that belong to a Rollout: templates, its Services, workload, autoscaler."""
    strategy = document.at("spec", "strategy")
    services = {
        strategy.name(kind, key)
        for kind, keys in (
            ("canary", ("canaryService", "stableService")),
            ("blueGreen", ("activeService", "previewService")),
        )
        for key in keys
    }
    own, moved = document.name("metadata", "name"), document.name("spec", "workloadRef", "name")
    found = []
    for other in documents:
        name, target = other.name("metadata", "name"), other.at("spec", "scaleTargetRef")
        scaled = (target.name("kind"), target.name("name")) == ("Rollout", own)
        if (
            other.label in ("AnalysisTemplate", "ClusterAnalysisTemplate")
            or (other.label == "Service" and name and name in services)
            or (other.label == "Deployment" and moved and name == moved)
            or (other.label == "HorizontalPodAutoscaler" and scaled)
        ):
            found.append(other)
    return tuple(found)


def read(document: View, beside: Sequence[View], draft: Draft) -> None:
    """Put what a Rollout, and what stands beside it, says into the draft."""
    spec = document.at("spec").mapping()
    draft.put("profile", pods.PROFILE, "assumed of Kubernetes: a cluster with spare room")
    draft.undone_by_itself(_ITSELF)
    draft.put("response.hold", False, "the controller goes on until somebody aborts it")
    _read_fleet(spec, beside, draft)
    strategy = spec.at("strategy").mapping()
    canary, blue_green = strategy.at("canary"), strategy.at("blueGreen")
    if canary.exists == blue_green.exists:
        told = "both canary and blueGreen" if canary.exists else "neither canary nor blueGreen"
        raise spec.at("strategy").wrong(f"has {told}; give one of the two")
    templates = Templates(beside)
    if canary.exists:
        _read_canary(canary.mapping(), templates, draft)
    else:
        _read_blue_green(blue_green.mapping(), spec, templates, draft)
    _read_times(spec, draft)
    paused = spec.at("paused")
    if paused.flag():
        paused.say("approximated", "it is read as if resumed", "nothing rolls while it is paused")
        draft.remark("It is paused: nothing rolls out until it is resumed. Simulated as resumed.")
    templates.say_unused(draft)


def _read_fleet(spec: View, beside: Sequence[View], draft: Draft) -> None:
    """How many pods there are, and how they stop; whether users stay with a pod."""
    replicas, template = spec.at("replicas"), spec.at("template", "spec")
    draft.put("service.instances", replicas.integer(1, 1), replicas)
    for other in beside:
        if other.label == "HorizontalPodAutoscaler":
            _read_scaler(other.at("spec").mapping(), replicas, draft)
        elif other.label == "Deployment":
            template = other.at("spec", "template", "spec")
        elif other.label == "Service":
            affinity = other.at("spec", "sessionAffinity")
            if affinity.choice({"None": False, "ClientIP": True}, False):
                draft.put("traffic.sticky", True, affinity)
    pods.read(template.mapping(), draft)


def _read_scaler(bounds: View, replicas: View, draft: Draft) -> None:
    """The bounds of an autoscaler, within which the number of pods is assumed."""
    low = bounds.at("minReplicas").integer(1, 1)
    high = bounds.at("maxReplicas").integer(low, low)
    size = min(max(replicas.integer(low, 1), low), high)
    told = f"judgement: an autoscaler keeps {low} to {high} pods"
    draft.assume("service.instances", size, low, high, told)
    draft.remark(f"An autoscaler keeps {low} to {high} pods; {size} are assumed, and no scaling.")


def _read_times(spec: View, draft: Draft) -> None:
    for key, where, usual in (
        ("min_ready", spec.at("minReadySeconds"), 0),
        ("progress_deadline", spec.at("progressDeadlineSeconds"), 600),
    ):
        draft.put(f"{_PATH}.{key}", where.seconds(usual), where)
    abort = spec.at("progressDeadlineAbort")
    draft.put(f"{_PATH}.progress_abort", abort.flag(False), abort)


def _delay(view: View, path: str, draft: Draft) -> None:
    """A number of seconds that has a default of its own."""
    if view.exists:
        draft.put(f"{_PATH}.{path}", view.seconds(), view)


def _read_canary(canary: View, templates: Templates, draft: Draft) -> None:
    draft.strategy("argo_canary", {}, canary)
    one, other = canary.name("canaryService"), canary.name("stableService")
    if one and one == other:
        raise canary.at("stableService").wrong("is the canaryService, too; give two different ones")
    routing = canary.at("trafficRouting").mapping()
    draft.put(f"{_PATH}.traffic_routing", routing.exists, routing)
    surge, missing = canary.at("maxSurge"), canary.at("maxUnavailable")
    if routing.exists:
        _read_routing(canary, routing, draft)
        for view in (surge, missing):
            view.say("no_effect", "with traffic routing stable stays whole and is not replaced")
    else:
        for key, view in (("max_surge", surge), ("max_unavailable", missing)):
            draft.put(f"{_PATH}.{key}", _portion(view), view)
        canary.at("abortScaleDownDelaySeconds").say(
            "no_effect", "without traffic routing an abort is a rolling update back"
        )
        _delay(canary.at("scaleDownDelaySeconds"), "scale_down_delay", draft)
        dynamic = canary.at("dynamicStableScale")
        draft.put(f"{_PATH}.dynamic_stable_scale", dynamic.flag(False), dynamic)
    _read_steps(canary, templates, draft)


def _portion(view: View) -> str:
    """A count or a share; text without % is a percentage to this controller."""
    found = view.portion("25%")
    if isinstance(view.data, str) and not found.endswith("%"):
        view.say("approximated", "text without % is read as a percentage by this controller")
        return f"{found}%"
    return found


def _read_routing(canary: View, routing: View, draft: Draft) -> None:
    routing.say("approximated", "every mesh or ingress is a router whose weights hold at once")
    for key, view in (
        ("min_pods", canary.at("minPodsPerReplicaSet")),
        ("dynamic_stable_scale", canary.at("dynamicStableScale")),
    ):
        if view.exists:
            said = view.flag() if key != "min_pods" else max(view.integer(1), 1)
            draft.put(f"{_PATH}.{key}", said, view)
    _delay(canary.at("scaleDownDelaySeconds"), "scale_down_delay", draft)
    _delay(canary.at("abortScaleDownDelaySeconds"), "abort_scale_down_delay", draft)


def _read_steps(canary: View, templates: Templates, draft: Draft) -> None:
    most = canary.at("trafficRouting", "maxTrafficWeight")
    whole = most.integer(100, 1)
    steps, places = list[dict[str, Any]](), list[int]()
    for view in canary.at("steps").items():
        places.append(len(steps))
        path = f"{_PATH}.steps[{len(steps)}]"
        if step := _step(view.mapping(), whole, path, templates, draft):
            steps.append(step)
            for key in step:
                draft.origins[f"{path}.{key}"] = (view.origin,)
    draft.put(f"{_PATH}.steps", steps, canary.at("steps"))
    if not canary.at("trafficRouting").exists:
        replicas, surge = draft.keys["service.instances"], draft.keys[f"{_PATH}.max_surge"]
        above = fenceposts(Portion.parse(surge), Portion.parse(1), replicas).surge
        draft.remarks += remarks.of_counts(steps, replicas, above)
    draft.remarks += remarks.of_single_measurements(steps)
    _read_background(canary.at("analysis").mapping(), steps, places, templates, draft)


def _read_background(
    analysis: View,
    steps: list[dict[str, Any]],
    places: list[int],
    templates: Templates,
    draft: Draft,
) -> None:
    """The analysis beside the steps; `places` are where the manifest's steps went."""
    if not analysis.exists:
        return
    start = analysis.at("startingStep")
    first = start.integer(0)
    begins = places[first] if first < len(places) else first
    draft.put(f"{_PATH}.starting_step", begins, start)
    found = templates.measured(analysis, f"{_PATH}.analysis", draft)
    draft.put(f"{_PATH}.analysis", found, analysis)
    draft.remarks += remarks.of_background(steps, found, begins)
    if not first and any(one.get("initial_delay", 0) < _MINUTE for one in found):
        draft.remark(
            "The analysis begins with the rollout, before a canary pod serves anybody: a query "
            "without data is an error, and five of them, 10 s apart, abort a good release. "
            "Set startingStep."
        )


def _step(
    view: View, whole: int, path: str, templates: Templates, draft: Draft
) -> dict[str, Any] | None:
    """One step as a scenario says it; None for one that does nothing here."""
    weight, pause, scale = view.at("setWeight"), view.at("pause"), view.at("setCanaryScale")
    if weight.exists:
        return {"weight": f"{100 * weight.integer(0, 0, whole) / whole:.6g}%"}
    if "pause" in (view.data if isinstance(view.data, Mapping) else {}):
        duration = pause.mapping().at("duration")
        if duration.exists:
            return {"pause": duration.seconds()}
        pause.say("assumed", "a person promotes; how long that takes nobody says")
        draft.assumed.append(Assumed(f"{path}.approve", _APPROVE, "5m", "8h", _PERSON))
        return {"approve": _APPROVE}
    if scale.exists:
        return _scale(scale.mapping())
    if view.at("analysis").exists:
        analysis = view.at("analysis").mapping()
        found = templates.measured(analysis, f"{path}.analysis", draft)
        return {"analysis": found} if found else None
    for key, why in _NOT_SIMULATED.items():
        view.at(key).say("ignored", why, "the step is left out")
    return None


def _scale(scale: View) -> dict[str, Any]:
    replicas, weight, match = (scale.at(k) for k in ("replicas", "weight", "matchTrafficWeight"))
    if match.exists and match.flag():
        return {"match_weight": True}
    if replicas.exists:
        return {"canary_scale": str(replicas.integer(0))}
    return {"canary_scale": f"{100 * weight.percent(0.0):.6g}%"}


def _read_blue_green(blue_green: View, spec: View, templates: Templates, draft: Draft) -> None:
    draft.strategy("argo_blue_green", {}, blue_green)
    active, preview = blue_green.at("activeService"), blue_green.at("previewService")
    if not active.exists:
        raise blue_green.wrong("has no activeService; name the Service that promotion switches")
    kept, history = blue_green.at("scaleDownDelayRevisionLimit"), spec.at("revisionHistoryLimit")
    for reason in rules.refuse_blue_green(
        blue_green.name("activeService"),
        blue_green.name("previewService") or None,
        int(history.integer(10)),
        kept.integer(0) if kept.exists else None,
    ):
        raise (kept if "revisions" in reason else preview).wrong(reason)
    replicas, auto = blue_green.at("previewReplicaCount"), blue_green.at("autoPromotionEnabled")
    if replicas.exists:
        draft.put(f"{_PATH}.preview_replicas", replicas.integer(1, 1), replicas)
    after, by_itself = blue_green.at("autoPromotionSeconds"), auto.flag(True)
    draft.put(f"{_PATH}.auto_promotion", by_itself, auto)
    if not by_itself:
        draft.assume(f"{_PATH}.approve", _APPROVE, "5m", "8h", _PERSON)
        if after.exists:
            after.say("no_effect", "it has none while autoPromotionEnabled is false")
            draft.remark(
                f"autoPromotionSeconds: {after.data} does nothing, since autoPromotionEnabled is "
                "false: a person has to promote."
            )
    elif after.exists:
        draft.put(f"{_PATH}.auto_promotion_after", after.seconds(), after)
    _delay(blue_green.at("scaleDownDelaySeconds"), "scale_down_delay", draft)
    _delay(blue_green.at("abortScaleDownDelaySeconds"), "abort_scale_down_delay", draft)
    _read_promotion(blue_green, templates, draft)


def _read_promotion(blue_green: View, templates: Templates, draft: Draft) -> None:
    """The analyses before and after the switch."""
    for key, path in (
        ("prePromotionAnalysis", "pre_promotion_analysis"),
        ("postPromotionAnalysis", "post_promotion_analysis"),
    ):
        view = blue_green.at(key).mapping()
        found = templates.measured(view, f"{_PATH}.{path}", draft) if view.exists else []
        if found:
            draft.put(f"{_PATH}.{path}", found, view)
        if found and key.startswith("pre"):
            draft.remark(
                "The analysis before the promotion measures pods that no user reaches: without "
                "requests of a test it has no data, and five such measurements abort the release."
            )


READER = Reader("argo_rollouts", "Rollouts of Argo (argoproj.io)", find)
