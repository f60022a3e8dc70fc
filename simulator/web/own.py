"""Reading a visitor's own scenario: the same rules as for files, but no file of this machine."""

from __future__ import annotations

from simulator.words import documents
from simulator.words.changes import files
from simulator.words.documents import MOST_BYTES, DocumentError
from simulator.words.problems import Problem, ScenarioError
from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from simulator.words.shape import dotted

NAME = "my own"
REMEDY = (
    "names a file, and this page opens none; write the values into the scenario, "
    "or use the command line"
)


def decoded(content: bytes) -> str:
    """The text of an uploaded file; raises ScenarioError for what is no text or too large."""
    try:
        return documents.decode(content)
    except DocumentError as error:
        raise ScenarioError([Problem(NAME, "", error.line, error.column, str(error))]) from None


def read(text: str) -> Scenario:
    """The scenario of a text; raises ScenarioError with everything that is wrong."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise ScenarioError([Problem(NAME, "", 1, 1, "larger than 1 MiB; shorten it")])
    try:
        document = documents.read(text)
    except DocumentError:
        return loads(text, NAME)
    problems = []
    if isinstance(document.data, dict):
        for path in files(document.data):
            line, column = document.places[path]
            problems.append(Problem(NAME, dotted(path), line, column, REMEDY))
    if problems:
        raise ScenarioError(problems)
    return loads(text, NAME)


TOLD = ("line", "column", "where", "what is wrong, and the remedy", "the line")
_SHOWN = 80


def told(problem: Problem, text: str) -> tuple[str, ...]:
    """A problem as a row: its place, what to do about it, and the line it is in."""
    lines = text.splitlines()
    line = lines[problem.line - 1].strip() if problem.line and problem.line <= len(lines) else ""
    places = [str(place or "") for place in (problem.line, problem.column)]
    return (*places, problem.path, problem.message, line[:_SHOWN])
