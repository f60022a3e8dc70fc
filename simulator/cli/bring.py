"""import: a rollout that is in production, from its manifests."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.bring.importing import Imported
    from simulator.decide.brought import Advice
    from simulator.decide.tornado import Swing

_INTERRUPTED = 130
_Workload = Annotated[
    str | None, typer.Option("--workload", metavar="NAME", help="Which one, of several.")
]
_Profile = Annotated[
    str | None, typer.Option("--profile", help="Defaults of another kind of machine.")
]

_Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="Of a template (repeatable)."),
]
_Compare = Annotated[
    bool, typer.Option("--compare", help="Beside its platform's alternatives, with a patch.")
]
_Scenario = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="SCENARIO", help="Write the scenario there."),
]


def bring(
    manifests: Annotated[
        list[str], typer.Argument(metavar="MANIFEST...", help="Files, folders, - or names.")
    ],
    workload: _Workload = None,
    profile: _Profile = None,
    compare: _Compare = False,
    replications: options.Replications = 300,
    seed: options.Seed = 1,
    sets: options.Sets = None,
    parameters: _Parameters = None,
    jobs: options.Jobs = 0,
    output_format: options.ShortFormat = "table",
    as_json: options.Json = False,
    output: _Scenario = None,
    quiet: options.Quiet = False,
) -> None:
    """Read a rollout from its manifests: a scenario, and what became of every field.

    Examples:

      deploysim import shop-deployment --compare

      deploysim import template.yaml --parameter DesiredCount=12 -o shop.yaml

      kubectl get deployment shop -o yaml | deploysim import - --compare
    """
    chosen = options.chosen_format(output_format, as_json, options.SHORT_FORMATS)
    options.can_write(output)
    from simulator.bring.importing import gather, imported, values_of
    from simulator.decide.brought import advise, matter
    from simulator.report import brought as told

    values = values_of(parameters or ())
    found = imported(gather(manifests), workload, profile, sets or (), values)
    if output is not None:
        options.emit(told.scenario(found), output)
    workers = options.workers(jobs, "local")
    advice: Advice | None = None
    try:
        if compare:
            advice = advise(found, replications, seed, workers, options.progress(quiet))
            swings = advice.matter
        else:
            swings = matter(found, seed, workers)
    except KeyboardInterrupt:
        options.note("interrupted: the scenario is whole, the advice is not", quiet)
        raise typer.Exit(_INTERRUPTED) from None
    _say(found, swings, advice, chosen, output, quiet)


def _say(
    found: Imported,
    swings: tuple[Swing, ...],
    advice: Advice | None,
    chosen: str,
    output: str | None,
    quiet: bool,
) -> None:
    """Print what was asked for: data on standard output, remarks on standard error."""
    from simulator.report import brought as told

    if chosen == "json":
        options.emit(json.dumps(told.document(found, swings, advice), indent=1, default=str), None)
    elif chosen == "markdown":
        lines = told.advised(advice) if advice else told.matters(swings)
        options.emit(told.markdown(found, lines), None)
    elif advice is not None:
        options.emit("\n".join(told.advised(advice)), None)
        for line in _next(found, output):
            options.note(line, quiet)
    else:
        if output is None:
            options.emit(told.scenario(found), None)
        for line in _report(found, swings):
            options.note(line, quiet)


def _report(found: Imported, swings: tuple[Swing, ...]) -> list[str]:
    """What matters most, what became of the fields, and where to go on."""
    from simulator.decide.brought import blocked
    from simulator.report import brought as told

    lines = list[str]()
    if reasons := blocked(found.scenario):
        lines += ["", f"This rollout cannot be carried out: {'; '.join(reasons)}."]
    if matters := told.matters(swings):
        lines += ["", "What matters most here, and is only assumed:"]
        lines += [f"  {n}. {line}" for n, line in enumerate(matters, 1)]
    lines += ["", told.summary(found)]
    lines += [f"  {line}" for line in found.remarks]
    for kind, notes in told.grouped(found.notes).items():
        lines += ["", f"{told.TITLES[kind]}:"]
        lines += [f"  {told.noted(note)}" for note in notes]
    return [*lines, *_next(found, None)]


def _next(found: Imported, output: str | None) -> list[str]:
    """What to try next."""
    fields = found.count("used")
    told = f"{fields} fields of {found.workload.called} were used"
    if output is None:
        return ["", f"{told}; every field: --json; keep the scenario: -o FILE"]
    return ["", f"{told}; next: deploysim compare {shlex.quote(output)}"]
