"""What becomes of every field of a manifest: used, or a note that says why not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from simulator.bring.view import View
from simulator.platforms.cloudformation.stack import Function, told
from simulator.words.brought import Kind, Note
from simulator.words.documents import Path, packaged, plain
from simulator.words.shape import dotted

_MOST_TEXT, _COMMON = 60, "kubernetes"


class Row(NamedTuple):
    """What a table says of the fields whose path fits: kind of note, why, and what follows."""

    pattern: re.Pattern[str]
    kind: Kind
    why: str
    consequence: str


@cache
def table(platform: str) -> Mapping[str, tuple[Row, ...]]:
    """The rows about fields that are not used, by what a document is; of one platform's folder,
    then of what stands around the rollouts of several platforms.

    In a file `fields.yaml`: kind of document, pattern, then `kind`, `why` and `consequence`. In a
    pattern `*` is one key or place, `**` any number of them; the first that fits holds.
    """
    beside = FilePath(__file__).resolve()
    own = beside.parents[1] / "platforms" / platform / "fields.yaml"
    found: dict[str, tuple[Row, ...]] = {}
    for file in (own, beside.with_name("fields.yaml")):
        for label, entries in (packaged(file) if file.is_file() else {}).items():
            rows = (_row(pattern, entry) for pattern, entry in entries.items())
            found[label] = (*found.get(label, ()), *rows)
    return found


def _row(pattern: str, entry: Any) -> Row:
    if isinstance(entry, str):  # a kind alone: outside
        entry = {"kind": entry}
    parts = (
        re.escape(part).replace(r"\*\*", ".*").replace(r"\*", "[^/]*") for part in _split(pattern)
    )
    text = "/".join(parts).replace("/.*", "(/.*)?")
    return Row(re.compile(text), entry["kind"], entry.get("why", ""), entry.get("consequence", ""))


def _split(pattern: str) -> list[str]:
    return pattern.split(".")


def notes(platform: str, documents: Iterable[View]) -> Iterator[Note]:
    """A note for every field of the documents: what was read is used, what was said holds.

    What is not in the platform's own table is looked up in that of Kubernetes, whose objects stand
    beside those of other platforms.
    """
    tables = (table(platform), table(_COMMON))
    for document in documents:
        rows = tuple(row for one in tables for row in one.get(document.label, ()))
        for path, value in document.leaves():
            if _nowhere(document, path, value):
                continue
            kind, why, consequence = _fate(document, path, rows)
            line, _ = document.manifest.place(path, document.document)
            text = _shown(value)
            yield Note(
                document.manifest.name, line, plain(dotted(path)), text, kind, why, consequence
            )


def _nowhere(document: View, path: Path, value: Any) -> bool:
    """Whether a value is known later and stands nowhere in the file; what was said of it stays."""
    places = document.manifest.documents[document.document].places
    return isinstance(value, Function) and path not in places and path not in document.log.said


def _fate(document: View, path: Path, rows: Iterable[Row]) -> tuple[Kind, str, str]:
    said = document.log.said
    for depth in range(len(path), -1, -1):
        if path[:depth] in said:
            return said[path[:depth]]
    if path in document.log.read:
        return "used", "", ""
    below = "/".join(str(part).replace("/", "|") for part in path[len(document.path) :])
    for row in rows:
        if row.pattern.fullmatch(below):
            return row.kind, row.why, row.consequence
    return "ignored", "no rule is known for this field", "the rollout is simulated without it"


def _shown(value: Any) -> str:
    known = told(value) if isinstance(value, Function) else str(value).strip()
    text = plain("" if value is None else known)
    return text if len(text) <= _MOST_TEXT else f"{text[: _MOST_TEXT - 3]}..."
