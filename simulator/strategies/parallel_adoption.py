"""Parallel adoption: old and new do all the work side by side until the new one is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.words.strategy import Strategy
from simulator.words.units import Duration, Hourly, PositiveDuration, Share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Reconcile(BaseModel):
    """How the answers of both systems are compared."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    every: PositiveDuration = Field(86_400.0, description="Time between two reconciliations.")
    coverage: Share = Field(0.9, description="Chance that one reconciliation finds wrong answers.")


class ParallelAdoption(Strategy):
    """Both versions process all work for `overlap`; the old answers count and are reconciled.

    Then the new version takes over and the old one is kept for `keep_old`. Before the cut-over
    rolling back stops the new version, afterwards it switches back.
    """

    kind: Literal["parallel_adoption"] = "parallel_adoption"
    overlap: Duration = Field(14 * 86_400.0, description="How long both do all the work.")
    reconcile: Reconcile | None = Field(
        Reconcile(), description="How answers are compared; none switches it off."
    )
    sync_error: Share = Field(
        0.0, description="Share of requests spoilt because the two systems disagree."
    )
    double_work: Hourly = Field(0.0, description="Cost of doing the work twice, per hour.")
    keep_old: Duration = Field(86_400.0, description="How long the old system is kept afterwards.")

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(1)
        yield from rollout.run_in_parallel(
            self.overlap, self.reconcile, self.sync_error, self.double_work
        )
        yield from rollout.shift(1)
        yield from rollout.keep_old(self.keep_old)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.return_to_old()
