"""What a row of the validation table is: a closed form, and a scenario in which it must hold."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from simulator.play.outcome import Outcome
from simulator.words.scenario import Scenario
from tests.play.playing import bare, play
from tests.validation import checks
from tests.validation.checks import Check, Finding

SEED = 1
FEWEST = 100
Value = Callable[[Outcome], float | None]


@dataclass(frozen=True)
class Row:
    """One closed form in one scenario.

    `figure` names what is compared; `value` reads it off one replication (None leaves the
    replication out); `exact` is the closed form's value, NaN for a whole distribution; `given`
    is the scenario in words. Replications are of bad releases unless `bad` is false.
    """

    figure: str
    formula: str
    exact: float
    strategy: str
    given: str
    scenario: Scenario
    value: Value
    replications: int
    bad: bool = True
    check: Check = checks.mean
    detector: str = ""

    @property
    def name(self) -> str:
        """What tells this row from all others."""
        return f"{self.figure}, {self.formula}, {self.strategy}, {self.given}"

    def samples(self, replications: int, seed: int = SEED) -> list[float]:
        """Simulated values; each row has luck of its own."""
        own = (seed << 32) + zlib.crc32(self.name.encode())
        found = [self.value(o) for o in play(self.scenario, replications, own, self.bad)]
        return [value for value in found if value is not None]


class Result(NamedTuple):
    """A row, how many replications it was played, and what they showed."""

    row: Row
    replications: int
    finding: Finding


def compare(row: Row, part: float = 1.0, seed: int = SEED) -> Result:
    """Play a row, or a `part` of its replications, and hold it against its closed form."""
    count = max(round(row.replications * part), min(FEWEST, row.replications))
    return Result(row, count, row.check(row.samples(count, seed), row.exact))


def of(figure: str) -> Value:
    """Reads a figure off an outcome."""

    def value(outcome: Outcome) -> float:
        return float(getattr(outcome, figure))

    return value


def caught(by: str = "", at: str = "") -> Value:
    """1 for a replication in which this detector, or the one in this phase, was first."""

    def value(outcome: Outcome) -> float:
        return float(by in ("", outcome.caught_by) and at in ("", outcome.caught_at))

    return value


def row(
    figure: str,
    formula: str,
    exact: float,
    replications: int,
    *,
    value: Value | None = None,
    bad: bool = True,
    check: Check = checks.mean,
    detector: str = "",
    also: Mapping[str, str] | None = None,
    **words: str | int,
) -> Row:
    """A row in a bare scenario: nothing happens in it that its words do not say.

    `also` sets keys that a bare scenario has no place for.
    """
    shown = {key: str(words[key]) for key in words if key != "strategy" and words[key] != ""}
    for key in ("instances", "users"):
        if key in shown:
            shown[key] = f"{key}: {shown[key]}"
    scenario = bare(**words)
    for path, text in (also or {}).items():
        shown[path] = f"{path}: {text}"
        scenario = scenario.with_(path, text)
    return Row(
        figure=figure,
        formula=formula,
        exact=exact,
        strategy=str(words["strategy"]),
        given="; ".join(shown.values()),
        scenario=scenario,
        value=value or of(figure),
        replications=replications,
        bad=bad,
        check=check,
        detector=detector,
    )
