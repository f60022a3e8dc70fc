"""Reading CodeDeploy's AppSpec files: hooks of hosts, and what ECS and Lambda deploy.

Source: the CodeDeploy user guide of 2023, AppSpec file reference. An AppSpec file does not say by
which configuration it is deployed; a deployment group among the files does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.platforms.codedeploy import groups
from simulator.platforms.codedeploy import names as fields
from simulator.words.brought import NAME, Alternative, Assumed, Draft, Reader, Workload

if TYPE_CHECKING:
    from simulator.bring.view import View

LABEL = "AppSpec"
_EVENT = 3600  # seconds that an event, and a script that states none, may take
_STARTING = ("AfterInstall", "ApplicationStart", "ValidateService")
_BEFORE = ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic")
_TYPES = {"AWS::ECS::Service": "ECS", "AWS::Lambda::Function": "Lambda"}
_HOOKS = frozenset(
    (
        *("ApplicationStop", "BeforeInstall", "AfterInstall", "ApplicationStart"),
        *("ValidateService", "BeforeBlockTraffic", "AfterBlockTraffic", "BeforeAllowTraffic"),
        *("AfterAllowTraffic", "AfterAllowTestTraffic", "DownloadBundle", "Install"),
        *("BlockTraffic", "AllowTraffic"),
    )
)


class _Spec(NamedTuple):
    """An AppSpec file, what it deploys to, and the group that deploys it where it is known."""

    view: View
    platform: str
    documents: Sequence[View]
    group: View | None

    @property
    def hooks(self) -> View:
        return self.view.at("hooks" if self.platform == "Server" else "Hooks")


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The AppSpec files among the documents, each with the group that deploys it."""
    for document in documents:
        if document.label or not is_spec(document.data):
            continue
        view = document.rooted(LABEL)
        found = [one for one in documents if one.label in fields.GROUPS]
        group = found[0] if len(found) == 1 else None
        spec = _Spec(view, _platform(view), documents, group)
        around = () if group is None else (group, *groups.of(group, documents).others)
        yield Workload(
            _called(view),
            LABEL,
            (view, *around),
            partial(read, spec),
            partial(alternatives, spec),
            () if group is None else (f"{group.label}/{group.called}",),
        )


def is_spec(data: Any) -> bool:
    """Whether a document is an AppSpec file."""
    if not isinstance(data, Mapping) or "version" not in data:
        return False
    hooks, resources = data.get("hooks"), data.get("Resources")
    server = "os" in data and any(key in data for key in ("hooks", "files", "permissions"))
    named = isinstance(hooks, Mapping) and bool(hooks) and set(hooks) <= _HOOKS
    return server or named or (isinstance(resources, list) and bool(resources))


def _platform(view: View) -> str:
    for entry in view.at("Resources").items() if view.at("Resources").exists else ():
        for resource in entry.mapping().items():
            kind = resource.at("Type")
            return str(kind.choice(_TYPES, "ECS"))
    return "Server"


def _called(view: View) -> str:
    for entry in view.at("Resources").items() if view.at("Resources").exists else ():
        for resource in entry.mapping().items():
            return resource.name("Properties", "Name") or resource.key
    return "hosts"


def read(spec: _Spec, draft: Draft) -> None:
    """Put what an AppSpec file, and its group, say into the draft."""
    if spec.group is not None:
        groups.read(groups.of(spec.group, spec.documents), draft)
    else:
        _without_group(spec, draft)
    if spec.platform == "Server":
        _read_scripts(spec, draft)
    else:
        _read_functions(spec, draft)


_USUAL = {"Server": "OneAtATime", "ECS": "ECSAllAtOnce", "Lambda": "LambdaAllAtOnce"}
_OTHER = {
    "Server": "AllAtOnce",
    "ECS": "ECSCanary10Percent15Minutes",
    "Lambda": "LambdaCanary10Percent30Minutes",
}


def _without_group(spec: _Spec, draft: Draft) -> None:
    """What a deployment group would say: CodeDeploy's default, and no alarms."""
    config = _USUAL[spec.platform]
    if spec.platform == "Lambda":
        draft.put("service.elastic", True, "functions of AWS Lambda")
        draft.without_profile()
    else:
        profile = "ecs-fargate" if spec.platform == "ECS" else "ec2-ami"
        draft.put("profile", profile, f"assumed of {spec.platform}")
        draft.assume("service.instances", 10, 2, 100, "no file says how many there are")
    draft.strategy("codedeploy", {}, "no deployment group is among the files")
    path = f"strategies.{NAME}.config"
    source = "the default where a deployment group names no configuration"
    draft.keys[path] = config
    draft.assumed.append(Assumed(path, config, config, _OTHER[spec.platform], source))
    draft.unwatched(
        "no deployment group is among the files",
        f"No deployment group is among the files: {config}, no alarms and no automatic rollback "
        "are assumed.",
    )


def _read_scripts(spec: _Spec, draft: Draft) -> None:
    """Scripts on hosts: what they do is a part of the installation; hosts that fail do so then."""
    longest, stated = 0, False
    for event in spec.hooks.mapping().items():
        if event.key not in _HOOKS:
            raise event.wrong(f"is no hook; there are {', '.join(sorted(_HOOKS))}")
        times = [script.at("timeout") for script in event.items()]
        taken = sum(time.integer(_EVENT, 1, _EVENT) for time in times)
        if all(time.exists for time in times) and taken > _EVENT:
            raise event.wrong(f"takes up to {taken} s: an event may take {_EVENT} s")
        for time in times:
            if time.exists:
                why = "a host that fails does so at the end of its installation"
                time.say("approximated", why, "one that hangs holds the deployment up for so long")
        if event.key in _STARTING:
            longest += min(taken, _EVENT)
            stated = stated or any(time.exists for time in times)
    if not longest:
        draft.remark("No script starts or checks the new version: every host counts as deployed.")
        return
    if not stated:
        draft.remark(
            f"No script that starts the new version states a timeout: a host on which one hangs "
            f"fails after {longest / 3600:g} h only; here it fails at once."
        )
    if not spec.hooks.at("ValidateService").exists:
        draft.remark(
            "ValidateService has no script: a version that starts and does not answer is not "
            "noticed before the next host is taken."
        )


def _read_functions(spec: _Spec, draft: Draft) -> None:
    """Functions at moments of a shift: those before any traffic are tests."""
    tests: list[View] = []
    for entry in spec.hooks.items() if spec.hooks.exists else ():
        for hook in entry.mapping().items():
            if hook.key not in _HOOKS:
                raise hook.wrong(f"is no hook; there are {', '.join(sorted(_HOOKS))}")
            if hook.key in _BEFORE:
                tests.append(hook)
                why = "what its function finds is not known"
                hook.say("assumed", why, "one half of all defects is assumed")
            else:
                why = "what its function finds is not known"
                hook.say("ignored", why, "bad versions that it would take back stay")
    if tests and draft.keys.get(f"strategies.{NAME}.kind") == "codedeploy":
        source = "judgement: what tests before any traffic find"
        draft.assume(f"strategies.{NAME}.smoke.catches", "50%", "20%", "80%", source)


def alternatives(spec: _Spec) -> Iterator[Alternative]:
    """Other ways to write the group; an AppSpec file itself says nothing about the course."""
    if spec.group is not None:
        yield from groups.alternatives(groups.of(spec.group, spec.documents))


READER = Reader("codedeploy", "AppSpec files of CodeDeploy", find)
