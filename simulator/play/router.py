"""The router: which share of the requests the new version gets, as published and in effect."""

from __future__ import annotations

import math

from simulator.play.fleet import NEW, OLD, Fleet


class Router:
    """Sends each request to one version, by published weight or by who is in service.

    `published` is the weight asked for; `weight` is in effect (`propagation` seconds later).
    With `pool` true all instances share one pool: the weight is in-service new / all. `mirror` is
    the share of requests copied to the new version without using its answers. `began` tells
    whether the new version was ever given traffic, `coming` how many weights are still under way.
    """

    __slots__ = (
        "began",
        "changed",
        "coming",
        "mirror",
        "pool",
        "propagation",
        "published",
        "weight",
    )

    def __init__(self, propagation: float) -> None:
        self.propagation = propagation
        self.published = 0.0
        self.weight = 0.0
        self.pool = False
        self.mirror = 0.0
        self.changed = True
        self.began = False
        self.coming = 0

    def publish(self, weight: float) -> None:
        """Ask for a weight, which takes effect later."""
        self.published = weight
        self.coming += 1

    def take_effect(self, weight: float) -> None:
        """From now on this share of the requests goes to the new version."""
        self.weight = weight
        self.coming -= 1
        self.changed = True
        if weight > 0:
            self.began = True

    def share(self, fleet: Fleet) -> float:
        """The share of requests on the new version now; NaN when nobody serves."""
        if not self.pool:
            return self.weight
        total = fleet.up[OLD] + fleet.up[NEW]
        return fleet.up[NEW] / total if total else math.nan

    def join_pool(self, on: bool) -> None:
        """Let all instances share one pool (`on`), or go back to weights."""
        self.pool = on
        self.changed = True
