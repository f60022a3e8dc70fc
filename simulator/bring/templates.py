"""Reading CloudFormation templates: what stands in them, worked out as far as the file says it.

Source: AWS CloudFormation user guide, template anatomy (2023).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from simulator.bring.documents import Manifest, ManifestError, load
from simulator.bring.values import Values
from simulator.platforms.cloudformation.stack import Resource, Template
from simulator.words.documents import plain
from simulator.words.problems import Problem
from simulator.words.reading import packaged_folder
from simulator.words.shape import near

_NAME = re.compile(r"[A-Za-z0-9]{1,255}")
_TYPE = re.compile(r"[A-Za-z0-9]+(::[A-Za-z0-9@_-]+){1,4}")
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
_ATTRIBUTES = (
    *("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy"),
    "DependsOn",
)
_MOST_SHOWN = 20
_NOTHING: Mapping[str, Any] = {}


def packaged_templates() -> FilePath:
    """Where the packaged templates and policies lie."""
    return packaged_folder() / "templates"


def template(where: str | FilePath, given: Mapping[str, Any] = _NOTHING) -> Template:
    """The template in a file, on standard input for "-", or of a packaged name.

    `given` holds values of parameters that do not stand at their defaults; others than the
    template's are left out. Raises ManifestError with everything that is wrong (at most 20
    problems).
    """
    return of(load(where, packaged_templates()), given)


def of(manifest: Manifest, given: Mapping[str, Any] = _NOTHING) -> Template:
    """The template in documents already read; raises ManifestError."""
    if len(manifest.documents) > 1:
        message = "more than one document; a template is one"
        raise ManifestError([manifest.problem((), message, 1)])
    found = _sections(manifest)
    values = Values(manifest, found, given)
    resources, problems = {}, []
    for name, entry in found["Resources"].items():
        wrong = _wrong(manifest, name, entry)
        problems += wrong
        if not wrong and (resource := _resource(manifest, values, name, entry)) is not None:
            resources[name] = resource
    shared = found.get("Globals")
    for_all = values.resolved(shared, ("Globals",)) if isinstance(shared, Mapping) else {}
    problems += values.problems
    if problems:
        problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        raise ManifestError(problems[:_MOST_SHOWN])
    return Template(
        manifest.name,
        resources,
        values.parameters,
        tuple(values.unresolved),
        values.transforms,
        for_all,
        frozenset(name for name in given if name in values.parameters),
    )


def _sections(manifest: Manifest) -> dict[str, Any]:
    """The sections of a template, each a mapping; raises ManifestError for what is no template."""
    data = manifest.documents[0].data
    if not isinstance(data, Mapping):
        message = "not a CloudFormation template (no mapping at the top); name another file"
        raise ManifestError([manifest.problem((), message)])
    if "Resources" not in data:
        message = "not a CloudFormation template: no Resources; name another file"
        if hint := near("Resources", list(map(str, data))):
            message += hint
        raise ManifestError([manifest.problem((), message)])
    problems = [
        manifest.problem((key,), "is not a mapping; write names with contents below it")
        for key in _SECTIONS
        if key in data and not isinstance(data[key], Mapping)
    ]
    for key in ("Parameters", "Mappings") if not problems else ():
        for name, entry in (data.get(key) or {}).items():
            if not isinstance(entry, Mapping):
                message = "is not a mapping; write keys with values below it"
                problems.append(manifest.problem((key, name), message))
    if not problems and not data["Resources"]:
        problems.append(manifest.problem(("Resources",), "is empty; a template needs a resource"))
    if problems:
        raise ManifestError(problems[:_MOST_SHOWN])
    return dict(data)


def _wrong(manifest: Manifest, name: str, entry: Any) -> list[Problem]:
    """What is wrong with the form of a resource."""
    path: tuple[str | int, ...] = ("Resources", name)
    if name.startswith("Fn::ForEach"):
        message = "loops (Fn::ForEach) are not read; give the template as the transform leaves it"
        return [manifest.problem(path, message)]
    if not _NAME.fullmatch(name):
        return [manifest.problem(path, "is no logical name; use letters and digits only")]
    if not isinstance(entry, Mapping):
        return [manifest.problem(path, "is not a mapping; write Type and Properties below it")]
    if "Type" not in entry:
        return [manifest.problem(path, "has no Type; add e.g. Type: AWS::EC2::Instance")]
    if not isinstance(entry["Type"], str) or not _TYPE.fullmatch(entry["Type"]):
        message = f"{plain(repr(entry['Type']))[:60]} is no type; write e.g. AWS::EC2::Instance"
        return [manifest.problem((*path, "Type"), message)]
    if not isinstance(entry.get("Properties", {}), Mapping):
        message = "is not a mapping; write properties with values below it"
        return [manifest.problem((*path, "Properties"), message)]
    return []


def _resource(
    manifest: Manifest, values: Values, name: str, entry: Mapping[str, Any]
) -> Resource | None:
    """A resource with its values worked out; None if its condition keeps it out of the stack."""
    path = ("Resources", name)
    exists: bool | None = True
    if "Condition" in entry:
        exists = values.condition(str(entry["Condition"]), (*path, "Condition"))[0]
    if exists is False:
        return None
    line, column = manifest.documents[0].places.get(path, (1, 1))
    raw = entry.get("Properties", {})
    attributes = {
        key: values.resolved(entry[key], (*path, key)) for key in _ATTRIBUTES if key in entry
    }
    properties = values.resolved(raw, (*path, "Properties"))
    if not isinstance(properties, Mapping):
        properties = {}
    kind = str(entry["Type"])
    return Resource(name, kind, properties, raw, attributes, exists is None, line, column)
