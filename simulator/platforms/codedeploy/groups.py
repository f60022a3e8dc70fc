"""Reading deployment groups of CodeDeploy: of templates, Terraform plans and the command line.

Sources: the CodeDeploy API of 2026 and the user guide of 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulator.platforms.codedeploy import names as fields
from simulator.platforms.codedeploy import rules
from simulator.words import aws
from simulator.words.brought import Alternative, Draft, Reader, Workload
from simulator.words.documents import Path

if TYPE_CHECKING:
    from simulator.bring.view import View

_PREFIX = "CodeDeployDefault."
_PLATFORMS = {name: name for name in ("Server", "ECS", "Lambda")}
_FIRST = {"Server": "OneAtATime", "ECS": "ECSAllAtOnce", "Lambda": "LambdaAllAtOnce"}
_ROUTINGS = {name: name for name in ("AllAtOnce", "TimeBasedCanary", "TimeBasedLinear")}
_HOSTS = {"HOST_COUNT": "", "FLEET_PERCENT": "%"}
_ALIAS, _UPDATE = "AWS::Lambda::Alias", "CodeDeployLambdaAliasUpdate"
_KEPT_ALIVE = "2d"  # the old fleet stays until somebody ends it: as long as CodeDeploy lets it wait


class _Group(NamedTuple):
    """A group and the documents around it."""

    view: View
    names: fields.Names
    config: View | None
    platform: str
    targets: list[View]
    balancers: list[View]
    alarms: list[View]
    others: list[View]

    def at(self, path: Path) -> View:
        return self.view.at(*path)

    @property
    def moved(self) -> tuple[str, ...]:
        """The services and aliases that the group moves itself; hosts are only reinstalled."""
        targets = () if self.platform == "Server" else self.targets
        return tuple(
            one.called if f"{one.label}." in one.called else f"{one.label}/{one.called}"
            for one in targets
        )


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The groups among the documents."""
    for document in documents:
        if document.label in fields.GROUPS:
            group = of(document, documents)
            yield Workload(
                document.called,
                document.label,
                (document, *group.others),
                partial(read, group),
                partial(alternatives, group),
                group.moved,
            )


def of(document: View, documents: Sequence[View]) -> _Group:
    """A group with what its template, plan or the other files link it to."""
    names = fields.OF[document.label]
    configs = document.at(*names.config).linked(documents, *fields.CONFIGS)
    services = document.at(*names.services).linked(documents, *aws.SERVICES)
    fleets = document.at(*names.fleets).linked(documents, *aws.FLEETS)
    apps = document.at(*names.application).linked(documents, *fields.APPLICATIONS)
    alarms = document.at(*names.alarms).linked(documents, *aws.ALARMS)
    aliases = [
        one
        for one in documents
        if one.label == _ALIAS
        and document in one.at("UpdatePolicy").linked(documents, document.label)
    ]
    targets = [*services, *fleets, *aliases]
    balancers = [one for target in targets for one in target.linked(documents, *aws.BALANCERS)]
    config = configs[0] if configs else None
    platform = _platform(document, names, config, apps, bool(services), bool(aliases))
    others = [*configs, *services[:1], *fleets[:1], *aliases[:1], *balancers[:1], *alarms, *apps]
    return _Group(document, names, config, platform, targets, balancers, alarms, others)


def _platform(
    document: View,
    names: fields.Names,
    config: View | None,
    apps: Sequence[View],
    services: bool,
    aliases: bool,
) -> str:
    """Server, ECS or Lambda: what the group deploys to."""
    if services or document.at(*names.services).exists:
        return "ECS"
    if aliases:
        return "Lambda"
    name = document.name(*names.config).removeprefix(_PREFIX)
    for platform in ("ECS", "Lambda"):
        if name.startswith(platform):
            return platform
    for one in (config, *apps):
        if one is not None and one.at(*names.platform).exists:
            return str(one.at(*names.platform).choice(_PLATFORMS, "Server"))
    return "Server"


def read(group: _Group, draft: Draft) -> None:
    """Put what a group says about its deployments into the draft."""
    if group.platform == "Lambda":
        draft.put("service.elastic", True, "functions of AWS Lambda")
        draft.without_profile()
    else:
        _read_target(group, draft)
    if group.platform == "Server":
        _read_hosts(group, draft)
    else:
        _read_shift(group, draft)
    _read_rollback(group, draft)


def _read_target(group: _Group, draft: Draft) -> None:
    """How many tasks or hosts there are, and on what they run."""
    names = group.names
    ecs = group.platform == "ECS"
    target = group.targets[0] if group.targets else None
    profile, origin = "ec2-ami", "assumed of hosts: virtual machines"
    if ecs:
        profile, origin = "ecs-fargate", "assumed of ECS: tasks on Fargate"
        launch = target.at(*names.launch) if target is not None else None
        if launch is not None and launch.exists:
            profile = "ecs-fargate" if launch.text() == "FARGATE" else "ecs-ec2"
            draft.put("profile", profile, launch)
    if "profile" not in draft.keys:
        draft.put("profile", profile, origin)
    paths = names.counts if ecs else names.capacities
    stated = [target.at(*path) for path in paths] if target is not None else []
    counts = [view for view in stated if view.exists]
    if counts:
        draft.put("service.instances", counts[0].integer(1, 1), counts[0])
    else:
        draft.assume("service.instances", 10, 2, 100, "the file does not say how many there are")
    draft.balancers.extend(group.balancers[:1])


def _read_hosts(group: _Group, draft: Draft) -> None:
    """Hosts in place, or a second fleet behind the load balancer."""
    names = group.names
    kind, option = group.at(names.kind), group.at(names.option)
    if kind.choice({"IN_PLACE": False, "BLUE_GREEN": True}, False):
        _read_second_fleet(group, kind, draft)
        return
    controlled = {"WITH_TRAFFIC_CONTROL": True, "WITHOUT_TRAFFIC_CONTROL": False}
    if not option.choice(controlled, False):
        draft.balancers.clear()
        draft.put("service.drain", 0.0, option)
        draft.remark(
            "WITHOUT_TRAFFIC_CONTROL: hosts are reinstalled without being taken from the load "
            "balancer, and what they are serving is cut."
        )
    draft.strategy("codedeploy", {}, kind)
    config = group.config
    if config is None:
        name = group.at(names.config)
        draft.put("strategies.current.config", _published(name, "Server"), name)
        return
    healthy = config.at(*names.healthy)
    draft.put("strategies.current.minimum_healthy", *_hosts(healthy, names))
    zonal = config.at(*names.zonal)
    if zonal.exists:
        monitor, first = zonal.at(names.monitor), zonal.at(names.first_monitor)
        draft.put("strategies.current.zonal", True, zonal)
        draft.assume("service.zones", 3, 2, 6, "the file does not say in how many zones")
        draft.put("strategies.current.monitor", monitor.seconds(0), monitor)
        if first.exists:
            draft.put("strategies.current.first_monitor", first.seconds(0), first)
        kept = zonal.at(*names.zone_hosts)
        if kept.exists:
            draft.put("strategies.current.zone_minimum", *_hosts(kept, names))


def _hosts(healthy: View, names: fields.Names) -> tuple[str, View, View]:
    """A minimum of healthy hosts as a scenario says it, and where it stands."""
    kind, value = healthy.at(names.type), healthy.at(names.value)
    unit = kind.choice(_HOSTS, "")
    most = 99 if unit else 10**6
    return f"{value.integer(0, 0, most)}{unit}", value, kind


def _published(name: View, platform: str) -> str:
    """The name of a published configuration."""
    text = name.text(_FIRST[platform]).removeprefix(_PREFIX)
    known = rules.HOSTS if platform == "Server" else rules.SHIFTS
    if text not in known:
        raise name.wrong(
            f"{text!r} is no published configuration of {platform}; give its DeploymentConfig in "
            f"the same file, or take one of {', '.join(known)}"
        )
    return text


def _read_second_fleet(group: _Group, kind: View, draft: Draft) -> None:
    """Blue/green of hosts: a copy of the fleet, all traffic at once."""
    draft.strategy("blue_green", {}, kind)
    _read_old_fleet(group, "keep_old", draft)
    config = group.at(group.names.config)
    if config.exists:
        config.say(
            "approximated",
            "all hosts of the second fleet are registered at once",
            "with one at a time the shift takes longer and can stop midway",
        )


def _read_shift(group: _Group, draft: Draft) -> None:
    """A shift of traffic to a second fleet of tasks, or to a function's new version."""
    names = group.names
    kind = group.at(names.kind)
    if not kind.choice({"BLUE_GREEN": True, "IN_PLACE": False}, True):
        raise kind.wrong(f"is IN_PLACE: CodeDeploy refuses it for {group.platform}; BLUE_GREEN")
    draft.strategy("codedeploy", {}, kind)
    config = group.config
    name = group.at(names.config)
    if config is None:
        draft.put("strategies.current.config", _published(name, group.platform), name)
    else:
        draft.put("strategies.current.config", *own_shift(config, names, group.platform))
    if group.platform == "ECS":
        _read_old_fleet(group, "terminate_after", draft)
    for target in group.targets:
        read_hook(target.at("UpdatePolicy", _UPDATE, "BeforeAllowTrafficHook"), draft)


def read_hook(hook: View, draft: Draft) -> None:
    """A function that tests the new version before any traffic."""
    if not hook.exists and not hook.unknown:
        return
    draft.keys["strategies.current.smoke.for"] = "0s"
    path = "strategies.current.smoke.catches"
    draft.assume(path, "50%", "20%", "80%", "what the hook's function finds: judgement")
    hook.say("assumed", "its function finds half of the bad versions, before any traffic")


def own_shift(config: View, names: fields.Names, platform: str) -> tuple[str, *tuple[View, ...]]:
    """A shift of one's own in the words of the published ones, and where it stands."""
    routing = config.at(*names.routing)
    found = routing.choice(_ROUTINGS, "AllAtOnce")
    if found == "AllAtOnce":
        return f"{platform}AllAtOnce", routing
    canary = found == "TimeBasedCanary"
    block = config.at(*(names.canary if canary else names.linear))
    percent = block.at(names.percents[not canary])
    interval = block.at(names.intervals[not canary])
    word, every = ("Canary", "") if canary else ("Linear", "Every")
    share, minutes = percent.integer(10), interval.integer(5)
    name = f"{platform}{word}{share}Percent{every}{minutes}Minutes"
    if reason := rules.refuse_shift(name):
        raise percent.wrong(f"{reason}; change it")
    return name, percent, interval, routing


def _read_old_fleet(group: _Group, key: str, draft: Draft) -> None:
    """How long the old fleet is kept."""
    names = group.names
    action, wait, ready = group.at(names.terminate), group.at(names.wait), group.at(names.ready)
    if action.choice({"TERMINATE": True, "KEEP_ALIVE": False}, True):
        draft.put(f"strategies.current.{key}", wait.integer(0, 0, 2880) * 60.0, wait, action)
    else:
        draft.put(f"strategies.current.{key}", _KEPT_ALIVE, action)
    if ready.choice({"CONTINUE_DEPLOYMENT": False, "STOP_DEPLOYMENT": True}, False):
        ready.say(
            "ignored",
            "how long a person takes to reroute the traffic is not known",
            "traffic is rerouted at once; CodeDeploy stops where nobody does it in time",
        )


def _read_rollback(group: _Group, draft: Draft) -> None:
    """What stops a deployment, and what takes it back by itself."""
    names = group.names
    on, events = group.at(names.rollback), group.at(names.events)
    meant = {view.text() for view in events.items()} if on.flag(False) else set()
    if on.exists and not on.flag():
        events.say("no_effect", "automatic rollback is off")
    failed = "DEPLOYMENT_FAILURE" in meant
    if draft.keys["strategies.current.kind"] == "codedeploy":
        draft.put("strategies.current.rollback", failed, on, events)
    watches = group.at(names.alarms_on).flag(group.at(names.alarms).exists)
    if not watches:
        for view in group.alarms:
            view.say("no_effect", "the group's alarms are off")
        draft.unwatched(
            group.at(names.alarms_on),
            "No alarm stops a deployment: a bad one goes on until people report it.",
        )
        return
    named = group.at(names.alarms)
    draft.watch(group.alarms, named)
    named.mark()
    if "DEPLOYMENT_STOP_ON_ALARM" not in meant:
        draft.undone_by_people(on, events)
        draft.remark(
            "Alarms stop a deployment but do not take it back: "
            "AutoRollbackConfiguration.Events lacks DEPLOYMENT_STOP_ON_ALARM."
        )


def alternatives(group: _Group) -> Iterator[Alternative]:
    """Other ways to write a group."""
    names = group.names
    back = (
        (group.at(names.rollback), True),
        (group.at(names.events), ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]),
    )
    yield Alternative("rolls back by itself", back, "what fails or raises an alarm is taken back")
    slower = {"Server": "OneAtATime", "ECS": "ECSCanary10Percent15Minutes"}
    name = slower.get(group.platform, "LambdaCanary10Percent30Minutes")
    careful = ((group.at(names.config), f"{_PREFIX}{name}"),)
    yield Alternative("in small steps", careful, "a part first, and time to look at it")


READER = Reader(
    "codedeploy", "deployment groups of CodeDeploy (CloudFormation, Terraform, JSON)", find
)
