"""Choosing one replication to look at: a typical one of a study, or its worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.findings.study import GOOD_RELEASE

if TYPE_CHECKING:
    from simulator.findings.results import Results


class Choice(NamedTuple):
    """A replication by its stratum and number: `failed` requests of all strategies together, and
    the count of replications (`among`) from which it was chosen.
    """

    label: str
    replication: int
    failed: float
    among: int


def chosen(results: Results, label: str | None = None, worst: bool = False) -> Choice:
    """The replication with the median, or the most, failed requests of all strategies together.

    Of one kind of release (`good` or a label of the defects), or with None of all bad ones, each
    kind weighing what it weighs in the scenario. Raises ValueError when no such release was played.
    """
    groups = [
        group
        for group in results.groups
        if (group.label == label if label is not None else group.label != GOOD_RELEASE)
    ]
    found: list[tuple[float, str, int, float]] = []
    for group in groups:
        failed = np.sum(
            [np.asarray(c[group.number]["failed_requests"]) for c in results.columns.values()],
            axis=0,
        )
        weight = (group.probability or 1e-12) / len(failed)
        found += [(float(f), group.label, k, weight) for k, f in enumerate(failed)]
    if not found:
        raise ValueError(f"no replication of {label or 'a bad release'} was played")
    if worst:
        failed, name, number, _ = max(found, key=lambda one: one[0])
    else:
        found.sort(key=lambda one: one[0])
        passed = np.cumsum([weight for *_, weight in found])
        middle = int(np.searchsorted(passed, passed[-1] / 2))
        failed, name, number, _ = found[middle]
    return Choice(name, number, failed, len(found))
