"""The page: a list of sections, each a function that returns (title, markdown, failures)."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

from joblib import Parallel, delayed

import simulator
from tests.validation.rows import SEED, Result, Row, all_rows, compare

FAR = 4.0
Section = tuple[str, str, list[str]]


def number(value: float) -> str:
    """Five digits; nothing where there is no number."""
    if math.isnan(value):
        return ""
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.0f}"


def played(rows: Sequence[Row], part: float = 1.0, jobs: int = 2) -> list[Result]:
    """Every row compared with its closed form, in the order of the rows."""
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
    found = []
    for result in work(delayed(compare)(row, part) for row in rows):
        found.append(result)
        print(f"{len(found)}/{len(rows)} {result.row.name}", file=sys.stderr)
    return found


def table(results: Sequence[Result]) -> str:
    """The table of rows in markdown."""
    lines = [
        "| figure | strategy | given | closed form | exact | simulated | 95 % interval | n | off |",
        "|---|---|---|---|---:|---:|---|---:|---:|",
    ]
    for row, count, found in results:
        interval = f"{number(found.low)} to {number(found.high)}" if found.low == found.low else ""
        lines.append(
            f"| `{row.figure}` | `{row.strategy}` | `{row.given}` | {row.formula} "
            f"| {number(row.exact)} | {found.text or number(found.value)} | {interval} "
            f"| {count} | {found.distance:.1f} |"
        )
    return "\n".join(lines)
