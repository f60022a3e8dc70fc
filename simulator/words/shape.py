"""What may stand where in a file: the keys of every mapping, and those not available yet."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.words.distributions import Distribution
from simulator.words.documents import Path
from simulator.words.exam import Option
from simulator.words.objectives import Measure
from simulator.words.scenario import Scenario
from simulator.words.strategy import Strategy, kinds

# Everything the format names that this version does not play, by where it stands: [] is any place
# of a list, * any strategy.
NOT_YET: dict[str, str] = {
    "": "",
    "strategies.*": "value",
}
# What may stand at a key that is not available yet, because it asks for nothing.
_NOTHING: tuple[Any, ...] = ({}, [], "none", "0", "0/h", "compatible")
# Sections and parts that always exist: what switching them off means.
_OFF: dict[Path, Mapping[str, Any]] = {
    ("detection",): dict.fromkeys(
        ("alarms", "burn_rate", "noticed", "audit", "people", "judge"), "none"
    ),
    ("service", "start_failure"): {"probability": "0%"},
    ("calendar",): {},
}
_PRICED = re.compile(r"[\d.]+\s*(?P<currency>[A-Z]{3})(\s*/\s*h)?")
_PRICED_OBJECTIVE = re.compile(r".*[<>]=?\s*[\d.]+[kM]?\s+(?P<currency>[A-Z]{3})\b.*")
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_MOST = 1e15
_LEFT_OUT = object()

_EXAMPLES = {
    "version": "version: 1",
    "service": "e.g. service: {instances: 12, utilisation: 55%}, or name a profile",
    "traffic": "e.g. traffic: {rate: 400 rps, users: 30k}",
    "strategies": "e.g. strategies: {rolling: {}, canary: {}}",
}

Found = list[tuple[Path, str]]


def dotted(path: Path) -> str:
    """A path as it is written: keys with dots between them, places in lists in brackets.

    A key that would read as more than a key stands in [" "], with \\ before " and \\.
    """
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif not key or re.search(r'[.\[\]="\\]', key) or key != key.strip():
            escaped = key.replace("\\", r"\\").replace('"', r"\"")
            text += f'["{escaped}"]'
        else:
            text += f".{key}" if text else key
    return text


def near(word: Any, known: Iterable[str]) -> str:
    """A hint at the known word that was probably meant, or nothing."""
    found = difflib.get_close_matches(str(word), list(known), 1)
    return f" (did you mean {found[0]}?)" if found else ""


def inspect(raw: Mapping[str, Any], profiles: Iterable[str]) -> tuple[dict[str, Any], Found]:
    """A file without what may not stand in it, switched-off parts as None; and what is wrong.

    Looks at keys, kinds, empty values and currencies only; values are validated by the models.
    """
    inspection = _Inspection(_currency(raw))
    kept = inspection.mapping(raw, Scenario, ())
    for key in ("version", "traffic", "strategies"):
        if key not in raw:
            inspection.found.append(((key,), f"is missing; add {_EXAMPLES[key]}"))
    if "service" not in raw and "profile" not in raw:
        inspection.found.append((("service",), f"is missing; add {_EXAMPLES['service']}"))
    profile, known = raw.get("profile"), list(profiles)
    if profile is not None and profile not in known:
        allowed = ", ".join(known)
        message = f"unknown profile {profile!r}; allowed: {allowed}{near(profile, known)}"
        inspection.found.append((("profile",), message))
    return kept, inspection.found


def _currency(raw: Mapping[str, Any]) -> str:
    costs = raw.get("costs")
    stated = costs.get("currency") if isinstance(costs, Mapping) else None
    return str(stated or "USD")


class _Inspection:
    """One walk through a file beside the models that describe it."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.found: Found = []

    def mapping(self, value: Mapping[str, Any], model: type[BaseModel], path: Path) -> Any:
        """The keys of a mapping that may stand there."""
        allowed = fields(model)
        kept: dict[str, Any] = {}
        for key, item in value.items():
            here = (*path, key)
            if key in allowed:
                looked = self.value(item, allowed[key], here)
                if looked is not _LEFT_OUT:
                    kept[key] = looked
            elif key in NOT_YET.get(_pattern(path), "").split():
                if item not in _NOTHING and item != 0:
                    self.found.append((here, "not available yet; remove it"))
            else:
                names = ", ".join(sorted(allowed))
                message = f"unknown key; allowed here: {names}{near(key, allowed)}"
                self.found.append((here, message))
        return kept

    def value(self, value: Any, field: FieldInfo, path: Path) -> Any:
        """The value of a key, looked into where it has keys of its own."""
        if path == ("strategies",):
            return self.strategies(value, path)
        if path == ("exam", "options") and isinstance(value, Mapping):
            return {
                name: self.mapping(item, Option, (*path, name))
                if isinstance(item, Mapping)
                else item
                for name, item in value.items()
            }
        models, optional, listed, texts = traits(field)
        if value is None:
            self.found.append((path, _without_value(optional and bool(models))))
            return _LEFT_OUT
        off = value == "none" and not texts
        if path in _OFF and (off or value == {}):
            value, off = _OFF[path], False
        if optional and (off or (value == {} and models)):
            return None
        if listed and (off or value == {}):
            return []
        if off and models:
            self.found.append((path, "cannot be none; remove it to keep the defaults"))
            return _LEFT_OUT
        if listed and isinstance(value, list | tuple):
            return [self.item(item, field, models, (*path, i)) for i, item in enumerate(value)]
        if models and isinstance(value, Mapping):
            return self.part(value, models, path)
        if field.annotation is bool and not isinstance(value, bool):
            self.found.append((path, f"{value!r} is neither true nor false; write one of the two"))
            return _LEFT_OUT
        before = len(self.found)
        if not texts:
            self.plain(value, path)
        return value if len(self.found) == before else _LEFT_OUT

    def item(
        self,
        value: Any,
        field: FieldInfo,
        models: tuple[type[BaseModel], ...],
        path: Path,
    ) -> Any:
        """An item of a list."""
        if value is None:
            self.found.append((path, "has no value; write one, or remove the item"))
            return None
        if isinstance(value, Mapping) and models:
            return self.part(value, models, path)
        self.plain(value, path)
        return value

    def plain(self, value: Any, path: Path) -> None:
        """Complain about numbers beyond reason, and prices in another currency."""
        if number := _beyond_reason(value):
            self.found.append((path, f"{number} is beyond reason; write at most 1e15"))
            return
        pattern = _PRICED_OBJECTIVE if path[0] == "objectives" else _PRICED
        found = pattern.fullmatch(value) if isinstance(value, str) else None
        if found and found["currency"] != self.currency:
            message = (
                f"{value!r} is in {found['currency']}, but costs.currency is {self.currency}; "
                f"convert it, or change the currency"
            )
            self.found.append((path, message))

    def part(
        self, value: Mapping[str, Any], models: tuple[type[BaseModel], ...], path: Path
    ) -> Any:
        """A mapping that one of several models describes; the kind decides between them."""
        if models == (Strategy,):
            return self.strategy(value, path, None)
        if len(models) == 1:
            return self.mapping(value, models[0], path)
        by_kind = {kind_of(model): model for model in models}
        kind = self.kind(value.get("kind"), by_kind, path)
        return self.mapping(value, by_kind[kind], path) if kind else _LEFT_OUT

    def kind(self, kind: Any, known: Mapping[str, Any], path: Path) -> str | None:
        """The kind if it is known; otherwise says why not."""
        allowed = ", ".join(sorted(known))
        if isinstance(kind, str) and kind in known:
            return kind
        if kind is None:
            self.found.append((path, f"has no kind; add kind: one of {allowed}"))
        else:
            message = f"unknown kind {kind!r}; allowed: {allowed}{near(kind, known)}"
            self.found.append(((*path, "kind"), message))
        return None

    def strategies(self, value: Any, path: Path) -> Any:
        """All strategies by name."""
        if not isinstance(value, Mapping) or not value:
            what = "is empty" if value in ({}, [], "") else "is not a mapping of names to settings"
            self.found.append((path, f"{what}; write {_EXAMPLES['strategies']}"))
            return _LEFT_OUT
        looked = {name: self.strategy(item, (*path, name), name) for name, item in value.items()}
        return {name: item for name, item in looked.items() if item is not _LEFT_OUT}

    def strategy(self, value: Any, path: Path, name: str | None) -> Any:
        """The settings of one strategy; its kind may be left out when its name is a kind."""
        if isinstance(value, Strategy):
            return value
        if not isinstance(value, Mapping):
            what = "has no value" if value is None else f"{value!r} is not a mapping of settings"
            self.found.append((path, f"{what}; write {{}} for all defaults"))
            return _LEFT_OUT
        if name is not None and not name.strip():
            self.found.append((path, "has no name; give it one"))
            return _LEFT_OUT
        known, kind = kinds(), value.get("kind")
        if name is not None and kind is None:
            if name not in known:
                allowed = ", ".join(sorted(known))
                message = f"is the name of no kind; add kind: one of {allowed}{near(name, known)}"
                self.found.append((path, message))
                return _LEFT_OUT
            kind = name
        elif name in known and isinstance(kind, str) and kind in known and kind != name:
            message = f"{kind} contradicts the name {name}; rename the strategy or remove kind"
            self.found.append(((*path, "kind"), message))
            return _LEFT_OUT
        found = self.kind(kind, known, path)
        return self.mapping({**value, "kind": found}, known[found], path) if found else _LEFT_OUT


def _beyond_reason(value: Any) -> str:
    """The first number in a value, its texts included, that is larger than any quantity here."""
    if isinstance(value, Mapping):
        value = [v for key, v in value.items() if key != "empirical" or not isinstance(v, str)]
    if isinstance(value, list | tuple):
        return next(filter(None, map(_beyond_reason, value)), "")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    numbers = _NUMBER.findall(value) if isinstance(value, str) else [str(value)]
    return next((number for number in numbers if abs(float(number)) > _MOST), "")


def _without_value(can_be_off: bool) -> str:
    if can_be_off:
        return "has no value; write none to switch it off, or remove it to keep the default"
    return "has no value; write one, or remove the key"


def _pattern(path: Path) -> str:
    """A path with [] for places in lists and * for names of strategies."""
    if path and path[0] == "strategies":
        path = ("strategies", "*", *path[2:]) if len(path) > 1 else path
    return re.sub(r"\[\d+\]", "[]", dotted(path))


@cache
def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the key they have in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def kind_of(model: type[BaseModel]) -> str:
    """The kind that a model describes."""
    return str(get_args(model.model_fields["kind"].annotation)[0])


@cache
def _traits_of(annotation: Any) -> tuple[tuple[type[BaseModel], ...], bool, bool, bool]:
    parts = list(_parts(annotation))
    found = tuple(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
    models = tuple(model for model in found if not issubclass(model, Distribution | Measure))
    listed = get_origin(annotation) is tuple
    texts = any(part is str or get_origin(part) is Literal for part in parts)
    return models, type(None) in parts, listed, texts and not listed


def traits(field: FieldInfo) -> tuple[tuple[type[BaseModel], ...], bool, bool, bool]:
    """Models a field may hold, whether it may be absent, is a list, or is plain text."""
    annotation: Any = field.annotation
    return _traits_of(annotation)


def _parts(annotation: Any) -> Iterable[Any]:
    """The members of a union, the items of a tuple, without annotations."""
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType, tuple):
        for part in get_args(annotation):
            yield from _parts(part)
    elif hasattr(annotation, "__metadata__"):
        yield from _parts(get_args(annotation)[0])
    else:
        yield annotation


def model_at(path: Path, raw: Any) -> type[BaseModel] | None:
    """The model that describes the mapping at `path` of a file, if there is one."""
    model: type[BaseModel] | None = Scenario
    where: Any = raw
    field: FieldInfo | None = None
    for depth, key in enumerate(path):
        where = _child(where, key)
        if depth == 1 and path[0] == "strategies":
            model = _of_kind((Strategy,), where, str(key))
        elif isinstance(key, int):
            model = _of_kind(traits(field)[0], where) if field else None
        else:
            field = fields(model).get(key) if model else None
            model = _of_kind(traits(field)[0], where) if field else None
    return model


def _child(where: Any, key: str | int) -> Any:
    if isinstance(where, Mapping):
        return where.get(str(key))
    if isinstance(where, list | tuple) and isinstance(key, int) and key < len(where):
        return where[key]
    return None


def _of_kind(
    models: tuple[type[BaseModel], ...], where: Any, name: str = ""
) -> type[BaseModel] | None:
    kind = where.get("kind", name) if isinstance(where, Mapping) else name
    if models == (Strategy,):
        return kinds().get(str(kind), Strategy)
    for model in models:
        if len(models) == 1 or kind in get_args(model.model_fields["kind"].annotation):
            return model
    return None
