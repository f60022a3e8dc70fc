"""The page: a list of sections, each a function that returns (title, markdown, failures).

A section without text is left out: it is a place for results that are not there yet.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import cache

from joblib import Parallel, delayed

import simulator
from tests.validation import (
    approximate,
    both_models,
    burning,
    conditions,
    coverage,
    cut_overs,
    detectors,
    effects,
    false_alarms,
    finders,
    harm,
    judged,
    platforms,
    published,
    times,
    trouble,
)
from tests.validation.rows import SEED, Result, Row, compare

FAR = 4.0
UNDER = 0.93
JOBS = 2
Section = tuple[str, str, list[str]]


TABLES: dict[str, Callable[[], list[Row]]] = {
    "Failed requests": harm.rows,
    "Times": times.rows,
    "Health, alarms, judges": detectors.rows,
    "People and checks": finders.rows,
    "Burn-rate alarms": burning.rows,
    "Judges that compare": judged.rows,
    "Users, mixing, money, counts": effects.rows,
    "Traffic, usual errors, watching, prices": conditions.rows,
    "Routes, schemas, trouble, what is hidden": trouble.rows,
    "Cut-overs": cut_overs.rows,
    "Platforms": platforms.rows,
}


def number(value: float) -> str:
    """Five digits, large numbers in full; nothing where there is no number."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "∞"
    return f"{value:.0f}" if abs(value) >= 1e5 else f"{value:.5g}"


def standard_errors(distance: float) -> str:
    """A distance with one digit after the point; beyond a thousand it only is one."""
    if distance > 999:
        return "∞" if math.isinf(distance) else "> 999"
    return f"{distance:.1f}"


def played(rows: Sequence[Row], part: float = 1.0) -> list[Result]:
    """Every row compared with its closed form, in the order of the rows."""
    work = Parallel(n_jobs=JOBS, return_as="generator", batch_size=1)
    found = []
    for result in work(delayed(compare)(row, part) for row in rows):
        found.append(result)
        if len(found) % 10 == 0:
            print(f"{len(found)} of {len(rows)} rows", file=sys.stderr)
    return found


@cache
def results() -> dict[str, list[Result]]:
    """All rows of all tables, played once."""
    rows = {title: make() for title, make in TABLES.items()}
    every = iter(played([row for group in rows.values() for row in group]))
    return {title: [next(every) for _ in group] for title, group in rows.items()}


def too_far(found: Sequence[Result]) -> list[str]:
    """The rows that are further off than they may be; a distance of no number is too far."""
    return [
        f"{row.name}: {standard_errors(finding.distance)} standard errors off"
        for row, _, finding in found
        if not finding.distance <= FAR
    ]


def table(found: Sequence[Result]) -> str:
    """A table of rows in markdown."""
    lines = [
        "| figure | strategy | given | closed form | exact | simulated | 95 % interval | n | off |",
        "|---|---|---|---|---:|---:|---|---:|---:|",
    ]
    for row, count, finding in found:
        interval = ""
        if not math.isnan(finding.low):
            interval = f"{number(finding.low)} to {number(finding.high)}"
        simulated = finding.text or number(finding.value)
        lines.append(
            f"| {row.figure} | `{row.strategy}` | {row.given} | {row.formula} "
            f"| {number(row.exact)} | {simulated} | {interval} | {count} "
            f"| {standard_errors(finding.distance)} |"
        )
    return "\n".join(lines)


def section(title: str) -> Section:
    """One table of rows, if there are any."""
    found = results()[title]
    return title, table(found) if found else "", too_far(found)


def covering() -> Section:
    """How often intervals cover."""
    found = coverage.experiment(jobs=JOBS)
    lines = [
        f"{coverage.STUDIES} studies of {coverage.SMALL} good and {coverage.SMALL} bad releases "
        "each, every one with luck of its own (with `--precision`: 1 000 of each, and twice as "
        "many until the means are precise); the truth is known in closed form. Coverage has "
        "Wilson's interval; one that lies below 93 % is a failure. An interval is open where the "
        "data can give no upper bound: no order statistic of 200 values bounds the 99th percentile "
        "from above. What is left is a lower bound; over several kinds of defects it rests on "
        "Wilson's bound for a handful of values beyond the percentile and misses in about 5 % "
        "instead of 2.5 %. The mean of the worst 5 % of a log-normal law is a mean over ten long-"
        "tailed values: where its interval misses, it is too low.",
        "",
        "| 95 % interval of | truth | studies | covered | interval | truth below | above | open |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    failures = []
    for entry in found:
        low, high = entry.interval
        lines.append(
            f"| {entry.claim.what} | {number(entry.claim.truth)} | {entry.studies} "
            f"| {entry.share:.1%} | {low:.1%} to {high:.1%} | {entry.below} | {entry.above} "
            f"| {entry.open} |"
        )
        if high < UNDER:
            failures.append(f"the interval of {entry.claim.what} covers {entry.share:.1%}")
    return "Coverage of the intervals", "\n".join(lines), failures


def workbook() -> Section:
    """What the SRE Workbook works out by hand."""
    found = played(published.workbook())
    text = (
        f"The arithmetic of [Canarying Releases]({published.CANARYING}) and of "
        f"[Alerting on SLOs]({published.ALERTING}), played.\n\n{table(found)}"
    )
    return "Published: the SRE Workbook", text, too_far(found)


def recoveries() -> Section:
    """What splitting a year's incidents in two shows of means of times to recover."""
    lines, failures = published.recovery_table(JOBS)
    text = (
        f"Štěpán Davidovič, [Incident Metrics in SRE]({published.METRICS}) (2021), splits a year's "
        "incidents of three companies in two at random and asks what the difference of the means "
        "says. Here incidents last as simulated times to recover do, log-normal with the published "
        "means and scatter; published values in brackets. The first two agree within "
        f"{published.ALLOWED} beside chance (a failure otherwise) though not fitted; the third "
        "does not, a known misfit: the fitted laws promise a lucky half an hour more often than "
        f"was published.\n\n{lines}"
    )
    return "Published: times to recover", text, failures


def request_level() -> Section:
    """Agreement with the model that plays every single request."""
    return both_models.section(JOBS)


def approximations() -> Section:
    """Mean courses of many instances."""
    return approximate.section(JOBS)


def false_alarms_of_a_shop() -> Section:
    """False alarms of a packaged scenario."""
    return false_alarms.section(JOBS)


def _of_table(title: str) -> Callable[[], Section]:
    return lambda: section(title)


SECTIONS: list[Callable[[], Section]] = [
    *(_of_table(title) for title in TABLES),
    approximations,
    covering,
    false_alarms_of_a_shop,
    workbook,
    recoveries,
    judged.peeking,
    request_level,
]


def header(found: Sequence[Result]) -> str:
    """What the page shows, how it is made again, and the worst of it."""
    random = [r.finding.distance for r in found if 0 < r.finding.distance < math.inf]
    within = sum(distance < 1.96 for distance in random) / max(len(random), 1)
    worst = max(found, key=lambda result: result.finding.distance)
    formulas = len({result.row.formula for result in found})
    return f"""# Validation

The engine against answers that are known without it: {len(found)} rows, {formulas} different
formulas, derived in `tests/answers/oracles.py` and its neighbours there. *Off* is the
distance between the simulated and the exact value in standard errors; of a whole distribution it is
the distance at which a normal number has the same p value. More than {FAR:g} is a failure. Of the
{len(random)} rows that differ at all, {within:.0%} are within 1.96, where 95 % should be; the
others are right to nine digits.

The worst is {standard_errors(worst.finding.distance)} off: {worst.row.figure}, {worst.row.formula},
of `{worst.row.strategy}`.

Unless a row says otherwise there are 10 instances, 1000 requests/s and 1 million users, and on the
new version 20 % of the requests fail. Nothing else happens: no noise, no delays, no other
detectors; alarms roll back by themselves, and going back takes no time. Times to deploy are those
of good releases, all else is of bad ones.

Made by `make validate` with engine {simulator.__version__}, seed {SEED}: the same page each time.
"""


def page() -> tuple[str, list[str]]:
    """The whole page in markdown, and what failed."""
    parts, failures = [], []
    for make in SECTIONS:
        title, text, wrong = make()
        if text:
            parts.append(f"## {title}\n\n{text}\n")
        failures += wrong
    every = [result for group in results().values() for result in group]
    return "\n".join([header(every), *parts]), failures
