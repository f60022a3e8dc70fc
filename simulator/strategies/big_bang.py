"""Big bang: everything goes live all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from simulator.words.strategy import Strategy
from simulator.words.units import Duration

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout


class BigBang(Strategy):
    """Stop everything, install in place, start again; or switch once to a prepared fleet.

    In place nobody serves while the slowest instance installs (no draining). Rolling back is the
    same again with the old version, or the switch back while the old fleet lives.
    """

    kind: Literal["big_bang"] = "big_bang"
    in_place: bool = Field(
        True, description="Reinstall the running fleet (an outage); false: prepare a second one."
    )
    keep_old: Duration = Field(
        0.0, description="How long the old fleet is kept after the switch (prepared fleet only)."
    )

    @property
    def moves_all(self) -> bool:
        return self.in_place

    def release(self, rollout: Rollout) -> Iterator[Any]:
        if self.in_place:
            yield from rollout.reinstall()
            return
        yield from rollout.provision(1)
        yield from rollout.shift(1)
        yield from rollout.keep_old(self.keep_old)
        yield from rollout.retire_old()

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        if self.in_place:
            yield from rollout.reinstall_old()
        else:
            yield from rollout.return_to_old()
