"""Manifests with something wrong in them, by the thousand: each is read or refused, never worse.

`python -m tests.bring.fuzz --count 10000 --seed 1` (make fuzz); failing cases are printed.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from simulator.bring.documents import short_tag
from simulator.bring.importing import from_text, imported, packaged_manifests, workloads
from simulator.play.rehearsal import rehearse
from simulator.report.brought import document
from simulator.words.brought import NAME
from simulator.words.documents import read_all
from simulator.words.problems import ScenarioError

LONGEST = 2.0  # seconds of processor time for one manifest
_REHEARSED = 4  # one in so many is rehearsed as well
_HERE = Path(__file__).resolve()
_FOLDERS = (
    packaged_manifests(),
    _HERE.parent / "samples",
    _HERE.parents[3] / "shared" / "manifests",
)
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 10**9, 10**30, 0.5, -0.5, 1e308, math.inf, math.nan),
    *("", "0", "-1", "1", "25%", "150%", "-5%", "1e9", "10m", "0s", "-1s", "1h30m", "PT15M"),
    *("nan", "inf", "{{ .Values.x }}", "${x}", "<script>", "=1+1", "x" * 5000, "\u202e", "a\nb"),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": []}}),
)


class Case(NamedTuple):
    """A mutated manifest: its number, where it came from, and its text."""

    number: int
    source: str
    text: str


def seeds() -> dict[str, str]:
    """Texts of all manifests at hand, by the name of the file."""
    found: dict[str, str] = {}
    for folder in _FOLDERS:
        for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if file.is_file() and file.suffix in (".yaml", ".yml", ".json", ".config"):
                found[file.name] = file.read_text("utf-8")
    return found


def cases(count: int, seed: int) -> Iterator[Case]:
    """So many mutated manifests, the same for the same seed."""
    texts = list(seeds().items())
    for number in range(count):
        draw = random.Random(f"{seed}/{number}")
        name, text = texts[number % len(texts)]
        yield Case(number, name, mutated(text, draw))


def mutated(text: str, draw: random.Random) -> str:
    """A text with some values, keys, lines or letters other than they were."""
    if draw.random() < 0.75:
        documents = [copy.deepcopy(one.data) for one in read_all(text, short_tag)]
        for _ in range(draw.choice((1, 1, 2, 3, 8))):
            _spoil(documents, draw)
        if len(documents) == 1 and draw.random() < 0.2:
            return json.dumps(documents[0])
        return yaml.safe_dump_all(documents, sort_keys=False)
    lines = text.split("\n")
    for _ in range(draw.choice((1, 2, 5))):
        place = draw.randrange(len(lines))
        line = lines[place]
        at = draw.randrange(len(line) + 1)
        lines[place] = draw.choice(
            (
                "",
                f"{line}\n{line}",
                f" {line}",
                line[:at],
                line[:at] + draw.choice("{}[]:&*!|>'\"%@`#-\t\0é") + line[at:],
            )
        )
    return "\n".join(lines)


def _spoil(documents: list[Any], draw: random.Random) -> None:
    """Change one place: another value, a key more or less, an item twice."""
    parent, key = _place(documents, draw)
    match draw.randrange(6):
        case 0 | 1 | 2:
            parent[key] = copy.deepcopy(draw.choice(_ODD))
        case 3:
            del parent[key]
        case 4:
            other_parent, other = _place(documents, draw)
            parent[key] = copy.deepcopy(other_parent[other])
        case _:
            if isinstance(parent, list):
                parent.insert(key, copy.deepcopy(parent[key]))
            else:
                parent[draw.choice((f"{key}x", key.upper(), ""))] = parent.pop(key)
    if not documents:
        documents.append(None)


def _place(documents: list[Any], draw: random.Random) -> tuple[Any, Any]:
    """A random place: a container and a key in it, at any depth."""
    parent: Any = documents
    key: Any = draw.randrange(len(documents))
    while isinstance(parent[key], dict | list) and parent[key] and draw.random() < 0.85:
        parent = parent[key]
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = draw.choice(keys)
    return parent, key


def outcome(case: Case) -> str:
    """What becomes of a manifest: read, refused, or what should never happen, in words."""
    start = time.process_time()
    try:
        told = _read(case)
    except ScenarioError as error:
        told = "refused" if all(problem.message for problem in error.problems) else "no reason"
    except RecursionError:
        told = "wrong: too deep"
    except Exception as error:  # exactly what is looked for
        told = f"wrong: {type(error).__name__}: {error}"
    spent = time.process_time() - start
    return told if spent < LONGEST else f"wrong: took {spent:.1f} s"


def _read(case: Case) -> str:
    manifests = from_text(case.text, case.source)
    for workload in workloads(manifests):
        found = imported(manifests, workload.called)
        for alternative in found.alternatives():
            found.altered(alternative)
        try:  # names and values of the manifest are text, whatever they say
            json.dumps(document(found, ()), default=str, allow_nan=False)
        except ValueError:
            return "wrong: no number in the scenario"
        if case.number % _REHEARSED == 0:
            plan = rehearse(found.scenario, NAME)
            if plan.suitable and not math.isfinite(plan.duration + plan.finish):
                return "wrong: no number in the plan"
    return "read"


def main() -> int:
    """Try many cases; returns how many went wrong."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    told: Counter[str] = Counter()
    wrong = 0
    for case in cases(given.count, given.seed):
        found = outcome(case)
        told[found.split(":")[0]] += 1
        if found.startswith("wrong") or found == "no reason":
            wrong += 1
            print(f"case {case.number} ({case.source}): {found[:300]}")
    print(", ".join(f"{count} {what}" for what, count in sorted(told.items())))
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
