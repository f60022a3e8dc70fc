"""Shadow: the new version gets copies of requests first, then another strategy takes over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.words.analysis import Analysis
from simulator.words.detection import Judge
from simulator.words.strategy import AnyStrategy, Strategy, kinds
from simulator.words.units import Duration, PositiveShare, Share

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class Shadow(Strategy):
    """Mirror a share of the traffic to the new version, throw its answers away, then release it.

    Crashes, slowness and load show in copies as they would in earnest. Of the other defects only
    those show that can be compared: writes are stubbed, and mirrored traffic is mostly reads.
    """

    kind: Literal["shadow"] = "shadow"
    share: PositiveShare = Field(1.0, description="Share of the requests that are copied.")
    duration: Duration = Field(3600.0, description="How long they are.")
    comparable: Share = Field(
        0.6, description="Chance that a defect shows in copies (judgement, 30 to 90 %)."
    )
    then: AnyStrategy = Field(
        default_factory=lambda: kinds()["canary"](),  # type: ignore[call-arg]
        description="The strategy that releases it afterwards; a canary when left out.",
    )

    @property
    def moves_all(self) -> bool:
        return self.then.moves_all

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        return self.then.analyses

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        return self.then.judges(usual)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.provision(self.share)
        yield from rollout.shadow(self.share, self.duration, self.comparable)
        yield from rollout.hand_over(self.then)

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.undo_handed_over()
        yield from rollout.return_to_old()
