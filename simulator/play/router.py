"""The router: which share of the requests the new version gets, as published and in effect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.play.course import Answers, Asking, AtOnce, Course, Registering
from simulator.play.fleet import NEW, OLD, Fleet
from simulator.play.kept import Fading, Kept
from simulator.play.visits import Visits

if TYPE_CHECKING:
    from simulator.words.router import Cache, Dns
    from simulator.words.router import Router as Words


class Router:
    """Sends each request to one version, by published weight or by who is in service.

    `published` is the weight asked for; `weight` is what every client is told (`propagation`
    seconds later), and `course` how they follow. With `pool` true all instances share one pool: the
    weight is in-service new / all. `mirror` is the share of requests copied to the new version
    without using its answers. `prompt` tells that no client and no shared cache follows a weight
    later; `began` tells whether the new version was ever given traffic, `coming` how many weights
    are still under way. The versions' stores are `window` seconds behind each other (0: one store).
    `kept` is the share that had a version which nothing takes back when its growth was stopped (1:
    nothing was).
    `visits` knows where those under way lie, if anything lies in the instances' memory. With
    `pulls` says that instances in service pull from a queue, whatever the weight between. With
    `lingers`, weights and the pool hold for new connections only, which last `lasts` seconds on
    average, and `links` knows where those lie that are open; `cut` are the parts of all that were
    just cut off, by version.
    """

    __slots__ = (
        "_cache",
        "_dropped",
        "_fleet",
        "_inside",
        "_lags",
        "_window",
        "began",
        "changed",
        "coming",
        "course",
        "cut",
        "dns",
        "kept",
        "lasts",
        "lingers",
        "links",
        "mirror",
        "pool",
        "prompt",
        "propagation",
        "published",
        "pulls",
        "visits",
        "weight",
    )

    def __init__(
        self,
        words: Words,
        window: float = 0.0,
        lasts: float = 0.0,
        fleet: Fleet | None = None,
    ) -> None:
        self._window, self.lasts, self._fleet = window, lasts, fleet
        self.links = Visits(lasts, fleet.size) if lasts and fleet is not None else None
        self._dropped, self.cut = False, dict[int, float]()
        self.propagation = self._inside = words.propagation
        self.published = 0.0
        self.weight = 0.0
        self.kept = 1.0
        self.pool = self.pulls = False
        self.mirror = 0.0
        self.changed = True
        self.began = False
        self.coming = 0
        self._cache: Cache | None = words.cache
        self._lags = self.lingers = lasts > 0
        self.visits: Visits | None = None
        self.prompt = not lasts and (words.cache is None or not words.cache.shared)
        self.course = Course(self._kept(AtOnce()))
        self.dns: Dns | None = None
        if words.dns is not None:
            self.follow(words.dns)

    def follow(self, dns: Dns) -> None:
        """From now on weights are DNS records; call it before any weight is published."""
        if dns != self.dns:
            self.course = Course(self._kept(Answers(dns)))
            self.dns, self.propagation = dns, dns.propagation
            self._lags, self.prompt = True, False

    def register(self, weight: float, now: float, response: Registering) -> None:
        """From now on instances register; the new version's share will come to this weight.

        They do behind the load balancer, whatever record points to it.
        """
        if not self._lags or self.dns is not None:
            self.course = Course(self._kept(AtOnce()))
            self.course.change(-1e12, self.weight)
            self.dns, self.propagation = None, self._inside
            self._lags, self.prompt = True, False
        self.publish(weight)
        self.take_effect(weight, now, response)

    def ask_again(self, every: float) -> None:
        """From now on clients follow a weight when they ask for it, every so many seconds, each at
        a moment of its own; call it before any weight is published.
        """
        self.propagation = 0.0
        self._hang_up()
        if every > 0:
            self.course = Course(Asking(every))
            self._lags, self.prompt = True, False

    def offer(self, mean: float) -> None:
        """From now on a weight is what is offered, and clients install it after an exponential time
        of this mean (seconds), whatever routes them; call it before any weight is published.
        """
        self.propagation = 0.0
        if mean > 0:
            self.course = Course(Kept(AtOnce(), mean))
            self._lags, self.prompt = True, False

    def stay(self, now: float) -> float:
        """Nobody installs the new version any more, and who has it keeps it: their share."""
        share = self.followed(now)
        self.published = self.weight = self.kept = share
        if self._lags:
            self.course.restart(now, share)
        self.changed = True
        return share

    def publish(self, weight: float) -> None:
        """Ask for a weight, which takes effect later."""
        self.published = weight
        self.coming += 1

    def take_effect(self, weight: float, now: float, response: AtOnce | None = None) -> None:
        """From now on clients are told to send this share of the requests to the new version."""
        self.weight = weight
        self.coming -= 1
        self.changed = True
        if weight > 0:
            self.began = True
        self._note(now, weight)
        if self._lags or self._keeps:
            self._follow(now, weight, response)

    def _note(self, now: float, weight: float) -> None:
        for visits in (self.visits, self.links):
            if visits is not None and self._fleet is not None:
                visits.note(now, weight, self._fleet, self.pool)

    def _kept(self, response: AtOnce) -> AtOnce:
        """The response of clients that hold connections, if these do."""
        return Kept(response, self.lasts) if self.lingers else response

    @property
    def _forgets(self) -> bool:
        """Whether only the present share matters, because connections end without memory."""
        return self.lingers and self.dns is None and not self._keeps

    def _follow(self, now: float, weight: float, response: AtOnce | None = None) -> None:
        if self._forgets and response is None:
            self.course.restart(now, weight)
        else:
            self.course.change(now, weight, response and self._kept(response))

    def _hang_up(self) -> None:
        """From now on nothing hangs on connections."""
        self.lingers = self._lags = False
        self.links = None
        self.course = Course(AtOnce())
        self.prompt = self._cache is None or not self._cache.shared

    def reconnect(self, version: int, cut: float) -> None:
        """This part of all connections, of a version, is cut off now and will begin anew."""
        if self.lingers:
            self.cut[version] = self.cut.get(version, 0.0) + cut
            self.changed = True

    def begin_anew(self, fleet: Fleet, now: float) -> None:
        """What was cut off goes to whoever serves once all that happens now has happened."""
        cut, self.cut = self.cut, {}
        drifts = self.pool and fleet.drift is not None
        share = self.course.final if drifts else self.share(fleet)
        dropped = self._dropped or share != share
        if self.pool and not drifts:
            self._connect(share, now)
        if dropped or not self.lingers:
            return
        for version in cut:
            gone = not (fleet.up[version] or fleet.finishing[version])
            if gone and share == (1.0 if version == OLD else 0.0):
                self.course.let_go()
                return
        by = cut.get(OLD, 0.0) * share - cut.get(NEW, 0.0) * (1.0 - share)
        if self._forgets:
            self.course.restart(now, self.course.final, by)
        else:
            self.course.jump(now, by, Fading(self.lasts))

    def moving(self, now: float) -> bool:
        """Whether clients, or answers in a cache, still follow a change."""
        if self._lagging and self.course.moving(now):
            return True
        cache = self._cache
        return cache is not None and cache.shared and self.course.moving(now, cache.ttl)

    def turns(self, now: float, levels: tuple[float, ...]) -> float:
        """When the share passes one of these levels, or everything has followed, seconds."""
        cache = self._cache
        window = cache.ttl if cache is not None and cache.shared else 0.0
        passes = self.course.crosses(levels, now) if self._lagging else math.inf
        return min(self.course.settled(window), passes)

    def scale(self, now: float) -> float:
        """Seconds in which the share changes by about a tenth of what it still has to change."""
        return self.course.scale(now) if self._lagging or not self.pool else AtOnce().scale(now)

    def forgotten(self) -> float:
        """When a shared cache holds no answer any more from before the last change, seconds."""
        cache = self._cache
        shared = cache is not None and cache.shared
        return self.course.settled(cache.ttl) if shared and cache is not None else -math.inf

    def bends(self, a: float, b: float) -> list[float]:
        """The moments in (a, b) at which the share, or that of the cache, is not smooth."""
        cache = self._cache
        return self.course.bends(a, b, cache.ttl if cache is not None and cache.shared else 0.0)

    def answered(self, t: Any) -> Any:
        """The new version's part of the answers in a shared cache at t seconds."""
        cache = self._cache
        if cache is None or not cache.shared:
            return 0.0
        return self.course.trailing(t, cache.ttl)

    def follows(self, t: Any) -> Any:
        """The new version's share of the requests at t seconds, as clients follow."""
        return self.course.at(t) if self._lags else np.full_like(t, self.weight)

    def followed(self, now: float) -> float:
        """The new version's share of the requests now, as clients follow."""
        return float(self.course.at(np.array([now]))[0]) if self._lags else self.weight

    def let_go(self, now: float) -> float:
        """Nobody is waited for any longer: the integral of the new version's share from now on."""
        seconds = self.course.rest(now) if self._lagging else 0.0
        if self._lags:
            self.course.settle()
            self.changed = True
        return seconds

    def gone(self, level: float, now: float) -> float:
        """When the new version's share is below `level` for good, if nothing changes, seconds."""
        return self.course.below(level, now) if self._lagging else now

    @property
    def _lagging(self) -> bool:
        """Whether clients follow a weight, or the pool, later than it changes."""
        return self._lags and (self.lingers or not self.pool)

    def share(self, fleet: Fleet) -> float:
        """The share on the new version once all have followed; NaN when nobody serves."""
        if not self.pool and not (self.pulls and 0.0 < self.weight < 1.0):
            return self.weight
        old, new = fleet.serving()
        if not old + new:
            old, new = fleet.up
        return new / (old + new) if old + new > 0 else math.nan

    def join_pool(self) -> None:
        """Let all instances share one pool."""
        self.pool = self.changed = True

    def leave_pool(self, now: float) -> None:
        """Go back to weights: the one that clients were told last is in effect at once."""
        self.pool, self.changed = False, True
        if self.lingers:
            self._follow(now, self.weight)
        else:
            self.course.change(now, self.weight, AtOnce())
        self._note(now, self.weight)

    @property
    def _keeps(self) -> bool:
        return self._cache is not None or self._window > 0

    @property
    def remembers(self) -> bool:
        """Whether past shares matter: for a cache, stores that are behind each other, visits, or
        connections.
        """
        return self._keeps or self.lingers or self.visits is not None

    def unreplicated(self, now: float) -> float:
        """How many seconds of all traffic the new version got that the old store has not yet."""
        return self._window * float(self.course.trailing(np.array([now]), self._window)[0])

    def start_flag(self) -> None:
        """From now on weights are a flag's: nobody has it, and users follow at once."""
        self.pool = self.pulls = False
        self._hang_up()
        self.published, self.weight, self.dns = 0.0, 0.0, None
        if self.visits is not None:
            self.visits.merge()
        self.changed = True

    def remember(self, weight: float, now: float) -> None:
        """Note the share in effect in a pool, for what a cache, a copied store, or connections keep
        of it.
        """
        if self.pool:
            self._note(now, weight)
        if self.lingers and self.pool:
            self._connect(weight, now)
        elif self._keeps and self.pool and weight == weight:
            self.course.change(now, weight, AtOnce())

    def _connect(self, weight: float, now: float) -> None:
        """New connections of a pool are shared out like this; NaN while nobody takes any."""
        if weight != weight:
            self._dropped = True
        elif self._dropped:
            self._dropped = False
            self.course.settle()
            self.course.change(now, weight, AtOnce())
        elif weight != self.course.final:
            self._follow(now, weight)
