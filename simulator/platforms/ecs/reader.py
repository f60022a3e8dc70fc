"""Reading ECS services from CloudFormation templates, Terraform plans, and the API's JSON.

Sources: AWS::ECS::Service in the CloudFormation template reference (2026), the ECS API, and the
Terraform AWS provider's aws_ecs_service. Defaults are the API's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.platforms.ecs import rules
from simulator.platforms.ecs.names import OF, Names
from simulator.words.aws import ALARMS, BALANCERS, SERVICES
from simulator.words.brought import Alternative, Draft, Reader, Workload
from simulator.words.documents import Path

if TYPE_CHECKING:
    from simulator.bring.view import View

_TASKS = ("AWS::ECS::TaskDefinition", "aws_ecs_task_definition", "taskDefinition")
_MINUTE = 60.0
_START = 300.0  # until a task is registered: judgement, longer than all but slow starts
_STRATEGIES = {
    "ROLLING": "ecs_rolling",
    "BLUE_GREEN": "ecs_blue_green",
    "LINEAR": "ecs_linear",
    "CANARY": "ecs_canary",
}
_PERCENTS = {"BOUNDED_PERCENT": False, "UNBOUNDED_PERCENT": False}
_CONTROLLERS = {name: name for name in ("ECS", "CODE_DEPLOY", "EXTERNAL")}
_LAUNCHES = {"FARGATE": "ecs-fargate", "EC2": "ecs-ec2", "EXTERNAL": "ecs-ec2"}


class _Service(NamedTuple):
    """A service and the documents around it."""

    view: View
    names: Names
    tasks: list[View]
    groups: list[View]
    alarms: list[View]

    def at(self, path: Path) -> View:
        return self.view.at(*path)

    @property
    def kind(self) -> str:
        """The kind of strategy that its own deployments are; refuses an unknown one."""
        return str(self.at(self.names.strategy).choice(_STRATEGIES, "ecs_rolling"))

    @property
    def balanced(self) -> bool:
        named = self.at(self.names.balancers)
        return bool(self.groups) or (named.exists and named.data != []) or named.unknown


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The services among the documents."""
    for document in documents:
        if document.label in SERVICES:
            yield _workload(service_of(document, documents))


def service_of(document: View, documents: Sequence[View]) -> _Service:
    """A service with what its template or plan links it to."""
    names = OF[document.label]
    return _Service(
        document,
        names,
        _tasks(document, names, documents),
        document.linked(documents, *BALANCERS),
        document.at(*names.alarms).linked(documents, *ALARMS),
    )


def _tasks(document: View, names: Names, documents: Sequence[View]) -> list[View]:
    """The task definitions of a service; it names one by its family, a revision, or an ARN."""
    linked = document.linked(documents, *_TASKS)
    family = document.name(*names.task).rpartition("/")[2].partition(":")[0]
    alike = [one for one in documents if one.label in _TASKS and one.called == family]
    return linked or (alike if family else [])


def _workload(service: _Service) -> Workload:
    around = (*service.tasks, *service.groups, *service.alarms)
    return Workload(
        service.view.called,
        service.view.label,
        (service.view, *around),
        lambda draft: read(service, draft),
        lambda: alternatives(service),
    )


def read(service: _Service, draft: Draft) -> None:
    """Put what a service says about its deployments into the draft."""
    names = service.names
    controller = service.at(names.controller)
    if controller.choice(_CONTROLLERS, "ECS") != "ECS":
        raise controller.wrong(
            f"is {controller.data}: another controller moves the service; give its deployment "
            "group in the same file, or remove it"
        )
    _read_size(service, draft)
    _read_tasks(service, draft)
    if service.kind == "ecs_rolling":
        _read_rolling(service, draft)
    else:
        _read_shift(service, draft)
    _read_alarms(service, draft)


def _read_size(service: _Service, draft: Draft) -> None:
    """How many tasks there are, and on what they run."""
    names = service.names
    launch, provider = service.at(names.launch), service.at((*names.providers, 0, names.provider))
    profile = launch.choice(_LAUNCHES, "ecs-ec2")
    if not launch.exists and provider.exists:
        profile = "ecs-fargate" if provider.text().startswith("FARGATE") else "ecs-ec2"
    draft.put("profile", profile, launch if launch.exists else provider)
    count = service.at(names.desired)
    draft.put("service.instances", count.integer(1, 1), count)
    if not count.exists:
        draft.assume("service.instances", 1, 1, 20, "how many tasks stands in no file: the default")
        draft.remark(f"{count.key} is not known: one task is assumed (--parameter, or --set).")


def _read_tasks(service: _Service, draft: Draft) -> None:
    """How a task stops, and when one that does not become healthy is given up."""
    stop, checks = None, None
    for task in service.tasks:
        inside = task.at(*service.names.containers)
        for container in inside.items() if isinstance(inside.data, list) else ():
            found = container.at(service.names.stop)
            stop = found if found.exists and stop is None else stop
            check = container.at(service.names.check)
            checks = check if check.exists and checks is None else checks
        if isinstance(inside.data, str):
            _read_text(inside)
    grace = service.at(service.names.grace)
    if service.balanced:
        draft.grace = (grace.seconds(0), grace)
        draft.balancers.extend(service.groups[:1])
        if not service.groups:
            draft.put("service.drain", 300, "target group not in the files: its default of 300 s")
            draft.put("service.start_failure.timeout", _START + grace.seconds(0) + _MINUTE, grace)
    else:
        seconds = 30.0 if stop is None else stop.seconds(30.0)
        draft.put("service.drain", seconds, stop or "StopTimeout is not set: 30 s")
        if grace.exists:
            grace.say("no_effect", "there is no load balancer whose checks it would outlast")
    if checks is not None:
        _read_check(checks, service.names, draft)


def _read_text(definitions: View) -> None:
    """Containers that stand in a text as JSON: looked at, not into."""
    try:
        listed = json.loads(definitions.data) if isinstance(definitions.data, str) else []
    except ValueError:
        raise definitions.wrong("is no JSON; write a list of containers") from None
    timed = [
        key
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
        for key in ("stopTimeout", "healthCheck")
        if one.get(key)
    ]
    if timed:
        why = f"{' and '.join(dict.fromkeys(timed))} stand in it as text"
        definitions.say("ignored", why, "the target group's checks and draining hold alone")


def _read_check(check: View, names: Names, draft: Draft) -> None:
    """A container's own health check: a task is given up once its retries have failed.

    Where a load balancer checks, too, its checks decide.
    """
    start, interval, retries = fields = tuple(check.at(key) for key in names.checks)
    own = start.seconds(0) + interval.seconds(30) * retries.integer(3, 1, 10)
    if draft.grace is None:
        draft.put("service.start_failure.timeout", _START + own, *fields)
        return
    for view in fields:
        if view.exists:
            view.say(
                "approximated",
                "the load balancer's checks and their grace decide",
                "a task that this check fails earlier is replaced earlier",
            )


def _read_rolling(service: _Service, draft: Draft) -> None:
    """The two percentages and the circuit breaker."""
    names = service.names
    daemons = service.at(names.scheduling).choice({"REPLICA": False, "DAEMON": True}, False)
    least, most = service.at(names.minimum), service.at(names.maximum)
    draft.strategy("ecs_rolling", {}, service.at(names.strategy))
    minimum, maximum = (
        least.percent(0.0 if daemons else 1.0),
        most.percent(1 if daemons else 2, 1e4),
    )
    draft.put("strategies.current.minimum_healthy", minimum, least)
    draft.put("strategies.current.maximum", maximum, most)
    breaker, back = service.at(names.breaker), service.at(names.rollback)
    if breaker.flag(False):
        draft.put("strategies.current.circuit_breaker", True, breaker)
        draft.put("strategies.current.rollback", back.flag(False), back)
        _read_threshold(service, draft)
    else:
        for path in (names.rollback, names.threshold, names.reset):
            if service.at(path).exists:
                service.at(path).say("no_effect", "the circuit breaker is off")
    desired = int(draft.keys["service.instances"])
    bounds = rules.limits(desired, minimum, maximum)
    if rules.stuck(desired, bounds):
        draft.remark(
            f"Of {desired} tasks {bounds.lower} have to run and {bounds.upper} may: no task can "
            "start and none can stop, so a deployment hangs for ever."
        )
        return
    if minimum < 1 and bounds.lower == desired and least.exists:
        draft.remark(
            f"MinimumHealthyPercent {100 * minimum:g} of {desired} tasks is {bounds.lower}, "
            "rounded up: as with 100, none may be missing."
        )
    if not breaker.flag(False):
        draft.remark(
            "The circuit breaker is off: tasks that do not start are started again for ever."
        )


def _read_threshold(service: _Service, draft: Draft) -> None:
    """How many failed tasks break the circuit, and whether a healthy one resets the count."""
    names = service.names
    value, reset = (service.at((*names.threshold, names.keys[1])), service.at(names.reset))
    kind = service.at((*names.threshold, names.keys[0]))
    if kind.exists or value.exists:
        counted = kind.choice({"COUNT": True, **_PERCENTS}, False)
        number = value.integer(3 if counted else 50, 1, 10**6)
        unit = "" if counted else "%"
        draft.put("strategies.current.failure_threshold", f"{number}{unit}", value, kind)
        if kind.data == "UNBOUNDED_PERCENT":
            kind.say("approximated", "a share is kept within 3 to 200 tasks")
    if reset.exists:
        draft.put("strategies.current.reset_on_healthy", reset.flag(True), reset)


def _read_shift(service: _Service, draft: Draft) -> None:
    """The bakes and steps of a deployment that shifts traffic."""
    names, kind = service.names, service.kind
    draft.strategy(kind, {}, service.at(names.strategy))
    bake = service.at(names.bake)
    if kind == "ecs_blue_green":
        fields: tuple[tuple[str, Any, View], ...] = (("bake", bake.number(10) * _MINUTE, bake),)
    elif kind == "ecs_linear":
        step, wait = service.at(names.linear), service.at(names.linear_bake)
        fields = (
            ("step", step.percent(0.1), step),
            ("step_bake", wait.number(6) * _MINUTE, wait),
        )
    else:
        share, wait = service.at(names.canary), service.at(names.canary_bake)
        fields = (
            ("canary", share.percent(0.05), share),
            ("canary_bake", wait.number(10) * _MINUTE, wait),
        )
    for key, value, where in fields:
        draft.put(f"strategies.current.{key}", value, where)
    if kind != "ecs_blue_green" and bake.exists:
        draft.put("response.watch", bake.number(0) * _MINUTE, bake)
        bake.say(
            "approximated",
            "watched for so long after the last step",
            "a rollback in this time starts tasks again; on ECS the old ones still run",
        )
    for path in (names.minimum, names.maximum, names.breaker, names.rollback):
        if service.at(path).exists:
            service.at(path).say("no_effect", "it is for rolling updates only")


def _read_alarms(service: _Service, draft: Draft) -> None:
    """The deployment's alarms, and whether they roll back."""
    names = service.names
    named, back = service.at(names.alarms), service.at(names.alarms_back)
    if not service.at(names.alarms_on).flag(False):
        for view in service.alarms:
            view.say("no_effect", "the deployment's alarms are off")
        for view in (named, back):
            if view.exists:
                view.say("no_effect", "the deployment's alarms are off")
        draft.unwatched(
            service.at(names.alarms_on),
            "No alarm stops a deployment: a bad one goes on until people report it.",
        )
        return
    draft.watch(service.alarms, named)
    named.mark()
    if not back.flag(False):
        draft.undone_by_people(back)


def alternatives(service: _Service) -> Iterator[Alternative]:
    """Other ways to write a service's deployments."""
    names = service.names
    if service.kind == "ecs_rolling":
        breaker = ((service.at(names.breaker), True), (service.at(names.rollback), True))
        yield Alternative(
            "circuit breaker", breaker, "a version that does not start is taken back by itself"
        )
        full = ((service.at(names.minimum), 100), (service.at(names.maximum), 200))
        yield Alternative("all tasks all the time", full, "never fewer tasks than wanted")
    else:
        yield Alternative(
            "canary for half an hour",
            (
                (service.at(names.strategy), "CANARY"),
                (service.at(names.canary), 5),
                (service.at(names.canary_bake), 30),
            ),
            "5 % of the traffic see it for half an hour before the others",
        )


READER = Reader(
    "ecs", "services of Amazon ECS (CloudFormation, Terraform, JSON of the command line)", find
)
