"""report: a run folder for each of many scenarios, and an index."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.report.batch import Asked, Run

_FAILED, _INVALID, _INTERRUPTED = 1, 3, 130

_Scenarios = Annotated[
    list[str],
    typer.Argument(
        metavar="SCENARIO...", help="Files, packaged names, or folders with all their scenarios."
    ),
]
_Folder = Annotated[
    str,
    typer.Option("-o", "--output", metavar="DIR", help="Where the run folders and the index go."),
]
_Assumptions = Annotated[
    bool, typer.Option(help="Range of the headline figures over the assumptions (slow).")
]
_PerYear = Annotated[
    int,
    typer.Option(
        "--per-year",
        min=0,
        max=10_000,
        help="Releases a year: adds the distribution of its losses.",
    ),
]
_Gates = Annotated[bool, typer.Option(help="What every gate can see.")]


def report(
    scenarios: _Scenarios,
    output: _Folder,
    replications: options.Replications = 1000,
    seed: options.Seed = 1,
    sets: options.Sets = None,
    pace: options.Pace = options.PACES,
    flips: options.Flips = None,
    tornado: options.Tornado = None,
    jobs: options.Jobs = 0,
    executor: options.Executor = "local",
    assumptions: _Assumptions = False,
    gates: _Gates = True,
    per_year: _PerYear = 0,
    quiet: options.Quiet = False,
) -> None:
    """Compare every scenario into a folder of its own; the same command resumes where it stopped.

    A scenario that fails does not stop the rest: exit code 3 if any is invalid, else 1 if any
    failed. The reports' paths are printed.
    """
    options.can_fill(output, "-o")
    paces, workers = options.paces(pace), options.workers(jobs, executor)
    from simulator.decide.advice import Options
    from simulator.report import batch

    _check(tornado or ())
    folder = Path(output)
    try:
        wanted = batch.sources(scenarios)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="SCENARIO") from None
    repeated = {"--set": sets, "--flips": flips, "--tornado": tornado}
    single = {"--pace": "" if pace == options.PACES else pace, "--per-year": per_year}
    switches = {"--assumptions": assumptions, "--no-gates": not gates}

    def command(source: str) -> str:
        """What makes one of the folders."""
        return _command([source, "-n", replications, "--seed", seed], repeated, single, switches)

    asked = batch.Asked(
        *(replications, seed, sets or ()),
        Options(workers, paces, assumptions=assumptions, gates=gates, per_year=per_year),
        *(command, flips or (), tornado or ()),
    )
    _carry_out(wanted, folder, asked, quiet)


def _check(figures: Sequence[str]) -> None:
    """Refuse what is no figure at once; raises a usage error."""
    from simulator.words.objectives import measure

    try:
        for text in figures:
            measure(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tornado") from None


def _carry_out(wanted: Sequence[str], folder: Path, asked: Asked, quiet: bool) -> None:
    """Run the batch and tell what happens; ends with the exit code that says the worst of it."""
    from simulator.report import batch

    unwritten: set[str] = set()
    said = batch.Said(
        lambda text: options.note(text, quiet),
        unwritten.add,
        lambda: options.progress(quiet),
    )
    runs = []
    for run in batch.report(wanted, folder, asked, said):
        runs.append(run)
        _tell(run, folder, quiet)
    for text in sorted(unwritten):
        options.note(text)
    if len(wanted) > 1 and not unwritten:
        typer.echo(str(folder / "index.html"))
    _exit(runs)
    if unwritten:
        raise typer.Exit(_FAILED)


def _tell(run: Run, folder: Path, quiet: bool) -> None:
    """The report's path on standard output; what happened, or went wrong, on standard error."""
    done, tally = run.entry, run.tally
    if done.error:
        placed = done.error.startswith(f"{run.source}:")
        options.note(done.error if placed else f"{run.source}: {done.error}")
    if run.sha256 is not None:
        told = f"{done.slug}: {tally.played} batches played, {tally.reused} reused"
        told += f", {tally.damaged} damaged and played again" if tally.damaged else ""
        options.note(told, quiet)
    if run.state == "done":
        typer.echo(str(folder / done.slug / "report.html"))


def _exit(runs: Sequence[Run]) -> None:
    states = {run.state for run in runs}
    for state, code in (
        ("interrupted", _INTERRUPTED),
        ("invalid", _INVALID),
        ("failed", _FAILED),
    ):
        if state in states:
            raise typer.Exit(code)


def _command(
    head: Sequence[object],
    repeated: Mapping[str, Sequence[str] | None],
    single: Mapping[str, object],
    switches: Mapping[str, bool],
) -> str:
    """What makes this one folder again, beside where one is."""
    source, *rest = map(str, head)
    parts = ["deploysim", "report", source, "-o", ".", *rest]
    parts += [part for name, texts in repeated.items() for t in texts or () for part in (name, t)]
    parts += [part for name, value in single.items() if value for part in (name, str(value))]
    parts += [name for name, wanted in switches.items() if wanted]
    return shlex.join(parts)
