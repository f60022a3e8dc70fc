"""Results of a study and the risk they show: every figure under every condition, on demand."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulator.findings.columns import Columns
from simulator.findings.estimates import Estimates, estimate, estimates
from simulator.findings.means import Interval, Strata, centres, proportion, restrict
from simulator.findings.study import GOOD_RELEASE, Stratum
from simulator.play.outcome import TEXTS, Outcome
from simulator.words.figures import CHANCES, FIGURES, OF_SOME, OUTCOMES

if TYPE_CHECKING:
    import pandas as pd

    from simulator.words.scenario import Scenario

Array = NDArray[np.float64]
FRESH = 7_919
_MOST = 0.5


class Given:
    """One strategy's replications under one condition; figures are estimated when asked for.

    `given.users_harmed` is the estimate of that figure; `share` the probability of the condition.
    """

    def __init__(
        self, groups: tuple[Stratum, ...], columns: Mapping[int, Columns], limit: float
    ) -> None:
        self._groups = tuple(g for g in groups if g.number in columns)
        self._columns = columns
        self._limit = limit
        self._known: dict[str, Estimates] = {}
        self._means: dict[str, float | None] = {}
        self.share = math.fsum(group.probability for group in self._groups)

    @cached_property
    def strata(self) -> Strata:
        """The strata under this condition and what each weighs."""
        sizes = [len(self._columns[g.number]["ended"]) for g in self._groups]
        weights = [g.probability for g in self._groups]
        if math.fsum(weights) <= 0:
            weights = [1.0] * len(sizes)
        return Strata.grouped(sizes, weights)

    @property
    def n(self) -> int:
        """Replications under this condition."""
        return self.strata.n

    def limit(self, figure: str) -> float | None:
        """What stands in for censored values in a figure's mean: of a time the horizon (s), else
        nothing, for headroom that has no end has no mean.
        """
        return self._limit if figure in FIGURES and FIGURES[figure].unit == "s" else None

    def extent(self, figure: str) -> tuple[float, float]:
        """The least and the most that a figure's mean can be: an amount that may be below nothing
        is taken for one that is not until it was.
        """
        known = FIGURES[figure]
        never = known.least == -math.inf and not (self.values(figure) < 0).any()
        return 0.0 if never else known.least, known.most

    def bounded(self, figure: str) -> Array:
        """A figure's values as a row (1, replications) fit for a mean: censored at the limit."""
        return restrict(self.strata.rows(self.values(figure)), self.limit(figure))[0]

    @property
    def parts(self) -> tuple[tuple[int, float], ...]:
        """Replications and weight of each stratum, in the order of `values`."""
        even = self.share <= 0
        return tuple(
            (len(self._columns[g.number]["ended"]), 1.0 if even else g.probability)
            for g in self._groups
        )

    def values(self, figure: str) -> Array:
        """A figure's values in the order of the strata, NaN where not applicable."""
        return np.concatenate([np.asarray(self._columns[g.number][figure]) for g in self._groups])

    def texts(self, column: str) -> NDArray[Any]:
        """A text column (outcome, defect, caught_by, caught_at) in the same order."""
        return np.array([t for g in self._groups for t in self._columns[g.number][column]])

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of all figures, without those of which the scenario says nothing."""
        gone = {f for f in OF_SOME if np.isnan(self.values(f)).all()}
        return tuple(figure for figure in FIGURES if figure not in gone)

    def estimate(self, figure: str) -> Estimates:
        """All statistics of a figure; raises KeyError for an unknown one."""
        if figure not in self._known:
            if figure not in FIGURES:
                raise KeyError(figure)
            found = estimate(self.values(figure), self.strata, self.limit(figure))
            self._known[figure] = found.within(*self.extent(figure))
        return self._known[figure]

    def mean(self, figure: str) -> float | None:
        """A figure's mean without its interval, None where it never applies."""
        if not self.n:
            return None
        if figure not in self._means:
            found = float(centres(self.bounded(figure), self.strata)[0])
            self._means[figure] = found if math.isfinite(found) else None
        return self._means[figure]

    def remember(self, other: Given, anew: Collection[str]) -> None:
        """Take over what was worked out for the same values and weights, but for some figures."""
        self._known |= {f: found for f, found in other._known.items() if f not in anew}
        self._means |= {f: found for f, found in other._means.items() if f not in anew}

    def estimates(self) -> dict[str, Estimates]:
        """All statistics of all figures, worked out together."""
        figures = self.figures
        table = np.stack([self.values(figure) for figure in figures])
        limits = np.array([self.limit(figure) for figure in figures], dtype=float)
        found = estimates(table, self.strata, limits)
        told = zip(figures, found, strict=True)
        self._known = {figure: one.within(*self.extent(figure)) for figure, one in told}
        return self._known

    def __getattr__(self, figure: str) -> Estimates:
        if figure.startswith("_") or figure not in FIGURES:
            raise AttributeError(f"no figure {figure!r}")
        return self.estimate(figure)

    def proportion(self, column: str, value: str) -> Interval:
        """Share of the replications whose text column has this value."""
        return proportion(self.texts(column) == value, self.strata)

    def measure(self, figure: str, statistic: str = "mean") -> Interval:
        """A statistic of a figure, or the share of the releases that an outcome's name stands for.

        Raises KeyError for an unknown figure.
        """
        if figure in OUTCOMES:
            return self.proportion("outcome", figure)
        if figure in CHANCES:
            return self.chance(figure)
        found: Interval = getattr(self.estimate(figure), statistic)
        return found

    def shares(self, column: str) -> dict[str, Interval]:
        """Shares of every value of a text column, the most frequent first."""
        texts = self.texts(column)
        found = {str(v): proportion(texts == v, self.strata) for v in np.unique(texts)}
        return dict(sorted(found.items(), key=lambda item: -(item[1].value or 0)))

    def chance(self, column: str) -> Interval:
        """Share of the replications in which a column of 0 and 1 is 1; NaN is left out."""
        return proportion(self.values(column), self.strata)


def meant(groups: Sequence[Stratum], condition: str | None) -> tuple[int, ...]:
    """The strata under a condition: None (all), good, defect, or a kind (all of its entries)."""
    return tuple(
        g.number
        for g in groups
        if condition is None
        or condition == ("defect" if g.number else GOOD_RELEASE)
        or (g.number and condition in (g.label, g.label.rstrip(" 0123456789")))
    )


class StrategyRisk:
    """What one strategy's replications show, over all releases and under each condition."""

    def __init__(
        self,
        name: str,
        kind: str,
        groups: tuple[Stratum, ...],
        columns: Mapping[int, Columns],
        limit: float,
        reasons: tuple[str, ...],
    ) -> None:
        self.name, self.kind, self.reasons = name, kind, reasons
        self._groups, self._columns, self._limit = groups, columns, limit
        self._kinds: dict[str, Given] = {}

    @property
    def suitable(self) -> bool:
        """Whether the strategy can be carried out in this scenario."""
        return not self.reasons

    @property
    def deploys(self) -> bool:
        """Whether it deploys at least half of the good releases, as far as any were played."""
        share = self.given_good.proportion("outcome", "deployed").value if self.given_good.n else 1
        return (share or 0.0) >= _MOST

    def _given(self, numbers: Iterator[int] | list[int]) -> Given:
        chosen = {n: self._columns[n] for n in numbers if n in self._columns}
        return Given(self._groups, chosen, self._limit)

    @cached_property
    def all(self) -> Given:
        """Over all releases, good and bad by their probabilities."""
        return self._given([g.number for g in self._groups])

    @cached_property
    def given_good(self) -> Given:
        """Given a good release."""
        return self._given([0])

    @cached_property
    def given_defect(self) -> Given:
        """Given a defective release."""
        return self._given([g.number for g in self._groups if g.number])

    @cached_property
    def given(self) -> dict[str, Given]:
        """Given each kind of defect."""
        return {g.label: self._given([g.number]) for g in self._groups if g.number}

    def remember(self, other: StrategyRisk, mix_too: bool, anew: Collection[str]) -> None:
        """Take over what does not depend on the probability of a defect, or on the mix either."""
        self.given_good.remember(other.given_good, anew)
        if mix_too:
            self.given_defect.remember(other.given_defect, anew)

    def under(self, condition: str | None) -> Given:
        """The condition of an objective: None, good, defect, or a kind (all of its entries)."""
        if condition is None:
            return self.all
        if condition == "good":
            return self.given_good
        if condition == "defect":
            return self.given_defect
        if condition not in self._kinds:
            self._kinds[condition] = self._given(list(meant(self._groups, condition)))
        return self._kinds[condition]


class Risk(Mapping[str, StrategyRisk]):
    """The risk of every strategy by its name, in the scenario's order."""

    def __init__(self, strategies: Mapping[str, StrategyRisk]) -> None:
        self._strategies = dict(strategies)

    def __getitem__(self, name: str) -> StrategyRisk:
        return self._strategies[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._strategies)

    def __len__(self) -> int:
        return len(self._strategies)

    def table(self) -> pd.DataFrame:
        """The comparison in one frame: a row per strategy, the headline figures as columns."""
        import pandas as pd

        rows = []
        for name, risk in self.items():
            bad, good = risk.given_defect, risk.given_good
            rows.append(
                {
                    "strategy": name,
                    "time_to_deploy": good.time_to_deploy.mean.value,
                    "caught_before_full": bad.chance("caught_before_full").value,
                    "users_harmed_p95": bad.users_harmed.p95.value,
                    "rollback_90": bad.rollback_90.mean.value,
                    "extra_cost": risk.all.extra_cost.mean.value,
                    "false_alarms": good.proportion("outcome", "false_alarm").value,
                }
            )
        return pd.DataFrame(rows, columns=None if rows else ["strategy"]).set_index("strategy")


class Results:
    """Everything a study found: the replications themselves and how they were drawn.

    `columns[strategy][stratum]` holds the outcome's fields; stratum 0 is good releases. `stopped`
    tells that the study was interrupted.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        groups: tuple[Stratum, ...],
        columns: Mapping[str, Mapping[int, Columns]],
        limits: Mapping[str, float],
        reasons: Mapping[str, tuple[str, ...]],
        stopped: bool = False,
    ) -> None:
        self.scenario, self.seed, self.groups = scenario, seed, groups
        self.stopped = stopped
        self.columns, self.limits, self.reasons = columns, limits, reasons

    @property
    def names(self) -> tuple[str, ...]:
        """The strategies that were played."""
        return tuple(self.columns)

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The strategies that cannot be carried out so far that nothing of them was played."""
        return tuple(n for n, why in self.reasons.items() if why and n not in self.columns)

    @property
    def missing(self) -> tuple[str, ...]:
        """The strategies of which nothing was finished when the study was interrupted."""
        left = (n for n, why in self.reasons.items() if not why and n not in self.columns)
        return tuple(left) if self.stopped else ()

    @property
    def replications(self) -> dict[str, int]:
        """Replications really run for each strategy: of bad and of good releases."""
        first = next(iter(self.columns.values()), {})
        return {
            "bad": sum(len(part["ended"]) for number, part in first.items() if number),
            "good": len(first[0]["ended"]) if 0 in first else 0,
        }

    @cached_property
    def _risk(self) -> Risk:
        return Risk(
            {
                name: StrategyRisk(
                    name,
                    self.scenario.strategies[name].kind,
                    self.groups,
                    self.columns[name],
                    self.limits[name],
                    self.reasons[name],
                )
                for name in self.names
            }
        )

    def risk(self) -> Risk:
        """The risk these results show."""
        return self._risk

    def common(self) -> Results:
        """The same with only those replications that every strategy has."""
        lengths = {
            number: min(len(parts[number]["ended"]) for parts in self.columns.values())
            for number in next(iter(self.columns.values()), ())
        }
        return self.first(lengths)

    def first(self, lengths: Mapping[int, int], names: Sequence[str] = ()) -> Results:
        """The same with at most so many replications of each stratum, of some strategies."""
        columns = {
            name: {
                number: {key: values[: lengths.get(number)] for key, values in part.items()}
                for number, part in parts.items()
            }
            for name, parts in self.columns.items()
            if not names or name in names
        }
        return self.with_columns(columns)

    def played(self, groups: Sequence[Stratum]) -> tuple[Stratum, ...]:
        """These strata with at most as many replications as were played of each."""
        parts = next(iter(self.columns.values()), {})
        return tuple(
            g._replace(replications=min(g.replications, len(parts[g.number]["ended"])))
            for g in groups
            if g.number in parts
        )

    def other_luck(self) -> Results:
        """The same, to play side studies with a seed that shares no luck with it."""
        return Results(
            self.scenario, self.seed + FRESH, self.groups, self.columns, self.limits, self.reasons
        )

    def with_columns(self, columns: Mapping[str, Mapping[int, Columns]]) -> Results:
        """The same study with other replications."""
        return Results(self.scenario, self.seed, self.groups, columns, self.limits, self.reasons)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per replication and strategy, with stratum, seed and weight."""
        import pandas as pd

        played = [
            (name, group, self.columns[name][group.number])
            for name in self.names
            for group in self.groups
            if group.number in self.columns[name]
        ]
        sizes = [len(part["ended"]) for _, _, part in played]
        weights = [group.probability / max(len(part["ended"]), 1) for _, group, part in played]
        whole: dict[str, Any] = {
            "strategy": pd.Categorical(np.repeat([name for name, _, _ in played], sizes)),
            "stratum": pd.Categorical(np.repeat([group.label for _, group, _ in played], sizes)),
            "seed": np.full(sum(sizes), self.seed),
            "weight": np.repeat(weights, sizes),
        }
        for column in Outcome._fields:
            values = np.concatenate([part[column] for _, _, part in played] or [[]])
            whole[column] = pd.Categorical(values) if column in TEXTS else values
        whole["replication"] = np.concatenate([np.arange(size) for size in sizes or [0]])
        return pd.DataFrame(whole)


__all__ = ["GOOD_RELEASE", "Given", "Results", "Risk", "StrategyRisk", "meant"]
