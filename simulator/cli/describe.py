"""new, scenarios, defaults, schema and ui: everything around a comparison."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli import options


def new(
    profile: Annotated[str | None, typer.Option("--profile", help="A profile by name.")] = None,
    output: options.Output = None,
) -> None:
    """Answer eight questions and get a commented scenario."""
    from simulator.cli.questions import ask, written
    from simulator.words.reading import loads

    _is_new(output, "-o")
    text = written(ask(profile, sys.stdin.isatty()))
    loads(text)
    options.emit(text, output)
    if output:
        options.note(f"written: {output}\nNext: deploysim compare {shlex.quote(output)}")


def scenarios(
    name: Annotated[str | None, typer.Argument(help="Show this one.")] = None,
    copy: Annotated[
        str | None, typer.Option("--copy", metavar="FILE", help="Copy it to a file of yours.")
    ] = None,
) -> None:
    """List the packaged scenarios, show one, or copy it."""
    from simulator.words.reading import EXAM, load, packaged, packaged_folder

    questions = packaged(EXAM)
    if name is None:
        names = [*packaged(), *questions]
        width = max((len(item) for item in names), default=0)
        for item in names:
            if questions and item == questions[0]:
                print("\nExam questions, answered by deploysim exam NAME:\n")
            scenario = load(item)
            text = scenario.name if item in questions else " ".join(scenario.question.split())
            print(f"{item:<{width}}  {text}")
        return
    if name not in (*packaged(), *questions):
        known = ", ".join((*packaged(), *questions))
        raise typer.BadParameter(
            f"no packaged scenario {name!r}; there are {known}", param_hint="NAME"
        )
    text = (packaged_folder() / f"{name}.yaml").read_text("utf-8")
    _is_new(copy, "--copy")
    options.emit(text, copy)


def _is_new(output: str | None, hint: str) -> None:
    """Refuse a file that is there already, or cannot be written; raises a usage error."""
    options.can_write(output, hint)
    if output is not None and Path(output).is_file():
        raise typer.BadParameter(f"{output!r} exists already; name another file", param_hint=hint)


def defaults(
    profile: Annotated[str | None, typer.Argument(help="With this profile's values.")] = None,
    as_json: options.Json = False,
) -> None:
    """Print the table of defaults: low, base, high, kind and source of each."""
    from simulator.words import profiles

    if profile is not None and profile not in profiles.names():
        raise typer.BadParameter(
            f"no profile {profile!r}; there are {', '.join(profiles.names())}", param_hint="PROFILE"
        )
    rows = profiles.rows(profile)
    if as_json:
        print(json.dumps([dict(row._asdict()) for row in rows], indent=1))
        return
    for row in rows:
        value = row.value if isinstance(row.value, str) else json.dumps(row.value)
        spread = f"  [{row.low} to {row.high}]" if row.low is not None else ""
        print(f"{row.path} = {value}{spread}")
        print(f"    {row.kind}: {row.source}")
    if profile is None:
        print(f"\nWith a profile's values: deploysim defaults {'|'.join(profiles.names())}")


def schema(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO]...", help="Hold these files against it instead."),
    ] = None,
) -> None:
    """Print the JSON Schema of scenario files; or name everything that is wrong with some files."""
    if files:
        _readable(files)
        return
    from simulator.words.schema import text

    print(text(), end="")


def _readable(files: Sequence[str]) -> None:
    """Nothing when all can be read; else raises ScenarioError with the problems of all."""
    from simulator.words.problems import Problem, ScenarioError
    from simulator.words.reading import load

    problems: list[Problem] = []
    for file in files:
        try:
            load(file)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)


def ui() -> None:
    """Open the web app (on this machine only)."""
    here = Path(__file__).resolve().parents[1]
    bundle = here / "_bundle" / "app.py"
    app = bundle if bundle.exists() else here.parent / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(app)]
    os.execv(sys.executable, command)
