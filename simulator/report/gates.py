"""What gates see, as tables of text: power by kind of defect, and the bake that would suffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.power import WANTED, blindest
from simulator.findings.reach import LENGTH, TRAFFIC, WEIGHT
from simulator.findings.trial import ALL
from simulator.report import headlines, wording

if TYPE_CHECKING:
    from simulator.findings.means import Interval
    from simulator.findings.power import Sight
    from simulator.findings.reach import Curve, Point

TOGETHER = "all together"
BLIND = "No kind of defect here serves traffic, so no gate can see one: starts that fail are found."


class Square(NamedTuple):
    """The power of one gate against one kind of defect: 0..1 (None: unknown) and as text."""

    power: float | None
    text: str


class Line(NamedTuple):
    """A gate, a detector there, and what it sees of each kind."""

    strategy: str
    gate: str
    detector: str
    squares: dict[str, Square]


EVERY = "every kind"


def choices(found: Sequence[Sight]) -> list[str]:
    """Every gate of a strategy by name, in their order; equal names are numbered."""
    names: list[str] = []
    for gate in dict.fromkeys(sight.gate for sight in found):
        name = headlines.gate_named(gate)
        again = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


def lines(found: Mapping[str, Sequence[Sight]]) -> list[Line]:
    """For each strategy, gate and detector the power against every kind together and alone."""
    return [
        Line(
            name,
            headlines.gate_named(sight.gate),
            TOGETHER if sight.detector == ALL else sight.detector,
            {
                kind: Square(power.value, wording.figure(power.value, "share"))
                for kind, power in {EVERY: sight.power, **sight.given}.items()
            },
        )
        for name, sights in found.items()
        for sight in sights
    ]


DETAILS = (
    *("strategy", "gate", "detector", "requests", "sees (95 % interval)"),
    *("false alarms", "after (p50, p95)", "90 % in"),
)


def details(found: Mapping[str, Sequence[Sight]]) -> list[tuple[str, ...]]:
    """For each strategy, gate and detector the rest: requests, interval, delay, smallest bake."""
    rows: list[tuple[str, ...]] = []
    for name, sights in found.items():
        for sight in sights:
            seen = headlines.seen(sight)
            rows.append(
                (
                    *(name, seen.gate, seen.detector, seen.requests),
                    *(seen.power, seen.false_alarm, seen.after, seen.bake),
                )
            )
    return rows


def sentence(found: Mapping[str, Sequence[Sight]]) -> str:
    """One sentence: the blindest gate of all, what it misses, and the bake that would suffice."""
    if any(found.values()) and not any(sight.given for one in found.values() for sight in one):
        return BLIND
    worst = {name: gate for name, sights in found.items() if (gate := blindest(sights)) is not None}
    if not worst:
        return "No gate: nothing here watches before all the traffic is on the new version."
    name = min(worst, key=lambda key: worst[key].power.value or 0.0)
    sight = worst[name]
    seen = headlines.seen(sight)
    blind = [kind for kind, power in sight.given.items() if not power.value]
    text = f"The blindest gate is {seen.gate} of {name}: with all its detectors it would find "
    text += f"{seen.power} of the bad releases that reach it"
    text += headlines.also_blind(found[name], sight)
    text += f", and none of {', '.join(blind)}. " if blind else ". "
    wanted = wording.share(WANTED)
    if sight.bake is None:
        return text + f"No bake up to {wording.length(sight.longest)} makes that {wanted}."
    if sight.bake <= sight.gate.duration:
        return text + f"A bake of {wording.length(sight.bake)} already suffices for {wanted}."
    return text + f"For {wanted} it takes a bake of {wording.length(sight.bake)}."


FALSE_ALARM = "false alarms"


class Dot(NamedTuple):
    """One detector at one value of a gate's length (s), weight or traffic: its power 0..1 with a
    95 % interval, all as text too; `line` names what is drawn, `FALSE_ALARM` for good releases.
    """

    along: str
    line: str
    at: float
    value: float
    low: float
    high: float
    at_text: str
    requests: str
    text: str


DOTS = ("along", "detector", "at", "requests", "detects (95 % interval)")


def dots(curves: Sequence[Curve], kind: str = EVERY) -> list[Dot]:
    """Every point of some curves against one kind of defect, or `EVERY` kind together.

    The false alarms of all detectors together are a line of their own.
    """
    found, kind = [], ALL if kind == EVERY else kind
    for curve in curves:
        name = TOGETHER if curve.detector == ALL else curve.detector
        known = [p for p in curve.points if p.power[kind].value is not None]
        found += [_dot(curve.along, name, p, p.power[kind]) for p in known]
        if curve.detector == ALL:
            found += [_dot(curve.along, FALSE_ALARM, p, p.false_alarm) for p in curve.points]
    return found


def _dot(along: str, line: str, point: Point, power: Interval) -> Dot:
    value, low, high = (x if x is not None else 0.0 for x in power)
    text = f"{wording.share(value)} ({wording.between(power, 'share')})"
    at, requests = valued(along, point.at), wording.count(point.requests)
    return Dot(along, line, point.at, value, low, high, at, requests, text)


def valued(along: str, value: float) -> str:
    """A length, a weight, or a multiple of today's traffic as text."""
    if along == LENGTH:
        return wording.length(value)
    return wording.share(value) if along == WEIGHT else f"{value:g} x"


def enough(curves: Sequence[Curve], kind: str = EVERY) -> str:
    """One sentence: from which length, weight or traffic on 90 % are detected by all together."""
    if not any(point.power[ALL].value is not None for one in curves for point in one.points):
        return BLIND
    wanted, texts = wording.share(WANTED), []
    names = {LENGTH: "a length of", WEIGHT: "a weight of", TRAFFIC: "traffic of"}
    for curve in curves:
        if curve.detector != ALL:
            continue
        least, most = (
            curve.enough(ALL if kind == EVERY else kind),
            max(point.at for point in curve.points),
        )
        now = "" if curve.along == TRAFFIC else f" (now {valued(curve.along, curve.now)})"
        if least is None:
            texts.append(f"no {curve.along} up to {valued(curve.along, most)}{now}")
        else:
            texts.append(f"{names[curve.along]} {valued(curve.along, least)}{now}")
    return f"Each alone, everything else as it is, what detects {wanted}: {'; '.join(texts)}."


class Together(NamedTuple):
    """What all detectors together see at a gate: with its interval, of every kind, and the rest."""

    gate: str
    requests: str
    power: Square
    interval: str
    kinds: tuple[Square, ...]
    false_alarm: str
    after: str
    bake: str


def together(found: Mapping[str, Sequence[Sight]]) -> dict[str, list[Together]]:
    """For each strategy its gates, as all detectors together see there."""
    return {
        name: [_gate(sight) for sight in sights if sight.detector == ALL]
        for name, sights in found.items()
    }


def kinds(found: Mapping[str, Sequence[Sight]]) -> list[str]:
    """The kinds of defects that gates are held against."""
    return list(
        dict.fromkeys(kind for sights in found.values() for s in sights for kind in s.given)
    )


def _gate(sight: Sight) -> Together:
    seen = headlines.seen(sight)
    squares = [
        Square(power.value, wording.figure(power.value, "share"))
        for power in (sight.power, *sight.given.values())
    ]
    return Together(
        seen.gate,
        seen.requests,
        squares[0],
        wording.between(sight.power, "share"),
        tuple(squares[1:]),
        seen.false_alarm,
        seen.after,
        seen.bake,
    )
