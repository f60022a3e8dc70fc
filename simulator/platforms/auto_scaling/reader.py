"""Reading instance refreshes of Auto Scaling groups: Terraform plans, CloudFormation templates.

Sources: the Auto Scaling API, RefreshPreferences (2026); aws_autoscaling_group of the Terraform AWS
provider; AutoScalingInstanceRefresh of the UpdatePolicy attribute (2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.platforms.auto_scaling import rules
from simulator.words.aws import ALARMS, BALANCERS, FLEETS
from simulator.words.brought import Alternative, Draft, Reader, Workload
from simulator.words.documents import Path

if TYPE_CHECKING:
    from simulator.bring.view import View

PROFILE = "ec2-ami"
_NEEDED = ("Launch", "Terminate", "InstanceRefresh")


class _Names(NamedTuple):
    """Where the fields stand; those of the preferences below `preferences`."""

    desired: Path
    smallest: Path
    largest: Path
    check: Path
    grace: Path
    warmup: Path
    refresh: Path
    strategy: Path
    preferences: Path
    least: str
    most: str
    own_warmup: str
    checkpoints: str
    delay: str
    bake: str
    rollback: str
    alarms: Path


_REFRESH = ("UpdatePolicy", "AutoScalingInstanceRefresh")
_CLOUDFORMATION = _Names(
    ("Properties", "DesiredCapacity"),
    ("Properties", "MinSize"),
    ("Properties", "MaxSize"),
    ("Properties", "HealthCheckType"),
    ("Properties", "HealthCheckGracePeriod"),
    ("Properties", "DefaultInstanceWarmup"),
    _REFRESH,
    (*_REFRESH, "Strategy"),
    (*_REFRESH, "Preferences"),
    *("MinHealthyPercentage", "MaxHealthyPercentage", "InstanceWarmup"),
    *("CheckpointPercentages", "CheckpointDelay", "BakeTime", "AutoRollback"),
    ("AlarmSpecification", "Alarms"),
)
_TERRAFORM = _Names(
    ("desired_capacity",),
    ("min_size",),
    ("max_size",),
    ("health_check_type",),
    ("health_check_grace_period",),
    ("default_instance_warmup",),
    ("instance_refresh", 0),
    ("instance_refresh", 0, "strategy"),
    ("instance_refresh", 0, "preferences", 0),
    *("min_healthy_percentage", "max_healthy_percentage", "instance_warmup"),
    *("checkpoint_percentages", "checkpoint_delay", "bake_time", "auto_rollback"),
    ("alarm_specification", 0, "alarms"),
)


class _Group(NamedTuple):
    """A group and the documents around it."""

    view: View
    names: _Names
    balancers: list[View]
    alarms: list[View]

    def at(self, path: Path) -> View:
        return self.view.at(*path)

    def preference(self, *keys: str | int) -> View:
        """One of the refresh's preferences."""
        return self.view.at(*self.names.preferences, *keys)


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The groups among the documents that refresh their instances."""
    for document in documents:
        if document.label not in FLEETS:
            continue
        template = document.label == FLEETS[0]
        names = _CLOUDFORMATION if template else _TERRAFORM
        refreshed = document.at(*names.refresh).exists
        if refreshed or not template:
            alarms = document.at(*names.preferences, *names.alarms).linked(documents, *ALARMS)
            balancers = document.linked(documents, *BALANCERS)
            group = _Group(document, names, balancers, alarms)
            yield Workload(
                document.called,
                document.label,
                (document, *balancers[:1], *alarms),
                partial(read, group),
                partial(alternatives, group),
                plain=not refreshed,
            )


def read(group: _Group, draft: Draft) -> None:
    """Put what a group says about its refreshes into the draft."""
    names = group.names
    if not group.at(names.refresh).exists:
        raise group.view.wrong(
            "has no instance_refresh: another template reaches new instances only, and nothing is "
            "rolled out; add the block"
        )
    _read_processes(group.at(("suspended_processes",)))
    draft.put("profile", PROFILE, "assumed of an Auto Scaling group: instances from an image")
    size = _read_size(group, draft)
    group.at(names.strategy).choice({"Rolling": True}, True)
    least, most = group.preference(names.least), group.preference(names.most)
    low, high = least.percent(0.9), most.percent(1.0, 200)
    if most.exists and not 1 <= high <= 2:
        raise most.wrong(f"is {100 * high:g}, not within 100 to 200")
    if most.exists and high - low > 1:
        raise most.wrong(
            f"is {100 * high:g}, more than 100 above the minimum of {100 * low:g}; Auto Scaling "
            "refuses it"
        )
    limits = rules.refresh(size, low, high)
    warmup = _warmup(group)
    rolling: dict[str, Any] = {
        "batch": limits.missing + limits.added,
        "surge": limits.added,
        "max_unavailable": limits.missing,
        "pause": warmup.seconds(0.0),
    }
    _put(group, rolling, (least, most, warmup), draft)
    _read_health(group, draft)
    _read_alarms(group, draft)
    if limits.missing:
        draft.remark(
            f"A minimum of {100 * low:g} % of {size} instances lets {limits.missing} be missing at "
            "a time: old ones are ended before new ones serve."
        )


def _read_processes(suspended: View) -> None:
    """What the group may not do; refuses what a refresh needs."""
    for process in suspended.items():
        if process.text() in _NEEDED:
            raise process.wrong(
                f"{process.data} is suspended: a refresh cannot replace instances; take it out"
            )
        process.say("no_effect", "nothing else meddles with a simulated refresh")


def _read_size(group: _Group, draft: Draft) -> int:
    names = group.names
    wanted, smallest, largest = (
        group.at(path) for path in (names.desired, names.smallest, names.largest)
    )
    least = smallest.integer(1, 0)
    size = wanted.integer(least, 0)
    where = wanted if wanted.exists else smallest
    if size == 0:
        raise where.wrong("is 0: the group has no instances that could be replaced")
    if largest.exists and largest.integer(size, 0) < size:
        raise largest.wrong(f"is below the {size} instances of the group; raise it")
    draft.put("service.instances", size, where)
    for view in (smallest, largest):
        if view.exists and view is not where:
            view.say("no_effect", "a refresh keeps the group's size, and may go above its maximum")
    return size


def _warmup(group: _Group) -> View:
    """How long a refresh waits after an instance has come into service, and where it stands."""
    names = group.names
    own, usual = group.preference(names.own_warmup), group.at(names.warmup)
    if own.exists:
        return own
    return usual if usual.exists else group.at(names.grace)


def _put(group: _Group, rolling: dict[str, Any], origins: Sequence[View], draft: Draft) -> None:
    """The strategy: a rolling update, in waves where there are checkpoints."""
    names = group.names
    listed, delay = group.preference(names.checkpoints), group.preference(names.delay)
    bake = group.preference(names.bake)
    shares = [view.percent() for view in listed.items()]
    if bake.exists:
        draft.put("response.watch", bake.seconds(0), bake)
    if not shares:
        if delay.exists:
            raise delay.wrong("needs checkpoint percentages: Auto Scaling refuses it alone")
        draft.strategy("rolling", rolling, *origins)
        return
    if sorted(set(shares)) != shares or shares[0] == 0:
        raise listed.wrong("do not rise; write e.g. [20, 50, 100]")
    ends = shares if shares[-1] == 1 else [*shares, 1.0]
    waves = [round(end - start, 9) for start, end in zip([0.0, *ends], ends, strict=False)]
    seconds = delay.seconds(3600)
    bakes = [seconds] * len(shares) + [0.0] * (len(ends) - len(shares))
    draft.strategy("phased", {}, listed)
    draft.put("strategies.current.waves", waves, listed)
    draft.put("strategies.current.bake", bakes, delay)
    for key, value in {"kind": "rolling", **rolling}.items():
        draft.put(f"strategies.current.within.{key}", value, *origins)


def _read_health(group: _Group, draft: Draft) -> None:
    """Who checks instances, and how long a new one is left alone."""
    names = group.names
    kind, grace = group.at(names.check), group.at(names.grace)
    draft.balancers.extend(group.balancers[:1])
    if "ELB" in kind.text("EC2").split(","):
        seconds = grace.seconds(0.0)
        if group.balancers:
            draft.grace = (seconds, grace)
        else:
            draft.put("service.start_failure.timeout", 300 + seconds + 60, grace)
        return
    draft.put("detection.health", "none", kind)
    draft.remark(
        "The health check is EC2's: an instance whose application does not start counts as "
        "healthy, and the refresh goes on."
    )
    if grace.exists and _warmup(group).path != grace.path:
        grace.say("no_effect", "EC2 status checks do not see the application")


def _read_alarms(group: _Group, draft: Draft) -> None:
    """The alarms that stop a refresh, and whether it goes back then."""
    names = group.names
    named, back = group.preference(*names.alarms), group.preference(names.rollback)
    draft.watch(group.alarms, named)
    named.mark()
    if not back.flag(False):
        draft.undone_by_people(back)
        draft.remark("A refresh that fails stops where it is: auto rollback is off.")


def alternatives(group: _Group) -> Iterator[Alternative]:
    """Other ways to write a group's refresh."""
    names = group.names
    least, most = group.preference(names.least), group.preference(names.most)
    careful = ((least, 100), (most, 110))
    yield Alternative("none missing", careful, "new instances serve before old ones are ended")
    checkpoints = (
        (group.preference(names.checkpoints), [10, 50, 100]),
        (group.preference(names.delay), 600),
    )
    yield Alternative(
        "checkpoints", checkpoints, "ten minutes to look at a tenth, and at half of the instances"
    )


READER = Reader(
    "auto_scaling", "instance refreshes of Auto Scaling groups (Terraform, CloudFormation)", find
)
