"""The same replications under other odds, prices and objectives: nothing is played again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from simulator.findings.columns import Columns
from simulator.findings.results import Results
from simulator.findings.study import weighed

if TYPE_CHECKING:
    from simulator.words.documents import Path
    from simulator.words.scenario import Scenario

_HOUR = 3600.0
# What a price is multiplied with: the key of the price, a part of the loss, the figure, its unit.
_PRICED = (
    ("failed_request", "loss_failed_requests", "failed_requests", 1.0),
    ("corrupt_write", "loss_corrupt_writes", "corrupt_writes", 1.0),
    ("outage", "loss_outage", "outage", _HOUR),
    ("release", "loss_release", "releases", 1.0),
    ("delay", "loss_delay", "time_to_value", _HOUR),
)
_MONEY = ("loss", *(part for _, part, _, _ in _PRICED))
PRICES = tuple(f"costs.{key}" for key, *_ in _PRICED)
CHANCE = "change.defect_probability"
EACH = "change.changes.each"
_SHARE_AT = ("change", "defects", "share")
_CATCHES_AT = ("change", "changes", "tests", "catches")
_NEVER_PLAYED = ("name", "question", "planned", "objectives", "exam")


def only_weighs(path: Path) -> bool:
    """Whether a key of a file changes no replication, only what follows from them."""
    if path[0] in _NEVER_PLAYED or ".".join(map(str, path)) in (CHANCE, EACH, *PRICES):
        return True
    if len(path) == 5 and (*path[:3], path[4]) == _CATCHES_AT:
        return True
    return len(path) == 4 and (path[0], path[1], path[3]) == _SHARE_AT


def reconsidered(results: Results, scenario: Scenario) -> Results:
    """The results as a study of `scenario` would have them, without playing it.

    The scenario may differ from the one that was played only in what `only_weighs`.
    """
    if scenario is results.scenario:
        return results
    before, after = results.scenario.costs, scenario.costs
    columns: Mapping[str, Mapping[int, Columns]] = results.columns
    for key, part, figure, size in _PRICED:
        price = getattr(after, key) or 0.0
        if price == (getattr(before, key) or 0.0):
            continue
        count = scenario.change.count if key == "delay" else 1
        columns = {
            name: {
                number: _repriced(one, part, figure, price / size * count, results.limits[name])
                for number, one in parts.items()
            }
            for name, parts in columns.items()
        }
    again = Results(
        scenario,
        results.seed,
        weighed(scenario, results.groups),
        columns,
        results.limits,
        results.reasons,
    )
    same_mix = scenario.change.shares == results.scenario.change.shares
    anew = () if columns is results.columns else _MONEY
    for name, risk in again.risk().items():
        risk.remember(results.risk()[name], same_mix, anew)
    return again


def _repriced(columns: Columns, part: str, figure: str, price: float, limit: float) -> Columns:
    amount = np.minimum(np.asarray(columns[figure], dtype=float), limit) * price
    loss = np.asarray(columns["loss"], dtype=float) - np.asarray(columns[part]) + amount
    return {**columns, part: amount, "loss": loss}
