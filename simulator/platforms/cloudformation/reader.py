"""Reading Auto Scaling groups of CloudFormation templates: how a stack update replaces instances.

Source: AWS CloudFormation user guide, UpdatePolicy and CreationPolicy attributes (2023, 2025).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from simulator.platforms.cloudformation import rules
from simulator.words.brought import Alternative, Draft, Reader, Workload
from simulator.words.units import duration

if TYPE_CHECKING:
    from simulator.bring.view import View

GROUP = "AWS::AutoScaling::AutoScalingGroup"
PROFILE = "ec2-ami"
_BALANCERS = (
    *("AWS::ElasticLoadBalancingV2::TargetGroup", "AWS::ElasticLoadBalancing::LoadBalancer"),
)
_ROLLING, _REPLACING = "AutoScalingRollingUpdate", "AutoScalingReplacingUpdate"
_REFRESH = "AutoScalingInstanceRefresh"  # read as an instance refresh, by auto_scaling
_ISO = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")
_PROCESSES = (
    *("Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance"),
    *("HealthCheck", "InstanceRefresh", "ReplaceUnhealthy", "ScheduledActions"),
)
_NEEDED = {
    "Launch": "no new instance is started",
    "Terminate": "no old instance is ended",
    "AddToLoadBalancer": "no new instance gets traffic",
}
# What else would change the number of instances while they are replaced.
_MEDDLING = ("AlarmNotification", "AZRebalance", "ScheduledActions")
_CHECKING = ("HealthCheck", "ReplaceUnhealthy")  # without them no failed instance is replaced
_STARTING = 110.0  # seconds, the median start of the profile


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The groups among the documents that CloudFormation itself updates."""
    for document in documents:
        if document.label == GROUP and not document.at("UpdatePolicy", _REFRESH).exists:
            yield _workload(document, documents)


def _workload(document: View, documents: Sequence[View]) -> Workload:
    balancers = document.at("Properties").linked(documents, *_BALANCERS)
    updated = document.at("UpdatePolicy", _ROLLING).exists or _replaced(document)
    return Workload(
        document.called,
        GROUP,
        (document, *balancers),
        lambda draft: read(document, balancers, draft),
        lambda: alternatives(document),
        plain=not updated,
    )


def _replaced(document: View) -> bool:
    found = document.peek("UpdatePolicy", _REPLACING, "WillReplace")
    return str(found).lower() == "true"


def read(document: View, balancers: Sequence[View], draft: Draft) -> None:
    """Put what a group says about its updates into the draft."""
    draft.put("profile", PROFILE, "assumed of an Auto Scaling group: instances from an image")
    _read_size(document, draft)
    suspended = _read_processes(document.at("UpdatePolicy", _ROLLING, "SuspendProcesses"), draft)
    _read_health(document, balancers, suspended, draft)
    draft.unwatched(
        "rollback triggers stand in no template",
        "Rollback triggers stand in no template: alarms stop this update only where whoever starts "
        "it names them.",
    )
    replacing = document.at("UpdatePolicy", _REPLACING, "WillReplace")
    if replacing.flag(False):
        _read_replacing(document, replacing, draft)
        return
    rolling = document.at("UpdatePolicy", _ROLLING)
    if not rolling.exists:
        raise document.wrong(
            "has no UpdatePolicy: an update gives the group another template and replaces no "
            "instance; add AutoScalingRollingUpdate"
        )
    _read_rolling(document, rolling.mapping(), draft)
    creation = document.at("CreationPolicy")
    if creation.exists:
        creation.say(
            "no_effect", "it counts when the group is created, not when instances are replaced"
        )


def _read_size(document: View, draft: Draft) -> None:
    inside = document.at("Properties")
    least, wanted = inside.at("MinSize"), inside.at("DesiredCapacity")
    smallest = least.integer(1, 0)
    chosen = wanted if wanted.exists else least
    size = wanted.integer(smallest, 0)
    if size == 0:
        raise chosen.wrong("is 0: the group has no instances that could be replaced")
    draft.put("service.instances", size, chosen)
    if wanted.exists and least.exists:
        least.say("no_effect", "the desired capacity says how many there are")
    if not chosen.exists:
        draft.assume("service.instances", size, 1, 20, "how many instances stands in no file")
        draft.remark(f"{chosen.key} is not known: one instance is assumed (--parameter, or --set).")


def _read_health(
    document: View, balancers: Sequence[View], suspended: Sequence[View], draft: Draft
) -> None:
    """Who checks instances, and how long a new one is left alone."""
    inside = document.at("Properties")
    kind, grace = inside.at("HealthCheckType"), inside.at("HealthCheckGracePeriod")
    draft.balancers.extend(balancers[:1])
    unwatched = [view for view in suspended if view.data in _CHECKING]
    if unwatched:
        draft.put("detection.health", "none", *unwatched)
        for view in (kind, grace):
            if view.exists:
                view.say("no_effect", f"{unwatched[0].data} is suspended while instances come in")
    elif "ELB" in kind.text("EC2").split(","):
        draft.grace = (grace.seconds(0.0), grace)
        if not balancers:
            draft.put("service.start_failure.timeout", 300 + grace.seconds(0) + 60, grace)
    else:
        draft.put("detection.health", "none", kind)
        draft.remark(
            "HealthCheckType is EC2: an instance whose application does not start counts as "
            "healthy, and nobody replaces it."
        )
        if grace.exists:
            grace.say("no_effect", "EC2 status checks do not see the application")


def _read_replacing(document: View, replacing: View, draft: Draft) -> None:
    """A second group beside the old one."""
    draft.strategy("immutable", {"first": "100%"}, replacing)
    most = document.at("Properties", "MaxSize")
    if most.exists:
        most.say("no_effect", "the second group has the same maximum for itself")
    creation = document.at("CreationPolicy")
    if not creation.exists:
        draft.remark(
            "WillReplace without a CreationPolicy: the old group is deleted as soon as the new one "
            "exists, before its instances serve."
        )
        return
    creation.say(
        "approximated",
        "the new group serves once its instances are ready; the timeout is not waited for",
        "an update whose instances do not signal in time is taken back earlier or later",
    )
    rolling = document.at("UpdatePolicy", _ROLLING)
    if rolling.exists:
        rolling.say("no_effect", "AutoScalingReplacingUpdate comes first")


def _read_rolling(document: View, rolling: View, draft: Draft) -> None:
    """Batches, signals and pauses."""
    size = int(draft.keys["service.instances"])
    batch, least = rolling.at("MaxBatchSize"), rolling.at("MinInstancesInService")
    pause, waits = rolling.at("PauseTime"), rolling.at("WaitOnResourceSignals")
    share = rolling.at("MinSuccessfulInstancesPercent")
    draft.strategy("cloudformation_rolling", {}, rolling)
    kept, at_once, signals = least.integer(0), batch.integer(1, 1, 100), waits.flag(False)
    at_once = _read_most(document, size, kept, at_once, draft)
    for key, value, where in (
        ("max_batch", at_once, batch),
        ("min_in_service", kept, least),
        ("pause", _iso(pause), pause),
        ("wait_on_signals", signals, waits),
        ("min_successful", share.percent(1.0), share),
    ):
        if value is not None:
            draft.put(f"strategies.current.{key}", value, where)
    if rolling.at("MinActiveInstancesPercent").exists:
        _read_active(rolling.at("MinActiveInstancesPercent"), kept, size, draft)
    missing = min(at_once, size - min(kept, size))
    if missing == size:
        draft.remark(
            f"MinInstancesInService is {kept} and a batch is {at_once}: all {size} instances may "
            "be gone at once, an outage."
        )
    elif missing:
        draft.remark(
            f"MinInstancesInService is {kept}: while a batch is replaced only {size - missing} of "
            f"{size} instances serve."
        )
    if not signals:
        told = _iso(pause) or 0.0
        draft.remark(
            f"WaitOnResourceSignals is off: the next batch follows after {told:g} s, whether the "
            f"one before serves or not (a start takes about {_STARTING:g} s)."
        )


def _read_most(document: View, size: int, kept: int, at_once: int, draft: Draft) -> int:
    """The batch that the group's MaxSize leaves room for; refuses a minimum that leaves none."""
    most = document.at("Properties", "MaxSize")
    if not most.exists:
        most.integer(0)
        return at_once
    limit = most.integer(size, 0)
    if limit < size:
        raise most.wrong(f"is {limit}, below the {size} instances of the group; raise it")
    if kept >= limit:
        where = document.at("UpdatePolicy", _ROLLING, "MinInstancesInService")
        raise where.wrong(
            f"is {kept}, not below MaxSize ({limit}): CloudFormation refuses the update; lower it, "
            "or raise MaxSize"
        )
    draft.put("service.limit", limit, most)
    if size + rules.batch(size, at_once, kept).added <= limit:
        return at_once
    room = max(limit - kept, 1)
    draft.remark(
        f"MaxSize {limit} leaves room for {room} at a time beside the {kept} in service: batches "
        f"of {at_once} are smaller (inferred)."
    )
    return min(at_once, room)


def _read_active(view: View, kept: int, size: int, draft: Draft) -> None:
    """A share that has to be in service for the update to go on, as a number of instances."""
    wanted = rules.signals_needed(size, view.percent(1.0))
    if wanted > kept:
        draft.put("strategies.current.min_in_service", wanted, view)
    view.say(
        "approximated",
        f"{wanted} of {size} instances are kept in service",
        "CloudFormation lets the update fail when fewer are",
    )


def _read_processes(suspended: View, draft: Draft) -> list[View]:
    """What Auto Scaling may not do meanwhile; refuses what would stop the update itself."""
    named = list(suspended.items())
    for process in named:
        name = process.text()
        if name not in _PROCESSES:
            raise process.wrong(f"{name!r} is no process; allowed: {', '.join(_PROCESSES)}")
        if name in _NEEDED:
            raise process.wrong(
                f"{name} suspended means that {_NEEDED[name]}: the update cannot go on; take it out"
            )
        if name not in _CHECKING:
            process.say("no_effect", "no scaling meddles with a simulated update")
    given = [process.data for process in named]
    free = [name for name in _MEDDLING if name not in given]
    if named and free:
        draft.remark(f"Not suspended: {', '.join(free)}; Auto Scaling may meddle with the update.")
    return named


def _iso(view: View) -> float | None:
    """A length of time as templates write it, in seconds; None if it is left out."""
    if not view.exists:
        view.text()
        return None
    text = view.text()
    if not _ISO.fullmatch(text):
        raise view.wrong(f"{text!r} is no ISO 8601 duration; write e.g. PT15M")
    return duration(text)


def alternatives(document: View) -> Iterator[Alternative]:
    """Other ways to write a group's update policy."""
    rolling = document.at("UpdatePolicy", _ROLLING)
    inside = document.at("Properties")
    count = _whole(inside.at("DesiredCapacity")) or _whole(inside.at("MinSize")) or 2
    waiting = (
        (rolling.at("WaitOnResourceSignals"), True),
        (rolling.at("PauseTime"), "PT15M"),
    )
    yield Alternative(
        "wait for signals", waiting, "a batch that does not serve stops the update, which goes back"
    )
    kept = [(rolling.at("MinInstancesInService"), count), *waiting]
    if _whole(inside.at("MaxSize")) <= count:
        kept.append((inside.at("MaxSize"), count + 1))
    yield Alternative("none missing", tuple(kept), "new instances come before old ones go")
    batch = rolling.at("MaxBatchSize")
    if count // 2 not in (_whole(batch) or 1, 0):
        half = ((batch, count // 2), *waiting)
        yield Alternative("half at a time", half, "another number of batches, two of them")


def _whole(view: View) -> int:
    """A whole number, to compare it without reading it; 0 for anything else."""
    text = str(view.peek())
    return int(text) if text.isdecimal() and len(text) < 7 else 0


READER = Reader("cloudformation", "Auto Scaling groups of CloudFormation templates", find)
