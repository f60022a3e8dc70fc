"""Reading option settings of Elastic Beanstalk, wherever they stand.

In `.ebextensions/*.config`, in a saved configuration, in a CloudFormation template's environment,
or in a Terraform plan. Source: the developer guide of 2023, general options for all environments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.platforms.beanstalk import rules
from simulator.words.brought import Alternative, Draft, Kind, Reader, Workload
from simulator.words.units import Portion

if TYPE_CHECKING:
    from simulator.bring.view import View

PROFILE = "ec2-ami"
_COMMAND = "aws:elasticbeanstalk:command"
_SPLITTING = "aws:elasticbeanstalk:trafficsplitting"
_GROUP = "aws:autoscaling:asg"
_UPDATES = "aws:autoscaling:updatepolicy:rollingupdate"
_HEALTH = "aws:elasticbeanstalk:healthreporting:system"
_ENVIRONMENT = "aws:elasticbeanstalk:environment"
_PROCESS = "aws:elasticbeanstalk:environment:process:"
_CLASSIC_CHECKS, _CLASSIC_DRAIN = "aws:elb:healthcheck", "aws:elb:policies"
_VARIABLES = "aws:elasticbeanstalk:application:environment"
_POLICIES: Mapping[str, rules.Policy] = {
    "AllAtOnce": "all_at_once",
    "Rolling": "rolling",
    "RollingWithAdditionalBatch": "rolling_with_additional_batch",
    "Immutable": "immutable",
    "TrafficSplitting": "traffic_splitting",
}
_SECOND_GROUP = ("immutable", "traffic_splitting")
_BATCHES = ("rolling", "rolling_with_additional_batch")
_TIMEOUT, _MARGIN = 600.0, 240.0  # what Beanstalk adds by itself
_DRAIN = 20.0  # its own default of a process
_USUAL = [{"watch": "new", "metric": "errors"}]
# What becomes of options that deployments do not ask for, by the beginning of their namespace
_REST: Mapping[str, tuple[Kind, str, str]] = {
    "aws:autoscaling:trigger": (
        "ignored",
        "scaling is not read; service.scaling says it",
        "a group that grows or shrinks meanwhile deploys to another number of instances",
    ),
    _GROUP: ("no_effect", "scaling is not read; service.scaling says it", ""),
    "aws:elasticbeanstalk:managedactions": (
        "no_effect",
        "platform updates are not simulated",
        "they are deployed by the same policy, at an hour of their own",
    ),
    _PROCESS: ("no_effect", "it says how an instance that serves is checked", ""),
    _CLASSIC_CHECKS: ("no_effect", "it says how an instance that serves is checked", ""),
}
_TIERS = {"WebServer": rules.CHECKS, "Worker": rules.WORKER_CHECKS}
# What documents are called -> where their settings stand, and how an entry of a list is written
_FORMS: Mapping[str, tuple[tuple[str, ...], tuple[str, str, str]]] = {
    "option_settings": (("option_settings",), ("namespace", "option_name", "value")),
    "OptionSettings": (("OptionSettings",), ("Namespace", "OptionName", "Value")),
    "AWS::ElasticBeanstalk::Environment": (
        ("Properties", "OptionSettings"),
        ("Namespace", "OptionName", "Value"),
    ),
    "aws_elastic_beanstalk_environment": (("setting",), ("namespace", "name", "value")),
}


class Options:
    """The option settings of documents; of several that set the same option the last one holds."""

    def __init__(self, documents: Sequence[View]) -> None:
        self.documents = tuple(documents)
        self._found: dict[tuple[str, str], View] = {}
        for document in documents:
            for namespace, name, value in _entries(document):
                earlier = self._found.get((namespace, name))
                if earlier is not None:
                    earlier.say("no_effect", "another setting of the same option follows")
                self._found[namespace, name] = value

    def at(self, namespace: str, name: str) -> View:
        """The value of an option, or nothing at the place where it could stand."""
        found = self._found.get((namespace, name))
        return self._free(namespace, name) if found is None else found

    def like(self, prefix: str, name: str) -> View | None:
        """The value of an option in the first namespace that begins so."""
        for (namespace, own), value in self._found.items():
            if namespace.startswith(prefix) and own == name:
                return value
        return None

    def within(self, namespace: str) -> Iterator[View]:
        """All values of a namespace."""
        return (value for (own, _), value in self._found.items() if own == namespace)

    def tell_the_rest(self) -> None:
        """Say of every option that was not looked at why not."""
        for (namespace, _), view in self._found.items():
            if not view.log.read.isdisjoint({path for path, _ in view.leaves()}):
                continue
            if view.path in view.log.said:
                continue
            rest = (row for begin, row in _REST.items() if namespace.startswith(begin))
            view.say(*next(rest, ("outside", "", "")))

    def change(self, namespace: str, name: str, value: Any) -> tuple[View, Any]:
        """The change that sets an option, as an alternative says it."""
        if (namespace, name) in self._found:
            return self._found[namespace, name], value
        where, keys = _FORMS[self.documents[0].label]
        settings = self.documents[0].at(*where)
        if isinstance(settings.data, list):
            entry = dict(zip(keys, (namespace, name, value), strict=True))
            return settings.at(len(settings.data)), entry
        return self._free(namespace, name), value

    def _free(self, namespace: str, name: str) -> View:
        where, _ = _FORMS[self.documents[0].label]
        return self.documents[0].at(*where, namespace, name)


class _Entry(NamedTuple):
    namespace: str
    name: str
    value: View


def _entries(document: View) -> Iterator[_Entry]:
    """Each option of a document, in either form."""
    where, (space, name, value) = _FORMS[document.label]
    for entry in document.at(*where).items():
        if isinstance(document.at(*where).data, Mapping):
            for option in entry.mapping().items():
                yield _Entry(entry.key, option.key, option)
        else:
            told = entry.mapping().name(space) or _VARIABLES
            yield _Entry(told, entry.name(name), entry.at(value))


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The environments among the documents; all `.config` files together make up one."""
    together: list[View] = []
    for document in documents:
        if document.label in _FORMS:
            yield _workload(_called(document), document.label, [document])
        elif not document.label and isinstance(document.data, Mapping):
            for label in ("option_settings", "OptionSettings"):
                if isinstance(document.data.get(label), Mapping | list):
                    together.append(document.rooted(label))
    if together:
        yield _workload("environment", "Beanstalk", together)


def _called(document: View) -> str:
    names = (("Properties", "EnvironmentName"), ("name",), ())
    return next((found for path in names if (found := document.name(*path))), document.key)


def _workload(name: str, what: str, documents: Sequence[View]) -> Workload:
    options = Options(documents)
    return Workload(
        name,
        what,
        options.documents,
        lambda draft: read(options, draft),
        lambda: alternatives(options),
    )


def read(options: Options, draft: Draft) -> None:
    """Put what option settings say about deployments into the draft."""
    draft.put("profile", PROFILE, "assumed of Elastic Beanstalk: virtual machines")
    stated = options.at(_COMMAND, "DeploymentPolicy")
    policy: rules.Policy = stated.choice(_POLICIES, "all_at_once")
    draft.strategy("beanstalk", {}, stated)
    draft.put("strategies.current.policy", policy, stated)
    size = _read_size(options, draft)
    _read_batch(options, policy, size, draft)
    _read_splitting(options, policy, draft)
    _read_balancer(options, policy, draft)
    timeout = options.at(_COMMAND, "Timeout")
    seconds = timeout.integer(int(_TIMEOUT), 1, 3600) + _MARGIN
    draft.put("service.start_failure.timeout", seconds, timeout)
    for view in options.within(_UPDATES):
        view.say("no_effect", "it is for changes of the configuration, not of the version")
    options.tell_the_rest()
    if policy == "all_at_once":
        draft.remark(
            f"AllAtOnce: all {size} instances stop at the same time; nobody serves until one has "
            "the new version."
        )
    elif policy in _BATCHES:
        draft.remark(
            "A batch that fails stops the deployment and nothing takes it back: the instances "
            "before it keep the new version until a person acts."
        )


def _read_size(options: Options, draft: Draft) -> int:
    """How many instances there are."""
    single = options.at(_ENVIRONMENT, "EnvironmentType")
    least, most = options.at(_GROUP, "MinSize"), options.at(_GROUP, "MaxSize")
    kinds = {"SingleInstance": True, "LoadBalanced": False}
    if single.choice(kinds, False):
        draft.put("service.instances", 1, single)
        for view in (least, most):
            if view.exists:
                view.say("no_effect", "there is a single instance")
        return 1
    if single.exists:
        single.say("no_effect", "it is what is simulated")
    if not least.exists:
        source = "between MinSize and MaxSize of the Auto Scaling group, 1 and 4 by default"
        draft.assume("service.instances", 2, 1, most.integer(4, 1, 10_000), source)
        size = 2
    else:
        size = least.integer(1, 1, 10_000)
        draft.put("service.instances", size, least)
    if most.exists:
        most.say(
            "no_effect",
            "scaling is not read; service.scaling says it",
            "with more load there are more instances",
        )
    return size


def _read_batch(options: Options, policy: rules.Policy, size: int, draft: Draft) -> None:
    kind, each = options.at(_COMMAND, "BatchSizeType"), options.at(_COMMAND, "BatchSize")
    if policy not in _BATCHES:
        for view in (kind, each):
            if view.exists:
                view.say("no_effect", "only rolling policies deploy in batches")
        return
    share = kind.choice({"Percentage": True, "Fixed": False}, True)
    number = each.integer(100 if share else 1, 1, 100 if share else 10_000)
    draft.put("strategies.current.batch", f"{number}%" if share else str(number), each, kind)
    count = rules.batch(size, Portion.parse(f"{number}%" if share else number))
    if count == size and policy == "rolling":
        draft.remark(
            f"A batch of {number}{'%' if share else ''} is all {size} instances: rolling is an "
            "outage as with AllAtOnce."
        )


def _read_splitting(options: Options, policy: rules.Policy, draft: Draft) -> None:
    part = options.at(_SPLITTING, "NewVersionPercent")
    minutes = options.at(_SPLITTING, "EvaluationTime")
    if policy != "traffic_splitting":
        for view in (part, minutes):
            if view.exists:
                view.say("no_effect", "only TrafficSplitting splits traffic")
        return
    share = part.integer(10, 1, 100) / 100
    draft.put("strategies.current.new_version", share, part)
    draft.put("strategies.current.evaluation", 60.0 * minutes.integer(5, 3, 600), minutes)


def _read_balancer(options: Options, policy: rules.Policy, draft: Draft) -> None:
    """Health, how long it takes to be healthy, and how long connections drain."""
    system, ignore = options.at(_HEALTH, "SystemType"), options.at(_COMMAND, "IgnoreHealthCheck")
    enhanced = system.choice({"enhanced": True, "basic": False}, policy in _SECOND_GROUP)
    if not enhanced and policy in _SECOND_GROUP:
        raise system.wrong(f"is basic: {policy} needs enhanced health reporting")
    checks = _checks(options)
    if enhanced:
        tier = _tier(options)
        wait = tier.choice(_TIERS, rules.CHECKS) * rules.CHECK_EVERY
        draft.put("strategies.current.health_wait", wait, system, tier)
        _unused(checks, "enhanced health decides when an instance is healthy")
        source = "enhanced health sees failed requests; its limits are not published"
        draft.assume("detection.alarms", _USUAL, "none", _USUAL, source)
        if policy not in _SECOND_GROUP:
            draft.undone_by_people("Beanstalk takes no failed batch back")
    else:
        every, times = checks
        wait = every[1].seconds(every[0]) * times[1].integer(int(times[0]), 1, 10)
        draft.put("strategies.current.health_wait", wait, every[1], times[1])
        draft.unwatched(
            system,
            "Basic health looks at the load balancer's checks only: a version that answers them "
            "and fails requests goes on until people report it.",
        )
    if ignore.exists:
        ignore.flag()
        ignore.say("approximated", "failed checks stop a deployment here")
    _read_drain(options, draft)
    sticky = options.like(_PROCESS, "StickinessEnabled")
    if sticky is not None:
        draft.put("traffic.sticky", sticky.flag(), sticky)


def _tier(options: Options) -> View:
    """Whether it is a web server or a worker, which has to be healthy for longer."""
    first = options.documents[0]
    paths = (("Properties", "Tier", "Name"), ("EnvironmentTier", "Name"), ("tier",))
    return next((found for path in paths if (found := first.at(*path)).exists), first.at("tier"))


_Check = tuple[float, "View"]


def _checks(options: Options) -> tuple[_Check, _Check]:
    """Interval and healthy threshold of the load balancer, each with its default."""
    own = (
        options.like(_PROCESS, "HealthCheckInterval"),
        options.like(_PROCESS, "HealthyThresholdCount"),
    )
    classic = (
        options.at(_CLASSIC_CHECKS, "Interval"),
        options.at(_CLASSIC_CHECKS, "HealthyThreshold"),
    )
    if any(view.exists for view in classic) and own == (None, None):
        return (10.0, classic[0]), (3, classic[1])
    free = f"{_PROCESS}default"
    every = own[0] or options.at(free, "HealthCheckInterval")
    return (15.0, every), (3, own[1] or options.at(free, "HealthyThresholdCount"))


def _unused(checks: tuple[_Check, _Check], why: str) -> None:
    for _, view in checks:
        if view.exists:
            view.say("no_effect", why)


def _read_drain(options: Options, draft: Draft) -> None:
    delay = options.like(_PROCESS, "DeregistrationDelay")
    on = options.at(_CLASSIC_DRAIN, "ConnectionDrainingEnabled")
    length = options.at(_CLASSIC_DRAIN, "ConnectionDrainingTimeout")
    if delay is None and (on.exists or length.exists):
        drains = on.flag()
        draft.put("service.drain", length.seconds(_DRAIN) if drains else 0.0, length, on)
        if not drains and length.exists:
            length.say("no_effect", "connections are not drained")
        return
    view = delay or options.at(f"{_PROCESS}default", "DeregistrationDelay")
    draft.put("service.drain", view.seconds(_DRAIN), view)


def alternatives(options: Options) -> Iterator[Alternative]:
    """Other deployment policies."""
    policy = options.at(_COMMAND, "DeploymentPolicy").data
    enhanced = options.change(_HEALTH, "SystemType", "enhanced")

    def said(name: str) -> tuple[View, Any]:
        return options.change(_COMMAND, "DeploymentPolicy", name)

    if policy != "Immutable":
        changes = (said("Immutable"), enhanced)
        yield Alternative("immutable updates", changes, "a second group; what fails is terminated")
    if policy != "TrafficSplitting":
        changes = (said("TrafficSplitting"), enhanced)
        yield Alternative("traffic splitting", changes, "a tenth of the traffic first")
    else:
        longer = (options.change(_SPLITTING, "EvaluationTime", "30"),)
        yield Alternative("half an hour of evaluation", longer, "time to see what fails")
    if policy != "RollingWithAdditionalBatch":
        kind = options.at(_COMMAND, "BatchSizeType")
        changes = (said("RollingWithAdditionalBatch"), enhanced)
        more = ((kind, "Percentage"),) if kind.exists else ()
        batch = options.change(_COMMAND, "BatchSize", "25")
        aim = "a quarter at a time, none missing"
        yield Alternative("additional batch", (*changes, batch, *more), aim)


READER = Reader(
    "beanstalk", "option settings of Elastic Beanstalk (.config files, saved configurations)", find
)
