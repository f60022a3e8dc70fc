"""What holds at a moment beside fleet and weights: trouble, schema, and how wrong the code is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulator.play.backlog import Backlog
from simulator.play.fault import Fault
from simulator.play.pressure import Bucket

if TYPE_CHECKING:
    from simulator.play.scaling import History


class Situation:
    """Circumstances of a stretch; whoever changes one marks the router as changed.

    `incident` is a share of all requests that fails anyway; `fault` what is wrong with the code
    that runs (nothing while it is dark, or once it is mended); `misfit` the version that cannot
    work with the schema as it is; `stopped` says that nobody serves and
    `blocked` that writes are refused, both on purpose; `dark` that
    the new version's code runs but does nothing yet; `shared` that both behaviours run on the
    same instances; `rolling_back` that the decision to roll back was taken, and `highest` is the
    largest 2w(1 - w) since, of which a part stays in the data until it is `repaired`; `on_since`
    is when a flag was first switched on, and `cache_since` when a cache of the new version's own
    began to fill (seconds). `bucket` holds the tokens of a throttle, and `backlog` what waits in a
    queue (`usual_backlog`: with nothing deployed, where that can be), if there is one. `warmed` are
    the moments (seconds) at which the new version got more of the requests than ever before, with
    the share: so many environments are there, of which a share `known` was there before clients
    began to follow a weight. `history` is what groups that follow their load had to carry.
    """

    __slots__ = (
        "backlog",
        "blocked",
        "bucket",
        "cache_since",
        "dark",
        "fault",
        "highest",
        "history",
        "incident",
        "known",
        "misfit",
        "on_since",
        "repaired",
        "rolling_back",
        "shared",
        "stopped",
        "usual_backlog",
        "warmed",
    )

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.incident = 0.0
        self.bucket: Bucket | None = None
        self.backlog: Backlog | None = None
        self.usual_backlog: Backlog | None = None
        self.misfit: int | None = None
        self.blocked = self.dark = self.shared = self.stopped = False
        self.rolling_back = self.repaired = False
        self.highest = 0.0
        self.on_since: float | None = None
        self.cache_since: float | None = None
        self.warmed: list[tuple[float, float]] = [(-math.inf, 0.0)]
        self.known: float | None = None
        self.history: History | None = None

    def starting(self, now: float, share: float, lasts: float) -> tuple[float, float]:
        """The new version gets this share of the requests from now on: the part of it that meets
        environments which have to start, for `lasts` seconds each, and until when (seconds).
        """
        warmed = self.warmed
        if share > warmed[-1][1]:
            warmed.append((now if self.known is None else now - lasts, share))
        self.known = None
        warm, until = 0.0, math.inf
        for since, level in reversed(warmed):
            if since + lasts <= now + 1e-9:
                warm = level
                break
            until = since + lasts
        return (max(share - warm, 0.0) / share if share > 0 else 0.0), until

    def following(self) -> None:
        """Clients follow a weight from now on, so that environments start one after the other."""
        if self.known is None:
            self.known = self.warmed[-1][1]
