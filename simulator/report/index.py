"""Many scenarios on one page: which service should change its strategy, and what it would save."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.verdict import has_money
from simulator.report import wording
from simulator.report.judged import judged
from simulator.report.markdown import cell, table
from simulator.report.rendering import render
from simulator.report.wording import named

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison


class Entry(NamedTuple):
    """One scenario of a batch: planned and recommended strategy; users harmed by a bad release
    (p95, 0..1) and expected loss of one release (money) under both, None where not known;
    objectives of the planned one (all, failed, not decided); whether fresh replications confirm
    what is recommended; whether the planned one cannot be carried out at all (`barred`); or the
    error that left no result.
    """

    slug: str
    name: str
    planned: str = ""
    recommended: str | None = None
    harmed_planned: float | None = None
    harmed_recommended: float | None = None
    loss_planned: float | None = None
    loss_recommended: float | None = None
    currency: str = ""
    objectives: int = 0
    failed: int = 0
    undecided: int = 0
    confirmed: bool = True
    barred: bool = False
    error: str = ""

    @property
    def changes(self) -> bool:
        """Whether another strategy than the planned one is recommended, and confirmed."""
        return self.recommended not in (None, self.planned) and self.confirmed


def entry(slug: str, comparison: Comparison) -> Entry:
    """What a comparison comes to in one line; `slug` names its folder."""
    scenario, advice = comparison.scenario, comparison.recommendation
    planned = scenario.to_check
    best = advice.strategy if advice else None
    rows = judged(comparison, planned)
    return Entry(
        slug,
        scenario.name,
        planned,
        best,
        _harmed(comparison, planned),
        _harmed(comparison, best),
        _loss(comparison, planned),
        _loss(comparison, best),
        scenario.costs.currency,
        len(rows),
        sum(not row.passed for row in rows),
        sum(not row.decided for row in rows),
        advice is None or advice.confirmed,
        planned in comparison.results.unplayed,
    )


def _harmed(comparison: Comparison, name: str | None) -> float | None:
    if name is None or name not in comparison.risk:
        return None
    return comparison.risk[name].given_defect.users_harmed.p95.value


def _loss(comparison: Comparison, name: str | None) -> float | None:
    if name is None or name not in comparison.risk or not has_money(comparison.results):
        return None
    return comparison.risk[name].all.loss.mean.value


def ordered(entries: Sequence[Entry]) -> list[Entry]:
    """By users harmed, then loss, under the planned strategy, most first; errors at the end."""

    def key(one: Entry) -> tuple[bool, float, float, str]:
        return bool(one.error), -(one.harmed_planned or 0.0), -(one.loss_planned or 0.0), one.name

    return sorted(entries, key=key)


def advice(one: Entry) -> str:
    """What the service should do, in one sentence, with what it would save or cost."""
    if one.error:
        return "No result."
    if one.recommended is None and one.barred:
        return f"{named(one.planned)} cannot be carried out as planned: its report says why."
    if one.recommended is None:
        return "Nothing is recommended: state objectives or prices of harm."
    if one.recommended == one.planned:
        return f"Stay with {named(one.planned)}."
    effects = "; ".join(effect for effect in (_money(one), _harm(one)) if effect)
    if not one.confirmed:
        return (
            f"Stay with {named(one.planned)} or take {named(one.recommended)}: a close call that "
            "fresh replications do not confirm."
        )
    text = f"Change from {named(one.planned)} to {named(one.recommended)}"
    return text + (f": {effects}." if effects else ".")


def planned(comparison: Comparison) -> str:
    """What is planned and what should become of it; empty when it was not compared."""
    name = comparison.scenario.to_check
    return (
        f"Planned: {named(name)}. {advice(entry('', comparison))}"
        if name in comparison.risk
        else ""
    )


def _money(one: Entry) -> str:
    now, then = one.loss_planned, one.loss_recommended
    if now is None or then is None:
        return ""
    amount = wording.money(abs(now - then), one.currency)
    return f"it {'saves' if then <= now else 'costs'} {amount} a release"


def _harm(one: Entry) -> str:
    now, then = one.harmed_planned, one.harmed_recommended
    if now is None or then is None:
        return ""
    if wording.share(now) == wording.share(then):
        return f"as many users harmed (p95 of bad releases: {wording.share(now)})"
    values = f"{wording.share(then)}, not {wording.share(now)}"
    return f"{'fewer' if then < now else 'more'} users harmed (p95 of bad releases: {values})"


def kept(one: Entry) -> str:
    """How the planned strategy's objectives stand."""
    if not one.objectives:
        return "none stated"
    parts = [f"{one.objectives - one.failed} of {one.objectives} kept"]
    if one.failed:
        parts.append(f"{one.failed} failed")
    if one.undecided:
        parts.append(f"{one.undecided} not decided")
    return ", ".join(parts)


def summary(entries: Sequence[Entry]) -> str:
    """One sentence about all: how many should change, fail an objective, or have no result."""
    done = [one for one in entries if not one.error]
    change = sum(one.changes for one in done)
    failing = sum(bool(one.failed) for one in done)
    text = f"{_counted(len(done), 'service')} compared: {change} should change the strategy, "
    text += f"{failing} {'fails' if failing == 1 else 'fail'} an objective as planned"
    wrong = len(entries) - len(done)
    return f"{text}, {wrong} without a result." if wrong else f"{text}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Line(NamedTuple):
    """A row of the index, as text."""

    slug: str
    name: str
    planned: str
    harmed: str
    loss: str
    objectives: str
    advice: str
    changes: bool
    failed: bool


HEADS = (
    *("service", "planned", "users harmed (p95, bad release)"),
    *("expected loss a release", "objectives as planned", "what to do"),
)


def lines(entries: Sequence[Entry]) -> list[Line]:
    """The rows of all that have a result, by risk."""
    return [
        Line(
            one.slug,
            one.name,
            one.planned,
            wording.figure(one.harmed_planned, "share"),
            wording.figure(one.loss_planned, "money", one.currency),
            kept(one),
            advice(one),
            one.changes,
            bool(one.failed),
        )
        for one in ordered(entries)
        if not one.error
    ]


def html(entries: Sequence[Entry]) -> str:
    """The index as one self-contained page; each row leads to `<slug>/report.html`."""
    return render(
        "index.html",
        summary=summary(entries),
        heads=HEADS,
        lines=lines(entries),
        failures=[one for one in ordered(entries) if one.error],
    )


def markdown(entries: Sequence[Entry]) -> str:
    """The index as Markdown, for a pull request or a wiki."""
    text = ["### Releases by risk", "", summary(entries), ""]
    rows = [
        (f"[{cell(row.name)}]({row.slug}/report.html)", *map(cell, row[2:7]))
        for row in lines(entries)
    ]
    if rows:
        text += table(HEADS, rows)
    failures = [one for one in ordered(entries) if one.error]
    if failures:
        text += ["", "Without a result:", ""]
        text += [f"- **{cell(one.name)}**: {cell(' '.join(one.error.split()))}" for one in failures]
    return "\n".join([*text, "", "<!-- deploysim: index -->", ""])
