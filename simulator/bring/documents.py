"""Reading documents that are no scenarios: YAML or JSON, from a file or standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import NamedTuple

from simulator.words import documents
from simulator.words.documents import Document, DocumentError, Path, Place, plain
from simulator.words.problems import Problem, ScenarioError
from simulator.words.shape import dotted

# What CloudFormation's short tags stand for; every other short tag is Fn:: and its name.
_SHORT = {"!Ref": "Ref", "!Condition": "Condition"}
_FUNCTIONS = frozenset(
    (
        *("And", "Base64", "Cidr", "Equals", "FindInMap", "ForEach", "GetAZs", "GetAtt"),
        *("GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "Select"),
        *("Split", "Sub", "ToJsonString", "Transform"),
    )
)

_BRACES = re.compile(r"\{\{|\{%")
_HELM = re.compile(r"\{\{-?\s*(\.(Values|Release|Chart)\b|include\s|toYaml\s|template\s|tpl\s)")


class ManifestError(ScenarioError):
    """A file that cannot be used; `problems` holds everything that is wrong with it."""

    what = "invalid manifest"


class Manifest(NamedTuple):
    """A file's documents, under the name that messages give to the file."""

    name: str
    documents: tuple[Document, ...]

    def place(self, path: Path, number: int = 0) -> Place:
        """The line and column of a path of a document, or of the nearest above it; from 1."""
        places = self.documents[number].places
        while path and path not in places:
            path = path[:-1]
        return places.get(path, (1, 1))

    def problem(self, path: Path, message: str, number: int = 0) -> Problem:
        """What is wrong at a path of a document, at the nearest place that is known."""
        line, column = self.place(path, number)
        return Problem(self.name, plain(dotted(path)), line, column, message)


def short_tag(tag: str) -> str | None:
    """The long form of one of CloudFormation's short tags: Fn::Sub for !Sub; None for others."""
    if tag in _SHORT:
        return _SHORT[tag]
    return f"Fn::{tag[1:]}" if tag[1:] in _FUNCTIONS and tag.startswith("!") else None


def load(where: str | FilePath, packaged: FilePath | None = None) -> Manifest:
    """The documents of a file, of standard input for "-", or of a packaged name.

    `packaged` is the folder in which the stems of files are names. At most 1 MiB is read, 64 levels
    deep, 50 000 values. Raises ManifestError with place, reason and remedy.
    """
    name = str(where)
    try:
        content = sys.stdin.buffer.read(documents.MOST_BYTES + 1) if name == "-" else None
        if content is None:
            with found(name, packaged).open("rb") as file:
                content = file.read(documents.MOST_BYTES + 1)
    except IsADirectoryError:
        raise ManifestError([_unplaced(name, "is a folder; name a file in it")]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        known = sorted(path.stem for path in _files(packaged))
        remedy = f"; packaged: {', '.join(known)}" if known else "; check the path"
        raise ManifestError([_unplaced(name, f"cannot be read ({reason}){remedy}")]) from None
    return decoded(content, "<stdin>" if name == "-" else name)


def decoded(content: bytes, name: str) -> Manifest:
    """The documents in a file's bytes; raises ManifestError."""
    try:
        if len(content) > documents.MOST_BYTES:
            raise DocumentError("larger than 1 MiB; split it or leave something out")
        text = documents.decode(content)
        if certain := _HELM.search(text):
            raise _unrendered(text, certain.start())
        try:
            read = documents.read_all(text, short_tag)
        except DocumentError as error:
            if marked := _BRACES.search(text):
                raise _unrendered(text, marked.start()) from None
            raise error
    except DocumentError as error:
        raise ManifestError([Problem(name, "", error.line, error.column, str(error))]) from None
    if not read:
        raise ManifestError([Problem(name, "", 1, 1, "is empty; name a file with content")])
    return Manifest(name, read)


def _unrendered(text: str, start: int) -> DocumentError:
    """The error that a template makes which was not rendered."""
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    shown = plain(text[start:].split("\n", 1)[0].strip())[:40]
    return DocumentError(
        f"{shown} is a template's: render it first, e.g. with helm template or jinja2", line, column
    )


def found(name: str, packaged: FilePath | None) -> FilePath:
    """The file that a path or a packaged name stands for, whether it exists or not."""
    path = FilePath(name)
    if not path.exists():
        for file in _files(packaged):
            if file.stem == name:
                return file
    return path


def _files(folder: FilePath | None) -> Iterable[FilePath]:
    return folder.iterdir() if folder is not None and folder.is_dir() else ()


def _unplaced(name: str, message: str) -> Problem:
    return Problem(name, "", None, None, message)
