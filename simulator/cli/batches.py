"""batches: the same changes in few large releases or in many small ones."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options
from simulator.cli.compare import read_scenario, searches

if TYPE_CHECKING:
    from simulator.decide.batches import Batches
    from simulator.report.headlines import Cell
    from simulator.words.scenario import Scenario

_NAME, _CELL = 12, 13
_Releases = Annotated[
    str | None,
    typer.Option(
        "--in", metavar="1,4,20", help="In how many releases; without: 1, all, and one between."
    ),
]
_PerYear = Annotated[int, typer.Option("--per-year", min=1, max=1_000_000, help="Changes a year.")]
_Flips = Annotated[
    list[str] | None,
    typer.Option(
        "--flips",
        metavar="PATH=LOW..HIGH",
        help="Where another number of releases wins; without: costs.release=0..100k (repeatable).",
    ),
]
_Strategy = Annotated[
    str | None, typer.Option("--strategy", help="This strategy; without: the planned one.")
]


def batches(
    scenario: options.Scenario,
    releases: _Releases = None,
    per_year: _PerYear = 250,
    replications: options.Replications = 200,
    seed: options.Seed = 1,
    strategy: _Strategy = None,
    sets: options.Sets = None,
    flips: _Flips = None,
    jobs: options.Jobs = 0,
    executor: options.Executor = "local",
    output_format: options.ShortFormat = "table",
    as_json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """The same changes in few large or many small releases: harm, time and cost of a year.

    Examples:

      deploysim batches small-batches

      deploysim batches small-batches --in 1,4,20 --per-year 500

      deploysim batches small-batches --flips costs.delay=0/h..10/h --json
    """
    form = options.chosen_format(output_format, as_json, options.SHORT_FORMATS)
    options.can_write(output)
    workers = options.workers(jobs, executor)
    words = read_scenario(scenario, sets, [strategy] if strategy else None, quiet)
    from simulator.decide.batches import USUAL
    from simulator.decide.batches import batches as run

    ways = _numbers(releases) if releases else ()
    looked_for = searches(words, flips) if flips else (USUAL,)
    shown = options.progress(quiet)
    asked = (replications, seed, looked_for, workers, shown)
    try:
        found = run(words, ways, per_year, strategy or "", *asked)
    except ValueError as error:
        raise _refused(words, error) from None
    options.emit(_rendered(found, form, options.colour(no_color, output)), output)


def _numbers(text: str) -> tuple[int, ...]:
    """Whole numbers in a text, each once; raises a usage error."""
    try:
        return tuple(dict.fromkeys(int(item) for item in text.split(",")))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no list of whole numbers, e.g. 1,4,20", param_hint="--in"
        ) from None


def _refused(words: Scenario, error: ValueError) -> Exception:
    """The usage error for what cannot be asked of a scenario; a ScenarioError stays what it is."""
    from simulator.words.problems import ScenarioError

    if isinstance(error, ScenarioError):
        return error
    if words.change.changes is None:
        return typer.BadParameter(f"{words.name} {error}", param_hint="SCENARIO")
    return typer.BadParameter(
        str(error), param_hint="--flips" if "search" in str(error) else "--in"
    )


def _rendered(found: Batches, form: str, colour: bool) -> str:
    from simulator.report import batches as told

    if form == "json":
        return json.dumps(told.document(found), indent=1, allow_nan=False)
    if form == "markdown":
        return told.markdown(found)
    return _table(found, colour)


def _table(found: Batches, colour: bool) -> str:
    """The table for the terminal, and what follows from it."""
    from simulator.cli.tables import WIDTH, painter
    from simulator.report import batches as told

    paint = painter(colour)
    lines = [paint.bold(found.scenario.name), *textwrap.wrap(told.title(found), WIDTH), ""]
    heads = [_line(("releases", "of changes")[k], [c[k] for c in told.COLUMNS]) for k in (0, 1)]
    lines += [*map(paint.bold, heads), "-" * len(heads[-1])]
    for row in told.rows(found):
        lines.append(_line(row.strategy, [_marked(cell) for cell in row.cells]))
        lines.append(paint.dim(_line("", [cell.interval for cell in row.cells])))
    lines += ["* the cheapest.", ""] if found.best is not None else [""]
    for text in told.sentences(found):
        lines += textwrap.wrap(text, WIDTH)
    return "\n".join(lines)


def _marked(cell: Cell) -> str:
    return f"* {cell.value}" if cell.best else cell.value


def _line(name: str, cells: list[str]) -> str:
    return f"{name:<{_NAME}} {' '.join(f'{text:>{_CELL}}' for text in cells)}".rstrip()
