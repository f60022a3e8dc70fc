"""What to make of a rollout that was brought: what it would miss, what to change, what to check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from simulator.decide.advice import Comparison, conclude
from simulator.decide.sensitivity import SCREENED, SCREENED_KIND
from simulator.decide.tornado import Swing, tornado
from simulator.findings.comparison import playable, simulate
from simulator.findings.executors import Workers
from simulator.findings.means import NOTHING, Interval
from simulator.findings.pairs import paired
from simulator.findings.study import Progress
from simulator.play.rehearsal import Gate, gates, prepare
from simulator.words.brought import NAME, Alternative
from simulator.words.problems import ScenarioError
from simulator.words.profiles import Assumption

if TYPE_CHECKING:
    from simulator.bring.importing import Imported
    from simulator.words.scenario import Scenario

SHOWN = 5
SEEN = 0.0005  # a smaller share of the users is not worth a word
MISSED = 0.02  # the share of requests that fails in the defect of the question "would it notice?"


class Miss(NamedTuple):
    """What becomes of releases that fail a share `rate` of their requests, all else as assumed.

    `gate` is the first step that watches with traffic (None without one), from its first gate to
    its last; `noticed` is the chance that such a release is detected in it, `stopped` that it is
    before it carries all traffic.
    """

    rate: float
    gate: Gate | None
    noticed: Interval
    stopped: Interval


class Advice(NamedTuple):
    """An imported rollout beside other ways to write its manifest.

    `comparison` holds it under the name `current` and each alternative under its own; `best` is the
    alternative that is recommended, or None where the manifest is best as it is; `matter` are the
    assumptions that move it most, the first most. A rollout that cannot be carried out is not in
    the comparison, and nothing is known of what it misses or what matters for it.
    """

    imported: Imported
    comparison: Comparison
    alternatives: Mapping[str, Alternative]
    miss: Miss
    matter: tuple[Swing, ...]

    @property
    def best(self) -> Alternative | None:
        """The alternative that is recommended, if any is."""
        found = self.comparison.recommendation
        return self.alternatives.get(found.strategy) if found is not None else None

    @property
    def gains(self) -> tuple[Interval, Interval] | None:
        """What the recommended alternative changes on the same releases: seconds longer to deploy a
        good one, and expected loss saved a release; None without one, or nothing to compare with.
        """
        risk = self.comparison.results.common().risk()
        if self.best is None or NAME not in risk:
            return None
        old, new = risk[NAME], risk[self.best.name]
        limits = self.comparison.results.limits
        most = max(limits[NAME], limits[self.best.name])
        x, y = new.given_good, old.given_good
        times = (x.values("time_to_deploy"), y.values("time_to_deploy"))
        losses = (old.all.values("loss"), new.all.values("loss"))
        return (
            paired(*times, x.strata, limit=most).mean,
            paired(*losses, old.all.strata).mean,
        )


def advise(
    imported: Imported,
    replications: int = 300,
    seed: int = 1,
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> Advice:
    """Compare an imported rollout with its alternatives, and work out what to know about it."""
    scenario, alternatives = beside(imported)
    found = conclude(simulate(scenario, replications, seed, (), jobs, progress), jobs=jobs)
    miss = missed(imported.scenario, replications, seed, jobs)
    return Advice(imported, found, alternatives, miss, matter(imported, seed, jobs))


def blocked(scenario: Scenario) -> tuple[str, ...]:
    """Why the rollout that was brought cannot be carried out at all; empty where it can."""
    return () if playable(scenario, [NAME]) else prepare(scenario, NAME).reasons


def beside(imported: Imported) -> tuple[Scenario, dict[str, Alternative]]:
    """The scenario with every alternative as a strategy of its own, and these by name.

    Alternatives that change nothing, or that the controller would reject, are left out.
    """
    strategies = {NAME: imported.scenario.source["strategies"][NAME]}
    kept: dict[str, Alternative] = {}
    for one in imported.alternatives():
        try:
            settings = imported.altered(one).scenario.source["strategies"][NAME]
        except ScenarioError:
            continue
        if settings not in strategies.values():
            strategies[one.name] = settings
            kept[one.name] = one
    return imported.scenario.with_("strategies", strategies), kept


def missed(
    scenario: Scenario,
    replications: int = 300,
    seed: int = 1,
    jobs: Workers = 1,
    progress: Progress | None = None,
) -> Miss:
    """How often the rollout notices a defect that fails 2 % of the requests of everybody.

    Nothing is known of one that cannot be carried out.
    """
    if blocked(scenario):
        return Miss(MISSED, None, NOTHING, NOTHING)
    defect = {"kind": "errors", "rate": MISSED}
    asked = scenario.with_all({"change.defects": [defect], "objectives": []})
    bad = simulate(asked, replications, seed, (NAME,), jobs, progress).risk()[NAME].given_defect
    first = first_step(gates(asked, NAME))
    noticed = bad.proportion("caught_at", first.phase if first is not None else "")
    return Miss(MISSED, first, noticed, bad.chance("caught_before_full"))


def first_step(watching: Iterable[Gate]) -> Gate | None:
    """The first step that watches with traffic: all gates of its phase in a row, as one."""
    found = [gate for gate in watching if gate.phase != "watch" and gate.requests > 0]
    if not found:
        return None
    step = [*takewhile(lambda gate: gate.phase == found[0].phase, found)]
    length = sum(gate.duration for gate in step)
    return found[0]._replace(duration=length, requests=sum(gate.requests for gate in step))


def matter(
    imported: Imported, seed: int = 1, jobs: Workers = 1, progress: Progress | None = None
) -> tuple[Swing, ...]:
    """The assumptions by how far they move the users that a bad release harms, then, where they do
    not by a share worth a word, the time to deploy.

    Those of the manifest's reading and the defaults of its profile alike; few replications.
    """
    if blocked(imported.scenario):
        return ()
    results = simulate(imported.scenario, SCREENED, seed, (NAME,), jobs, None, SCREENED_KIND)
    own = [
        Assumption(a.path, a.value, a.low, a.high, "assumed", a.source) for a in imported.assumed
    ]
    found = next(tornado(results, NAME, jobs, progress, own))
    harming = [one for one in found.widest("users_harmed") if one.width("users_harmed") >= SEEN]
    return (*harming, *(one for one in found.widest("time_to_deploy") if one not in harming))
