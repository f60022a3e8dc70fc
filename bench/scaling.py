"""What docs/scaling.md is worked out from: the processor time of every part of a study, here.

`python -m bench.scaling` prints the rows of its table. Ray is left out where it is not installed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from simulator.decide.advice import PACES, Options, compare
from simulator.findings import study
from simulator.findings.clusters import ExecutorError, executor
from simulator.findings.columns import packed
from simulator.findings.comparison import pace_studies, simulate
from simulator.findings.executors import Workers
from simulator.findings.runs import Store
from simulator.play import compiled
from simulator.report.folder import save
from simulator.words.reading import load, loads
from simulator.words.scenario import Scenario

SCENARIOS = ("payroll-cutover", "textbook", "web-shop")
ONE = """version: 1
name: one strategy
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
strategies: {blue_green: {}}
"""


class Spent:
    """Seconds of this process's processor time."""

    seconds = 0.0


@contextmanager
def spent() -> Iterator[Spent]:
    """What is spent inside."""
    found, began = Spent(), time.process_time()
    yield found
    found.seconds = time.process_time() - began


def size(scenario: Scenario, count: int) -> int:
    """Replications of a study of so many a group."""
    groups = study.strata(scenario, count)
    return sum(group.replications for group in groups) * len(scenario.strategies)


def pieces(scenario: Scenario, count: int) -> int:
    """Batches of a study of so many a group."""
    return len(list(study.batches(scenario.strategies, study.strata(scenario, count))))


def a_batch(scenario: Scenario, count: int, workers: Workers) -> float:
    """Milliseconds that the first process spends on a batch that workers play."""
    simulate(scenario, 20, jobs=workers)  # they are there, and have everything imported
    with spent() as own:
        simulate(scenario, count, jobs=workers)
    return 1000 * own.seconds / pieces(scenario, count)


def kept(scenario: Scenario, count: int) -> tuple[float, float]:
    """Milliseconds to keep a batch, and to find one that is there."""
    group = study.strata(scenario, count)[0]
    name = next(iter(scenario.strategies))
    some = list(study.batches([name], [group]))[:20]
    played = [packed(study.play(scenario, scenario.sha256, 1, one)) for one in some]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        with spent() as keeping:
            for one, found in zip(some, played, strict=True):
                store.keep(scenario.sha256, 1, one, found)
        with spent() as finding:
            for one in some:
                store.find(scenario.sha256, 1, one)
    return 1000 * keeping.seconds / len(some), 1000 * finding.seconds / len(some)


def parts(scenario: Scenario) -> dict[str, float]:
    """Seconds of what follows a study, whoever plays it."""
    told: dict[str, float] = {}

    def told_as(name: str, call: Callable[[], object]) -> None:
        with spent() as found:
            call()
        told[name] = found.seconds

    bare = Options(paces=(), assumptions=False, gates=False)
    results = simulate(scenario, 1000)
    told_as("five paces", lambda: pace_studies(results, PACES, 1, None))
    with spent() as whole:
        simulate(scenario, 1000)
    told_as("winner checked with fresh luck", lambda: compare(scenario, 1000, options=bare))
    told["winner checked with fresh luck"] -= whole.seconds
    told_as("gates", lambda: compare(scenario, 1000, options=bare._replace(gates=True)))
    told["gates"] -= whole.seconds + told["winner checked with fresh luck"]
    return told


def reports(scenario: Scenario, counts: tuple[int, ...]) -> list[float]:
    """Seconds to draw and write the folder of studies of so many replications a group."""
    found = []
    for count in (20, *counts):  # the first imports what draws
        options = Options(jobs=2, paces=(1,), assumptions=False, gates=False)
        comparison = compare(scenario, count, options=options)
        with tempfile.TemporaryDirectory() as folder, spent() as own:
            save(comparison, str(Path(folder) / "run"), "deploysim report")
        found.append(own.seconds)
    return found[1:]


def main() -> None:
    """Print every row."""
    print("the engine:", "machine code" if compiled.used() else "Python (make fast compiles it)")
    for name in SCENARIOS:
        scenario = load(name)
        simulate(scenario, 20)
        with spent() as own:
            simulate(scenario, 400)
        print(f"a replication of {name}: {1000 * own.seconds / size(scenario, 400):.2f} ms")
    textbook, one = load("textbook"), loads(ONE)
    print(f"batches of textbook at -n 1000: {pieces(textbook, 1000)}")
    for name in ("local", "ray", "dask:local"):
        with suppress(ExecutorError):
            workers = executor(name, 2)
            print(f"to receive a batch of 200, {name}: {a_batch(textbook, 1000, workers):.1f} ms")
    print(f"to receive a batch of 1 000, local: {a_batch(one, 20_200, 2):.1f} ms")
    for count in (4000, 20_200):
        keeping, finding = kept(one, count)
        first = next(study.batches(one.strategies, study.strata(one, count)))
        print(f"a batch of {first.stop}: to keep {keeping:.1f} ms, to find {finding:.1f} ms")
    for name, seconds in parts(textbook).items():
        print(f"{name} (textbook): {seconds:.1f} s")
    few, many_more = reports(textbook, (1000, 10_000))
    print(f"report of 1 000, of 10 000 a group (textbook): {few:.1f}, {many_more:.1f} s")


if __name__ == "__main__":
    main()
