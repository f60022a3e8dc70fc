"""Manifests that a visitor brought: their text in this tab and in the link, and what was read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from simulator.bring.documents import ManifestError, decoded
from simulator.bring.importing import Imported, imported, packaged_manifests, workloads
from simulator.decide.brought import beside
from simulator.findings.reconsider import only_weighs
from simulator.web import link, state
from simulator.web.state import Base, Variant
from simulator.words import documents, profiles
from simulator.words.brought import Alternative
from simulator.words.changes import parse_path
from simulator.words.documents import MOST_BYTES
from simulator.words.documents import plain as printable
from simulator.words.problems import Problem
from simulator.words.scenario import Scenario

FIRST = "shop-deployment"  # of the packaged examples
PASTED = "pasted.yaml"
DRAFT, WORKLOAD, PROFILE, MOST_FILES = "manifests", "workload", "profile", 200
_TEXT, _SAVED, _OPENED, _UNREAD = "brought", "brought link", "brought files", "unread"
_OF_TEXT, _PACKED, _COMPARED = "brought text", "m", "compared"
_LINK = (_PACKED, WORKLOAD, PROFILE, _COMPARED, state.sets(state.BROUGHT))
_EXAMPLE, _TOO_LONG = "example", "too-long"
_HEADING = re.compile(r"^# file: (.+)\n?", re.MULTILINE)
_NOTHING = "There is nothing to read yet: paste a manifest, open a file, or try the example."
_LONGEST_NAME, _SHOWN = 120, 80
WRONG = ("file", "line", "where", "what is wrong, and the remedy", "the line")


class Reading(NamedTuple):
    """What was read of a workload: `read` as the manifests say it, `found` with the visitor's
    changes, `played` with those that need new replications; and beside the platform's
    alternatives, `begun` without the changes and `variant` with them.
    """

    read: Imported
    found: Imported
    played: Imported
    begun: Base
    variant: Variant
    alternatives: Mapping[str, Alternative]
    workloads: tuple[str, ...]
    profile: str | None


def examples() -> list[str]:
    """The names of the packaged manifests, the usual one first."""
    names = sorted(path.stem for path in packaged_manifests().iterdir() if path.is_file())
    return sorted(names, key=lambda name: name != FIRST)


def example(name: str) -> str:
    """The text of a packaged manifest; raises StopIteration for an unknown name."""
    path = next(path for path in packaged_manifests().iterdir() if path.stem == name)
    return added("", name, path.read_text("utf-8"))


def files(text: str) -> list[tuple[str, str]]:
    """The files in a text, each behind a line `# file: name`; what has none was pasted."""
    first, *rest = _HEADING.split(text)
    found = [(PASTED, first)] if first.strip() or not rest else []
    names, contents = rest[::2], rest[1::2]
    return found + [(_name(name), part) for name, part in zip(names, contents, strict=True)]


def added(text: str, name: str, content: str) -> str:
    """The text with one more file; one of the same name is replaced."""
    kept = [(one, part) for one, part in files(text) if part.strip() and one != _name(name)]
    parts = [part if one == PASTED else _headed(one, part) for one, part in kept]
    return "\n".join(part.rstrip("\n") for part in (*parts, _headed(_name(name), content))) + "\n"


def _name(text: str) -> str:
    return printable(text.strip())[:_LONGEST_NAME]


def _headed(name: str, content: str) -> str:
    return f"# file: {name}\n{content}"


def take(top: DeltaGenerator) -> str | None:
    """The text that is in use, of this tab or of its link; nothing at first.

    What is wrong with a link is told at the `top` of the page.
    """
    if not link.values(_PACKED) and not link.values(_EXAMPLE):
        for key, values in st.session_state.get(_SAVED, {}).items():
            link.write(key, *values)  # back from another page
    name, packed = link.value(_EXAMPLE), link.value(_PACKED)
    if name is not None:
        link.write(_EXAMPLE)
    if name is not None and name in examples():
        _put(example(name))
    elif name is not None:
        top.error("The example of this link is not among those that are packaged here.")
    elif packed == _TOO_LONG and _TEXT not in st.session_state:
        top.warning(
            "This link is of manifests that were too long for a link. Ask for the files and open "
            "them here."
        )
        link.write(_PACKED)
    elif packed is not None and packed != st.session_state.get(_OF_TEXT):
        _take_from_link(top, packed)
    st.session_state[_SAVED] = {key: found for key in _LINK if (found := link.values(key))}
    text = st.session_state.get(_TEXT)
    return None if text is None else str(text)


def _take_from_link(top: DeltaGenerator, packed: str) -> None:
    try:
        _put(state.unpacked(packed))
    except (ValueError, UnicodeError):
        link.write(_PACKED)
        top.error(
            "The manifests in this link cannot be read, because it is cut off, altered, or of more "
            "than 1 MiB. Ask for the files and open them here."
        )


def _link_of(text: str) -> str:
    packed = state.packed(text)
    return packed if len(packed) <= state.LONGEST_LINK else _TOO_LONG


def _put(text: str) -> None:
    """Take a text into use, and show it in the editor."""
    st.session_state[_TEXT] = st.session_state[DRAFT] = text
    st.session_state[_OF_TEXT] = _link_of(text)
    link.write(_PACKED, st.session_state[_OF_TEXT])


def use(text: str) -> None:
    """Take a text into use and forget what was chosen about another one."""
    forget()
    _put(text)


def use_draft() -> None:
    """Take what stands in the editor into use; an empty editor is told."""
    text = str(st.session_state.get(DRAFT) or "")
    for name, content in opened().items():
        text = added(text, name, content)
    st.session_state.pop(_OPENED, None)
    st.session_state[_UNREAD] = "" if text.strip() else _NOTHING
    if text.strip() and text != st.session_state.get(_TEXT):
        use(text)


def forget() -> None:
    """Begin anew; what stands in the editor stays there."""
    for key in (_TEXT, _OF_TEXT, _SAVED, _OPENED, _UNREAD):
        st.session_state.pop(key, None)
    for key in _LINK:
        link.write(key)


def opened() -> dict[str, str]:
    """Files that were opened and are not read yet, by their names."""
    return dict(st.session_state.get(_OPENED, {}))


def take_files(uploaded: Sequence[Any]) -> None:
    """Keep uploaded files until they are read with the rest, or tell why one cannot be.

    The editor is left alone: what is being typed into it may not have come here yet.
    """
    kept, told = opened(), []
    for file in uploaded[:MOST_FILES]:
        try:
            wanted = {**kept, _name(file.name): _decoded(file)}
            _bounded("".join(_headed(*one) for one in wanted.items()))
        except ManifestError as error:
            told += [f"{one.file}: {one.message}" for one in error.problems]
        else:
            kept = wanted
    if len(uploaded) > MOST_FILES:
        told.append(f"more than {MOST_FILES} files: only the first ones were opened")
    st.session_state[_OPENED] = kept
    st.session_state[_UNREAD] = "; ".join(told)


def unread() -> str:
    """What was not even tried to be read the last time, and why."""
    return str(st.session_state.get(_UNREAD) or "")


def _decoded(file: Any) -> str:
    try:
        return documents.decode(file.getvalue())
    except documents.DocumentError as error:
        name = _name(file.name)
        raise ManifestError([Problem(name, "", error.line, error.column, str(error))]) from None


def _bounded(text: str) -> None:
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        message = "more than 1 MiB together with the rest; leave something out"
        raise ManifestError([Problem(files(text)[-1][0], "", None, None, message)])


@st.cache_data(max_entries=50, show_spinner=False)
def scenario_in(text: str) -> str | None:
    """The text of a scenario, if that is what was brought instead of manifests."""
    parts = files(text)
    try:
        found = decoded(parts[0][1].encode(), "").documents if len(parts) == 1 else ()
    except ManifestError:
        return None
    data = found[0].data if len(found) == 1 else None
    if not isinstance(data, Mapping) or "apiVersion" in data:
        return None
    keys, known = set(data), {*Scenario.model_fields, "profile"}
    return parts[0][1] if "strategies" in keys or ("version" in keys and keys <= known) else None


def choose(key: str, widget: str) -> None:
    """Write a choice into the link; of another workload nothing was changed yet."""
    chosen = st.session_state[widget]
    link.write(key, *([chosen] if chosen else ()))
    if key == WORKLOAD:
        state.drop(state.BROUGHT)


def too_long() -> bool:
    """Whether the text in use is too long for a link."""
    return link.value(_PACKED) == _TOO_LONG


def compared() -> bool:
    """Whether the visitor asked for the comparison."""
    return link.value(_COMPARED) == "1"


def compare() -> None:
    """Ask for the comparison."""
    link.write(_COMPARED, "1")


@st.cache_resource(max_entries=8, ttl=1800, show_spinner=False)
def _found(text: str) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """The manifests of a text, and what they roll out; raises ManifestError."""
    _bounded(text)
    manifests = tuple(decoded(part.encode(), name) for name, part in files(text))
    return manifests, tuple(dict.fromkeys(one.called for one in workloads(manifests)))


@st.cache_resource(max_entries=12, ttl=1800, show_spinner=False)
def _read(text: str, workload: str, profile: str | None, sets: tuple[str, ...]) -> Imported:
    manifests, _ = _found(text)
    return imported(manifests, workload, profile, sets)


@st.cache_resource(max_entries=8, ttl=1800, show_spinner=False)
def _beside(
    text: str, workload: str, profile: str | None
) -> tuple[Scenario, Mapping[str, Alternative]]:
    return beside(_read(text, workload, profile, ()))


def reading(text: str) -> Reading:
    """What a text says about a rollout, as the link chooses and changes it.

    Raises ManifestError, or ScenarioError for what does not fit together.
    """
    names = _found(text)[1]
    wanted, profile = link.value(WORKLOAD), link.value(PROFILE)
    workload = wanted if wanted in names else names[0]
    profile = profile if profile in profiles.names() else None
    read = _read(text, workload, profile, ())
    scenario, alternatives = _beside(text, workload, profile)
    begun = Base(state.OWN, scenario)
    variant = state.variant(begun, state.BROUGHT)
    changes = {path: f"{path}={value}" for path, value in variant.changes.items()}
    needed = [one for path, one in changes.items() if not only_weighs(parse_path(path))]
    return Reading(
        read,
        _read(text, workload, profile, tuple(changes.values())),
        _read(text, workload, profile, tuple(needed)),
        begun,
        variant,
        alternatives,
        names,
        profile,
    )


def wrong(problems: Sequence[Problem], text: str) -> list[tuple[str, ...]]:
    """Problems as rows: file, line, what is wrong, and the line itself as it was pasted."""
    parts = dict(files(text))
    return [_told(problem, parts.get(problem.file, "").splitlines()) for problem in problems]


def _told(problem: Problem, lines: Sequence[str]) -> tuple[str, ...]:
    file = "" if problem.file.startswith("--") else problem.file
    place = problem.line or 0
    line = printable(lines[place - 1].strip())[:_SHOWN] if 0 < place <= len(lines) else ""
    return (file, str(place or ""), problem.path, problem.message, line)
