"""The first screen in words: headline figures, where bad releases are caught, one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.decide.advice import equal_time
from simulator.decide.flip import DELAY, nearest
from simulator.findings.means import NOTHING, Interval
from simulator.findings.power import as_blind, blindest
from simulator.findings.terms import terms as measured
from simulator.findings.trial import ALL
from simulator.report import wording
from simulator.report.flips import sure
from simulator.words.figures import FIGURES
from simulator.words.settings import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.decide.advice import Comparison
    from simulator.decide.flip import Flip
    from simulator.findings.power import Sight
    from simulator.findings.results import StrategyRisk
    from simulator.play.rehearsal import Gate

_TOP = 4


class Cell(NamedTuple):
    """A value with its interval as text, and whether it is the best of its column."""

    value: str
    interval: str
    best: bool


class Row(NamedTuple):
    """One strategy's headline figures."""

    strategy: str
    note: str
    cells: tuple[Cell, ...]


COLUMNS = (
    ("deploys in", "good release"),
    ("caught before", "full exposure"),
    ("users harmed", "p95, defective"),
    ("back within", "90 % of traffic"),
    ("extra cost", "a release"),
    ("false", "alarms"),
)
_UNITS = ("s", "share", "share", "s", "money", "share")
_LESS_IS_BETTER = (True, False, True, True, True, True)


def headline(risk: StrategyRisk) -> tuple[Interval, ...]:
    """The six figures of the first screen."""
    good, bad = risk.given_good, risk.given_defect
    return (
        good.time_to_deploy.mean,
        bad.chance("caught_before_full"),
        bad.users_harmed.p95,
        bad.rollback_90.mean,
        risk.all.extra_cost.mean,
        good.proportion("outcome", "false_alarm"),
    )


STARRED = "of what can be carried out and deploys at least half of the good releases"


def rows(comparison: Comparison) -> list[Row]:
    """The first screen's table; nothing is known of a strategy that cannot even begin.

    Best is only what can be carried out and deploys at least half of the good releases.
    """
    risk, reasons = comparison.risk, comparison.results.reasons
    none = (NOTHING,) * len(COLUMNS)
    names = [*risk, *comparison.results.unplayed]
    found = {name: headline(risk[name]) if name in risk else none for name in names}
    starred = [name for name, one in risk.items() if one.suitable and one.deploys]
    best = []
    for column, less in enumerate(_LESS_IS_BETTER):
        values = [v for name in starred if (v := found[name][column].value) is not None]
        best.append((min(values) if less else max(values)) if values else None)
    result = []
    for name, figures in found.items():
        cells = tuple(
            Cell(
                wording.figure(
                    interval.value,
                    unit,
                    comparison.scenario.costs.currency if unit == "money" else "",
                ),
                wording.between(interval, unit),
                name in starred and interval.value is not None and interval.value == best[column],
            )
            for column, (interval, unit) in enumerate(zip(figures, _UNITS, strict=True))
        )
        result.append(Row(name, "; ".join(reasons[name]), cells))
    return result


TERMS = (
    ("probability", "of a defect"),
    ("× exposure", "requests, defective"),
    ("× severity", "failed of those"),
    ("= risk", "failed a release"),
)


def terms(comparison: Comparison) -> list[Row]:
    """The risk of bad releases as its terms, in the order of `TERMS`."""
    found = []
    for name, risk in comparison.risk.items():
        one = measured(risk)
        chance = Cell(wording.share(one.probability), "", False)
        parts = ((one.exposure, "count"), (one.severity, "share"), (one.total, "count"))
        cells = (Cell(wording.figure(x.value, u), wording.between(x, u), False) for x, u in parts)
        found.append(Row(name, "", (chance, *cells)))
    return found


OF_TENANTS = (
    ("tenants harmed", "mean, defective"),
    ("tenants harmed", "p95, defective"),
)


def tenants(comparison: Comparison) -> list[Row]:
    """Tenants with at least one user harmed, as `OF_TENANTS`; nothing where users have none."""
    if comparison.scenario.traffic.tenants is None:
        return []
    found = []
    for name, risk in comparison.risk.items():
        harmed = risk.given_defect.estimate("tenants_harmed")
        cells = (
            Cell(wording.figure(x.value, "share"), wording.between(x, "share"), False)
            for x in (harmed.mean, harmed.p95)
        )
        found.append(Row(name, "", tuple(cells)))
    return found


def caught(risk: StrategyRisk, column: str) -> str:
    """Where, or by whom, this strategy's bad releases are caught: the most frequent first."""
    shares = [
        f"{key} {wording.share(value.value or 0.0)}"
        for key, value in risk.given_defect.shares(column).items()
    ]
    rest = len(shares) - _TOP
    return " · ".join(shares[:_TOP]) + (f" · {rest} more" if rest > 0 else "")


def verdict(comparison: Comparison, in_words: bool = False) -> str:
    """What is recommended, or what can be said without objectives and money, and how sure it is.

    Settings stand by their paths, or `in_words`.
    """
    return f"{recommended(comparison)} {doubts(comparison, in_words)}".rstrip()


def recommended(comparison: Comparison) -> str:
    """The verdict in one sentence, after what an interruption left out."""
    if missing := comparison.results.missing:
        unknown = ", ".join(map(wording.named, missing))
        return (
            f"Interrupted: nothing is known of {unknown} yet. {_recommended(comparison)}".rstrip()
        )
    return _recommended(comparison)


def _recommended(comparison: Comparison) -> str:
    recommendation = comparison.recommendation
    if recommendation is None and not any(risk.suitable for risk in comparison.risk.values()):
        reasons = comparison.results.reasons.items()
        told = "; ".join(f"{wording.named(name)} {', '.join(why)}" for name, why in reasons if why)
        whom = "What is known" if comparison.results.missing else "None of these"
        cannot = "cannot" if comparison.results.missing else "can"
        return f"{whom} {cannot} be carried out: {told}." if told else ""
    if recommendation is None:
        front = ", ".join(comparison.front)
        beaten = (
            f"not beaten in time, harm and cost together: {front}"
            if front
            else "no strategy that can be carried out deploys a good release"
        )
        return f"Nothing is recommended without objectives or prices of harm; {beaten}."
    return (
        f"Recommended: {wording.named(recommendation.strategy)}, because {recommendation.because}."
    )


def doubts(comparison: Comparison, in_words: bool = False) -> str:
    """How sure the verdict is: the runner-up, the nearest flip, and whether it is a close call.

    Settings stand by their paths, or `in_words`.
    """
    recommendation = comparison.recommendation
    if recommendation is None:
        return overload(comparison)
    second = recommendation.runner_up
    text = _hardly(comparison, recommendation.strategy)
    text += f" Runner-up: {wording.named(second)}{_but(comparison, second)}." if second else ""
    text += _flips(comparison, in_words)
    if not recommendation.confirmed:
        text += " It is a close call: fresh replications choose another one."
    return f"{text} {overload(comparison)}".strip()


def _hardly(comparison: Comparison, name: str) -> str:
    """A sentence where what is recommended deploys less than half of the good releases."""
    risk = comparison.risk[name]
    if risk.deploys:
        return ""
    return f" Mind that it deploys only {_deployed(risk)} of good releases."


def _deployed(risk: StrategyRisk) -> str:
    return wording.share(risk.given_good.proportion("outcome", "deployed").value or 0.0)


def _but(comparison: Comparison, name: str) -> str:
    """In brackets what speaks against a strategy: missed objectives, good releases rolled back."""
    risk = comparison.risk[name]
    mine = [found for found in comparison.thresholds if found.strategy == name]
    kept = sum(found.passed for found in mine)
    told = [] if kept == len(mine) else [f"keeps {kept or 'none'} of {len(mine)} objectives"]
    if not risk.deploys:
        told.append(f"deploys only {_deployed(risk)} of good releases")
    return f" ({'; '.join(told)})" if told else ""


def overload(comparison: Comparison) -> str:
    """What was assumed of overload, where more was offered than could be carried for over a minute;
    nothing where it was not.
    """
    how, found = comparison.scenario.service.overload, {}
    for name, risk in comparison.risk.items():
        chance = risk.all.chance("overloaded").value or 0.0
        if chance > 0:
            found[name] = chance
    if not found:
        return ""
    worst = max(found, key=found.__getitem__)
    assumed = {
        "shed": "only the surplus is taken as lost, which is optimistic (service.overload: shed)",
        "collapse": "what is carried is taken to collapse (service.overload: collapse)",
    }[how]
    count = len(found) - 1
    others = f" (less often under {count} other{'s' * (count > 1)})" if count else ""
    share, name = wording.share(found[worst]), wording.named(worst)
    return (
        f"In {share} of the releases under {name}{others} more requests come for over a minute "
        f"than can be carried: {assumed}."
    )


def flip(comparison: Comparison, found: Flip, in_words: bool = False) -> str:
    """Where another strategy takes over: its name, the setting and the two values.

    The setting stands by its path, or `in_words`.
    """
    scenario = comparison.scenario
    now, there = (wording.setting(scenario, found.path, v) for v in (found.now, found.flips_at))
    side = "above" if found.flips_at > found.now else "below"
    doubt = "" if sure(comparison, found) else "; fresh replications do not confirm it"
    to = wording.named(found.to)
    if in_words:
        name = label(found.path, scenario)
        return f"{to} takes over where “{name}” is {side} {there} (now {now}{doubt})"
    return f"{to} takes over {side} {found.path} = {there} (now {now}{doubt})"


def _flips(comparison: Comparison, in_words: bool) -> str:
    """The nearest flip, and what being early would have to be worth if nothing says so."""
    closest = nearest(comparison.flips)
    text = f" {flip(comparison, closest, in_words)}." if closest is not None else ""
    if comparison.scenario.costs.delay:
        return text
    early = next((f for f in comparison.flips if f.path == DELAY), None)
    currency = comparison.scenario.costs.currency
    text += " This ignores the value of being early"
    if early is not None:
        price = wording.money(early.flips_at, currency)
        text += f"; {wording.named(early.to)} takes over when an hour is worth more than {price}"
    return f"{text}."


def at_equal_time(comparison: Comparison) -> str | None:
    """One sentence: who harms least if all took as long as the planned strategy."""
    found = equal_time(comparison)
    if found is None or len(found.ranking) < 2:
        return None
    listed = ", ".join(
        f"{wording.named(name)} {wording.share(harm)}" for name, harm in found.ranking[:_TOP]
    )
    return (
        f"At equal time to deploy ({wording.length(found.time)}, as "
        f"{wording.named(comparison.scenario.to_check)} "
        f"takes), users harmed by a bad release on average: {listed}."
    )


class Seen(NamedTuple):
    """What a detector sees at a gate, as text."""

    gate: str
    detector: str
    requests: str
    power: str
    false_alarm: str
    after: str
    bake: str
    kinds: str


SEEN = (
    *("gate", "detector", "requests", "sees", "false", "after (p50, p95)"),
    *("90 % in", "sees of each kind"),
)


def seen(sight: Sight) -> Seen:
    """One row of what a gate can see; `sees` is the share of bad releases it would detect."""
    gate = sight.gate
    after = wording.DASH
    if sight.median is not None and sight.p95 is not None:
        after = f"{wording.length(sight.median)}, {wording.length(sight.p95)}"
    needs = wording.length(sight.bake) if sight.bake is not None else ""
    needs = needs or (f"> {wording.length(sight.longest)}" if sight.given else wording.DASH)
    power = wording.figure(sight.power.value, "share")
    power += f" ({wording.between(sight.power, 'share')})" if sight.given else ""
    kinds = sorted(sight.given.items(), key=lambda item: -(item[1].value or 0.0))
    some = " · ".join(f"{kind} {100 * p.value:.0f} %" for kind, p in kinds if p.value)
    blind = ", ".join(kind for kind, p in kinds if not p.value)
    return Seen(
        gate_named(gate),
        "all together" if sight.detector == ALL else sight.detector,
        wording.count(gate.requests),
        power,
        wording.between(sight.false_alarm, "share"),
        after,
        needs,
        "; ".join(part for part in (some, blind and f"blind to {blind}") if part),
    )


def gate_named(gate: Gate) -> str:
    """A gate by its step and length."""
    return f"{gate.phase}, {wording.length(gate.duration)}"


def also_blind(found: Sequence[Sight], least: Sight) -> str:
    """Which other gates may see as little, as the end of a sentence; empty without any."""
    others = [gate_named(gate) for gate in as_blind(found, least)]
    if not others:
        return ""
    told = " and ".join(others) if len(others) < 4 else f"{len(others)} other gates"
    return f" (about as little as {told})"


def blindest_gate(comparison: Comparison) -> str | None:
    """One sentence: which gate of the planned strategy (else of any) sees least."""
    planned = comparison.scenario.to_check
    name = planned if comparison.gates.get(planned) else next(iter(comparison.gates), "")
    found = blindest(comparison.gates.get(name, ()))
    if found is None:
        return None
    row = seen(found)
    return (
        f"Blindest gate of {wording.named(name)}: {row.gate} ({row.requests} requests), would "
        f"detect {row.power} of the bad releases that reach it"
        f"{also_blind(comparison.gates[name], found)}; 90 % needs {row.bake}."
    )


class Doubt(NamedTuple):
    """A headline mean as text: its simulation error, its range over the assumptions, and the
    assumption that moves it most.
    """

    strategy: str
    figure: str
    simulation: str
    assumptions: str
    largest: str


DOUBTS = ("strategy", "mean of", "simulation", "assumptions", "mostly by")
_DOUBTED = {"time_to_deploy": "deploys in", "users_harmed": "users harmed"}


def two_uncertainties(comparison: Comparison) -> list[Doubt]:
    """For each strategy time to deploy and users harmed, each with both uncertainties."""
    found = []
    for name, rows in comparison.uncertainty.items():
        for row in rows:
            if row.figure in _DOUBTED:
                unit = FIGURES[row.figure].unit
                simulated = wording.between(Interval(0.0, *row.simulation), unit)
                assumed = wording.between(Interval(0.0, *row.assumptions), unit)
                largest = row.largest[0] if row.largest else ""
                found.append(Doubt(name, _DOUBTED[row.figure], simulated, assumed, largest))
    return found


def assumptions(comparison: Comparison, most: int = 5, in_words: bool = False) -> list[str]:
    """The assumptions that matter most, as text: as measured, else a fixed list.

    Each stands by its path, or `in_words` with its path at the end.
    """
    listed: list[str] = []
    for path in comparison.matter or _MATTER:
        for row in comparison.scenario.assumed:
            if row.path == path and len(listed) < most:
                spread = f" (plausible: {row.low} to {row.high})" if row.low is not None else ""
                name, at = (
                    (label(path, comparison.scenario), f" (setting {path})")
                    if in_words
                    else (path, "")
                )
                listed.append(f"{name} = {_short(row.value)}{spread}, {row.kind}{at}")
    return listed


_MATTER = (
    "change.defect_probability",
    "detection.people.report_rate",
    "response.watch",
    "response.page.decide",
    "service.errors.mean",
    "service.startup",
    "service.utilisation",
    "response.page.acknowledge",
    "detection.people.triage",
    "follow_up",
)


def _short(value: object) -> str:
    """A default as short text: a law by its median or mean."""
    if isinstance(value, dict) and len(value) == 1:
        law, given = next(iter(value.items()))
        centre = given.get("median", given.get("mean")) if isinstance(given, dict) else None
        return f"about {centre} ({law})" if centre is not None else str(law)
    return str(value)
