"""The service of the request-level model: instances, users, and every single request.

Part of `request_level`: plain SimPy, written to be read. Nothing is looked ahead, integrated or
shared with the engine that it validates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy

from simulator.play.request_level_clients import BusyHours, Connected, History, Resolvers, bucket
from simulator.play.request_level_traffic import INSTANT, rate_at

if TYPE_CHECKING:
    from simulator.words.change import Defect
    from simulator.words.distributions import Distribution
    from simulator.words.router import Dns
    from simulator.words.scenario import Scenario

Process = Generator[simpy.Event, Any, None]

OLD, NEW = 0, 1
NOBODY, COPY = 2, 3


def sample(law: Distribution, rng: Random) -> float:
    """One value of a law, in its unit."""
    return law.sample(min(max(rng.random(), 1e-15), 1 - 1e-15))


class DrawnDefect(NamedTuple):
    """A defect with its severity drawn; a new version with `kind` "none" is good.

    `fail`, `late`, `leak`, `load` (above `threshold` of what the fleet carries) and `mixed` (of
    which the part `persists` stays in the data for `repair` seconds) are shares of requests,
    `corrupt` of writes, `crash` of starts, `users` of the users who can meet it; `onset` and `ramp`
    are seconds; `factor` divides
    the capacity of an instance.
    """

    kind: str = "none"
    fail: float = 0.0
    late: float = 0.0
    leak: float = 0.0
    mixed: float = 0.0
    corrupt: float = 0.0
    crash: float = 0.0
    users: float = 1.0
    onset: float = math.inf
    ramp: float = 0.0
    factor: float = 1.0
    load: float = 0.0
    threshold: float = math.inf
    persists: float = 0.0
    repair: float = 0.0


def draw_defect(words: Defect | None, rng: Random) -> DrawnDefect:
    """The defect of one replication; None is a good release."""
    if words is None:
        return DrawnDefect()
    match words.kind:
        case "crash":
            return DrawnDefect("crash", crash=words.starts)
        case "errors":
            return DrawnDefect("errors", fail=sample(words.rate, rng), users=words.users)
        case "slow":
            factor = max(sample(words.factor, rng), 1.0)
            return DrawnDefect("slow", late=sample(words.rate, rng), factor=factor)
        case "leak":
            rate, onset = sample(words.rate, rng), sample(words.onset, rng)
            return DrawnDefect("leak", leak=rate, onset=onset, ramp=words.ramp)
        case "wrong_data":
            return DrawnDefect("wrong_data", corrupt=sample(words.rate, rng))
        case "load":
            rate = sample(words.rate, rng)
            return DrawnDefect("load", load=rate, threshold=words.threshold)
    rate, repair = sample(words.rate, rng), sample(words.repair, rng)
    return DrawnDefect("mixed_versions", mixed=rate, persists=words.persists, repair=repair)


class Instance:
    """One server: its version, since when it serves (seconds), whether it has warmed up.

    `drained_at` is when its last connection will be gone, once it has been taken out of service;
    `sessions` are the moments at which the sessions in its memory will be over.
    """

    def __init__(self, version: int, since: float, warm: bool) -> None:
        self.version = version
        self.since = since
        self.warm = warm
        self.drained_at = -math.inf
        self.broken = False
        self.sessions: list[float] = []


class PlainService:
    """Instances of two versions behind a router, and the users who send them requests.

    Requests arrive as a Poisson process, thinned from the highest rate. Each comes from a user
    drawn at random (number i of U has bucket (i + 0.5) / U); with sticky routing the bucket decides
    the version, otherwise chance does; an instance of it is picked at random. A version whose
    offered rate a exceeds the capacity c of its instances rejects a request with probability 1 -
    c/a (perfect shedding), or 1 - (c/a)^3 if it collapses. What a request meets is decided when it
    arrives: if the instance is drained afterwards, it is finished there.

    Harm is a bad request that would have been fine with nothing deployed; baseline errors,
    incidents and what the whole old fleet could not have carried are no harm. `seen` counts
    (requests, errors, late) by version for the alarms: NOBODY for requests that nobody served, COPY
    for mirrored ones. Announced interruptions are not counted there.
    """

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return 0

    def __init__(
        self, env: simpy.Environment, rng: Random, scenario: Scenario, sticky: bool
    ) -> None:
        self.env, self.rng, self.scenario, self.sticky = env, rng, scenario, sticky
        service, traffic = scenario.service, scenario.traffic
        self.size, self.users, self.audience = service.instances, traffic.users, 0
        self.each = scenario.capacity_per_instance
        self.rate, self.peak_rate = rate_at(traffic), traffic.peak
        self.hours: BusyHours | None = None
        if traffic.daily is not None and any(cell.peak_at for cell in service.cells):
            self.hours = hours = BusyHours(service.cells, traffic.daily, traffic.began)
            self.rate, self.peak_rate = lambda t: sum(hours.rates(t)), traffic.daily.peak
        self.warm_for = service.warm_up.duration if service.warm_up else 0.0
        self.cold_share = service.warm_up.capacity if service.warm_up else 1.0
        self.serving = [[Instance(OLD, -math.inf, True) for _ in range(self.size)], []]
        self.set_weight, self.weight, self.nobody = 0.0, 0.0, False
        self.pool = self.began = self.announced = False
        self.mirror = self.sync_error = self.incident = self.noise = 0.0
        self.capacity = [0.0, 0.0]
        self.seen = [[0, 0, 0] for _ in range(4)]
        self.failed = self.corrupt = self.exposed = 0
        self.harmed: set[int] = set()
        self.complained: set[int] = set()
        self.exposure = self.mixed = self.peak_weight = 0.0
        self.resolvers: Resolvers | None = None
        self.follow(scenario.router.dns)
        self.cache, self.weights = scenario.router.cache, History(0.0)
        self.misfit = self.blocked = self.dark = self.shared = self.quiet = False
        self.rolling_back = self.repaired = False
        self.highest = 0.0
        self.writes_since: int | None = None
        self.zones, self.dark_zones, self.failed_places = scenario.service.zones or 1, 0, 0
        self.changed_at = env.now
        self.first_harm = math.nan
        self.when_complained: Callable[[], None] = lambda: None
        self.when_harming: Callable[[], None] = lambda: None
        self.when_changed: Callable[[], None] = lambda: None
        self.when_leaving: Callable[[Instance], None] = lambda instance: None
        self.connected: Connected | None = None
        if traffic.connections is not None:
            mean = traffic.connections.mean
            self.connected = Connected(env, mean, self.users, rng, self._pick)
        self.carry(DrawnDefect())

    def _pick(self, user: int) -> Instance:
        """The instance to which this user's next connection goes."""
        place = bucket(user, self.users, self.audience, self.rng, self.sticky)
        version = NEW if place < self.weight else OLD
        return self.rng.choice(self.serving[version])

    def carry(self, defect: DrawnDefect) -> None:
        """Let the new version have this defect; a fixed share of the users can meet it."""
        self.defect = defect
        self.reached: set[int] | None = None
        if defect.users < 1:
            rng = self.rng
            self.reached = {i for i in range(self.users) if rng.random() < defect.users}
        self.refresh()

    def follow(self, dns: Dns | None) -> None:
        """From now on users follow weights as their DNS answers expire."""
        if dns is not None:
            self.resolvers = Resolvers(dns, self.users, self.rng)

    def start(self) -> None:
        """Let requests come, blocks of baseline errors pass and incidents happen."""
        self.env.process(self._requests())
        self.env.process(self._baseline())
        if self.scenario.service.incidents is not None:
            self.env.process(self._incidents())

    # Instances and routing ------------------------------------------------------------------

    def join(self, version: int) -> None:
        """One more instance of this version serves from now on."""
        instance = Instance(version, self.env.now, self.warm_for <= 0)
        self.serving[version].append(instance)
        if not instance.warm:
            self.env.process(self._warm_up(instance))
        if version == NEW and self.defect.leak:
            self.env.process(self._refresh_in(self.defect.onset))
        self.refresh()

    def leave(self, version: int) -> Instance:
        """The instance of this version that has served longest gets no more requests."""
        instance = self.serving[version].pop(0)
        self.when_leaving(instance)
        drain = self.scenario.service.drain
        instance.drained_at = self.env.now + drain
        if self.connected is not None:
            self.connected.cut(instance, drain)
        self.refresh()
        return instance

    def _warm_up(self, instance: Instance) -> Process:
        yield self.env.timeout(self.warm_for)
        instance.warm = True
        self.refresh()

    def _refresh_in(self, seconds: float) -> Process:
        yield self.env.timeout(seconds)
        self.refresh()

    def refresh(self) -> None:
        """Note what the time since the last change was, and work out the state from now on."""
        now = self.env.now
        length = now - self.changed_at
        self.exposure += 0.0 if self.dark else self.weight * length
        if 0 < self.weight < 1:
            self.mixed += length
        if length > 0 and not self.dark:
            self.peak_weight = max(self.peak_weight, self.weight)
        self.changed_at = now
        old, new = (sum(not i.broken for i in group) for group in self.serving)
        if not old + new:
            old, new = map(len, self.serving)
        self.nobody = self.pool and old + new == 0
        self.weight = self.set_weight
        if self.pool:
            self.weight = new / (old + new) if old + new else 0.0
        self.weights.note(now, self.weight)
        if self.rolling_back:
            self.highest = max(self.highest, 2 * self.weight * (1 - self.weight))
        self.capacity = [self._capacity(OLD), self._capacity(NEW)]
        if math.isnan(self.first_harm) and self._may_harm():
            self.env.process(self._begin_harm())
        self.when_changed()

    def _capacity(self, version: int) -> float:
        """Requests/s that the instances of this version can serve now."""
        lit = 1 - self.dark_zones / self.zones
        fit = [i for i in self.serving[version] if not i.broken]
        if self.shared:
            share = self.weight if version == NEW else 1 - self.weight
            return len(fit + self.serving[OLD]) * self.each * share
        whole = sum(1.0 if i.warm else self.cold_share for i in fit)
        if not whole:
            return 0.0
        return lit * whole * self.each / (self.defect.factor if version == NEW else 1.0)

    def _may_harm(self) -> bool:
        """Whether a request arriving now could be harmed by the defect."""
        defect, weight, now = self.defect, self.weight, self.env.now
        if self.dark:
            return False
        if defect.mixed and 0 < weight < 1:
            return True
        if not weight:
            return False
        if defect.load and self._loaded(self.rate(now)):
            return True
        writes = defect.corrupt * self.scenario.traffic.writes
        if defect.fail or defect.late or writes:
            return True
        return defect.leak > 0 and any(now >= i.since + defect.onset for i in self.serving[NEW])

    def _loaded(self, rate: float) -> bool:
        """Whether the new version carries so much that a defect by load shows."""
        carried = rate * (self.weight + self.mirror)
        return carried > self.defect.threshold * self.size * self.each

    def _begin_harm(self) -> Process:
        """A state that lasts no time does no harm: look again an instant later."""
        yield self.env.timeout(INSTANT)
        if self._may_harm():
            self.harm_began()

    def harm_began(self) -> None:
        """The defect can harm from now on, if it could not before."""
        if math.isnan(self.first_harm):
            self.first_harm = self.env.now
            self.when_harming()

    # Requests -------------------------------------------------------------------------------

    def _requests(self) -> Process:
        env, rng, peak = self.env, self.rng, self.peak_rate
        while True:
            yield env.timeout(rng.expovariate(peak))
            rate = self.rate(env.now)
            if rng.random() * peak < rate:
                self._arrive(rate)

    def _arrive(self, rate: float) -> None:
        """One request: who sends it, who serves it, what becomes of it, who gets to know."""
        rng = self.rng
        user = int(rng.random() * self.users)
        if self.hours is not None:
            user = self.hours.user(self.env.now, self.users, rng)
        if self.nobody:
            if rng.random() >= self.noise + self.incident:
                self._harm(user, "failed")
                if not self.announced:
                    self._tell(NOBODY, "failed")
            elif not self.announced:
                self._tell(NOBODY, "error")
            return
        if self._answered_before(user):
            return
        copied = bool(self.mirror) and rng.random() < self.mirror
        if (refused := self._turned_away(copied)) == "error":
            return
        place = bucket(user, self.users, self.audience, rng, self.sticky)
        weight = self.weight
        if self.resolvers is not None and not self.pool:
            weight = self.resolvers.weight(user, self.env.now)
        version = NEW if place < weight else OLD
        if self.connected is not None:
            version = self.connected.to[user].version
        if version == NEW and self.defect.kind != "none" and not self.dark:
            self.exposed += 1
        fate = refused or self._fate(version, user, rate)
        self._tell(version, fate)
        fate, version = self._try_again(fate, version, user, rate)
        if fate not in ("fine", "error"):
            self._harm(user, fate)
            if fate == "rejected" and version == NEW and self.defect.factor > 1:
                self.harm_began()
        elif self.sync_error and fate == "fine" and rng.random() < self.sync_error:
            self._harm(user, "failed")
        if copied:
            self._copied(user, rate)

    def _try_again(self, fate: str, version: int, user: int, rate: float) -> tuple[str, int]:
        """What becomes of it after the retries, and where: bad because of the deployment when one
        try was.
        """
        spoilt = ""
        for _ in range(self.scenario.traffic.retries):
            if fate not in ("error", "failed", "rejected"):
                return fate, version
            spoilt = spoilt or ("" if fate == "error" else fate)
            if not self.sticky:
                version = NEW if self.rng.random() < self.weight else OLD
            fate = self._fate(version, user, rate)
            self._tell(version, fate)
        return (spoilt if spoilt and fate == "error" else fate), version

    def _copied(self, user: int, rate: float) -> None:
        """The new version answers a copy of this user's request, which nobody gets to see."""
        self._tell(COPY, "fine" if self.quiet else self._fate(NEW, user, rate))

    def lose_unreplicated(self) -> None:
        """Lose the latest writes of the new version, where each version has a store of its own."""

    def _turned_away(self, copied: bool) -> str:
        """Whether a limit refuses this request: "", "rejected", or "error" if always."""
        return ""

    def _answered_before(self, user: int) -> bool:
        """Whether the request reaches no version: it is refused, or a cache answers it."""
        rng, writes = self.rng, self.scenario.traffic.writes
        if self.writes_since is not None and rng.random() < writes:
            self.writes_since += 1
        if self.blocked and rng.random() < writes:
            self.failed += 1
            self.harmed.add(user)
            return True
        if self.cache is None or rng.random() >= self.cache.hits:
            return False
        made = self.env.now - rng.random() * self.cache.ttl
        met = self.reached is None or user in self.reached
        wrong = met and rng.random() < self.weights.at(made) and rng.random() < self.defect.fail
        if wrong and not self.dark:
            self._harm(user, "failed")
        return True

    def _fate(self, version: int, user: int, rate: float) -> str:
        """What becomes of a request: fine, error (nobody's fault), or a kind of harm."""
        rng, defect = self.rng, self.defect
        usual = self.noise + self.incident
        if usual and rng.random() < usual:
            return "error"
        if not self.serving[version] and not self.shared and self.connected is None:
            return "rejected"
        if shed := self._overloaded(version, rate):
            return shed
        if self.misfit and version == OLD:
            return "failed"
        if (
            defect.kind == "none"
            or self.dark
            or (self.reached is not None and user not in self.reached)
        ):
            return "fine"
        if defect.mixed and rng.random() < defect.mixed * self._mixing():
            return "failed"
        if version == OLD:
            return "fine"
        if rng.random() < defect.fail + self._leaking():
            return "failed"
        if defect.load and self._loaded(rate) and rng.random() < defect.load:
            return "failed"
        if defect.late and rng.random() < defect.late:
            return "late"
        if defect.corrupt and rng.random() < defect.corrupt * self.scenario.traffic.writes:
            return "corrupt"
        return "fine"

    def _overloaded(self, version: int, rate: float) -> str:
        """Whether this request is too many: "", "rejected", or "error" with nothing deployed."""
        weight, capacity = self.weight, self.capacity[version]
        offered = rate * (weight + self.mirror if version == NEW else 1 - weight)
        if offered <= capacity:
            return ""
        power = 3 if self.scenario.service.overload == "collapse" else 1
        luck = self.rng.random()
        if luck >= 1 - (capacity / offered) ** power:
            return ""
        lit, whole = 1 - self.dark_zones / self.zones, self.size - self.failed_places
        usual = luck < 1 - min(lit * whole * self.each / rate, 1) ** power
        return "error" if usual else "rejected"

    def _mixing(self) -> float:
        """What both versions do to each other: while they serve, and in the data afterwards."""
        now, persists = 2 * self.weight * (1 - self.weight), self.defect.persists
        if not self.rolling_back:
            return now
        stays = 0.0 if self.repaired else max(self.highest, now)
        return (1 - persists) * now + persists * stays

    def _leaking(self) -> float:
        """The chance that a randomly picked new instance fails a request because of its age."""
        defect = self.defect
        if not defect.leak or not self.serving[NEW]:
            return 0.0
        age = self.env.now - self.rng.choice(self.serving[NEW]).since - defect.onset
        if age <= 0:
            return 0.0
        return defect.leak * (min(age / defect.ramp, 1.0) if defect.ramp else 1.0)

    def _tell(self, version: int, fate: str) -> None:
        row = self.seen[version]
        row[0] += 1
        if fate in ("error", "failed", "rejected"):
            row[1] += 1
        elif fate == "late":
            row[2] += 1

    def _harm(self, user: int, fate: str) -> None:
        if fate == "corrupt":
            self.corrupt += 1
        else:
            self.failed += 1
        self.harmed.add(user)
        if not self.announced and user not in self.complained:
            self.complained.add(user)
            self.when_complained()

    # What is there without any deployment ------------------------------------------------------

    def _baseline(self) -> Process:
        """The share of baseline errors, with a new gamma multiplier each block."""
        words, rng = self.scenario.service.errors, self.rng
        if words is None:
            return
        self.noise = words.mean
        wait = rng.random() * words.block
        while words.cv > 0:
            shape = words.cv**-2
            self.noise = words.mean * rng.gammavariate(shape, 1 / shape)
            yield self.env.timeout(wait)
            wait = words.block

    def _incidents(self) -> Process:
        words, rng, env = self.scenario.service.incidents, self.rng, self.env
        assert words is not None
        yield env.timeout(-env.now)
        while True:
            yield env.timeout(rng.expovariate(1 / words.every))
            env.process(self._incident(sample(words.lasts, rng), words.errors))

    def _incident(self, seconds: float, errors: float) -> Process:
        self.incident += errors
        yield self.env.timeout(seconds)
        self.incident -= errors
