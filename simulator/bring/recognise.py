"""What a document is, by its content, and who reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simulator.bring.documents import Manifest
from simulator.bring.templates import of as template
from simulator.bring.view import Log, View
from simulator.platforms.beanstalk import reader as beanstalk
from simulator.platforms.kubernetes import reader as kubernetes
from simulator.platforms.spinnaker import reader as spinnaker
from simulator.words.brought import Reader

READERS: tuple[Reader, ...] = (kubernetes.READER, spinnaker.READER, beanstalk.READER)
_MOST_ITEMS = 1000


def views(manifests: Sequence[Manifest]) -> tuple[View, ...]:
    """Every document as something to look into: Kubernetes objects under their kind, the resources
    of a CloudFormation template one by one under their type (with values worked out as far as the
    template says them), other documents whole and without a label.

    Raises ManifestError for a template that is wrong.
    """
    return tuple(_views(manifests))


def _views(manifests: Iterable[Manifest]) -> Iterator[View]:
    for manifest in manifests:
        for number, document in enumerate(manifest.documents):
            data = document.data
            if data is None:
                continue
            if _is_template(data):
                yield from _resources(manifest, number)
                continue
            whole = View(manifest, number, (), data, "", Log())
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


def _resources(manifest: Manifest, number: int) -> Iterator[View]:
    only = manifest._replace(documents=(manifest.documents[number],))
    found = template(only)
    for name, resource in found.resources.items():
        data = {"Properties": resource.properties, **resource.attributes}
        yield View(manifest, number, ("Resources", name), data, resource.type, Log())
    globals_ = manifest.documents[number].data.get("Globals")
    if isinstance(globals_, Mapping):
        yield View(manifest, number, ("Globals",), globals_, "Globals", Log())
