"""compare and check: the main job, loud and quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.findings.comparison import Comparison
    from simulator.words.scenario import Scenario

_FORMATS = ("table", "json", "csv", "markdown")
_FAILED, _INTERRUPTED = 99, 130


def compare(
    scenario: options.Scenario,
    replications: options.Replications = 1000,
    precision: options.Precision = None,
    seed: options.Seed = 1,
    strategy: options.Names = None,
    sets: options.Sets = None,
    pace: Annotated[
        str, typer.Option("--pace", help="Paces of the curves of time against harm; 1 for none.")
    ] = "0.25,0.5,1,2,4",
    jobs: options.Jobs = 0,
    executor: options.Executor = "local",
    output_format: options.Format = "table",
    as_json: options.Json = False,
    output: options.Output = None,
    save: Annotated[
        str | None, typer.Option("--save", metavar="DIR", help="Write a run folder with a report.")
    ] = None,
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="Range of the headlines over the assumptions.")
    ] = False,
    gate: Annotated[
        bool,
        typer.Option("--check", help="Exit with 99 if an objective fails."),
    ] = False,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Run every strategy; compare time, harm, cost and where bad releases are caught."""
    form = options.chosen_format(output_format, as_json, _FORMATS)
    options.can_write(output, save)
    found = _compared(
        scenario,
        sets,
        replications,
        seed,
        strategy,
        pace,
        options.workers(jobs, executor),
        quiet,
        options.relative(precision),
        assumptions,
    )
    options.emit(_rendered(found, form, no_color, scenario), output)
    if save is not None:
        command = f"deploysim compare {scenario} -n {replications} --seed {seed}"
        _save(found, save, command, quiet)
    if form == "table" and not quiet:
        options.note("", quiet)
        options.note(_next(found, scenario, save), quiet)
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
    output_format: options.Format = "table",
    as_json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Judge the planned strategy's objectives: exit code 0 if all are kept, 99 if not."""
    form = options.chosen_format(output_format, as_json, ("table", "json"))
    options.can_write(output)
    workers = options.workers(jobs, executor)
    words = _read(scenario, sets)
    if not words.objectives:
        raise typer.BadParameter(
            f"{scenario} has no objectives to check; add objectives: to the file",
            param_hint="SCENARIO",
        )
    found = _compared(scenario, sets, replications, seed, [words.to_check], "1", workers, True)
    if form == "json":
        options.emit(_rendered(found, "json", no_color, scenario), output)
    else:
        from simulator.cli.tables import objectives_table

        options.emit(objectives_table(found), output)
    _gate(found)


def _save(found: Comparison, where: str, command: str, quiet: bool) -> None:
    from simulator.report.folder import save

    folder = save(found, where, command)
    options.note(f"saved: {folder}/report.html", quiet)


def _read(scenario: str, sets: list[str] | None) -> Scenario:
    from simulator.words.reading import load

    return load(scenario, sets=sets or ())


def _compared(
    where: str,
    sets: list[str] | None,
    replications: int,
    seed: int,
    names: list[str] | None,
    pace: str,
    workers: int,
    quiet: bool,
    precision: float | None = None,
    assumptions: bool = False,
) -> Comparison:
    from simulator.findings.comparison import compare as run

    words = _read(where, sets)
    for name in names or ():
        if name not in words.strategies:
            raise typer.BadParameter(
                f"no strategy {name!r}; there are {', '.join(words.strategies)}",
                param_hint="--strategy",
            )
    for text in words.notes:
        options.note(f"note: {text}", quiet)
    return run(
        words,
        replications,
        seed,
        names or (),
        workers,
        _paces(pace),
        options.progress(quiet),
        precision,
        assumptions,
    )


def _paces(text: str) -> tuple[float, ...]:
    try:
        paces = tuple(float(item) for item in text.split(","))
    except ValueError:
        paces = ()
    if not paces or not all(0 < pace <= 1000 for pace in paces):
        raise typer.BadParameter(
            f"{text!r} is no list of paces above 0, e.g. 0.5,1,2", param_hint="--pace"
        )
    return paces


def _rendered(found: Comparison, form: str, no_color: bool, scenario: str) -> str:
    if form == "json":
        import json

        from simulator.findings.export import document

        return json.dumps(document(found), indent=1, allow_nan=False)
    if form == "csv":
        import csv
        import io

        from simulator.findings.export import HEADER, rows

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(("" if v is None else v for v in row) for row in rows(found))
        return text.getvalue()
    if form == "markdown":
        from simulator.report.markdown import markdown

        return markdown(found)
    from simulator.cli.tables import comparison_table

    return comparison_table(found, not no_color)


def _next(found: Comparison, scenario: str, save: str | None) -> str:
    first = next(iter(found.risk))
    lines = ["Next:", f"  deploysim replay {scenario} {_quoted(first)} --defect {_worst(found)}"]
    lines[1] += "    one bad release, step by step"
    if save is None:
        lines.append(
            f"  deploysim compare {scenario} --save runs/{found.scenario.name!r}    a report"
        )
        lines[2] = (
            f"  deploysim compare {scenario} --save runs/{scenario.split('/')[-1]}    a report"
        )
    else:
        lines.append("  deploysim new -o mine.yaml    the same for a service of your own")
    return "\n".join(lines)


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _worst(found: Comparison) -> str:
    labels = found.scenario.change.labels
    return labels[0]


def _gate(found: Comparison) -> None:
    planned = found.scenario.to_check
    concerned = [t for t in found.thresholds if t.strategy == planned]
    if any(not threshold.passed for threshold in concerned):
        raise typer.Exit(_FAILED)
