"""Batches: a run folder for every scenario, and an index; one that fails does not stop the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from simulator import __version__
from simulator.decide import flip, tornado
from simulator.decide.advice import Options, compare, on_demand
from simulator.findings.executors import Local, LostWorkersError, OtherEngineError, Workers
from simulator.findings.runs import Kept, Store, Tally, write
from simulator.findings.study import rarely_collected
from simulator.report import index
from simulator.report.folder import save
from simulator.report.index import Entry
from simulator.report.wording import slug
from simulator.words.reading import load, packaged

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.findings.study import Progress
    from simulator.words.scenario import Scenario

CHUNKS = ".chunks"
_SCHEMA_VERSION = 1
_UNNAMED, _KEPT, _BESIDE = "scenario", "scenario.yaml", ("manifest.json", "summary.json")
_STOPPED = "interrupted before every kind of release was played; the same command resumes"
_CUT = "interrupted: this is what was finished"
State = Literal["done", "invalid", "failed", "interrupted", "waiting"]


class Run(NamedTuple):
    """What became of one scenario: its entry, hash, state, and batches played and reused."""

    entry: Entry
    source: str
    sha256: str | None
    state: State
    tally: Tally = Tally()

    @property
    def stopped(self) -> bool:
        """Whether it was interrupted."""
        return self.state == "interrupted"


class Played(NamedTuple):
    """A scenario that was played and has to be written to the folder `where`."""

    source: str
    where: str
    found: Comparison
    tally: Tally

    @property
    def stopped(self) -> bool:
        """Whether it was interrupted."""
        return self.found.results.stopped


class Asked(NamedTuple):
    """What a batch is asked for: replications per stratum group, seed, keys to set, options.

    `command` gives the command that makes one scenario's folder again; `flips` and `tornado` are
    texts, as what they ask for depends on the scenario.
    """

    replications: int
    seed: int
    sets: Sequence[str]
    options: Options
    command: Callable[[str], str]
    flips: Sequence[str] = ()
    tornado: Sequence[str] = ()

    def wanted(self, scenario: Scenario) -> Options:
        """The options for one scenario; raises ValueError for what it does not have."""
        return self.options._replace(
            flips=flip.asked(scenario, self.flips), tornado=tornado.asked(scenario, self.tornado)
        )


class Said(NamedTuple):
    """Who is told of what happens, of a part of the index that cannot be written, in a line of
    text, and of progress (None: nobody).
    """

    line: Callable[[str], None]
    failed: Callable[[str], None]
    progress: Callable[[], Progress | None]


def sources(wanted: Sequence[str]) -> tuple[str, ...]:
    """The scenarios that are meant: files, packaged names, and every YAML file of a folder.

    Hidden ones and those that run folders keep are left out. Raises ValueError for a folder
    without any.
    """
    found: list[str] = []
    for where in wanted:
        below = [where]
        if Path(where).is_dir():
            files = [p for kind in ("*.yaml", "*.yml") for p in Path(where).rglob(kind)]
            below = sorted(str(p) for p in files if not _left_out(p, Path(where)))
            if not below:
                raise ValueError(f"there is no scenario (*.yaml) in the folder {where!r}")
        elif not Path(where).exists():
            below = packaged(where) or below
        found += below
    return tuple(dict.fromkeys(found))


def _left_out(path: Path, top: Path) -> bool:
    """Whether a file is hidden, or the scenario that a run folder keeps."""
    hidden = any(part.startswith(".") for part in path.relative_to(top).parts)
    return hidden or (path.name == _KEPT and any(path.with_name(name).exists() for name in _BESIDE))


def report(wanted: Sequence[str], folder: Path, asked: Asked, said: Said) -> Iterator[Run]:
    """What became of every scenario, as soon as it is known; the index is written each time.

    A scenario that fails is listed with its reason. A keyboard interrupt keeps what was finished
    of the one under way; the others are listed as not played.
    """
    runs: list[Run] = []
    for number, run in enumerate(_runs(wanted, folder, asked, said), 1):
        runs.append(run)
        waiting = [_lost(s, "", None, "waiting", "not played yet") for s in wanted[number:]]
        for name, text in _pages([*runs, *waiting], asked.seed).items():
            try:
                folder.mkdir(parents=True, exist_ok=True)
                write(folder / name, text.encode())
            except OSError as error:
                said.failed(f"{folder / name} cannot be written: {error.strerror or error}")
        yield run


def _runs(wanted: Sequence[str], folder: Path, asked: Asked, said: Said) -> Iterator[Run]:
    """What became of every scenario, in order; workers play the next one while one is written."""
    jobs, taken, stopped = asked.options.jobs, set[str](), False
    pool = Local(jobs) if isinstance(jobs, int) and jobs > 1 else nullcontext(jobs)
    ahead: Future[Run] | None = None
    with rarely_collected(), ThreadPoolExecutor(1) as writing, pool as workers:
        asked = asked._replace(options=asked.options._replace(jobs=workers))
        for source in wanted:
            if stopped:
                played: Run | Played = _skipped(source, taken)
            else:
                played = _played(source, folder, taken, asked, said)
            if jobs == 1:
                run = _written(played, folder, asked)
                stopped = stopped or run.stopped
                yield run
                continue
            before, ahead = ahead, writing.submit(_written, played, folder, asked)
            stopped = stopped or played.stopped
            if before is not None:
                run = _awaited(before)
                stopped = stopped or run.stopped
                yield run
        if ahead is not None:
            yield _awaited(ahead)


def _awaited(writing: Future[Run]) -> Run:
    """The run once it is written; a keyboard interrupt meanwhile ends the batch after it."""
    try:
        return writing.result()
    except KeyboardInterrupt:
        run = writing.result()
        return run._replace(state="interrupted", entry=run.entry._replace(error=_CUT))


def _pages(runs: Sequence[Run], seed: int) -> dict[str, str]:
    """The index for machines, for a browser and for a pull request, by the names of their files."""
    entries = [run.entry for run in runs]
    return {
        "index.json": as_json(runs, seed),
        "index.html": index.html(entries),
        "index.md": index.markdown(entries),
    }


def as_json(runs: Sequence[Run], seed: int) -> str:
    """The batch as JSON: an entry for each scenario, with its hash and state."""
    body = {
        "schema_version": _SCHEMA_VERSION,
        "engine_version": __version__,
        "seed": seed,
        "scenarios": [
            {"source": r.source, "sha256": r.sha256, "state": r.state, **r.entry._asdict()}
            for r in runs
        ],
    }
    return json.dumps(body, indent=1, allow_nan=False) + "\n"


def _played(source: str, folder: Path, taken: set[str], asked: Asked, said: Said) -> Run | Played:
    """Play one scenario; when something goes wrong, that is what became of it."""
    stem = Path(source).stem
    scenario: Scenario | None = None
    try:
        scenario = load(source, sets=asked.sets)
        for text in scenario.notes:
            said.line(f"note: {source}: {text}")
        where = _untaken(_called(scenario, source), stem, taken)
        asked = asked._replace(options=asked.wanted(scenario))
        for text in on_demand(scenario, asked.options, asked.replications):
            said.line(f"{source}: {text}")
    except ValueError as error:
        return _lost(source, _untaken(stem, "", taken), None, "invalid", str(error))
    store = Store(folder / where / CHUNKS, said.line)
    try:
        return Played(source, where, _compared(scenario, store, asked, said), store.tally)
    except KeyboardInterrupt:
        return _lost(source, where, scenario, "interrupted", _STOPPED, store.tally)
    except Exception as error:  # a scenario that fails must not stop the rest
        return _lost(source, where, scenario, "failed", _reason(error), store.tally)


def _written(played: Run | Played, folder: Path, asked: Asked) -> Run:
    """Draw and write the folder of a scenario that was played; what goes wrong is in the result."""
    if isinstance(played, Run):
        return played
    source, where, found, tally = played
    scenario, stopped = found.scenario, found.results.stopped
    try:
        save(found, str(folder / where), asked.command(source))
        done = index.entry(where, found)._replace(name=_called(scenario, source))
    except KeyboardInterrupt:
        return _lost(source, where, scenario, "interrupted", _STOPPED, tally)
    except Exception as error:  # a scenario that fails must not stop the rest
        return _lost(source, where, scenario, "failed", _reason(error), tally)
    if stopped:
        done = done._replace(error=_CUT)
    return Run(done, source, scenario.sha256, "interrupted" if stopped else "done", tally)


def _compared(scenario: Scenario, store: Store, asked: Asked, said: Said) -> Comparison:
    jobs: Workers = Kept(asked.options.jobs, store)
    options = asked.options._replace(jobs=jobs)
    return compare(scenario, asked.replications, asked.seed, (), options, said.progress())


def _called(scenario: Scenario, source: str) -> str:
    """The name of a scenario, or of its file when it has none."""
    stem = Path(source).stem
    return stem if scenario.name == _UNNAMED and slug(stem) else scenario.name


def _untaken(name: str, other: str, taken: set[str]) -> str:
    """A slug that no scenario of this batch has yet: numbered when another one has it."""
    first = slug(name) or slug(other) or _UNNAMED
    found, number = first, 1
    while found in taken:
        number += 1
        found = f"{first}-{number}"
    taken.add(found)
    return found


def _reason(error: Exception) -> str:
    """Why a scenario failed, for people."""
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        return f"cannot be written:{where} {error.strerror or error}"
    if isinstance(error, LostWorkersError | OtherEngineError):
        return str(error)
    return f"something went wrong here, not in your file: {type(error).__name__}: {error}"


def _lost(
    source: str,
    where: str,
    scenario: Scenario | None,
    state: State,
    why: str,
    tally: Tally = Tally(),
) -> Run:
    name = _called(scenario, source) if scenario else source
    planned = scenario.to_check if scenario else ""
    digest = scenario.sha256 if scenario else None
    return Run(Entry(where, name, planned, error=why), source, digest, state, tally)


def _skipped(source: str, taken: set[str]) -> Run:
    where = _untaken(Path(source).stem, "", taken)
    return _lost(source, where, None, "interrupted", "not played: the batch was interrupted before")
