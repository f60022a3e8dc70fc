"""What gates see, as tables of text: power by kind of defect, and the bake that would suffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.power import ALL, WANTED, blindest
from simulator.report import headlines, wording

if TYPE_CHECKING:
    from simulator.findings.power import Sight

TOGETHER = "all together"


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


def lines(found: Mapping[str, Sequence[Sight]]) -> list[Line]:
    """For each strategy, gate and detector the power against every kind together and alone."""
    return [
        Line(
            name,
            f"{sight.gate.phase}, {wording.length(sight.gate.duration)}",
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
    worst = {name: gate for name, sights in found.items() if (gate := blindest(sights)) is not None}
    if not worst:
        return "No gate: nothing here watches before all the traffic is on the new version."
    name = min(worst, key=lambda key: worst[key].power.value or 0.0)
    sight = worst[name]
    seen = headlines.seen(sight)
    blind = [kind for kind, power in sight.given.items() if not power.value]
    text = f"The blindest gate is {seen.gate} of {name}: with all its detectors it would find "
    text += f"{seen.power} of the bad releases that reach it"
    text += f", and none of {', '.join(blind)}. " if blind else ". "
    wanted = wording.share(WANTED)
    if sight.bake is None:
        return text + f"No bake up to {wording.length(sight.longest)} makes that {wanted}."
    if sight.bake <= sight.gate.duration:
        return text + f"A bake of {wording.length(sight.bake)} already suffices for {wanted}."
    return text + f"For {wanted} it takes a bake of {wording.length(sight.bake)}."


class Gate(NamedTuple):
    """What all detectors together see at a gate: with its interval, of every kind, and the rest."""

    gate: str
    requests: str
    power: Square
    interval: str
    kinds: tuple[Square, ...]
    false_alarm: str
    after: str
    bake: str


def together(found: Mapping[str, Sequence[Sight]]) -> dict[str, list[Gate]]:
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


def _gate(sight: Sight) -> Gate:
    seen = headlines.seen(sight)
    squares = [
        Square(power.value, wording.figure(power.value, "share"))
        for power in (sight.power, *sight.given.values())
    ]
    return Gate(
        seen.gate,
        seen.requests,
        squares[0],
        wording.between(sight.power, "share"),
        tuple(squares[1:]),
        seen.false_alarm,
        seen.after,
        seen.bake,
    )
