"""What the pages are about, as their link says it: a scenario, changes to it, a second variant."""

from __future__ import annotations

import base64
import binascii
import hashlib
import shlex
import uuid
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from simulator.findings.reconsider import only_weighs
from simulator.web import link, own
from simulator.web.plain import plain
from simulator.words.changes import files, parse_path, split
from simulator.words.documents import MOST_BYTES, DocumentError, Path
from simulator.words.documents import read as read_document
from simulator.words.problems import Problem, ScenarioError
from simulator.words.reading import load, packaged
from simulator.words.scenario import Scenario
from simulator.words.settings import at
from simulator.words.shape import dotted

OWN, OWN_TEXT, FIRST = own.NAME, "own_text", "textbook"
FIRST_VARIANT, SECOND_VARIANT, BROUGHT = "A", "B", "brought"
_VARIANTS = (FIRST_VARIANT, SECOND_VARIANT)
_SETS = {FIRST_VARIANT: "set", SECOND_VARIANT: "b", BROUGHT: "fix"}
_TWO, _PACKED, _CARRIED, _MISSED = "two", "own", "carried", "missed scenario"
# What is chosen on one page and holds on the next.
_CHOSEN = (link.SCENARIO, "n", "seed")
_CHANGED = (*(_SETS[label] for label in _VARIANTS), _TWO, _PACKED)
LONGEST_LINK, _COOKIE = 6000, "_streamlit_xsrf"
_MOST_CHANGES, _LONGEST_CHANGE = 60, 4000


class Base(NamedTuple):
    """The scenario that a page begins with: the name it is chosen by, and itself."""

    name: str
    scenario: Scenario


class Wrong(NamedTuple):
    """A change that was left out: its value, and what is wrong with it and the remedy."""

    value: str
    message: str


class Variant(NamedTuple):
    """A scenario with changes: `played` has only those that need new replications.

    `changes` are values by path as texts of a file; `wrong` are those that were left out.
    """

    label: str
    scenario: Scenario
    played: Scenario
    changes: Mapping[str, str]
    wrong: Mapping[str, Wrong]

    @property
    def options(self) -> str:
        """The changes as options of a command line."""
        return "".join(f" --set {shlex.quote(f'{p}={v}')}" for p, v in self.changes.items())


class _Carried(NamedTuple):
    """What the link of a page said: what is chosen, and the changes; and marks of all that the
    links of pages said that were looked at.
    """

    page: str
    chosen: Mapping[str, str] = {}
    changes: Mapping[str, list[str]] = {}
    seen: frozenset[int] = frozenset()


def visitor() -> str:
    """A name for this browser tab that nobody else has, behind one for its browser."""
    if "visitor" not in st.session_state:
        tab, cookie = uuid.uuid4().hex, st.context.cookies.get(_COOKIE)
        known = isinstance(cookie, str) and cookie
        browser = hashlib.sha256(str(cookie).encode()).hexdigest() if known else tab
        st.session_state.visitor = f"{browser}/{tab}"
    return str(st.session_state.visitor)


def base(top: DeltaGenerator, forget: Sequence[str] = ()) -> Base:
    """Draw the select box of scenarios and give the one that is chosen.

    What is wrong with a link is told at the `top` of the page: a phone hides the side bar. `forget`
    names widgets whose values are dropped when another one is chosen. Ends the page when the
    visitor's own scenario cannot be used.
    """
    _take_own_from_link(top)
    text = st.session_state.get(OWN_TEXT)
    options = packaged() if text is None else [OWN, *packaged()]
    _miss(top, options)
    name = st.selectbox(
        "Scenario",
        options,
        index=options.index(FIRST) if FIRST in options else 0,
        key="scenario",
        bind="query-params",
        help="Each answers one question. The page Scenarios shows them and takes your own.",
        on_change=_begin_anew,
        args=(tuple(forget),),
    )
    if text is not None and name == OWN:
        _put_own_into_link(text)
    else:
        link.write(_PACKED)
    try:
        return Base(name, own.read(text) if text is not None and name == OWN else load(name))
    except ScenarioError as error:
        top.error(f"This cannot be simulated:\n\n{plain(str(error))}")
        st.stop()


def carry(page: str) -> None:
    """Keep what is chosen, and the changes, when the visitor goes to another page by its link.

    The framework keeps what is bound to the link by itself, but not from a page that was drawn only
    once or not to its end: it is chosen here anew. Who goes back means what the link says.
    """
    before: _Carried = st.session_state.get(_CARRIED, _Carried(page))
    if link.goes_back():
        said: Mapping[str, list[str]] = link.asked()
        if _mark(page, said) not in before.seen:  # only passed on the way to another page
            said = _completed(said, before)
        link.take_at_its_word(said)
    changes = {key: found for key in _CHANGED if (found := link.values(key))}
    chosen = {key: st.query_params[key] for key in _CHOSEN if key in st.query_params}
    if before.page != page and not link.goes_back():
        same = chosen.get(link.SCENARIO) in (None, before.chosen.get(link.SCENARIO))
        for key in (key for key in _CHOSEN if key not in chosen):
            value = st.session_state.get(key)
            if value is not None:
                st.session_state[key] = value
            if value is not None and key in before.chosen:
                chosen[key] = str(value)
        if same and not changes:
            changes = {**before.changes}
        link.write_all({**{key: [text] for key, text in chosen.items()}, **changes})
    whole = {**changes, **{key: [text] for key, text in chosen.items()}}
    seen = before.seen | {_mark(page, whole)}
    st.session_state[_CARRIED] = _Carried(page, chosen, changes, seen)


def _mark(page: str, said: Mapping[str, Sequence[str]]) -> int:
    """A mark of what a page's link said of what pages share."""
    shared = (*_CHOSEN, *_CHANGED)
    return hash((page, tuple((key, tuple(said[key])) for key in shared if said.get(key))))


def _completed(said: Mapping[str, list[str]], before: _Carried) -> Mapping[str, list[str]]:
    """A link that lacks what the framework takes out when pages change, with what was chosen."""
    if link.SCENARIO in said:
        return said
    changes = {} if any(key in said for key in _CHANGED) else before.changes
    return {**changes, **{key: [text] for key, text in before.chosen.items()}, **said}


def take_own(text: str) -> None:
    """Take a text into use as one's own scenario; what was changed was about the one before."""
    if text != st.session_state.get(OWN_TEXT):
        _forget_changes()
        link.write(_PACKED)
    st.session_state[OWN_TEXT] = text
    st.session_state.pop(_MISSED, None)


def sets(label: str) -> str:
    """The key of the link at which a variant's changes stand."""
    return _SETS[label]


def two() -> bool:
    """Whether two variants are shown side by side."""
    return link.value(_TWO) == "1"


def show_two(wanted: bool) -> None:
    """Begin a second variant as a copy of the first, or drop it."""
    if wanted:
        link.write(_TWO, "1")
        link.write(_SETS[SECOND_VARIANT], *link.values(_SETS[FIRST_VARIANT]))
    else:
        link.write(_TWO)
        link.write(_SETS[SECOND_VARIANT])


def variant(begun: Base, label: str = FIRST_VARIANT) -> Variant:
    """A variant of a scenario as the link says it; what is wrong in it is left out and told."""
    texts = link.values(_SETS[label])[:_MOST_CHANGES]
    wanted: dict[str, str] = {}
    wrong: dict[str, Wrong] = {}
    for text in texts:
        path, value = split(text)
        if complaint := _refused(path, value):
            wrong[path[:80]] = Wrong(value[:80], complaint)
        else:
            wanted[path] = value
    try:
        scenario = begun.scenario.with_all(wanted) if wanted else begun.scenario
    except ScenarioError:
        scenario, wanted, more = _one_by_one(begun.scenario, wanted)
        wrong |= more
    needed = {path: text for path, text in wanted.items() if not only_weighs(parse_path(path))}
    try:
        played = scenario if needed == wanted else begun.scenario.with_all(needed)
    except ScenarioError:
        played = scenario
    return Variant(label, scenario, played, wanted, wrong)


def stem(begun: Base, label: str = FIRST_VARIANT) -> str:
    """The name that files of a variant are downloaded by."""
    name = "my-own" if begun.name == OWN else begun.name.replace("/", "-")
    return name + (f"-{label.lower()}" if two() else "")


def command(begun: Base, variant: Variant) -> tuple[str, str]:
    """A variant's scenario and options for a command line; one's own is the downloaded file."""
    if begun.name == OWN:
        return f"{stem(begun, variant.label)}.yaml", ""
    return begun.name, variant.options


def change(begun: Base, label: str, path: str, value: str) -> None:
    """Write a change into the link; a value that the scenario has anyway leaves it.

    A browser may send back what it was shown: that is no change, and 7k stays 7k.
    """
    where = parse_path(path)
    found = variant(begun, label)
    if path not in found.wrong and value.strip() == at(found.scenario, path):
        return
    texts = [text for text in link.values(_SETS[label]) if _path(text) != where]
    if value.strip() != at(begun.scenario, path):
        texts.append(f"{dotted(where)}={value.strip()}")
    link.write(_SETS[label], *texts)


def drop(label: str, within: str = "") -> None:
    """Take changes back: all, or those at and below a path."""
    above = parse_path(within) if within else ()
    kept = [text for text in link.values(_SETS[label]) if _path(text)[: len(above)] != above]
    link.write(_SETS[label], *kept)


def _path(text: str) -> Path:
    """The path of a change path=value; empty for what is none."""
    try:
        return parse_path(split(text)[0])
    except ValueError:
        return ()


def packed(text: str) -> str:
    """A scenario's text for a link."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpacked(text: str) -> str:
    """A scenario's text from a link; raises ValueError for anything else, or a text above 1 MiB."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        reader = zlib.decompressobj()
        found = reader.decompress(content, MOST_BYTES + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"this is no scenario of a link ({error})") from None
    if not found or (not reader.eof and len(found) <= MOST_BYTES):
        raise ValueError("this is no scenario of a link (it is cut off)")
    if len(found) > MOST_BYTES:
        raise ValueError("the scenario of this link is larger than 1 MiB")
    return found.decode("utf-8")


def _miss(top: DeltaGenerator, options: Sequence[str]) -> None:
    """Tell that a link is about a scenario that is not here, until another one is chosen."""
    asked = st.query_params.get(link.SCENARIO)
    if asked in options:
        st.session_state.pop(_MISSED, None)
    elif asked is not None:
        st.session_state[_MISSED] = asked
        _forget_changes()
    missed = st.session_state.get(_MISSED)
    if missed is None:
        return
    told = f"There is no scenario {plain(missed[:80])} here. Choose another one."
    if missed == OWN:
        told = (
            "This link is of a scenario of somebody's own that was too long for a link, or was cut "
            "off. Ask for its file and open it on the page Scenarios."
        )
    top.warning(f"{told} What stands here is about another scenario, without the link's changes.")


def _take_own_from_link(top: DeltaGenerator) -> None:
    text = link.value(_PACKED)
    if text is None or text == st.session_state.get("own_packed"):
        return
    try:
        found = unpacked(text)
        own.read(found)
    except (ValueError, UnicodeError) as error:
        link.write(_PACKED)
        top.error(f"The scenario in this link cannot be read: {plain(str(error))}")
        return
    st.session_state[OWN_TEXT], st.session_state.own_packed = found, text


def _put_own_into_link(text: str) -> None:
    found = packed(text)
    st.session_state.own_packed = found
    if len(found) <= LONGEST_LINK:
        link.write(_PACKED, found)
    else:
        link.write(_PACKED)
        st.caption("Your scenario is too long for a link: to share it, download it.")


def _forget_changes() -> None:
    """No changes to any variant, and none from the page before."""
    for key in (*(sets(label) for label in _VARIANTS), _TWO):
        link.write(key)
    before: _Carried | None = st.session_state.get(_CARRIED)
    if before is not None:
        st.session_state[_CARRIED] = before._replace(changes={})


def _begin_anew(keys: tuple[str, ...]) -> None:
    """Another scenario: what was changed was about the one before."""
    for label in _VARIANTS:
        drop(label)
    for key in (*keys, _MISSED):
        st.session_state.pop(key, None)


def _refused(path: str, value: str) -> str:
    """Why a change is not even tried; empty when it is."""
    if len(value) > _LONGEST_CHANGE:
        return f"longer than {_LONGEST_CHANGE} characters; edit the scenario instead"
    if not value:
        return "has no value; write none to switch a part off"
    try:
        where = parse_path(path)
        data = read_document(value).data
    except (ValueError, DocumentError) as error:
        return str(error)
    if list(files({where[-1]: data})):
        return own.REMEDY
    return ""


def _one_by_one(
    scenario: Scenario, wanted: Mapping[str, str]
) -> tuple[Scenario, dict[str, str], dict[str, Wrong]]:
    """The scenario with those changes that it takes, these, and what is wrong with the others."""
    kept: dict[str, str] = {}
    wrong: dict[str, Wrong] = {}
    for path, text in wanted.items():
        try:
            changed = scenario.with_(path, text)
        except ScenarioError as error:
            told = "; ".join(_told(one, path) for one in error.problems)
            wrong[path] = Wrong(text, told)
        else:
            scenario, kept[path] = changed, text
    return scenario, kept, wrong


def _told(problem: Problem, path: str) -> str:
    """What is wrong, and the key inside the value at a path if it is one."""
    try:
        inside = parse_path(problem.path)[len(parse_path(path)) :]
    except ValueError:
        inside = ()
    return f"{dotted(inside)}: {problem.message}" if inside else problem.message
