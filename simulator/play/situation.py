"""What holds at a moment beside fleet and weights: trouble, schema, and how wrong the code is."""

from __future__ import annotations

from simulator.play.backlog import Backlog
from simulator.play.fault import Fault
from simulator.play.pressure import Bucket


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
    queue (`usual_backlog`: with nothing deployed, where that can be), if there is one.
    """

    __slots__ = (
        "backlog",
        "blocked",
        "bucket",
        "cache_since",
        "dark",
        "fault",
        "highest",
        "incident",
        "misfit",
        "on_since",
        "repaired",
        "rolling_back",
        "shared",
        "stopped",
        "usual_backlog",
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
