"""compare and check: the main job, loud and quiet."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison, Options
    from simulator.decide.flip import Search
    from simulator.words.objectives import Measure
    from simulator.words.scenario import Scenario

_CHECKS = ("table", "json", "junit", "sarif")
_UNWRITTEN, _FAILED, _INTERRUPTED = 1, 99, 130


_Save = Annotated[
    str | None, typer.Option("--save", metavar="DIR", help="Write a run folder with a report.")
]
_Assumptions = Annotated[
    bool, typer.Option(help="Range of the headline figures over the assumptions.")
]
_CheckFormat = Annotated[str, typer.Option("--format", help="table, json, junit or sarif.")]
_Check = Annotated[bool, typer.Option("--check", help="Exit with 99 if an objective fails.")]


def compare(
    scenario: options.Scenario,
    replications: options.Replications = 1000,
    precision: options.Precision = None,
    seed: options.Seed = 1,
    strategy: options.Names = None,
    sets: options.Sets = None,
    pace: options.Pace = options.PACES,
    flips: options.Flips = None,
    tornado: options.Tornado = None,
    jobs: options.Jobs = 0,
    executor: options.Executor = "local",
    output_format: options.Format = "table",
    as_json: options.Json = False,
    output: options.Output = None,
    save: _Save = None,
    assumptions: _Assumptions = True,
    gate: _Check = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Run every strategy; compare time, harm, cost and where bad releases are caught."""
    form = options.chosen_format(output_format, as_json, options.FORMATS)
    options.can_write(output)
    options.can_fill(save, "--save")
    workers, paces = options.workers(jobs, executor), options.paces(pace)
    limit = options.relative(precision)
    words = read_scenario(scenario, sets, strategy, quiet)
    from simulator.decide.advice import Options, on_demand

    wanted = searches(words, flips), _figures(words, tornado)
    asked = Options(workers, paces, limit, assumptions, flips=wanted[0], tornado=wanted[1])
    for text in on_demand(words, asked, replications):
        options.note(text, quiet)
    found = _compared(words, replications, seed, strategy or (), asked, quiet)
    more = {"--strategy": strategy, "--set": sets, "--flips": flips, "--tornado": tornado}
    command = _command(scenario, replications, precision, seed, more)
    options.emit(_rendered(found, form, options.colour(no_color, output), command), output)
    if save is not None:
        _save(found, save, command, quiet)
    if flips and found.recommendation is None:
        options.note("--flips: without objectives or prices nothing is recommended", quiet)
    _tell_imprecise(found, limit, quiet)
    if form == "table":
        options.note(f"\n{_next(found, scenario, save)}", quiet)
    if found.results.stopped:
        options.note("interrupted: this is what was finished", quiet)
        raise typer.Exit(_INTERRUPTED)
    if gate:
        _gate(found)


def check(
    scenario: options.Scenario,
    replications: options.Replications = 1000,
    seed: options.Seed = 1,
    sets: options.Sets = None,
    jobs: options.Jobs = 0,
    executor: options.Executor = "local",
    output_format: _CheckFormat = "table",
    as_json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Judge the planned strategy's objectives: exit code 0 if all are kept, 99 if not."""
    form = options.chosen_format(output_format, as_json, _CHECKS)
    options.can_write(output)
    workers = options.workers(jobs, executor)
    words = _to_judge(scenario, sets, form, output, quiet)
    from simulator.decide.advice import Options

    asked = Options(workers, (1.0,), assumptions=False, gates=False)
    found = _compared(words, replications, seed, [words.to_check], asked, quiet)
    options.emit(_judged(found, form, scenario), output)
    if found.results.stopped:
        options.note("interrupted: these are judged by what was finished", quiet)
        raise typer.Exit(_INTERRUPTED)
    _gate(found)


def _tell_imprecise(found: Comparison, precision: float | None, quiet: bool) -> None:
    """Whose means are not as precise as asked, when no more replications were to be played."""
    if precision is None or found.results.stopped:
        return
    from simulator.findings.comparison import LAST_LOOK, imprecise

    if names := imprecise(found.results, precision):
        options.note(
            f"--precision: not reached with {LAST_LOOK:,} replications of each kind, the most that "
            f"are played: {', '.join(names)}",
            quiet,
        )


def _to_judge(
    where: str, sets: list[str] | None, form: str, output: str | None, quiet: bool
) -> Scenario:
    """The scenario, which has objectives; what is wrong with it is also written in the format."""
    from simulator.words.problems import ScenarioError

    try:
        words = read_scenario(where, sets, None, quiet)
    except ScenarioError as error:
        from simulator.report import annotations

        if form == "sarif":
            found = annotations.problems(error.problems)
            options.emit(annotations.sarif(found, annotations.INVALID), output)
        elif form == "junit":
            options.emit(annotations.junit_problems(error.problems), output)
        raise
    if not any(objective.strategy in (None, words.to_check) for objective in words.objectives):
        raise typer.BadParameter(
            f"{where} has no objectives for {words.to_check} to check; add objectives: to the file",
            param_hint="SCENARIO",
        )
    return words


def _judged(found: Comparison, form: str, where: str) -> str:
    """The judgement in a format of `check`."""
    if form == "json":
        return _rendered(found, form, False, "")
    if form == "table":
        from simulator.cli.tables import objectives_table

        return objectives_table(found)
    from simulator.report import annotations

    if form == "junit":
        return annotations.junit(found, where)
    code = annotations.FAILED if _fails(found) else 0
    return annotations.sarif(annotations.findings(found, where), code)


def _save(found: Comparison, where: str, command: str, quiet: bool) -> None:
    from simulator.report.folder import save

    try:
        folder = save(found, where, command)
    except OSError as error:
        options.note(f"{error.filename or where} cannot be written: {error.strerror or error}")
        raise typer.Exit(_UNWRITTEN) from None
    options.note(f"saved: {folder}/report.html", quiet)


def _compared(
    words: Scenario, count: int, seed: int, names: Sequence[str], asked: Options, quiet: bool
) -> Comparison:
    from simulator.decide.advice import compare as run

    return run(words, count, seed, names, asked, options.progress(quiet))


def read_scenario(
    where: str, sets: list[str] | None, names: Sequence[str] | None, quiet: bool
) -> Scenario:
    """The scenario, with its notes shown; raises a usage error for an unknown strategy."""
    from simulator.words.reading import load

    words = load(where, sets=sets or ())
    for name in names or ():
        if name not in words.strategies:
            raise typer.BadParameter(
                f"no strategy {name!r}; there are {', '.join(words.strategies)}",
                param_hint="--strategy",
            )
    for text in words.notes:
        options.note(f"note: {text}", quiet)
    return words


def searches(words: Scenario, texts: Sequence[str] | None) -> tuple[Search, ...]:
    """Where to look for flips; raises a usage error for what is no range."""
    from simulator.decide.flip import asked
    from simulator.words.problems import ScenarioError

    try:
        return asked(words, texts or ())
    except ScenarioError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--flips") from None


def _figures(words: Scenario, texts: Sequence[str] | None) -> tuple[Measure, ...]:
    """Of which figures the assumptions are moved; raises a usage error for an unknown one."""
    from simulator.decide.tornado import asked

    try:
        return asked(words, texts or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tornado") from None


def _command(
    scenario: str,
    replications: int,
    precision: str | None,
    seed: int,
    more: Mapping[str, Sequence[str] | None],
) -> str:
    """What gives the same results again."""
    parts = ["deploysim", "compare", scenario]
    parts += ["--precision", precision] if precision else ["-n", str(replications)]
    parts += ["--seed", str(seed)]
    for option, values in more.items():
        for value in values or ():
            parts += [option, value]
    return shlex.join(parts)


def _rendered(found: Comparison, form: str, colour: bool, command: str) -> str:
    if form == "json":
        import json

        from simulator.report.export import document

        return json.dumps(document(found), indent=1, allow_nan=False)
    if form == "csv":
        from simulator.report.export import csv_text

        return csv_text(found)
    if form == "markdown":
        from simulator.report.markdown import markdown

        return markdown(found, command)
    from simulator.cli.tables import comparison_table

    return comparison_table(found, colour)


def _next(found: Comparison, scenario: str, save: str | None) -> str:
    first = next(iter(found.risk), "")
    if not first:
        command = shlex.join(["deploysim", "rehearse", scenario])
        return f"Next:\n  {command}    the plans, and why they cannot work"
    command = shlex.join(["deploysim", "replay", scenario, first, "--defect", _worst(found)])
    lines = ["Next:", f"  {command}    one bad release, step by step"]
    if save is None:
        folder = f"runs/{scenario.split('/')[-1]}"
        command = shlex.join(["deploysim", "compare", scenario, "--save", folder])
        lines.append(f"  {command}    a report")
    else:
        lines.append("  deploysim new -o mine.yaml    the same for a service of your own")
        lines.append("  deploysim import shop-deployment --compare    from your manifests")
    return "\n".join(lines)


def _worst(found: Comparison) -> str:
    labels = found.scenario.change.labels
    return labels[0]


def _fails(found: Comparison) -> bool:
    """Whether the planned strategy fails one of its objectives."""
    planned = found.scenario.to_check
    return any(not t.passed for t in found.thresholds if t.strategy == planned)


def _gate(found: Comparison) -> None:
    if _fails(found):
        raise typer.Exit(_FAILED)
