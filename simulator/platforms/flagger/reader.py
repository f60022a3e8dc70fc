"""Reading Canaries of Flagger. Source: flagger pkg/apis/flagger/v1beta1 and docs/gitbook/usage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from simulator.platforms.flagger import hooks, metrics, rules
from simulator.words import pods
from simulator.words.brought import NAME, Alternative, Draft, Reader, Workload
from simulator.words.units import exact, format_duration, format_share

if TYPE_CHECKING:
    from simulator.bring.view import View

_API = "flagger.app/"
_NO_MESH, _MATCHED, _MOST = "kubernetes", 0.1, 1000
_STEADY = ("maxSurge", "max_surge"), ("maxUnavailable", "max_unavailable")
_ITSELF = "Flagger rolls back by itself, in the tick that finds too many failed checks"


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The Canaries among the documents, each with what it points to."""
    for document in documents:
        if document.label == "Canary" and document.name("apiVersion").startswith(_API):
            target = document.at("spec", "targetRef")
            moved = f"{target.name('kind') or 'Deployment'}/{target.name('name')}"
            beside = tuple(_beside(document, documents))
            yield Workload(
                document.name("metadata", "name") or "unnamed",
                "Canary",
                (document, *beside),
                lambda draft, own=document, beside=beside: read(own, draft, beside),  # type: ignore[misc]
                lambda own=document: alternatives(own),  # type: ignore[misc]
                (moved,),
            )


def _beside(document: View, documents: Sequence[View]) -> Iterator[View]:
    """The target and its autoscaler, and the templates of the metrics."""
    spec = document.at("spec")
    wanted = {
        (spec.name(key, "kind"), spec.name(key, "name")) for key in ("targetRef", "autoscalerRef")
    }
    for metric in _analysis(spec).at("metrics").items():
        wanted.add(("MetricTemplate", metric.name("templateRef", "name")))
    for other in documents:
        if other is not document and (other.label, other.name("metadata", "name")) in wanted:
            yield other


def _analysis(spec: View) -> View:
    """The analysis, by its present name or the old one."""
    found = spec.at("analysis")
    return found if found.exists else spec.at("canaryAnalysis")


def read(document: View, draft: Draft, beside: Sequence[View] = ()) -> None:
    """Put what a Canary says about its rollout into the draft."""
    spec = document.at("spec").mapping()
    analysis = _analysis(spec).mapping()
    draft.put("profile", pods.PROFILE, "assumed of Kubernetes: a cluster with spare room")
    draft.undone_by_itself(_ITSELF)
    draft.unwatched(
        "none stands beside the canary: its checks are all",
        "After the promotion nothing of Flagger looks any more, and no alarms of your own stand in "
        "these files: users' reports are all that is left (--set detection.alarms=...).",
    )
    target = spec.at("targetRef", "kind")
    if target.exists and target.data not in ("Deployment", "DaemonSet"):
        raise target.wrong("is not simulated; allowed: Deployment, DaemonSet")
    deadline, skip = spec.at("progressDeadlineSeconds"), spec.at("skipAnalysis")
    skipped = skip.flag() or not analysis.exists
    draft.strategy("flagger", {}, document.at("kind"))
    _put(draft, "progress_deadline", float(deadline.integer(600, 1)), deadline)
    _put(draft, "skip_analysis", skipped, skip)
    _read_provider(spec, draft)
    for other in sorted(beside, key=lambda one: one.label):  # a Deployment before its autoscaler
        _read_beside(other, draft)
    if skipped:
        analysis.say("no_effect", "the analysis is skipped")
        draft.remark("No analysis: the new version goes to everybody as soon as it has started.")
        return
    suspended = spec.at("suspend")
    if suspended.flag():
        suspended.say("approximated", "it is read as if it were not", "no tick does anything")
        draft.remark("It is suspended: no tick does anything. Simulated as if it were not.")
    found = _read_steps(analysis, draft)
    every = draft.keys[f"strategies.{NAME}.interval"]
    metrics.read(analysis, draft, every, found.threshold)
    first = next((float(stage.weight) for stage in rules.stages(found) if stage.weight), 1.0)
    hooks.read(analysis, draft, every, first * (_MATCHED if found.by_match else 1.0))
    _remark(found, every, draft)


def _put(draft: Draft, key: str, value: Any, *origins: View | str) -> None:
    draft.put(f"strategies.{NAME}.{key}", value, *origins)


def _read_provider(spec: View, draft: Draft) -> None:
    provider = spec.at("provider")
    name = provider.text("a mesh")
    if name == _NO_MESH:
        _put(draft, "provider", name, provider)
        draft.remark(
            "Without a mesh no traffic can be shifted: no user meets the canary before the primary "
            "itself rolls, whatever weights are asked for."
        )
    elif not provider.exists:
        told = "assumed: a provider that shifts traffic, as Flagger was started with"
        _put(draft, "provider", "mesh", told)
    else:
        provider.say("approximated", "every provider is one that shifts traffic at once")


def _read_beside(other: View, draft: Draft) -> None:
    """The Deployment that is its target, and the autoscaler."""
    spec = other.at("spec").mapping()
    if other.label == "HorizontalPodAutoscaler":
        least = spec.at("minReplicas").integer(1, 1)
        most = spec.at("maxReplicas").integer(least, least)
        size = min(max(int(draft.keys.get("service.instances", least)), least), most)
        told = f"judgement: the autoscaler of the canary keeps {least} to {most} pods"
        draft.assume("service.instances", size, least, most, told)
    elif other.label in ("Deployment", "DaemonSet"):
        replicas = spec.at("replicas")
        if replicas.exists or other.label == "Deployment":
            draft.put("service.instances", replicas.integer(1, 1), replicas)
        pods.read(spec.at("template", "spec").mapping(), draft)
        _read_update(spec.at("strategy").mapping(), draft)


def _read_update(strategy: View, draft: Draft) -> None:
    """How the primary, a copy of the target, becomes new."""
    kind, rolling = strategy.at("type"), strategy.at("rollingUpdate").mapping()
    if kind.choice({"RollingUpdate": False, "Recreate": True}, False):
        _put(draft, "max_surge", "0", kind)
        _put(draft, "max_unavailable", "100%", kind)
        draft.remark(
            "The target is recreated: at the promotion all pods of the primary go at once, and "
            "whoever is not sent to the canary meets nobody until the first new one is ready."
        )
        return
    for key, setting in _STEADY:
        view = rolling.at(key)
        _put(draft, setting, view.portion("25%"), view)


def _read_steps(analysis: View, draft: Draft) -> rules.Analysis:
    """Ticks and weights; what would never move is refused, as what could not be simulated."""
    every, count = analysis.at("interval"), analysis.at("threshold")
    _put(draft, "interval", rules.interval(_go(every)), every)
    threshold = rules.threshold(count.integer(0, -_MOST, _MOST))
    _put(draft, "threshold", threshold, count)
    highest, step = analysis.at("maxWeight"), analysis.at("stepWeight")
    back, steps = analysis.at("stepWeightPromotion"), analysis.at("stepWeights")
    rounds, match, mirror = (analysis.at(key) for key in ("iterations", "match", "mirror"))
    weights = [_percent(one) for one in steps.items()]
    iterations = rounds.integer(0, 0, _MOST)
    matched = match.exists and isinstance(match.data, list) and bool(match.data)
    share = analysis.at("mirrorWeight")
    found = rules.Analysis(
        threshold,
        exact(_percent(highest) or 1.0),
        exact(_percent(step)),
        tuple(exact(weight) for weight in weights),
        exact(_percent(back)),
        iterations,
        matched and iterations > 0,
        mirror.flag(),
        draft.keys.get(f"strategies.{NAME}.provider") != _NO_MESH,
    )
    if not rules.stages(found):
        where = next((one for one in (steps, step, highest) if one.exists), analysis)
        raise where.wrong(
            "no tick would ever change the weight: write a stepWeight above 0, stepWeights that "
            "rise, or iterations"
        )
    _put(draft, "max_weight", float(found.highest), highest)
    _put(draft, "step_weights", [format_share(weight) for weight in weights], steps)
    _put(draft, "step_weight", float(found.step), step)
    _put(draft, "step_weight_promotion", float(found.back), back)
    _put(draft, "iterations", iterations, rounds)
    if found.mirror:
        _put(draft, "mirror", _percent(share, 100), mirror, share)
    affinity = analysis.at("sessionAffinity")
    _put(draft, "session_affinity", affinity.mark().exists, affinity)
    _read_match(match, matched, found, draft)
    _unused(found, (highest, step, steps, back, mirror, share))
    return found


def _percent(view: View, default: int = 0) -> float:
    """Whole per cent, as a share."""
    return view.integer(default, 0, 100) / 100


def _go(view: View) -> float | None:
    """A length of time as Go reads it; None where it reads nothing, or nothing stands there."""
    if not view.exists:
        return None
    if isinstance(view.data, str) and view.data[-1:].isalpha():
        return view.seconds()
    view.say("approximated", "it has no unit: Flagger takes 1 m instead")
    return None


def _read_match(match: View, matched: bool, found: rules.Analysis, draft: Draft) -> None:
    """Which users an A/B test is for: their share is an assumption."""
    if found.by_match:
        match.say(
            "assumed", "a share of the users has such requests", "see strategies.current.match"
        )
        told = f"judgement: users who match {match.place}; look it up in your access log"
        draft.assume(f"strategies.{NAME}.match", format_share(_MATCHED), "1%", "50%", told)
    elif matched:
        match.say(
            "approximated",
            "without iterations it is no A/B test" if found.mesh else "kubernetes cannot match",
            "weights are read as those of all users",
        )


def _unused(found: rules.Analysis, views: tuple[View, ...]) -> None:
    """Weights that have no say: in iterations, and where others win."""
    highest, step, steps, back, mirror, share = views
    why = ""
    if found.checks:
        why = "weights have no say while there are iterations"
        highest.say("no_effect", why)
        step.say("no_effect", why)
        steps.say("no_effect", why)
    elif found.steps:
        highest.say("no_effect", "the last of stepWeights wins")
    if not found.mesh:
        back.say("no_effect", "no traffic can be shifted")
    if not found.mirror or found.by_match or not found.mesh:
        share.say("no_effect", "nothing is copied")
        if found.mirror:
            mirror.say("no_effect", "nothing is copied")


def _remark(found: rules.Analysis, every: float, draft: Draft) -> None:
    """What its author may not expect of the ticks, in numbers."""
    stays, said = rules.rollback_time(found, every), every * found.threshold
    draft.remark(
        f"A canary whose checks all fail keeps its traffic for {_time(stays)} (documented "
        f"{_time(said)}): the tick after the last failed check finds that they are too many."
    )
    stages = rules.stages(found)
    last = stages[-1].weight
    if not found.checks and last > found.target:
        draft.remark(
            f"Weights go up to {format_share(float(last))}, beyond the {_share(found.target)} "
            "asked for: the last step is whole."
        )
    if found.by_match or last < 1:
        who = "users who match" if found.by_match else _share(last)
        draft.remark(
            f"The last check sees {who}; then the primary rolls and everybody gets the new "
            "version without any further check."
        )


def _share(weight: Any) -> str:
    return format_share(float(weight))


def _time(seconds: float) -> str:
    return format_duration(float(seconds))


def alternatives(document: View) -> Iterator[Alternative]:
    """Other ways to write a Canary's analysis."""
    spec = document.at("spec")
    analysis = _analysis(spec)
    if not analysis.exists:
        return
    stricter = ((analysis.at("threshold"), 2),)
    yield Alternative("two failed checks", stricter, "less time with a canary that fails")
    minute = ((analysis.at("interval"), "1m"),)
    yield Alternative("a tick each minute", minute, "more requests in each check")
    if analysis.peek("iterations"):
        rounds = int(analysis.at("iterations").integer(1, 0, _MOST))
        longer = ((analysis.at("iterations"), 2 * rounds),)
        yield Alternative("twice the iterations", longer, "more time in which it can show")
        return
    small = ((analysis.at("stepWeights"), [1, 2, 5, 10, 25, 50]), (analysis.at("stepWeight"), None))
    yield Alternative("from 1 % to 50 % in six steps", small, "few users at first")
    fine = ((analysis.at("stepWeight"), 2),)
    yield Alternative("steps of 2 %", fine, "more checks before many users meet it")
    whole = ((analysis.at("maxWeight"), 100), (analysis.at("stepWeight"), 20))
    yield Alternative("checked up to everybody", whole, "no part of the traffic comes unchecked")


READER = Reader("flagger", "Canaries of Flagger (flagger.app)", find)
