"""rehearse and replay: what a strategy plans, and what one release came to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli import options

if TYPE_CHECKING:
    from simulator.findings.power import Sight
    from simulator.play.outcome import Outcome
    from simulator.play.rehearsal import Rehearsal
    from simulator.words.scenario import Scenario
    from simulator.words.strategy import Strategy


def rehearse(
    scenario: options.Scenario,
    strategy: Annotated[str | None, typer.Argument(help="Only this strategy.")] = None,
    sets: options.Sets = None,
    as_json: options.Json = False,
    output: options.Output = None,
) -> None:
    """Show the plan without traffic or trouble: steps, instances, what each gate can see."""
    options.can_write(output)
    from simulator.play.rehearsal import rehearse as run
    from simulator.words.reading import load

    words = load(scenario, sets=sets or ())
    names = [strategy] if strategy else list(words.strategies)
    _known(strategy, words.strategies)
    plans = [run(words, name) for name in names]
    seen = {plan.name: _seen(words, plan, strategy is not None) for plan in plans}
    if as_json:
        from simulator.report.export import sight

        rows = [
            {
                "strategy": plan.name,
                "kind": plan.kind,
                "time_to_deploy": plan.duration,
                "time_to_finish": plan.finish,
                "instances": plan.instances,
                "suitable": plan.suitable,
                "reasons": list(plan.reasons),
                "steps": [
                    {"time": e.time, "verb": e.verb, "detail": e.detail, "requests": requests}
                    for e, requests in zip(plan.journal, plan.requests, strict=True)
                ],
                "gates": [sight(found) for found in seen[plan.name]],
            }
            for plan in plans
        ]
        options.emit(json.dumps(rows, indent=1), output)
        return
    from simulator.cli.tables import gates_table

    texts = []
    for plan in plans:
        text = _plan_text(plan, words)
        if seen[plan.name]:
            text += "\n" + gates_table(seen[plan.name])
        texts.append(text)
    options.emit("\n\n".join(texts), output)


def _seen(words: Scenario, plan: Rehearsal, every: bool) -> tuple[Sight, ...]:
    """What the gates of a plan can see: every detector alone, or all together."""
    from simulator.findings.power import sights
    from simulator.findings.trial import ALL

    if not plan.suitable:
        return ()
    return sights(words, plan.name) if every else sights(words, plan.name, 1, 100, (ALL,))


def _plan_text(plan: Rehearsal, words: Scenario) -> str:
    """The steps of a plan; with the wall clock where one of them waits for hours."""
    from simulator.play.replay import sentence
    from simulator.report import wording

    instances = 0 if words.service.elastic else words.service.instances
    timed = any(entry.verb == "wait for hours" for entry in plan.journal)
    needed = f"at most {plan.instances} instances (service: {instances})"
    lines = [
        f"{plan.name} ({plan.kind}): deploys in {wording.length(plan.duration)}, "
        f"finished after {wording.length(plan.finish)}, {needed if instances else 'no instances'}"
    ]
    lines += [f"  unsuitable: {reason}" for reason in plan.reasons]
    for entry, requests in zip(plan.journal, plan.requests, strict=True):
        seen = "" if requests is None else f": {wording.count(requests)} requests on new"
        clock = f"{words.clock.shown(entry.time)}  " if timed else ""
        lines.append(f"  {wording.length(entry.time):>9}  {clock}{sentence(entry)}{seen}")
    return "\n".join(lines)


def replay(
    scenario: options.Scenario,
    strategy: Annotated[str, typer.Argument(help="The strategy to replay.")],
    replication: Annotated[
        int, typer.Option("--replication", min=0, help="Number of the replication.")
    ] = 0,
    defect: Annotated[str, typer.Option("--defect", help="A kind of defect, or good.")] = "good",
    seed: options.Seed = 1,
    sets: options.Sets = None,
    as_json: options.Json = False,
    output: options.Output = None,
) -> None:
    """Tell one replication: its journal as text, or a picture with -o x.svg."""
    options.can_write(output)
    from simulator.play.replay import replay as run
    from simulator.words.reading import load

    words = load(scenario, sets=sets or ())
    _known(strategy, words.strategies)
    try:
        told = run(words, strategy, seed, replication, defect)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--defect") from None
    if output is not None and output.endswith((".svg", ".png")):
        from simulator.report.timeline import timeline

        options.put(timeline(told, words, output.rpartition(".")[2]), output)
        options.note(f"drawn: {output}")
        return
    if as_json:
        body = {
            "strategy": told.strategy,
            "defect": told.defect,
            "journal": [{"time": t, "text": text} for t, text in told.story()],
            "outcome": {
                key: None if isinstance(v, float) and not isfinite(v) else v
                for key, v in told.outcome._asdict().items()
            },
        }
        options.emit(json.dumps(body, indent=1), output)
        return
    from simulator.report import wording

    lines = [f"{strategy}, {defect}, replication {replication}, seed {seed}"]
    lines += [f"  {wording.length(t):>9}  {text}" for t, text in told.story()]
    lines.append(_ended(told.outcome))
    options.emit("\n".join(lines), output)


def _ended(end: Outcome) -> str:
    """A replication's outcome in one line."""
    from simulator.report import wording

    failed, harmed = wording.count(end.failed_requests), wording.share(end.users_harmed)
    what = end.outcome.replace("_", " ")
    return f"outcome: {what}; {failed} failed requests, {harmed} of users harmed"


def _known(name: str | None, strategies: Mapping[str, Strategy]) -> None:
    if name is not None and name not in strategies:
        raise typer.BadParameter(
            f"no strategy {name!r}; there are {', '.join(strategies)}", param_hint="STRATEGY"
        )
