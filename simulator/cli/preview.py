"""preview: what an update of a CloudFormation stack does, before it is done."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.bring.preview import Preview
    from simulator.cli.tables import Paint

_INDENT = " " * 26


def preview(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The stack's template: a file or -.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The template it is updated to.")],
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="P", help="The stack policy, a JSON file.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            metavar="KEY=VALUE",
            help="A parameter's value, in both templates (repeatable); the others' defaults.",
        ),
    ] = None,
    output_format: options.ShortFormat = "table",
    as_json: options.Json = False,
    output: options.Output = None,
    quiet: options.Quiet = False,
    no_color: options.NoColor = False,
) -> None:
    """Show what updating a CloudFormation stack changes, replaces and releases.

    Examples:

      deploysim preview web-tier-before web-tier-after --policy web-tier-policy

      deploysim preview stack.yaml stack-new.yaml --parameter Stage=prod --json

      git show HEAD:stack.yaml | deploysim preview - stack.yaml --format markdown
    """
    chosen = options.chosen_format(output_format, as_json, options.SHORT_FORMATS)
    options.can_write(output)
    from simulator.bring.preview import preview as compare
    from simulator.report import preview as told

    if [old, new, policy].count("-") > 1:
        raise typer.BadParameter("only one of them can be standard input", param_hint="-")
    found = compare(old, new, policy, _parameters(parameter or []))
    if chosen == "json":
        text = json.dumps(told.exported(found), indent=1)
    elif chosen == "markdown":
        text = told.markdown(found)
    else:
        text = table(found, options.colour(no_color, output))
    options.emit(text, output)


def _parameters(given: list[str]) -> dict[str, str]:
    """The values by the parameters' names; raises a usage error."""
    found = dict[str, str]()
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{text!r}: write KEY=VALUE", param_hint="--parameter")
        if name in found:
            raise typer.BadParameter(f"{name} is given twice", param_hint="--parameter")
        found[name] = value
    return found


def table(found: Preview, colour: bool) -> str:
    """The preview for the terminal, at most 100 columns."""
    from simulator.cli.tables import WIDTH, painter
    from simulator.report import preview as told
    from simulator.words.documents import plain

    paint = painter(colour)
    policy = f", under the stack policy {found.policy}" if found.policy else ""
    title = textwrap.wrap(plain(f"{found.old} -> {found.new}{policy}"), WIDTH)
    lines = [*(paint.bold(part) for part in title), *textwrap.wrap(told.counted(found), WIDTH)]
    if failure := told.failure(found):
        lines += [paint.bold(part) for part in textwrap.wrap(failure, WIDTH)]
    lines += _stack(found, paint)
    for path, inner in found.nested:
        lines += [
            "",
            *(paint.bold(p) for p in textwrap.wrap(plain(told.inside(path, inner)), WIDTH)),
        ]
        lines += [*textwrap.wrap(told.counted(inner), WIDTH), *_stack(inner, paint)]
        for spot in told.own(inner):
            lines += textwrap.wrap(told.blind(spot), WIDTH, subsequent_indent="  ")
    lines += ["", paint.bold("What a change set cannot see")]
    for spot in found.unseen:
        lines += textwrap.wrap(
            told.blind(spot), WIDTH, initial_indent="  - ", subsequent_indent="    "
        )
    return "\n".join(lines)


def _stack(found: Preview, paint: Paint) -> list[str]:
    """What changes in one stack, and how its instances are released."""
    from simulator.cli.tables import WIDTH
    from simulator.report import preview as told

    lines = ["", *_changes(found, paint)] if found.rows else []
    if found.releases:
        lines += ["", paint.bold("How instances are released (lines for a scenario)")]
    for release in found.releases:
        lines += textwrap.wrap(
            told.released(release), WIDTH - 2, initial_indent="  ", subsequent_indent="  "
        )
        lines += [f"    {part}" for part in told.scenario_lines(release)]
    return lines


def _changes(found: Preview, paint: Paint) -> list[str]:
    from simulator.cli.tables import WIDTH
    from simulator.report import preview as told

    lines = [paint.bold(f"{'action':<8}{'replaced':<10}{'policy':<8}resource"), "-" * WIDTH]
    for line in told.lines(found):
        says, *rest = line.policy.split(" ", 1)
        head = f"{line.action:<8}{line.replaced:<10}{says:<8}{line.resource} ({line.type})"
        first, *more = textwrap.wrap(head, WIDTH, subsequent_indent=_INDENT) or [""]
        lines += [paint.bold(first), *more]
        texts = list(line.reasons)
        if rest:
            texts.append(f"the policy denies it {rest[0]}")
        if line.outage:
            texts.append(f"outage: {line.outage}")
        for text in texts:
            lines += textwrap.wrap(
                text, WIDTH, initial_indent=_INDENT, subsequent_indent=f"{_INDENT}  "
            )
    return lines
