"""Working out a template's values: parameters by their defaults, mappings, conditions, functions.

Whatever only CloudFormation knows stays a Function; two of them are equal if they stand for the
same value. Source: AWS CloudFormation user guide, intrinsic functions (2023).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator.bring.documents import Manifest
from simulator.platforms.cloudformation.stack import Function
from simulator.words.documents import Path, plain
from simulator.words.problems import Problem
from simulator.words.shape import near

NO_VALUE = Function("AWS::NoValue", None)
_DEEPEST = 120
_MOST_STEPS = 500_000
_MOST_TEXT = 2**24
_LONGEST_PARAMETER = 4096  # bytes, as CloudFormation has it
_MOST_PROBLEMS = 100
_VARIABLE = re.compile(r"\$\{(!?)([^{}$]*)\}")
PSEUDO = frozenset(
    f"AWS::{name}"
    for name in (
        *("AccountId", "NotificationARNs", "Partition", "Region"),
        *("StackId", "StackName", "URLSuffix"),
    )
)

Truth = tuple[bool | None, str]


class Values:
    """What the values of one template come to; `problems` grows with what cannot be right."""

    def __init__(
        self, manifest: Manifest, sections: Mapping[str, Any], given: Mapping[str, Any]
    ) -> None:
        self.manifest = manifest
        self.problems: list[Problem] = []
        self.unresolved: dict[str, None] = {}
        self.mappings: Mapping[str, Any] = sections.get("Mappings") or {}
        self.conditions: Mapping[str, Any] = sections.get("Conditions") or {}
        self.resources: Mapping[str, Any] = sections["Resources"]
        stated = sections.get("Transform", [])
        listed = stated if isinstance(stated, list) else [stated]
        self.transforms = tuple(plain(str(item))[:80] for item in listed)
        self.truths: dict[str, Truth] = {}
        self.open: list[str] = []
        self.depth = 0
        self.steps, self.room = _MOST_STEPS, _MOST_TEXT
        self.parameters = {
            name: self._given(name, entry, given[name]) if name in given else _taken(name, entry)
            for name, entry in (sections.get("Parameters") or {}).items()
        }
        self.parameters |= {name: value for name, value in given.items() if name in PSEUDO}
        self.names = {**self.parameters, **self.resources}
        for name, value in self.parameters.items():
            if len(value) > _LONGEST_PARAMETER:
                self.parameters[name] = ""
                self._wrong(
                    ("Parameters", name),
                    f"a default of over {_LONGEST_PARAMETER} bytes; shorten it",
                )
        self.functions: dict[str, Callable[[Any, Path], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._attribute,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
        }

    def _given(self, name: str, entry: Mapping[str, Any], value: Any) -> Any:
        """A parameter's value where somebody gives one."""
        if not isinstance(value, str):
            return value
        allowed = entry.get("AllowedValues")
        known = [text(item) for item in allowed] if isinstance(allowed, list) else [value]
        if value not in known:
            some = ", ".join(plain(item) for item in known[:9])
            what = f"{plain(value)[:60]!r} is none of its AllowedValues: {some}"
            self._wrong(("Parameters", name), what)
        return _taken(name, entry, value)

    def resolved(self, value: Any, path: Path) -> Any:
        """A value with everything worked out that can be; scalars become texts."""
        self.steps -= 1
        if self.steps < 0 or self.depth >= _DEEPEST:
            self._wrong(path, "values that build on each other too often or too deeply; untie them")
            return ""
        self.depth += 1
        try:
            return self._worked_out(value, path)
        finally:
            self.depth -= 1

    def _worked_out(self, value: Any, path: Path) -> Any:
        if isinstance(value, Mapping):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self.functions:
                    return self.functions[name](argument, (*path, name))
                if name.startswith("Fn::"):
                    return self._unknown(name, self.resolved(argument, (*path, name)))
            items = ((key, self.resolved(item, (*path, key))) for key, item in value.items())
            return {key: item for key, item in items if item != NO_VALUE}
        if isinstance(value, list):
            found = [self.resolved(item, (*path, place)) for place, item in enumerate(value)]
            return [item for item in found if item != NO_VALUE]
        if value is None:
            self._wrong(path, "has no value; CloudFormation refuses null, leave the key out")
        return text(value)

    def condition(self, name: str, path: Path) -> Truth:
        """Whether a condition holds (None: not known before the update), and what it stands for."""
        if name in self.truths:
            return self.truths[name]
        if name not in self.conditions:
            if not self.transforms:
                what = f"no condition {plain(name)[:60]!r}; add it to Conditions"
                self._wrong(path, what, name, self.conditions)
            return None, name
        if name in self.open:
            self._wrong(
                ("Conditions", name), "conditions build on each other in a circle; untie it"
            )
            return None, name
        self.open.append(name)
        found = self._truth(self.conditions[name], ("Conditions", name))
        self.open.pop()
        self.truths[name] = found
        return found

    def _truth(self, test: Any, path: Path) -> Truth:
        if self.depth >= _DEEPEST:
            self._wrong(path, "conditions build on each other too deeply; untie them")
            return None, ""
        self.depth += 1
        try:
            return self._tested(test, path)
        finally:
            self.depth -= 1

    def _tested(self, test: Any, path: Path) -> Truth:
        if not isinstance(test, Mapping) or len(test) != 1:
            self._wrong(path, "is no condition; write e.g. !Equals [!Ref Stage, prod]")
            return None, _mark(test)
        name, argument = next(iter(test.items()))
        here = (*path, name)
        if name == "Condition":
            return self.condition(str(argument), here)
        if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            left, right = (self.resolved(x, (*here, i)) for i, x in enumerate(argument))
            known = left == right or differs_surely(left, right)
            return (left == right if known else None), _mark(["=", _plain(left), _plain(right)])
        if name in ("Fn::And", "Fn::Or", "Fn::Not") and isinstance(argument, list):
            found = [self._truth(item, (*here, i)) for i, item in enumerate(argument)]
            return _combined(name, [x for x, _ in found]), _mark([name, *(m for _, m in found)])
        return None, _mark([name, _plain(argument)])

    def _ref(self, name: Any, path: Path) -> Any:
        if not isinstance(name, str):
            self._wrong(path, "Ref takes a name; write e.g. !Ref Stage")
            return Function("Parameter", "")
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            value = self.parameters[name]
            if isinstance(value, Function):
                self.unresolved[name] = None
            self.steps -= len(value) if isinstance(value, list) else 0
            return value
        if name in self.resources:
            return Function("Ref", name)
        if name in PSEUDO:
            return Function("Parameter", name)
        if not self.transforms:
            what = f"no parameter or resource {plain(name)[:60]!r}; add it or correct the name"
            self._wrong(path, what, name, self.names)
        return Function("Parameter", name)

    def _attribute(self, argument: Any, path: Path) -> Any:
        if isinstance(argument, str):
            argument = argument.split(".", 1)
        if not isinstance(argument, list) or len(argument) != 2:
            self._wrong(path, "Fn::GetAtt takes a resource and an attribute; write !GetAtt A.Arn")
            return Function("Parameter", "")
        resource, attribute = argument[0], self.resolved(argument[1], (*path, 1))
        if resource not in self.resources and not self.transforms:
            what = f"no resource {plain(str(resource))[:60]!r}; add it or correct the name"
            self._wrong(path, what, str(resource), self.resources)
        return Function("Fn::GetAtt", [str(resource), _plain(attribute)])

    def _sub(self, argument: Any, path: Path) -> Any:
        named: Mapping[str, Any] = {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            named = {k: self.resolved(v, (*path, 1, k)) for k, v in argument[1].items()}
            argument = argument[0]
        if not isinstance(argument, str):
            self._wrong(path, 'Fn::Sub takes a text; write e.g. !Sub "${Stage}-web"')
            return ""
        pieces: list[Any] = []
        end = 0
        for found in _VARIABLE.finditer(argument):
            pieces.append(argument[end : found.start()])
            end = found.end()
            name = found[2].strip()
            if found[1]:
                pieces.append(f"${{{name}}}")
            elif name in named:
                pieces.append(named[name])
            elif "." in name:
                pieces.append(self._attribute(name, path))
            else:
                pieces.append(self._ref(name, path))
        return self._joined([*pieces, argument[end:]], path)

    def _join(self, argument: Any, path: Path) -> Any:
        if not isinstance(argument, list) or len(argument) != 2:
            self._wrong(path, 'Fn::Join takes a separator and a list; write !Join ["-", [a, b]]')
            return ""
        separator, items = self.resolved(argument, path)
        if not isinstance(items, list):
            return self._unknown("Fn::Join of", [separator, items])
        pieces: list[Any] = []
        for item in items:
            pieces += [separator, item] if pieces else [item]
        return self._joined(pieces, path)

    def _if(self, argument: Any, path: Path) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            self._wrong(path, "Fn::If takes a condition and two values; write !If [IsProd, a, b]")
            return NO_VALUE
        holds, mark = self.condition(str(argument[0]), path)
        if holds is not None:
            return self.resolved(argument[1 if holds else 2], (*path, 1 if holds else 2))
        one, other = (self.resolved(argument[i], (*path, i)) for i in (1, 2))
        return one if one == other else Function("Fn::If", [mark, one, other])

    def _find(self, argument: Any, path: Path) -> Any:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            self._wrong(
                path, "Fn::FindInMap takes a mapping and two keys; write !FindInMap [M, a, b]"
            )
            return NO_VALUE
        name, *keys = (self.resolved(argument[i], (*path, i)) for i in range(3))
        if isinstance(name, str) and name not in self.mappings and not self.transforms:
            what = f"no mapping {plain(name)[:60]!r}; add it to Mappings"
            self._wrong(path, what, name, self.mappings)
        table: Any = self.mappings.get(name) if isinstance(name, str) else self.mappings
        if all(isinstance(key, str) for key in (name, *keys)):
            row = table.get(keys[0]) if isinstance(table, Mapping) else None
            if isinstance(row, Mapping) and keys[1] in row:
                return self.resolved(row[keys[1]], path)
        if isinstance(table, Mapping) and isinstance(keys[1], str):
            self.steps -= len(table)
            rows = table.items()
            table = {k: row.get(keys[1]) for k, row in rows if isinstance(row, Mapping)}
        return self._unknown("Fn::FindInMap", [_plain(name), *map(_plain, keys), _mark(table)])

    def _select(self, argument: Any, path: Path) -> Any:
        argument = self.resolved(argument, path)
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
            place, items = argument
            known = not any(isinstance(x, Function) and x.name == "Fn::If" for x in items)
            if isinstance(place, str) and place.isdecimal() and len(place) < 6 and known:
                if int(place) < len(items):
                    return items[int(place)]
                self._wrong(
                    path, f"the list has {len(items)} items, counted from 0; select one of them"
                )
        return self._unknown("Fn::Select", argument)

    def _split(self, argument: Any, path: Path) -> Any:
        argument = self.resolved(argument, path)
        if isinstance(argument, list) and len(argument) == 2:
            separator, whole = argument
            if isinstance(separator, str) and separator and isinstance(whole, str):
                self.steps -= whole.count(separator)
                return whole.split(separator)
        return self._unknown("Fn::Split", argument)

    def _unknown(self, name: str, argument: Any) -> Function:
        if name in ("Fn::ImportValue", "Fn::Transform", "Fn::GetStackOutput"):
            self.unresolved[f"{name} {plain(str(_plain(argument)))[:60]}"] = None
        return Function(name, argument)

    def _joined(self, pieces: list[Any], path: Path) -> Any:
        """The text of pieces; a function of merged pieces if one of them is not known."""
        merged: list[Any] = []
        run: list[str] = []
        for piece in pieces:
            joined = isinstance(piece, Function) and piece.name == "Fn::Join"
            for part in piece.argument if joined else [piece]:
                if isinstance(part, str):
                    self.room -= len(part)
                    run += [part] if part and self.room >= 0 else []
                else:
                    merged += ["".join(run), part] if run else [part]
                    run = []
        if self.room < 0:
            self._wrong(path, "texts of over 16 MiB in all; repeat less")
        if not merged:
            return "".join(run)
        return Function("Fn::Join", [*merged, "".join(run)] if run else merged)

    def _wrong(
        self, path: Path, message: str, name: str = "", known: Mapping[str, Any] | None = None
    ) -> None:
        """Note a problem; `known` holds what might have been meant by `name`."""
        if len(self.problems) < _MOST_PROBLEMS:
            hint = near(name, list(known)) if known and len(known) < _MOST_PROBLEMS else ""
            self.problems.append(self.manifest.problem(path, plain(message + hint)))


def text(value: Any) -> str:
    """A scalar as CloudFormation compares it: true and "true", 1 and "1" are the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def differs_surely(left: Any, right: Any) -> bool:
    """Whether both are known and different."""
    return not isinstance(left, Function) and not isinstance(right, Function) and left != right


def _taken(name: str, entry: Mapping[str, Any], given: str | None = None) -> Any:
    """A parameter's value: the one given, or its default; a function if there is neither."""
    kind = str(entry.get("Type", "String"))
    value = entry.get("Default") if given is None else given
    if value is None or isinstance(value, Mapping | list):
        return Function("Parameter", name)
    if kind.startswith("AWS::SSM::Parameter::Value"):
        return Function("Parameter", f"{name} at {text(value)}")
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in text(value).split(",")]
    return text(value)


def _combined(name: str, truths: list[bool | None]) -> bool | None:
    if name == "Fn::Not":
        return None if not truths or truths[0] is None else not truths[0]
    decisive = name == "Fn::Or"
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _plain(value: Any) -> Any:
    """A value as plain data, for marks and messages."""
    if isinstance(value, Function):
        return [value.name, _plain(value.argument)]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _mark(value: Any) -> str:
    """A short text that is the same for the same value."""
    content = json.dumps(_plain(value), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
