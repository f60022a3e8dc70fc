"""Studies of scenarios that differ in one setting: only what that setting touches is played."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from simulator.decide.sensitivity import concerned, whose
from simulator.findings.comparison import Variant, played
from simulator.findings.executors import Workers
from simulator.findings.reconsider import only_weighs, reconsidered
from simulator.findings.results import Results
from simulator.findings.study import Progress, Stratum, weighed
from simulator.words.changes import parse_path

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

BOTH = frozenset(("good", "defect"))
Change = tuple[str, "Scenario"]
"""The path of a setting, and the scenario in which it is changed."""
Touched = Callable[[str, Stratum], bool]


def altered(
    base: Results,
    groups: Sequence[Stratum],
    changes: Sequence[Change],
    jobs: Workers = 1,
    progress: Progress | None = None,
    touched: Touched | None = None,
) -> list[Results]:
    """What `base`, a study with these strata, would be after each of the changes, all at once.

    The luck is that of the base. Odds and prices only weigh differently, what one kind of defect is
    like is played in its stratum alone, and what a strategy says for it alone; `touched` tells
    which strata are of interest besides.
    """
    found: list[Results] = [base] * len(changes)
    variants: list[Variant] = []
    where: list[int] = []
    for place, (path, scenario) in enumerate(changes):
        if only_weighs(parse_path(path)):
            found[place] = reconsidered(base, scenario)
            continue
        strata = concerned(path, BOTH, tuple(groups))
        strata = tuple(g for g in strata if touched is None or touched(path, g))
        names = whose(path, base.names)
        if strata and names:
            variants.append((scenario, names, strata))
            where.append(place)
    for place, side in zip(where, played(base, variants, jobs, progress), strict=True):
        found[place] = _whole(base, side)
    return found


def cost(groups: Sequence[Stratum], paths: Sequence[str], touched: Touched | None = None) -> int:
    """How many replications `altered` plays for each strategy when every path takes two values;
    what one of them says is not counted.
    """
    return sum(
        2 * group.replications
        for path in paths
        if not only_weighs(parse_path(path)) and whose(path, [""])
        for group in concerned(path, BOTH, tuple(groups))
        if touched is None or touched(path, group)
    )


def _whole(base: Results, side: Results) -> Results:
    """A side study with the strata that were not played again."""
    columns = {name: {**base.columns[name], **side.columns.get(name, {})} for name in base.names}
    groups = weighed(side.scenario, base.groups)
    limits, reasons = {**base.limits, **side.limits}, {**base.reasons, **side.reasons}
    return Results(side.scenario, base.seed, groups, columns, limits, reasons)
