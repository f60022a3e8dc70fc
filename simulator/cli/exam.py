"""exam: a question, its options, and the answer that a run computes."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario

_COUNT = 100
_Name = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="A packaged question, or a scenario with one."),
]
_Flip = Annotated[bool, typer.Option(help="Look for where another option is the answer.")]
_Ask = Annotated[bool, typer.Option("--ask", help="Only the question: think first.")]


def exam(
    name: _Name = None,
    replications: options.Replications = _COUNT,
    seed: options.Seed = 1,
    sets: options.Sets = None,
    ask: _Ask = False,
    flip: _Flip = True,
    jobs: options.Jobs = 0,
    as_json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Answer an exam question by playing every option; without a name, list the questions."""
    if name is None:
        options.emit(_listed(), output)
        return
    options.can_write(output)
    scenario = _question(name, sets)
    from simulator.cli import tables

    if ask:
        options.emit(tables.exam_question(scenario, not no_color), output)
        return
    from simulator.decide.exam import answer

    workers = options.workers(jobs, "local")
    found = answer(scenario, replications, seed, workers, options.progress(quiet), flip)
    if as_json:
        from simulator.report.exam import document

        options.emit(json.dumps(document(found), indent=1, allow_nan=False), output)
        return
    options.emit(tables.exam_answer(found, not no_color), output)
    if flip and not quiet and sets is None:
        path = scenario.exam.flips.path if scenario.exam else ""
        options.note(f"\nNext:\n  deploysim exam {name} --set '{path}=...'    move it yourself")


def _question(name: str, sets: list[str] | None) -> Scenario:
    from simulator.words.options import posed
    from simulator.words.reading import EXAM, load

    scenario = load(name, sets=sets or (), part=EXAM)
    posed(scenario)
    return scenario


def _listed() -> str:
    """Every packaged question with its first sentence."""
    from simulator.words.reading import EXAM, load, packaged

    names = packaged(EXAM)
    width = max((len(one) for one in names), default=0) - len(EXAM) - 1
    lines = []
    for one in names:
        short = one.removeprefix(f"{EXAM}/")
        text = textwrap.shorten(load(one).question, 98 - width, placeholder=" ...")
        lines.append(f"{short:<{width}}  {text}")
    return "\n".join(lines)
