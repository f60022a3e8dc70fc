"""Bringing a rollout of one's own: manifests in, a scenario and a note for every field out."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from simulator.bring import fields, surroundings
from simulator.bring.documents import Manifest, ManifestError, decoded, load
from simulator.bring.recognise import READERS, views
from simulator.bring.values import PSEUDO
from simulator.bring.view import View
from simulator.words.brought import NAME, Alternative, Assumed, Draft, Note, Reader, Workload
from simulator.words.changes import split
from simulator.words.documents import Document, plain
from simulator.words.problems import Problem, ScenarioError
from simulator.words.profiles import names as profiles
from simulator.words.reading import loads, packaged_folder, reread
from simulator.words.scenario import Scenario
from simulator.words.units import format_rate, rate
from simulator.words.writing import stated

_SUFFIXES = (".yaml", ".yml", ".json", ".config", ".template")
_MOST_FILES, _MOST_BYTES = 200, 2**23
_PLACE = re.compile(r"(.+?):(\d+) (.*)")
OPEN = (
    Assumed("traffic.rate", "100 rps", "1 rps", "10000 rps", "judgement: a service of some size"),
    Assumed("costs.failed_request", 0.01, 0.001, 1.0, "judgement: a request worth a cent"),
)


class Imported(NamedTuple):
    """A rollout that was read: its scenario with one strategy, and what became of every field.

    `origins` says of keys of the scenario where they come from, `assumed` what the manifests leave
    open beside the scenario's own defaults, `remarks` what their author should know, `others` the
    workloads that were not chosen; `manifests` are what was read.
    """

    workload: Workload
    platform: str
    scenario: Scenario
    origins: Mapping[str, tuple[str, ...]]
    assumed: tuple[Assumed, ...]
    notes: tuple[Note, ...]
    remarks: tuple[str, ...]
    others: tuple[str, ...]
    manifests: tuple[Manifest, ...]
    profile: str | None = None
    parameters: Mapping[str, str] | None = None

    def count(self, kind: str) -> int:
        """How many fields have notes of this kind."""
        return sum(note.kind == kind for note in self.notes)

    def alternatives(self) -> tuple[Alternative, ...]:
        """Other ways to write the manifest, with the fields that they change; none without any."""
        found = (
            one._replace(changes=tuple(change for change in one.changes if _is_other(*change)))
            for one in self.workload.alternatives()
        )
        return tuple(one for one in found if one.changes)

    def altered(self, alternative: Alternative) -> Imported:
        """The same manifests with some fields changed, read again; raises ManifestError."""
        changed = [
            manifest._replace(documents=tuple(_altered(manifest, alternative)))
            for manifest in self.manifests
        ]
        return imported(changed, self.workload.called, self.profile, (), self.parameters)


def packaged_manifests() -> FilePath:
    """Where the packaged manifests lie."""
    return packaged_folder() / "manifests"


def gather(paths: Iterable[str | FilePath]) -> tuple[Manifest, ...]:
    """The documents of files, of all manifests in folders, and of standard input for "-".

    At most 200 files and 8 MiB; nothing outside a folder that was named is read, wherever links
    point. Raises ManifestError.
    """
    found, size = list[Manifest](), 0
    for path in _files(paths):
        size += path.stat().st_size if isinstance(path, FilePath) and path.is_file() else 0
        if len(found) >= _MOST_FILES or size > _MOST_BYTES:
            message = f"more than {_MOST_FILES} files or 8 MiB; name fewer of them"
            raise ManifestError([Problem(str(path), "", None, None, message)])
        found.append(load(path, packaged_manifests()))
    return tuple(found)


def _files(paths: Iterable[str | FilePath]) -> Iterator[str | FilePath]:
    for name in paths:
        folder = FilePath(name)
        if str(name) == "-" or not folder.is_dir():
            yield str(name)
            continue
        root, inside = folder.resolve(), 0
        for file in sorted(folder.rglob("*")):
            if file.suffix in _SUFFIXES and root in file.resolve().parents and file.is_file():
                inside += 1
                yield file
        if not inside:
            message = f"no manifest in this folder ({', '.join(_SUFFIXES)}); name another"
            raise ManifestError([Problem(str(name), "", None, None, message)])


def from_text(text: str, name: str = "<text>") -> tuple[Manifest, ...]:
    """The documents of a text; raises ManifestError."""
    return (decoded(text.encode(), name),)


def imported(
    manifests: Sequence[Manifest],
    workload: str | None = None,
    profile: str | None = None,
    sets: Iterable[str] = (),
    parameters: Mapping[str, str] | None = None,
) -> Imported:
    """The rollout that manifests describe, as a scenario.

    `workload` is a name, or Kind/name, where they describe several; `profile` replaces the one
    that the platform suggests; `sets` are texts path=value that change keys of the scenario;
    `parameters` are values for the parameters of templates. Raises ManifestError, or ScenarioError
    for what `sets` say.
    """
    if profile is not None and profile not in profiles():
        known = ", ".join(profiles())
        raise ManifestError([_said("--profile", f"{profile!r} is unknown; there are {known}")])
    _known(parameters or {}, manifests)
    everything = views(manifests, parameters)
    found = _workloads(everything)
    reader, chosen = _chosen(found, everything, workload)
    sets = tuple(sets)
    changes = dict(map(split, sets))
    draft = _drafted(chosen, profile, changes)
    scenario = _scenario(draft, chosen)
    if sets:
        scenario = loads(stated(scenario), sets=sets)
        draft.assumed = [row for row in draft.assumed if row.path not in changes]
        draft.origins.update(dict.fromkeys(changes, ("--set",)))
    own = reader.platform
    return Imported(
        chosen,
        own,
        scenario,
        draft.origins,
        tuple(draft.assumed),
        tuple(fields.notes(own, chosen.documents)),
        tuple(draft.remarks),
        tuple(one.called for _, one in found if one is not chosen),
        tuple(manifests),
        profile,
        parameters,
    )


def _drafted(chosen: Workload, profile: str | None, changes: Mapping[str, str]) -> Draft:
    """What a workload says, before it is a scenario; counts of errors need the traffic told."""
    draft = Draft()
    draft.put("version", 1)
    draft.put("name", chosen.called)
    for row in OPEN:
        draft.assume(*row)
    with suppress(ValueError):
        told = changes.get("traffic.rate", "").strip("\"'")
        draft.keys["traffic.rate"] = format_rate(rate(told))
    chosen.read(draft)
    surroundings.put(draft)
    if profile is not None:
        draft.put("profile", profile, "--profile")
    return draft


def values_of(items: Iterable[str]) -> dict[str, str]:
    """Values for parameters from texts name=value; raises ManifestError for another text."""
    found = {}
    for item in items:
        name, sign, value = item.partition("=")
        if not name or not sign:
            raise ManifestError(
                [Problem("--parameter", plain(item), None, None, "is not NAME=VALUE")]
            )
        found[name] = value
    return found


def _known(parameters: Mapping[str, str], manifests: Sequence[Manifest]) -> None:
    """Refuse values for parameters that no template has."""
    documents = [one.data for manifest in manifests for one in manifest.documents]
    sections = [data.get("Parameters") for data in documents if isinstance(data, Mapping)]
    known = [name for section in sections if isinstance(section, Mapping) for name in section]
    for name in parameters:
        if name not in known and name not in PSEUDO:
            listed = ", ".join(map(plain, known)) or "none"
            message = f"no template has a parameter {plain(name)!r}; there are: {listed}"
            raise ManifestError([_said("--parameter", message)])


def _is_other(view: View, value: Any) -> bool:
    """Whether a field stands there with another value, or not at all."""
    now = view.peek()
    return (now is None) != (value is None) or str(now).lower() != str(value).lower()


def workloads(manifests: Sequence[Manifest]) -> tuple[Workload, ...]:
    """Everything in the manifests that is rolled out; raises ManifestError if there is nothing."""
    everything = views(manifests)
    found = _workloads(everything)
    if not found:
        raise _nothing(everything)
    return tuple(workload for _, workload in found)


def _workloads(everything: Sequence[View]) -> list[tuple[Reader, Workload]]:
    """What is rolled out, without what something else among it moves."""
    found = [(reader, one) for reader in READERS for one in reader.find(everything)]
    moved = {name for _, one in found for name in one.moves}
    return [(reader, one) for reader, one in found if one.called not in moved]


def _chosen(
    found: Sequence[tuple[Reader, Workload]], everything: Sequence[View], wanted: str | None
) -> tuple[Reader, Workload]:
    if not found:
        raise _nothing(everything)
    if wanted is None:
        found = [(reader, one) for reader, one in found if not one.plain] or found
        if len(found) == 1:
            return found[0]
        first = found[0][1].documents[0].manifest.name
        message = f"{len(found)} workloads; choose one with --workload: {_listed(found)}"
        raise ManifestError([_said(first, message)])
    fitting = [(r, one) for r, one in found if wanted in (one.name, one.called)]
    if len(fitting) != 1:
        what = "several workloads are" if fitting else "no workload is"
        message = f"{what} called {plain(wanted)!r}; there are {_listed(found)}"
        raise ManifestError([_said("--workload", message)])
    return fitting[0]


def _listed(found: Sequence[tuple[Reader, Workload]]) -> str:
    return plain(", ".join(one.called for _, one in found))


def _nothing(everything: Sequence[View]) -> ManifestError:
    labels = dict.fromkeys(view.label or "a document of no known kind" for view in everything)
    file = everything[0].manifest.name if everything else "manifests"
    readable = "; ".join(reader.reads for reader in READERS)
    seen = ", ".join(plain(label)[:60] for label in list(labels)[:8]) or "nothing"
    message = f"nothing here is rolled out (found: {seen}); what can be read: {readable}"
    return ManifestError([_said(file, message)])


def _said(file: str, message: str) -> Problem:
    return Problem(file, "", None, None, message)


def _scenario(draft: Draft, workload: Workload) -> Scenario:
    """The scenario of a draft; what it refuses is said at the manifest's place it comes from."""
    raw: dict[str, Any] = {}
    for path, value in draft.keys.items():
        where = raw
        *parents, last = path.split(".")
        for key in parents:
            where = where.setdefault(key, {})
        where[last] = value
    try:
        return reread(raw, None, ())
    except ScenarioError as error:
        raise ManifestError(
            _traced(problem, draft, workload) for problem in error.problems
        ) from None


def _traced(problem: Problem, draft: Draft, workload: Workload) -> Problem:
    """A problem of the scenario at the place of the manifest where its value stands."""
    steps = problem.path
    while steps:
        for origin in draft.origins.get(steps, ()):
            if found := _PLACE.fullmatch(origin):
                file, line, path = found.groups()
                return Problem(file, path, int(line), 1, problem.message)
        steps = steps.rpartition(".")[0]
    main = workload.documents[0]
    setting = problem.path.removeprefix(f"strategies.{NAME}.")
    return Problem(main.manifest.name, main.place, main.line, 1, f"{setting}: {problem.message}")


def _altered(manifest: Manifest, alternative: Alternative) -> Iterator[Document]:
    for number, document in enumerate(manifest.documents):
        changes = [
            (view.path, value)
            for view, value in alternative.changes
            if view.manifest == manifest and view.document == number
        ]
        if not changes:
            yield document
            continue
        data = copy.deepcopy(document.data)
        for path, value in changes:
            _set(data, path, value)
        yield document._replace(data=data)


def _set(data: Any, path: Sequence[str | int], value: Any) -> None:
    """Set a value in plain data, with mappings and lists on the way; None takes it out."""
    for key, following in pairwise(path):
        fresh: Any = [] if isinstance(following, int) else {}
        if isinstance(key, int):
            if key == len(data):
                data.append(fresh)
        elif not isinstance(data.get(key), dict | list):
            data[key] = fresh
        data = data[key]
    last: Any = path[-1]
    if value is None:
        data.pop(last, None)
    elif isinstance(data, list) and last == len(data):
        data.append(value)
    else:
        data[last] = value


__all__ = ["NAME", "Imported", "from_text", "gather", "imported", "workloads"]
