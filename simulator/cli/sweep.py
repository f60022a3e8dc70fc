"""sweep: the same study at many points of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options
from simulator.cli.compare import read_scenario

if TYPE_CHECKING:
    from simulator.decide.sweep import Design, Sweep
    from simulator.words.scenario import Scenario

_INTERRUPTED = 130
_BY_SUFFIX = {"csv": "csv", "json": "json", "md": "markdown", "svg": "svg", "parquet": "parquet"}

_Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary", metavar="PATH=A,B,C", help="A path and its values (repeatable: a grid)."
    ),
]
_Lhs = Annotated[
    int | None,
    typer.Option(
        "--lhs", metavar="N", help="N points of a Latin hypercube, with --vary PATH=LOW..HIGH."
    ),
]
_Figure = Annotated[
    list[str] | None,
    typer.Option("--figure", help="This figure (repeatable); without: the headlines and the loss."),
]
_Given = Annotated[
    str | None, typer.Option("--given", help="all, good, defect or a kind of defect.")
]
_Chart = Annotated[
    str | None, typer.Option("--chart", metavar="FILE.svg", help="Draw the sweep as well.")
]


def sweep(
    scenario: options.Scenario,
    vary: _Vary = None,
    lhs: _Lhs = None,
    replications: options.Replications = 200,
    seed: options.Seed = 1,
    strategy: options.Names = None,
    figure: _Figure = None,
    given: _Given = None,
    sets: options.Sets = None,
    jobs: options.Jobs = 0,
    executor: options.Executor = "local",
    output_format: Annotated[
        str | None,
        typer.Option("--format", help="table, json, csv or markdown; or by the name of -o."),
    ] = None,
    as_json: options.Json = False,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Also .parquet, .csv (tidy data) or .svg."
        ),
    ] = None,
    chart: _Chart = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Run the same study at many points: a grid, or a Latin hypercube."""
    form = _form(output_format, as_json, output)
    options.can_write(output)
    options.can_write(chart, "--chart")
    workers = options.workers(jobs, executor)
    words = read_scenario(scenario, sets, strategy, quiet)
    from simulator.decide.sweep import sweep as run

    figures = _figures(words, figure, given)
    design = _designed(words, vary, lhs, seed, strategy or ())
    options.note(f"{len(design.points)} points", quiet)
    found = run(
        design, figures, replications, seed, strategy or (), workers, options.progress(quiet)
    )
    _emit(found, form, output, no_color)
    if chart is not None:
        from simulator.report.sweep_charts import picture

        options.emit(picture(found), chart)
        options.note(f"drawn: {chart}", quiet)
    if found.stopped:
        options.note("interrupted: this is what was finished", quiet)
        raise typer.Exit(_INTERRUPTED)


def _form(wanted: str | None, as_json: bool, output: str | None) -> str:
    """The form of the result: as asked for, or else by the ending of the file's name."""
    suffix = str(output).rpartition(".")[2] if output else ""
    if wanted is None and not as_json:
        return _BY_SUFFIX.get(suffix, "table")
    return options.chosen_format(wanted or "json", as_json, options.FORMATS)


def _figures(
    words: Scenario, figures: list[str] | None, given: str | None
) -> dict[str, str | None]:
    from simulator.decide.sweep import asked

    try:
        return asked(words, figures or (), given)
    except ValueError as error:
        hint = "--figure" if "figure" in str(error) else "--given"
        raise typer.BadParameter(str(error), param_hint=hint) from None


def _designed(
    words: Scenario, vary: list[str] | None, lhs: int | None, seed: int, names: Sequence[str]
) -> Design:
    """The points; raises a usage error for what is no design, ScenarioError for what is refused."""
    from simulator.decide.sweep import designed
    from simulator.words.changes import split
    from simulator.words.problems import ScenarioError

    wanted: dict[str, str] = {}
    for text in vary or ():
        path, values = split(text)
        if path in wanted:
            raise typer.BadParameter(
                f"{path} is varied twice; list all its values after one --vary",
                param_hint="--vary",
            )
        wanted[path] = values
    try:
        design = designed(words, wanted, lhs, seed)
    except ScenarioError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--vary") from None
    _has_any(design, names)
    return design


def _has_any(design: Design, names: Sequence[str]) -> None:
    """Refuse strategies that are at no point; raises a usage error."""
    if names and not any(set(names) & set(point.scenario.strategies) for point in design.points):
        raise typer.BadParameter(
            f"no point has a strategy {' or '.join(names)}", param_hint="--strategy"
        )


def _emit(found: Sweep, form: str, output: str | None, no_color: bool) -> None:
    """Write the sweep in its form to the file or to standard output."""
    from simulator.report import sweeps

    if form == "parquet" and output is not None:
        table = BytesIO()
        found.frame.to_parquet(table, index=False)
        options.put(table.getvalue(), output)
    elif form == "svg":
        from simulator.report.sweep_charts import picture

        options.emit(picture(found), output)
    elif form == "json":
        import json

        options.emit(json.dumps(sweeps.document(found), indent=1, allow_nan=False), output)
    elif form == "csv":
        options.emit(sweeps.csv_text(found), output)
    elif form == "markdown":
        options.emit(sweeps.markdown(found), output)
    else:
        from simulator.cli.tables import sweep_table

        options.emit(sweep_table(found, options.colour(no_color, output)), output)
