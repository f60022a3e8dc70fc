"""Looking into a document so that every field that was read is remembered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from simulator.bring.documents import Manifest, ManifestError
from simulator.platforms.cloudformation.stack import Function, references, told
from simulator.words.brought import Kind
from simulator.words.documents import Path, plain
from simulator.words.shape import dotted

MISSING: Any = object()
_SPANS = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TEMPLATE = re.compile(r"\{\{|\{%")
_INTEGER = re.compile(r"[-+]?\d{1,15}")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?")
_LONGEST = 10 * 365 * 86_400.0
_TRUTHS = {"true": True, "false": False, "yes": True, "no": False}


class Log:
    """What was read in a document, and what was said about its fields."""

    def __init__(self) -> None:
        self.read: set[Path] = set()
        self.said: dict[Path, tuple[Kind, str, str]] = {}


class View:
    """A value at a path of a document, or nothing there; `label` says what the document is.

    Going down with `at` reads nothing; the typed readers below do. Each raises ManifestError with
    place, reason and remedy for a value of another form. A value that is known only once it is
    deployed counts as not there: the default holds, and a note says so. `called` is how other
    documents of the file name this one, where they do.
    """

    def __init__(
        self,
        manifest: Manifest,
        document: int,
        path: Path,
        data: Any,
        label: str,
        log: Log,
        called: str = "",
    ) -> None:
        self.manifest, self.document, self.path = manifest, document, path
        self.data, self.label, self.log, self.called = data, label, log, called

    def at(self, *keys: str | int) -> View:
        """The value below, through as many keys as are given; nothing where one is not there."""
        data, path = self.data, self.path
        for key in keys:
            inside = isinstance(data, Mapping) if isinstance(key, str) else isinstance(data, list)
            if inside and isinstance(key, int):
                data = data[key] if 0 <= key < len(data) else MISSING
            else:
                data = data.get(key, MISSING) if inside else MISSING
            path = (*path, key)
        return View(self.manifest, self.document, path, data, self.label, self.log, self.called)

    def rooted(self, label: str) -> View:
        """The same value as a document of its own, with its own memory of what was read."""
        return View(self.manifest, self.document, self.path, self.data, label, Log())

    @property
    def exists(self) -> bool:
        """Whether something known stands here; an empty value or null is nothing."""
        return self.data is not MISSING and self.data is not None and not self.unknown

    @property
    def unknown(self) -> bool:
        """Whether something stands here whose value is known only once it is deployed."""
        return isinstance(self.data, Function)

    @property
    def told(self) -> str:
        """A value that is not known yet, as templates write it in short; else nothing."""
        return told(self.data) if self.unknown else ""

    def refers(self) -> frozenset[str]:
        """How the documents are called that the values at or below it come from."""
        return frozenset(reference.resource for reference in references(self.data))

    def linked(self, documents: Iterable[View], *labels: str) -> list[View]:
        """The documents under these labels that the values at or below it come from, or name."""
        meant, names = self.refers(), {str(value) for _, value in self.leaves()}
        found = []
        for one in documents:
            if one.label in labels:
                called = {one.called, one.called.partition("[")[0]} - {""}  # or one of several
                same = one.manifest is self.manifest and not meant.isdisjoint(called)
                if same or not names.isdisjoint(one.names):
                    found.append(one)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that a resource gives itself."""
        inside = self.peek("Properties") if "Properties" in (self.data or {}) else self.data
        return frozenset(
            value
            for key, value in (inside.items() if isinstance(inside, Mapping) else ())
            if str(key).lower().endswith("name") and isinstance(value, str) and value
        )

    @property
    def line(self) -> int:
        """The line of the file at which it stands, from 1."""
        return self.manifest.place(self.path, self.document)[0]

    @property
    def place(self) -> str:
        """Its path as people write it."""
        return plain(dotted(self.path))

    @property
    def origin(self) -> str:
        """Where it stands, or that nothing does: the controller's default holds then."""
        if self.exists:
            return f"{self.manifest.name}:{self.line} {self.place}"
        if self.unknown:
            return f"default ({self.place} is {told(self.data)})"
        return f"default ({self.place} is not set)"

    def items(self) -> Iterator[View]:
        """The entries of a list, or the values of a mapping; reads none. Refuses other values."""
        if not self.exists:
            return
        if isinstance(self.data, Mapping):
            yield from (self.at(key) for key in self.data)
        elif isinstance(self.data, list):
            yield from (self.at(place) for place in range(len(self.data)))
        else:
            raise self.wrong("is neither a list nor a mapping; write entries below it")

    def mapping(self) -> View:
        """Itself, once it is sure to be a mapping or nothing."""
        if self.exists and not isinstance(self.data, Mapping):
            raise self.wrong("is not a mapping; write keys with values below it")
        return self

    @property
    def key(self) -> str:
        """The last part of its path."""
        return str(self.path[-1]) if self.path else ""

    def peek(self, *keys: str | int) -> Any:
        """A plain value below, to recognise it, without reading it; None if absent."""
        found = self.at(*keys)
        return found.data if found.exists else None

    def name(self, *keys: str | int) -> str:
        """A name below, "" if there is none; naming things is not reading them."""
        found = self.peek(*keys)
        return plain(str(found)) if isinstance(found, str | int | float) else ""

    def mark(self) -> View:
        """Remember this value and all below it as read."""
        self.log.read.update(path for path, _ in _leaves(self.data, self.path))
        return self

    def say(self, kind: Kind, why: str, consequence: str = "") -> None:
        """Say what becomes of this field and all below it."""
        self.log.said[self.path] = (kind, why, consequence)

    def wrong(self, message: str) -> ManifestError:
        """The error that this value makes, with its place."""
        shown = self
        while shown.path and shown.path not in self.manifest.documents[self.document].places:
            shown = View(self.manifest, self.document, shown.path[:-1], None, self.label, self.log)
        problem = self.manifest.problem(shown.path, message, self.document)
        return ManifestError([problem._replace(path=self.place)])

    def _left_open(self) -> bool:
        """Whether the default holds; says so of what is not known yet."""
        if self.unknown:
            remedy = "; --parameter sets one" if self.data.name == "Parameter" else ""
            self.say(
                "assumed",
                f"{told(self.data)} is known only once it is deployed{remedy}",
                "the documented default is taken",
            )
        return not self.exists

    def text(self, default: str = "") -> str:
        """A text."""
        if self._left_open():
            return default
        if not isinstance(self.data, str | int | float | bool):
            raise self.wrong(f"{_short(self.data)} is not text")
        self.mark()
        return plain(str(self.data))

    def choice(self, allowed: Mapping[str, Any], default: Any) -> Any:
        """One of the texts allowed, as what it stands for."""
        if self._left_open():
            return default
        if not isinstance(self.data, str) or self.data not in allowed:
            raise self.wrong(f"{_short(self.data)} is not allowed; allowed: {', '.join(allowed)}")
        self.mark()
        return allowed[self.data]

    def flag(self, default: bool = False) -> bool:
        """True or false, also written as text."""
        if self._left_open():
            return default
        found = _TRUTHS.get(str(self.data).lower())
        if found is None:
            raise self.wrong(f"{_short(self.data)} is neither true nor false{self._hint()}")
        self.mark()
        return found

    def integer(self, default: int = 0, least: int = 0, most: int = 10**9) -> int:
        """A whole number within bounds."""
        if self._left_open():
            return default
        if isinstance(self.data, bool) or not _INTEGER.fullmatch(str(self.data)):
            raise self.wrong(f"{_short(self.data)} is not a whole number{self._hint()}")
        found = int(str(self.data))
        if not least <= found <= most:
            raise self.wrong(f"{found} is not within {least} to {most}")
        self.mark()
        return found

    def number(self, default: float = 0.0, least: float = 0.0, most: float = 1e15) -> float:
        """A number within bounds."""
        if self._left_open():
            return default
        if isinstance(self.data, bool) or not _NUMBER.fullmatch(str(self.data)):
            raise self.wrong(f"{_short(self.data)} is not a number{self._hint()}")
        found = float(str(self.data))
        if not least <= found <= most:
            raise self.wrong(f"{found:g} is not within {least:g} to {most:g}")
        self.mark()
        return found

    def seconds(self, default: float = 0.0) -> float:
        """A length of time, at most ten years: seconds, or text like "1m30s" (Go) in seconds."""
        if self._left_open():
            return default
        text = str(self.data).strip()
        spans = _SPANS.findall(text)
        if isinstance(self.data, bool) or not text:
            raise self.wrong(f"{_short(self.data)} is no length of time; write e.g. 30s or 10m")
        if _NUMBER.fullmatch(text):
            found = float(text)
        elif spans and "".join(f"{n}{unit}" for n, unit in spans) == text:
            found = sum(float(number) * _SECONDS[unit] for number, unit in spans)
        else:
            hint = self._hint() or "; write e.g. 30s or 10m"
            raise self.wrong(f"{_short(self.data)} is no length of time{hint}")
        if not 0 <= found <= _LONGEST:
            raise self.wrong(f"{_short(self.data)} is not within 0s and ten years")
        self.mark()
        return found

    def portion(self, default: str) -> str:
        """A count or a share as a scenario says it: "2" or "25%"; at most a million, or 1000 %."""
        if self._left_open():
            return default
        text = str(self.data).strip()
        number, percent = text.removesuffix("%"), text.endswith("%")
        whole = _NUMBER if percent else _INTEGER
        if isinstance(self.data, bool) or not whole.fullmatch(number):
            raise self.wrong(
                f"{_short(self.data)} is neither a whole number nor a percentage{self._hint()}"
            )
        if not 0 <= float(number) <= (1000 if percent else 1e6):
            raise self.wrong(f"{_short(self.data)} is out of bounds; write e.g. 1 or 25%")
        self.mark()
        return text

    def percent(self, default: float = 0.0, most: float = 100.0) -> float:
        """A number of per cent, as a share."""
        if self._left_open():
            return default
        text = str(self.data).strip().removesuffix("%")
        if isinstance(self.data, bool) or not _NUMBER.fullmatch(text):
            raise self.wrong(f"{_short(self.data)} is not a number of per cent{self._hint()}")
        if not 0 <= float(text) <= most:
            raise self.wrong(f"{_short(self.data)} is not within 0 and {most:g} per cent")
        self.mark()
        return float(text) / 100

    def _hint(self) -> str:
        if _TEMPLATE.search(str(self.data)):
            return "; it is a template's: render it first, e.g. with helm template"
        return ""

    def leaves(self) -> Iterator[tuple[Path, Any]]:
        """Every plain value at or below it, with its path; empty collections count as values."""
        return _leaves(self.data, self.path)


def _leaves(data: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(data, Mapping) and data:
        for key, value in data.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(data, list) and data:
        for place, value in enumerate(data):
            yield from _leaves(value, (*path, place))
    elif data is not MISSING:
        yield path, data


def _short(value: Any) -> str:
    text = plain(repr(value) if value is not MISSING else "nothing")
    return text if len(text) <= 60 else f"{text[:57]}..."
