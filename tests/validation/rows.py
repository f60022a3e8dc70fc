"""The rows of the validation table: a closed form, a scenario it holds in, and what to compare."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simulator.play.outcome import Outcome
from simulator.words.scenario import Scenario
from tests.play.playing import bare, play
from tests.validation import checks
from tests.validation.checks import Check, Finding

SEED = 1
FEWEST = 100
Value = Callable[[Outcome], float]


@dataclass(frozen=True)
class Row:
    """One closed form in one scenario.

    `figure` names what is compared, `value` reads it off one replication (None leaves the
    replication out), `exact` is the closed form's value (NaN for a whole distribution), `given`
    the scenario in words. Replications are of bad releases unless `bad` is false.
    """

    figure: str
    formula: str
    exact: float
    strategy: str
    given: str
    scenario: Scenario
    value: Callable[[Outcome], float | None]
    replications: int
    bad: bool = True
    check: Check = checks.mean
    detector: str = ""

    @property
    def name(self) -> str:
        """What tells this row from all others."""
        return f"{self.figure} of {self.strategy} ({self.given})"

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
    """Play a row, with a `part` of its replications, and hold it against its closed form."""
    count = max(round(row.replications * part), min(FEWEST, row.replications))
    return Result(row, count, row.check(row.samples(count, seed), row.exact))


def of(figure: str) -> Value:
    """Reads a figure off an outcome."""

    def value(outcome: Outcome) -> float:
        return float(getattr(outcome, figure))

    return value


def row(
    figure: str,
    formula: str,
    exact: float,
    replications: int,
    words: dict[str, str | int],
    value: Callable[[Outcome], float | None] | None = None,
    bad: bool = True,
    check: Check = checks.mean,
    detector: str = "",
) -> Row:
    """A row in a bare scenario: nothing happens in it that its words do not say."""
    given = "; ".join(f"{key}: {text}" if key in _NUMBERS else str(text) for key, text in _shown(words))
    return Row(
        figure,
        formula,
        exact,
        str(words["strategy"]),
        given,
        bare(**words),
        value or of(figure),
        replications,
        bad,
        check,
        detector,
    )


_NUMBERS = ("instances", "users")


def _shown(words: dict[str, str | int]) -> list[tuple[str, str | int]]:
    return [(key, text) for key, text in words.items() if key != "strategy" and text != ""]


def all_rows() -> list[Row]:
    """Every row of the table."""
    from tests.validation import harm

    sections: Sequence[Callable[[], list[Row]]] = (harm.rows,)
    return [found for section in sections for found in section()]
