"""YAML by the rules of version 1.2, with the place of every value and limits on what is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any, ClassVar, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.reader import Reader

MOST_BYTES = 2**20
MOST_DEPTH = 64
MOST_NODES = 50_000

Path = tuple[str | int, ...]
Place = tuple[int, int]

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# What a terminal would obey, or what turns what follows around; not tabs and ends of lines.
_CONTROL = re.compile(
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]"
)
_ALIAS = re.compile(r"\*[^\s,\[\]{}]+")
_PLAIN_TAGS = {"str", "seq", "map"}
_NULLS = {"", "~", "null", "Null", "NULL"}
_TRUTHS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


class DocumentError(ValueError):
    """A document that cannot be read: a message and its place (line and column from 1)."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line, self.column = line, column


class Document(NamedTuple):
    """Plain data and, for every path in it, the line and column where it stands."""

    data: Any
    places: dict[Path, Place]


# The key that a short tag such as !Ref stands for, or None for a tag that is not read.
Tags = Callable[[str], str | None]

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Bounded(Composer, _Parser):  # type: ignore[misc]
    """The composer, refusing depth before it becomes recursion.

    The composer written in Python stands first: the parser may be libyaml's, whose own composer
    would recurse out of reach. Without implicit resolvers only an explicit tag is no string.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    depth = 0

    def __init__(self, text: str) -> None:
        _Parser.__init__(self, text)
        Composer.__init__(self)

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node with everything below it."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            mark = self.peek_event().start_mark
            message = f"nested deeper than {MOST_DEPTH} levels; flatten it"
            raise DocumentError(message, mark.line + 1, mark.column + 1)
        try:
            return Composer.compose_node(self, parent, index)
        finally:
            self.depth -= 1


def decode(content: bytes) -> str:
    """Text of a file's bytes; raises DocumentError for what is no text or too large."""
    if len(content) > MOST_BYTES:
        raise DocumentError(f"larger than 1 MiB ({len(content)} bytes); shorten it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"not a text file (byte {error.start} is not UTF-8); save it as UTF-8 text"
        ) from None
    if "\x00" in text:
        raise DocumentError("not a text file (it contains a zero byte); save it as UTF-8 text")
    return text


def packaged(file: FilePath) -> Any:
    """The content of a YAML file of the package itself, as plain data: nothing of it is doubted."""
    return yaml.load(file.read_text("utf-8"), Loader=_Parser)


def read(text: str) -> Document:
    """Read one YAML document; raises DocumentError with reason, remedy and place."""
    found = _composed(text, lambda loader: loader.get_single_node())
    if found is None:
        raise DocumentError("the file is empty; `deploysim new` writes one to start from")
    places: dict[Path, Place] = {}
    return Document(_Builder(places, bare=True).build(found, ()), places)


def read_all(text: str, tags: Tags | None = None) -> tuple[Document, ...]:
    """Read every document of a text, none if it is empty; raises DocumentError.

    `tags` says which key a short tag stands for: with "Ref" for !Ref, `!Ref A` is {"Ref": "A"}.
    The limits on values and depth hold for all documents together.
    """
    builder = _Builder({}, tags)
    documents = []
    for node in _composed(text, _every):
        builder.places = {}
        documents.append(Document(builder.build(node, ()), builder.places))
    return tuple(documents)


def _every(loader: Any) -> list[Any]:
    nodes = []
    while loader.check_node():
        nodes.append(loader.get_node())
    return nodes


def _composed(text: str, compose: Callable[[Any], Any]) -> Any:
    """What `compose` makes of a text that may be YAML; raises DocumentError."""
    if len(text) > MOST_BYTES:
        raise DocumentError("larger than 1 MiB; shorten it")
    if found := Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise DocumentError(
            f"a character that YAML forbids (U+{ord(found[0]):04X}); remove it",
            line,
            column,
        )
    loader = _Bounded(text)
    try:
        return compose(loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    finally:
        loader.dispose()


def _syntax(error: yaml.MarkedYAMLError, text: str) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or "not YAML"
    lines = text.splitlines()
    here = lines[line - 1] if line <= len(lines) else ""
    if here[:column].endswith("\t") or here.lstrip(" ").startswith("\t"):
        return DocumentError("a tab cannot indent YAML; use spaces", line, column)
    if "another document" in problem:
        return DocumentError("more than one document; keep one per file", line, column)
    if "undefined alias" in problem:
        name = _ALIAS.match(here[column - 1 :])
        what = f"an undefined alias {name[0]}" if name else "an undefined alias"
        return DocumentError(f"{what}; define it with & before using it", line, column)
    return DocumentError(
        f"not YAML here: {problem}; check quotes, colons and brackets", line, column
    )


class _Builder:
    """Plain data from composed nodes, within the budget of values and without endless aliases;
    `bare`: without control characters.
    """

    def __init__(
        self, places: dict[Path, Place], tags: Tags | None = None, bare: bool = False
    ) -> None:
        self.places = places
        self.tags = tags
        self.bare = bare
        self.left = MOST_NODES
        self.open: set[int] = set()

    def build(self, node: Any, path: Path) -> Any:
        """The data of a node that stands at `path`; raises DocumentError."""
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.left -= 1
        if self.left < 0:
            message = f"more than {MOST_NODES} values once aliases are expanded; remove aliases"
            raise DocumentError(message, line, column)
        self.places.setdefault(path, (line, column))
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag[18:] not in _PLAIN_TAGS:
            key = self.tags(node.tag) if self.tags else None
            if key is None:
                message = f"the tag {_tag(node.tag)} is not read; remove it"
                raise DocumentError(message, line, column)
            return {key: self._content(node, (*path, key), tagged=True)}
        return self._content(node, path)

    def _content(self, node: Any, path: Path, tagged: bool = False) -> Any:
        """The data of a node whatever its tag; a tagged scalar is text as it stands."""
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        self.places.setdefault(path, (line, column))
        if isinstance(node, yaml.ScalarNode):
            self._bare(node.value, line, column)
            return node.value if tagged else _scalar(node, line, column)
        if id(node) in self.open:
            message = "an alias stands inside what it repeats; write the value out"
            raise DocumentError(message, line, column)
        self.open.add(id(node))
        if isinstance(node, yaml.MappingNode):
            built: Any = self._mapping(node, path)
        else:
            built = [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
        self.open.discard(id(node))
        return built

    def _mapping(self, node: Any, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise DocumentError("a key must be text; quote it", line, column)
            key = str(key_node.value)
            self._bare(key, line, column)
            if key == "<<":
                raise DocumentError("merge keys (<<) are not read; repeat the keys", line, column)
            if key in result:
                message = f"{key!r} stands twice in this mapping; keep one of them"
                raise DocumentError(message, line, column)
            self.places.setdefault((*path, key), (line, column))
            result[key] = self.build(value_node, (*path, key))
        return result

    def _bare(self, text: str, line: int, column: int) -> None:
        try:
            if self.bare:
                refuse_controls(text)
        except ValueError as error:
            raise DocumentError(str(error), line, column) from None


def refuse_controls(text: str) -> None:
    """Raise ValueError for a text that would steer a terminal."""
    if found := _CONTROL.search(text):
        raise ValueError(f"a control character (U+{ord(found[0]):04X}) in a text; leave it out")


def plain(text: str) -> str:
    """A text of somebody's file on one line, without what would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _scalar(node: Any, line: int, column: int) -> Any:
    text = node.value
    if node.style in ("'", '"', "|", ">"):
        return text
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    if _SPECIAL.fullmatch(text):
        raise DocumentError(f"{text} is not a finite number; write a number", line, column)
    if _INT.fullmatch(text):
        if len(text) > 300:
            raise DocumentError("a number of over 300 digits; write a smaller one", line, column)
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise DocumentError(f"{text} is not a finite number; write a smaller one", line, column)
        return number
    return text
