"""What the package offers to Python, thin over the floors below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.bring.importing import Imported, gather, imported
from simulator.decide.batches import Batches
from simulator.decide.batches import batches as _batches
from simulator.decide.exam import Answer, answer
from simulator.decide.sweep import Sweep, Vary, asked, designed
from simulator.decide.sweep import sweep as _sweep
from simulator.findings.comparison import simulate
from simulator.findings.results import Results
from simulator.play.replay import Replay
from simulator.play.replay import replay as _replay

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario


def bring(
    manifests: Sequence[str | Path],
    workload: str | None = None,
    profile: str | None = None,
    sets: Sequence[str] = (),
    parameters: Mapping[str, str] | None = None,
) -> Imported:
    """The rollout that manifests describe: `.scenario`, `.notes` on every field, `.assumed`.

    Files, folders or packaged names; `workload` names one of several, `parameters` are values for
    those of templates. Raises ScenarioError with everything that is wrong with them.
    """
    return imported(gather(manifests), workload, profile, sets, parameters)


def compare(
    scenario: Scenario,
    replications: int = 1000,
    seed: int = 1,
    strategies: Sequence[str] = (),
    jobs: int = 1,
) -> Results:
    """Play every strategy of a scenario (or those named).

    `replications` of good and as many of bad releases for each; the same seed gives the same bytes
    for any number of `jobs`. `conclude(results)` works out differences, front and verdict.
    """
    return simulate(scenario, replications, seed, strategies, jobs)


def sweep(
    scenario: Scenario,
    vary: Vary,
    samples: int | None = None,
    replications: int = 200,
    seed: int = 1,
    strategies: Sequence[str] = (),
    figures: Sequence[str] = (),
    given: str | None = None,
    jobs: int = 1,
) -> Sweep:
    """Play the same study at many points; `.frame` is tidy data.

    `vary` maps paths to values: `{"response.watch": "5m, 1h"}` or lists, all combined; or with
    `samples` to ranges, `"5m..1h"`, from which a Latin hypercube draws so many points. Raises
    ScenarioError for what the scenario refuses, ValueError for what is no design.
    """
    wanted = asked(scenario, figures, given)
    design = designed(scenario, vary, samples, seed)
    return _sweep(design, wanted, replications, seed, strategies, jobs)


def replay(
    scenario: Scenario, strategy: str, seed: int = 1, replication: int = 0, defect: str = "good"
) -> Replay:
    """Play one replication again, with its journal."""
    return _replay(scenario, strategy, seed, replication, defect)


def exam(scenario: Scenario, replications: int = 100, seed: int = 1, jobs: int = 1) -> Answer:
    """Answer a scenario's exam question: options ranked by what a run computes, and the flip.

    Raises ScenarioError for a scenario without a question, or one that does not fit it.
    """
    return answer(scenario, replications, seed, jobs)


def batches(
    scenario: Scenario,
    releases: Sequence[int] = (),
    per_year: int = 250,
    strategy: str = "",
    replications: int = 200,
    seed: int = 1,
    jobs: int = 1,
) -> Batches:
    """The changes of a scenario's release in other numbers of releases: `.ways`, and the best.

    Without `releases` all at once, one by one, and one between; without `strategy` the planned one.
    `per_year` changes are released in a year. Raises ValueError for a scenario that does not say
    what its release carries, and for a number of releases that does not divide it.
    """
    asked = (replications, seed)
    return _batches(scenario, releases, per_year, strategy, *asked, workers=jobs)
