"""JSON of the AWS command line: what it prints of services and deployment groups, and what it takes
to create them.

Source: the ECS and CodeDeploy APIs of 2026 (describe-services, create-service,
describe-task-definition, get-deployment-group, get-deployment-config and their inputs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from simulator.bring.view import Log, View

_MOST = 1000


class _Form(NamedTuple):
    """How something stands in a file: its label, the keys below which it is printed, the key of its
    name, and keys of which an input has one.
    """

    label: str
    one: str
    many: str
    name: str
    also: tuple[str, ...]


_FORMS = (
    _Form("service", "service", "services", "serviceName", ("desiredCount", "taskDefinition")),
    _Form("taskDefinition", "taskDefinition", "", "family", ("containerDefinitions",)),
    _Form(
        "deploymentGroup",
        "deploymentGroupInfo",
        "deploymentGroupsInfo",
        "deploymentGroupName",
        ("applicationName", "deploymentConfigName"),
    ),
    _Form(
        "deploymentConfig",
        "deploymentConfigInfo",
        "",
        "deploymentConfigName",
        ("minimumHealthyHosts", "trafficRoutingConfig", "computePlatform"),
    ),
)


def views(whole: View) -> list[View]:
    """What a document of the command line holds, each under its label; nothing for others."""
    return list(_views(whole))[:_MOST]


def _views(whole: View) -> Iterator[View]:
    data = whole.data
    if not isinstance(data, Mapping):
        return
    for form in _FORMS:
        one = data.get(form.one)
        if isinstance(one, Mapping) and form.name in one:
            yield _labelled(whole.at(form.one), form)
            return
        several = data.get(form.many)
        if isinstance(several, list) and any(_is(one, form) for one in several):
            yield from (_labelled(one, form) for one in whole.at(form.many).items())
            return
        if _is(data, form):
            yield _labelled(whole, form)
            return


def _is(data: Any, form: _Form) -> bool:
    return isinstance(data, Mapping) and form.name in data and any(key in data for key in form.also)


def _labelled(view: View, form: _Form) -> View:
    name = view.name(form.name)
    return View(view.manifest, view.document, view.path, view.data, form.label, Log(), name)
