"""All commands in one application, and what happens when one of them fails."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import typer

from simulator.cli import (
    batch,
    batches,
    bring,
    compare,
    describe,
    exam,
    plan,
    preview,
    streams,
    sweep,
)

EXAMPLES = """Examples:

  deploysim compare web-shop                         the packaged web shop, every strategy

  deploysim new -o mine.yaml && deploysim compare mine.yaml

  deploysim check mine.yaml --set change.defect_probability=10%
"""

_USAGE: Any = typer.BadParameter.__base__  # every wrong use; it has no public name

_INTERRUPTED, _TERMINATED = 130, 143

app = typer.Typer(
    name="deploysim",
    help="Simulate how a release is deployed, and what it risks.\n\n" + EXAMPLES,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("compare")(compare.compare)
app.command("check")(compare.check)
app.command("new")(describe.new)
app.command("rehearse")(plan.rehearse)
app.command("replay")(plan.replay)
app.command("sweep")(sweep.sweep)
app.command("import")(bring.bring)
app.command("preview")(preview.preview)
app.command("batches")(batches.batches)
app.command("report")(batch.report)
app.command("exam")(exam.exam)
app.command("scenarios")(describe.scenarios)
app.command("defaults")(describe.defaults)
app.command("schema")(describe.schema)
app.command("ui")(describe.ui)


def _version(wanted: bool) -> None:
    if wanted:
        from simulator import __version__

        typer.echo(f"deploysim {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Simulate how a release is deployed, and what it risks."""


_root.__doc__ = "Simulate how a release is deployed, and what it risks.\n\n" + EXAMPLES
app.registered_callback.help = _root.__doc__  # type: ignore[union-attr]


def run(arguments: list[str] | None = None) -> None:
    """Run the application; raises SystemExit with the exit code."""
    arguments = _flips_alone(list(sys.argv[1:] if arguments is None else arguments))
    streams.prepare()
    with streams.ended_like_interrupted() as ended:
        code = _code(arguments, "--json" in arguments)
    raise SystemExit(_TERMINATED if ended and code == _INTERRUPTED else code)


def _code(arguments: list[str], wants_json: bool) -> int:
    """Run the application: its exit code, once all is written."""
    try:
        code = _carried_out(arguments, wants_json)
        sys.stdout.flush()
    except _USAGE as error:  # with --json only: without it typer says it and ends
        return _fail(error.exit_code, "usage", error.format_message(), wants_json)
    except KeyboardInterrupt:
        return _fail(_INTERRUPTED, "interrupted", "interrupted", wants_json)
    except BrokenPipeError:  # whoever read it has seen enough
        streams.abandon()
        return 0
    except Exception as error:  # the last line of defence: no traceback reaches a user
        return _explain(error, wants_json)
    return code


def _carried_out(arguments: list[str], wants_json: bool) -> int:
    """Run the application: its exit code; raises what typer hides as well."""
    output, errors = sys.stdout, sys.stderr
    try:
        return int(app(args=arguments, standalone_mode=not wants_json) or 0)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            sys.stdout, sys.stderr = output, errors
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else int(end.code is not None)


def _flips_alone(arguments: list[str]) -> list[str]:
    """`--flips` without a range means every assumption."""
    whole: list[str] = []
    for place, argument in enumerate(arguments):
        whole.append(argument)
        following = arguments[place + 1 : place + 2]
        if argument == "--flips" and not any(x == "all" or "=" in x for x in following):
            whole.append("all")
    return whole


def _explain(error: Exception, wants_json: bool) -> int:
    from simulator.words.problems import ScenarioError

    if isinstance(error, ScenarioError):
        return _fail(3, error.what, str(error), wants_json, error)
    if os.environ.get("DEPLOYSIM_TRACEBACK"):
        raise error
    from simulator.findings.executors import LostWorkersError, OtherEngineError

    if isinstance(error, LostWorkersError | OtherEngineError):
        return _fail(1, "workers", str(error), wants_json)
    if isinstance(error, OSError) and (why := streams.trouble(error)):
        return _fail(1, "outside", why, wants_json)
    text = (
        f"something went wrong here, not in your file: {type(error).__name__}: {error}\n"
        "Please report it with the command you ran (DEPLOYSIM_TRACEBACK=1 shows where)."
    )
    return _fail(1, "internal", text, wants_json)


def _fail(code: int, what: str, text: str, wants_json: bool, error: Any = None) -> int:
    """Say what is wrong, as far as anybody can hear it; the exit code."""
    try:
        _say(code, what, text, wants_json, error)
        sys.stdout.flush()
    except OSError:
        streams.abandon()
        if wants_json:
            _fail(code, what, text, False)
    return code


def _say(code: int, what: str, text: str, wants_json: bool, error: Any) -> None:
    if wants_json:
        from simulator.words.problems import Problem

        problems = getattr(error, "problems", ()) or (Problem("", "", None, None, text),)
        details = [problem._asdict() for problem in problems]
        body = {"error": {"code": code, "message": what, "details": details}}
        print(json.dumps(body, indent=1))
    else:
        print(text, file=sys.stderr)
