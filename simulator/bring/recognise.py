"""What a document is, by its content, and who reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simulator.bring import outputs, plans
from simulator.bring.documents import Manifest
from simulator.bring.templates import of as template
from simulator.bring.view import Log, View
from simulator.platforms.api_gateway import reader as api_gateway
from simulator.platforms.appconfig import reader as appconfig
from simulator.platforms.argo_rollouts import reader as argo_rollouts
from simulator.platforms.auto_scaling import reader as auto_scaling
from simulator.platforms.beanstalk import reader as beanstalk
from simulator.platforms.cloudformation import reader as cloudformation
from simulator.platforms.codedeploy import appspec, functions, groups
from simulator.platforms.ecs import reader as ecs
from simulator.platforms.flagger import reader as flagger
from simulator.platforms.kubernetes import reader as kubernetes
from simulator.platforms.kubernetes import terraform
from simulator.platforms.spinnaker import reader as spinnaker
from simulator.words.brought import Reader

READERS: tuple[Reader, ...] = (
    kubernetes.READER,
    terraform.READER,
    cloudformation.READER,
    auto_scaling.READER,
    ecs.READER,
    groups.READER,
    functions.READER,
    appconfig.READER,
    api_gateway.READER,
    appspec.READER,
    beanstalk.READER,
    spinnaker.READER,
    argo_rollouts.READER,
    flagger.READER,
)
_MOST_ITEMS = 1000


def views(
    manifests: Sequence[Manifest], parameters: Mapping[str, str] | None = None
) -> tuple[View, ...]:
    """Every document as something to look into: Kubernetes objects under their kind, the resources
    of a CloudFormation template or of a Terraform plan one by one under their type (with values
    worked out as far as the file says them), what the AWS command line prints under its name there,
    other documents whole and without a label.

    `parameters` are values for templates. Raises ManifestError for a template that is wrong.
    """
    return tuple(_views(manifests, parameters or {}))


def _views(manifests: Iterable[Manifest], parameters: Mapping[str, str]) -> Iterator[View]:
    for manifest in manifests:
        for number, document in enumerate(manifest.documents):
            data = document.data
            if data is None:
                continue
            if _is_template(data):
                yield from _resources(manifest, number, parameters)
                continue
            if plans.is_plan(data):
                yield from plans.resources(manifest, number)
                continue
            whole = View(manifest, number, (), data, "", Log())
            if told := outputs.views(whole):
                yield from told
                continue
            label = _label(data)
            if label == "List" and isinstance(data.get("items"), list):
                for item in list(whole.at("items").items())[:_MOST_ITEMS]:
                    yield item.rooted(_label(item.data))
            else:
                yield whole.rooted(label)


def _label(data: Any) -> str:
    """The kind of a Kubernetes object, or nothing."""
    if isinstance(data, Mapping) and isinstance(data.get("apiVersion"), str | int | float):
        kind = data.get("kind")
        return kind if isinstance(kind, str) else ""
    return ""


def _is_template(data: Any) -> bool:
    own = isinstance(data, Mapping) and "option_settings" not in data  # of a Beanstalk environment
    resources = data.get("Resources") if own else None
    return isinstance(resources, Mapping) and any(
        isinstance(entry, Mapping) and "Type" in entry for entry in resources.values()
    )


def _resources(manifest: Manifest, number: int, parameters: Mapping[str, str]) -> Iterator[View]:
    only = manifest._replace(documents=(manifest.documents[number],))
    found = template(only, parameters)
    for name, resource in found.resources.items():
        data = {"Properties": resource.properties, **resource.attributes}
        yield View(manifest, number, ("Resources", name), data, resource.type, Log(), name)
    if found.globals:
        yield View(manifest, number, ("Globals",), found.globals, "Globals", Log())
