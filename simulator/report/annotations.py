"""Judged objectives, and problems of a file, as pipelines read them: JUnit XML and SARIF 2.1.0."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from simulator import __version__
from simulator.report.judged import UNDECIDED, judged
from simulator.words.reading import objective_places

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.report.judged import Judged
    from simulator.words.problems import Problem

FAILED, INVALID = 99, 3
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RULES = {
    "objective-failed": "An objective of the planned strategy is not kept.",
    "objective-undecided": f"An objective is kept so far, but {UNDECIDED}.",
    "invalid-scenario": "The scenario file cannot be read as it stands.",
}


class Finding(NamedTuple):
    """Something to show at a place of a file: rule, level (error or warning), text, file, line and
    column from 1 (None: not known), and what it is recognised by from run to run.
    """

    rule: str
    level: str
    text: str
    file: str
    line: int | None
    column: int | None
    known_by: str


def findings(comparison: Comparison, where: str) -> list[Finding]:
    """What is to be said about the planned strategy's objectives, each at its line of the file.

    A kept objective has none, one that is kept but not decided a warning.
    """
    file, places = objective_places(where)
    found = []
    for row in judged(comparison, comparison.scenario.to_check):
        if row.passed and row.decided:
            continue
        rule = "objective-undecided" if row.passed else "objective-failed"
        level = "warning" if row.passed else "error"
        line, column = places.get(row.expression, (None, None))
        known_by = f"{row.strategy}: {row.expression}"
        found.append(Finding(rule, level, row.sentence, file, line, column, known_by))
    return found


def problems(wrong: Sequence[Problem]) -> list[Finding]:
    """What is wrong with a file, each at its place."""
    return [
        Finding(
            "invalid-scenario",
            "error",
            f"{problem.path}: {problem.message}" if problem.path else problem.message,
            problem.file,
            problem.line,
            problem.column,
            f"{problem.path}: {problem.message}",
        )
        for problem in wrong
    ]


def sarif(found: Sequence[Finding], code: int) -> str:
    """A SARIF 2.1.0 log of one run that ends with an exit code."""
    names = list(_RULES)
    run = {
        "tool": {
            "driver": {
                "name": "deploysim",
                "semanticVersion": __version__,
                "rules": [
                    {
                        "id": name,
                        "shortDescription": {"text": text},
                        "defaultConfiguration": {
                            "level": "warning" if "undecided" in name else "error"
                        },
                    }
                    for name, text in _RULES.items()
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": code != INVALID, "exitCode": code}],
        "results": [_result(one, names.index(one.rule)) for one in found],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=1)


def _result(one: Finding, number: int) -> dict[str, Any]:
    """A finding as a result, placed where there is a file; without a line at the first one."""
    fingerprint = hashlib.sha256(f"{one.rule}\n{one.known_by}".encode()).hexdigest()[:32]
    result = {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": one.level,
        "message": {"text": one.text},
        "partialFingerprints": {"finding/v1": fingerprint},
    }
    path = Path(one.file)
    if path.is_file():
        region = {"startLine": one.line or 1, "startColumn": one.column or 1}
        place = {"artifactLocation": _artifact(path), "region": region}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _artifact(path: Path) -> dict[str, str]:
    """A file's address: relative to the working directory, which is the source's root."""
    try:
        inside = path.resolve().relative_to(Path.cwd())
    except ValueError:
        return {"uri": path.resolve().as_uri()}
    return {"uri": quote(inside.as_posix()), "uriBaseId": "%SRCROOT%"}


def junit(comparison: Comparison, where: str) -> str:
    """A JUnit test suite, one test case for each objective of the planned strategy.

    What is kept but not decided counts as skipped: neither kept for sure nor failed.
    """
    scenario, results = comparison.scenario, comparison.results
    rows = judged(comparison, scenario.to_check)
    file, places = objective_places(where)
    about = {
        "planned": scenario.to_check,
        "seed": str(results.seed),
        "replications.bad": str(results.replications["bad"]),
        "replications.good": str(results.replications["good"]),
        "scenario.sha256": scenario.sha256,
        "version": __version__,
    }
    counts = (sum(not row.passed for row in rows), 0, sum(_skipped(row) for row in rows))
    root, suite = _suite(scenario.name, file, len(rows), counts)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in about.items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for row in rows:
        case = _case(suite, row.strategy, row.expression)
        line, _ = places.get(row.expression, (None, None))
        text = f"{file}:{line}: {row.sentence}" if line else f"{file}: {row.sentence}"
        if not row.passed:
            kind = "failed" if row.decided else "failed, not decided"
            failure = ElementTree.SubElement(case, "failure", message=row.sentence, type=kind)
            failure.text = text
        elif _skipped(row):
            ElementTree.SubElement(case, "skipped", message=row.sentence)
        else:
            ElementTree.SubElement(case, "system-out").text = text
    return _written(root)


def junit_problems(wrong: Sequence[Problem]) -> str:
    """A JUnit test suite of one test case that could not be carried out."""
    file = wrong[0].file if wrong else ""
    root, suite = _suite(file, file, 1, (0, 1, 0))
    case = _case(suite, "scenario", "can be read")
    text = "\n".join(str(problem) for problem in wrong)
    message = f"{len(wrong)} problem{'s' * (len(wrong) != 1)}; nothing was run"
    ElementTree.SubElement(case, "error", message=message, type="invalid scenario").text = text
    return _written(root)


def _skipped(row: Judged) -> bool:
    return row.passed and not row.decided


def _suite(name: str, file: str, tests: int, counts: tuple[int, int, int]) -> tuple[Any, Any]:
    """The root and its one suite; `counts` are failures, errors and what was skipped."""
    failures, errors, skipped = map(str, counts)
    totals: Mapping[str, str] = {"tests": str(tests), "failures": failures, "errors": errors}
    root = ElementTree.Element("testsuites", {"name": "deploysim", **totals})
    told = {"name": name, **totals, "skipped": skipped, "file": file}
    return root, ElementTree.SubElement(root, "testsuite", told)


def _case(suite: Any, group: str, name: str) -> Any:
    return ElementTree.SubElement(suite, "testcase", {"classname": group, "name": name})


def _written(root: Any) -> str:
    ElementTree.indent(root, " ")
    text = _NO_XML.sub("\ufffd", ElementTree.tostring(root, "unicode"))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'
