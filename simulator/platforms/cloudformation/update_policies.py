"""How the instances behind a changed group or service are released: its policy as a strategy.

Sources: AWS CloudFormation user guide, UpdatePolicy attribute (2023); Amazon ECS developer guide,
rolling update (2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from simulator.platforms.cloudformation.changes import Action, Change, Replacement
from simulator.platforms.cloudformation.outage import Effect, impact
from simulator.platforms.cloudformation.stack import Resource, Template, references
from simulator.words.units import duration, format_duration

GROUP, SERVICE = "AWS::AutoScaling::AutoScalingGroup", "AWS::ECS::Service"
ALIAS = "AWS::Lambda::Alias"
_TEMPLATE = "AWS::EC2::LaunchTemplate"
# What sets off the group's update policy, and what starts a deployment of a service.
_GROUP_TRIGGERS = frozenset(
    ["LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier"]
)
_SERVICE_TRIGGERS = frozenset(
    (
        *("CapacityProviderStrategy", "LoadBalancers", "NetworkConfiguration"),
        *("PlatformVersion", "ServiceConnectConfiguration", "ServiceRegistries"),
        *("TaskDefinition", "VolumeConfigurations"),
    )
)
_TRIGGERS = {
    GROUP: _GROUP_TRIGGERS,
    SERVICE: _SERVICE_TRIGGERS,
    ALIAS: frozenset({"FunctionVersion"}),
}


class Way(StrEnum):
    """How new instances come in."""

    ROLLING = "rolling"
    REPLACING = "a new one first"
    NOTHING = "nothing is replaced"
    NOT_TOUCHED = "the group does not see it"
    AT_ONCE = "all at once"
    CODE_DEPLOY = "CodeDeploy decides"
    EXTERNAL = "a controller outside decides"
    OWN = "the service's own strategy"
    FAILS = "the update fails"


class Setting(NamedTuple):
    """A setting of a strategy as written in a scenario; `text` None if nobody knows it yet."""

    key: str
    text: str | None


class Release(NamedTuple):
    """What the update of a group or service comes to: a strategy's kind and settings, or why not.

    `instances` is how many it runs, None if the template does not say; `cause` what set it off;
    `warnings` what cannot work.
    """

    resource: str
    way: Way
    kind: str
    settings: tuple[Setting, ...]
    instances: int | None
    cause: str
    warnings: tuple[str, ...]


def releases(changes: Iterable[Change], new: Template) -> tuple[Release, ...]:
    """The releases in a change set: groups and services whose instances are to be other ones."""
    listed = list(changes)
    found = []
    for change in listed:
        if change.action is not Action.MODIFY or change.new is None:
            continue
        triggers = _TRIGGERS.get(change.type, frozenset())
        names = [detail.name for detail in change.details if detail.name in triggers]
        if names or (triggers and change.replacement is Replacement.TRUE):
            found.append(_release(change, change.new, ", ".join(dict.fromkeys(names))))
    modified = {change.name for change in listed if change.type == _TEMPLATE and change.old}
    rolled = {release.resource for release in found}
    for name, group in new.resources.items():
        if group.type == GROUP and name not in rolled and modified & _sources(group):
            cause = ", ".join(sorted(modified & _sources(group)))
            found.append(Release(name, Way.NOT_TOUCHED, "", (), _count(group), cause, ()))
    return tuple(found)


def _release(change: Change, new: Resource, cause: str) -> Release:
    if change.replacement is Replacement.TRUE and change.type != ALIAS:
        fails = impact(change).effect is Effect.FAILS
        way, kind = (Way.FAILS, "") if fails else (Way.REPLACING, "immutable")
        settings = () if fails else (Setting("first", "100%"),)
        return Release(change.name, way, kind, settings, _count(new), cause, ())
    return {GROUP: _group, SERVICE: _service, ALIAS: _alias}[change.type](new, cause)


def _creation(policy: Mapping[str, Any]) -> tuple[Setting, ...]:
    """What a creation policy waits for; without one for nothing."""
    if not policy:
        return (Setting("min_successful", "0%"),)
    signal, share = (
        _mapping(policy, "ResourceSignal"),
        _mapping(policy, "AutoScalingCreationPolicy"),
    )
    return (
        Setting("timeout", _time(signal.get("Timeout", "PT5M"))),
        Setting("min_successful", _percent(share.get("MinSuccessfulInstancesPercent", "100"))),
    )


def _group(group: Resource, cause: str) -> Release:
    """What a group's UpdatePolicy makes of new instances."""
    policy = _mapping(group.attributes, "UpdatePolicy")
    replacing = _mapping(policy, "AutoScalingReplacingUpdate")
    warnings = []
    if replacing.get("WillReplace") == "true":
        creation = _mapping(group.attributes, "CreationPolicy")
        if not creation:
            warnings.append("no CreationPolicy: the old group goes before the new one is ready")
        settings = _creation(creation)
        kind, told = "cloudformation_replacing", tuple(warnings)
        return Release(group.name, Way.REPLACING, kind, settings, _count(group), cause, told)
    if "AutoScalingRollingUpdate" not in policy:
        return Release(group.name, Way.NOTHING, "", (), _count(group), cause, ())
    rolling = _mapping(policy, "AutoScalingRollingUpdate")
    waits = rolling.get("WaitOnResourceSignals", "false")
    share = rolling.get("MinSuccessfulInstancesPercent", "100")
    if waits == "false" and share != "100":
        warnings.append("MinSuccessfulInstancesPercent needs WaitOnResourceSignals: it fails")
        share = "100"
    settings = (
        Setting("max_batch", _whole(rolling.get("MaxBatchSize", "1"))),
        Setting("min_in_service", _whole(rolling.get("MinInstancesInService", "0"))),
        Setting("pause", _time(rolling.get("PauseTime", "PT5M" if waits == "true" else "PT0S"))),
        Setting("wait_on_signals", waits if waits in ("true", "false") else None),
        Setting("min_successful", _percent(share)),
    )
    least, most = settings[1].text, _whole(group.properties.get("MaxSize"))
    if least is not None and most is not None and int(least) >= int(most):
        warnings.append(
            f"MinInstancesInService ({least}) is not below MaxSize ({most}): the update fails"
        )
    kind = "cloudformation_rolling"
    return Release(group.name, Way.ROLLING, kind, settings, _count(group), cause, tuple(warnings))


def _service(service: Resource, cause: str) -> Release:
    """What a service's deployment configuration makes of new tasks."""
    count = _count(service)
    controller = _mapping(service.properties, "DeploymentController").get("Type", "ECS")
    if controller != "ECS":
        way = Way.CODE_DEPLOY if controller == "CODE_DEPLOY" else Way.EXTERNAL
        return Release(service.name, way, "", (), count, cause, ())
    stated = _mapping(service.properties, "DeploymentConfiguration")
    if stated.get("Strategy", "ROLLING") != "ROLLING":
        return Release(service.name, Way.OWN, "", (), count, cause, ())
    daemon = service.properties.get("SchedulingStrategy") == "DAEMON"
    least = stated.get("MinimumHealthyPercent", "0" if daemon else "100")
    most = stated.get("MaximumPercent", "100" if daemon else "200")
    settings: tuple[Setting, ...] = (
        Setting("minimum_healthy", _percent(least)),
        Setting("maximum", _percent(most)),
    )
    breaker = _mapping(stated, "DeploymentCircuitBreaker")
    if breaker.get("Enable") == "true":
        settings += (Setting("circuit_breaker", "true"),)
        if breaker.get("Rollback") == "true":
            settings += (Setting("rollback", "true"),)
    warnings = _stuck(count, _whole(least), _whole(most))
    return Release(service.name, Way.ROLLING, "ecs_rolling", settings, count, cause, warnings)


def _stuck(count: int | None, least: str | None, most: str | None) -> tuple[str, ...]:
    """Whether no task may start and none may stop: percentages rounded up and down."""
    if not count or least is None or most is None:
        return ()
    lower, upper = -(-count * int(least) // 100), count * int(most) // 100
    if lower < count or upper > count:
        return ()
    return (f"of {count} tasks {lower} have to run and {upper} may, so the update hangs",)


def _alias(alias: Resource, cause: str) -> Release:
    """What an alias that is pointed at another version makes of it."""
    if "CodeDeployLambdaAliasUpdate" in _mapping(alias.attributes, "UpdatePolicy"):
        return Release(alias.name, Way.CODE_DEPLOY, "", (), None, cause, ())
    settings = (Setting("in_place", "false"),)
    return Release(alias.name, Way.AT_ONCE, "big_bang", settings, None, cause, ())


def _sources(group: Resource) -> set[str]:
    """The resources that a group launches its instances from."""
    named = ("LaunchTemplate", "MixedInstancesPolicy")
    values = [group.properties.get(prop) for prop in named]
    return {reference.resource for reference in references(values)}


def _mapping(tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tree.get(key)
    return found if isinstance(found, Mapping) else {}


def _count(resource: Resource) -> int | None:
    properties = resource.properties
    if resource.type == SERVICE:
        stated = properties.get("DesiredCount")
    elif resource.type == GROUP:
        stated = properties.get("DesiredCapacity", properties.get("MinSize"))
    else:
        stated = None
    text = _whole(stated)
    return int(text) if text is not None else None


def _whole(value: Any) -> str | None:
    return value if isinstance(value, str) and value.isdecimal() and len(value) < 7 else None


def _percent(value: Any) -> str | None:
    whole = _whole(value)
    return None if whole is None else f"{whole}%"


def _time(value: Any) -> str | None:
    try:
        return format_duration(duration(value)) if isinstance(value, str) else None
    except ValueError:
        return None
