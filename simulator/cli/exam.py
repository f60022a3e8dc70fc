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
    """Answer an exam question by playing every option; without a name, list the questions.

    Examples:

      deploysim exam

      deploysim exam payroll-waves --ask

      deploysim exam payroll-waves --set costs.delay=400/h --no-flip
    """
    options.can_write(output)
    if name is None:
        options.emit(_listed(as_json), output)
        return
    scenario = _question(name, sets)
    from simulator.cli import tables

    colour = options.colour(no_color, output)
    if ask:
        text = _asked(scenario) if as_json else tables.exam_question(scenario, colour)
        options.emit(text, output)
        return
    from simulator.decide.exam import answer

    workers = options.workers(jobs, "local")
    found = answer(scenario, replications, seed, workers, options.progress(quiet), flip)
    if as_json:
        from simulator.report.exam import document

        options.emit(json.dumps(document(found), indent=1, allow_nan=False), output)
        return
    options.emit(tables.exam_answer(found, colour), output)
    if flip and not quiet and sets is None:
        path = scenario.exam.flips.path if scenario.exam else ""
        options.note(f"\nNext:\n  deploysim exam {name} --set '{path}=...'    move it yourself")


def _question(name: str, sets: list[str] | None) -> Scenario:
    from simulator.words.options import posed
    from simulator.words.reading import EXAM, load

    scenario = load(name, sets=sets or (), part=EXAM)
    posed(scenario)
    return scenario


def _asked(scenario: Scenario) -> str:
    """The question and its options as JSON, nothing about the answer."""
    from simulator.report.exam import question

    assert scenario.exam is not None
    choices = {letter: option.text for letter, option in scenario.exam.options.items()}
    asked = {"name": scenario.name, "question": question(scenario), "options": choices}
    return json.dumps(asked, indent=1)


def _listed(as_json: bool) -> str:
    """Every packaged question with its beginning, or whole as JSON."""
    from simulator.words.reading import EXAM, load, packaged

    asked = {one.removeprefix(f"{EXAM}/"): load(one).question for one in packaged(EXAM)}
    if as_json:
        return json.dumps([{"name": name, "question": asked[name]} for name in asked], indent=1)
    width = max(map(len, asked), default=0)
    return "\n".join(
        f"{name:<{width}}  {textwrap.shorten(text, 98 - width, placeholder=' ...')}"
        for name, text in asked.items()
    )
