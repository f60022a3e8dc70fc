"""How much of a manifest is used, and whether what counts as used has any effect."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

from simulator.bring.importing import Imported, imported
from simulator.words.brought import Kind, Note
from simulator.words.changes import parse_path
from simulator.words.problems import ScenarioError

_OTHER_TEXTS = {
    "RollingUpdate": "Recreate",
    "true": "false",
    "false": "true",
}


def counted(found: Imported) -> Counter[Kind]:
    """How many fields of the rollout part there are of each kind of note."""
    return Counter(note.kind for note in found.notes if note.kind != "outside")


def ignored(found: Imported) -> float:
    """The share of the rollout part's fields that is ignored."""
    kinds = counted(found)
    return kinds["ignored"] / max(kinds.total(), 1)


def without_effect(found: Imported) -> list[Note]:
    """Fields that count as used though no other value of theirs changes the scenario."""
    return [note for note in found.notes if note.kind == "used" and not _matters(found, note)]


def _matters(found: Imported, note: Note) -> bool:
    before = found.scenario.canonical()
    for value in _others(note.value):
        try:
            after = _with(found, note, value)
        except ScenarioError:
            return True  # refused: it was looked at
        if after.scenario.canonical() != before:
            return True
    return False


def _with(found: Imported, note: Note, value: Any) -> Imported:
    manifests = []
    for manifest in found.manifests:
        documents = []
        for document in manifest.documents:
            data = copy.deepcopy(document.data)
            path = parse_path(note.path)
            if manifest.name == note.file and document.places.get(path, (0, 0))[0] == note.line:
                _set(data, path, value)
            documents.append(document._replace(data=data))
        manifests.append(manifest._replace(documents=tuple(documents)))
    return imported(manifests, found.workload.called, found.profile)


def _set(data: Any, path: tuple[str | int, ...], value: Any) -> None:
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


def _others(text: str) -> Iterator[Any]:
    """Other values that might stand there, of the same form."""
    number = text.rstrip("%smhd")
    unit = text[len(number) :]
    if number.replace(".", "", 1).isdigit():
        for other in (float(number) * 2 + 1, float(number) / 2, float(number) + 1):
            whole = int(other) if other == int(other) or "." not in number else other
            yield f"{whole}{unit}" if unit else whole
    elif text.lower() in ("true", "false"):
        yield text.lower() == "false"
    elif text in _OTHER_TEXTS:
        yield _OTHER_TEXTS[text]
    yield f"{text}x"
    yield ""
