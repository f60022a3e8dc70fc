"""What an update of a stack does, in sentences, as Markdown and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from simulator import __version__
from simulator.platforms.cloudformation.changes import Action, Evaluation, Replacement
from simulator.platforms.cloudformation.outage import Effect
from simulator.platforms.cloudformation.policies import Outcome
from simulator.platforms.cloudformation.unseen import NESTED, Blind
from simulator.platforms.cloudformation.update_policies import Way
from simulator.report.markdown import cell, table
from simulator.words.documents import plain

if TYPE_CHECKING:
    from simulator.bring.preview import Preview, Row
    from simulator.platforms.cloudformation.changes import Detail
    from simulator.platforms.cloudformation.outage import Impact
    from simulator.platforms.cloudformation.unseen import Unseen
    from simulator.platforms.cloudformation.update_policies import Release

HEADS = ("action", "replaced", "policy", "resource")
_MOST = 8
_REPLACED = {
    Replacement.TRUE: "YES",
    Replacement.CONDITIONAL: "perhaps",
    Replacement.UNKNOWN: "unknown",
    Replacement.FALSE: "no",
}
_SAYS = {
    Outcome.ALLOWED: "allows",
    Outcome.DENIED: "DENIES",
    Outcome.PERHAPS: "DENIES if replaced",
    Outcome.NOT_ASKED: "-",
}
_BLIND = {
    Blind.QUOTA: "Quotas of the account and the capacity of a zone: a change set counts neither.",
    Blind.PERMISSION: "Permissions of whoever updates: checked only when each resource is touched.",
    Blind.STABILITY: "Whether a resource becomes stable: signals, health checks, time-outs.",
    Blind.DRIFT: "Changes made by hand: templates are compared, not what is running.",
    Blind.PARAMETERS: "Parameters stand at their defaults; the stack may run with other values",
    Blind.UNRESOLVED: "Values known only while updating",
    Blind.NESTED: "Nested stacks whose templates are no files beside these: compare them as well",
    Blind.CUSTOM: "Custom resources: the function behind them decides",
    Blind.MACROS: "Macros, not expanded here: give the processed templates",
    Blind.UNKNOWN: "Update behaviours not known here; look them up",
    Blind.UNCONFIRMED: "Update behaviours noted here from memory, not confirmed by a source",
}
_WAY = {
    Way.ROLLING: "rolling update",
    Way.REPLACING: "a whole new one first, then the old one goes",
    Way.NOTHING: "nothing is replaced: it has no rolling or replacing update policy. Instances "
    "keep running as they are; only those that start later are new",
    Way.NOT_TOUCHED: "nothing is replaced: it names a version of the launch template by a text "
    "that stays the same, so CloudFormation sees no change. Instances that start later may be new",
    Way.AT_ONCE: "all requests at once: the alias has no update policy with CodeDeploy",
    Way.CODE_DEPLOY: "by CodeDeploy, with the deployment group's configuration",
    Way.EXTERNAL: "by a controller outside CloudFormation",
    Way.OWN: "by the strategy in the service's own deployment configuration",
    Way.FAILS: "not at all: the update fails",
}


class Line(NamedTuple):
    """One change as people read it."""

    action: str
    replaced: str
    policy: str
    resource: str
    type: str
    reasons: tuple[str, ...]
    outage: str


def lines(preview: Preview) -> list[Line]:
    """Every change, in the order of the preview."""
    released = {release.resource for release in preview.releases}
    return [
        _line(row, preview.policy is not None, row.change.name in released) for row in preview.rows
    ]


def _line(row: Row, policy: bool, released: bool) -> Line:
    change = row.change
    replaced = "-" if change.replacement is None else _REPLACED[change.replacement]
    action = "unclear" if change.action is Action.DYNAMIC else change.action.lower()
    says = _SAYS[row.judgement.outcome] if policy else "-"
    reasons = tuple(_reason(detail) for detail in change.details[:_MOST])
    if len(change.details) > _MOST:
        reasons = (*reasons, f"and {len(change.details) - _MOST} more")
    if change.action is Action.DYNAMIC:
        reasons = ("its condition is not known before the update",)
    return Line(action, replaced, says, change.name, change.type, reasons, _outage(row, released))


def _reason(detail: Detail) -> str:
    """One detail: what changes, where from, and what that does."""
    name = plain(detail.name)[:80] or detail.attribute
    where = {
        "ParameterReference": f" (parameter {plain(detail.cause)[:60]})",
        "ResourceReference": f" (takes {detail.cause}, known only while updating)",
        "ResourceAttribute": f" (takes {plain(detail.cause)[:80]}, known only while updating)",
    }.get(detail.source, "")
    if not where and detail.evaluation is Evaluation.DYNAMIC:
        where = " (perhaps the same value in the end)"
    note = f": {detail.rule.note}" if detail.rule.note else ""
    return f"{name}{where}: {detail.rule.behaviour}{note}"


def _outage(row: Row, released: bool) -> str:
    impact = row.impact
    if row.change.type == NESTED and impact.effect is Effect.NONE:
        return "none but that of the resources inside it"
    if released and impact.effect in (Effect.NONE, Effect.INTERRUPTED):
        text = "as its instances are released, see below"
    else:
        text = _effect(impact.effect, impact, row.change.name)
    if impact.perhaps is not None:
        text += f"; if it is replaced: {_effect(impact.perhaps, impact, row.change.name)}"
    return text


def _effect(effect: Effect, impact: Impact, name: str) -> str:
    match effect:
        case Effect.NONE:
            return "none"
        case Effect.ADDED:
            return ""
        case Effect.INTERRUPTED:
            return "interrupted; for how long is not known"
        case Effect.DEPENDS:
            return "depends, as said above; for how long is not known"
        case Effect.UNKNOWN:
            return "unknown: look up the property's update behaviour"
        case Effect.REMOVED if impact.kept.startswith("Retain"):
            return "kept outside the stack"
        case Effect.REMOVED:
            lost = f", with {impact.data}" if impact.data else ""
            return f"gone{lost}{_snapshot(impact)}"
        case Effect.FAILS if impact.fixed == ("Type",):
            return f"THE UPDATE FAILS: the type of {name} cannot change; give it another name"
        case Effect.FAILS:
            fixed = " and ".join(impact.fixed)
            forbids = "forbids" if len(impact.fixed) == 1 else "forbid"
            return f"THE UPDATE FAILS: the same {fixed} {forbids} a new one beside the old one"
    carried = f", but without {impact.data} of the old one" if impact.data else ""
    kept = "; the old one is kept outside the stack" if impact.kept == "Retain" else ""
    return f"none by itself: the new one is created first{carried}{kept}{_snapshot(impact)}"


def _snapshot(impact: Impact) -> str:
    return "; a snapshot of the old one is kept" if impact.kept == "Snapshot" else ""


def counted(preview: Preview) -> str:
    """How many resources are added, modified, replaced and removed."""
    if not preview.rows:
        return "Nothing changes."
    replaced = len(preview.replaced())
    perhaps = len(preview.replaced(Replacement.CONDITIONAL))
    unknown = len(preview.replaced(Replacement.UNKNOWN))
    parts = [
        f"{number} {word}"
        for number, word in (
            (replaced, "replaced"),
            (perhaps, "perhaps replaced"),
            (unknown, "unknown"),
        )
        if number
    ]
    of_them = f" ({', '.join(parts)})" if parts else ""
    text = f"{preview.count(Action.ADD)} added, {preview.count(Action.MODIFY)} modified{of_them}, "
    text += f"{preview.count(Action.REMOVE)} removed"
    unclear = preview.count(Action.DYNAMIC)
    return f"{text}, {unclear} unclear." if unclear else f"{text}."


def failure(preview: Preview) -> str:
    """Why the update cannot succeed, or nothing if no reason for that is known."""
    reasons = []
    if preview.failing():
        reasons.append(f"{_some(preview.failing())} cannot be replaced")
    if preview.denied():
        reasons.append(f"the stack policy denies {_some(preview.denied())}")
    reasons += [
        f"{r.resource}: {text}"
        for r in preview.releases
        for text in r.warnings[:1]
        if "fails" in text
    ]
    return f"The update would fail: {'; '.join(reasons)}." if reasons else ""


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST])
    return f"{shown} and {len(names) - _MOST} more" if len(names) > _MOST else shown


def released(release: Release) -> str:
    """How the instances of a group or service are released, in a sentence."""
    told = []
    if release.instances is not None:
        told.append(f"{release.instances} instance{'' if release.instances == 1 else 's'}")
    if release.cause:
        told.append(f"set off by {plain(release.cause)}")
    about = f" ({', '.join(told)})" if told else ""
    text = f"{release.resource}{about}: {_WAY[release.way]}."
    return " ".join([text, *(f"Careful: {warning}." for warning in release.warnings)])


def scenario_lines(release: Release) -> list[str]:
    """The release as lines of a scenario; none if there is nothing to play."""
    if not release.kind:
        return []
    found = []
    if release.instances:
        found.append(f"service: {{instances: {release.instances}}}")
    found += ["strategies:", f"  {release.resource}:", f"    kind: {release.kind}"]
    for setting in release.settings:
        known = setting.text is not None
        text = f"{setting.key}: {setting.text}" if known else f"# {setting.key}: not known yet"
        found.append(f"    {text}")
    return found


def blind(spot: Unseen) -> str:
    """One blind spot in a sentence."""
    text = _BLIND[spot.blind]
    return f"{text}: {_some(tuple(plain(name) for name in spot.names))}." if spot.names else text


def markdown(preview: Preview) -> str:
    """The preview for a pull request."""
    policy = f", stack policy {cell(plain(preview.policy))}" if preview.policy else ""
    title = f"### {cell(plain(preview.old))} to {cell(plain(preview.new))}{policy}"
    out = [title, "", cell(counted(preview))]
    if failure(preview):
        out += ["", f"**{cell(failure(preview))}**"]
    out += _stack(preview)
    for path, inner in preview.nested:
        out += ["", f"#### {cell(plain(inside(path, inner)))}", "", cell(counted(inner))]
        out += _stack(inner)
        out += [part for spot in own(inner) for part in ("", cell(blind(spot)))]
    out += ["", "**What a change set cannot see**", ""]
    return "\n".join([*out, *(f"- {cell(blind(spot))}" for spot in preview.unseen)])


def _stack(preview: Preview) -> list[str]:
    """What changes in one stack, and how its instances are released."""
    out = list[str]()
    if preview.rows:
        rows = [
            (
                cell(line.action),
                cell(line.replaced),
                cell(line.policy),
                f"{cell(line.resource)}<br>{cell(line.type)}",
                "<br>".join(cell(reason) for reason in line.reasons),
                cell(line.outage),
            )
            for line in lines(preview)
        ]
        out += ["", *table((*HEADS, "because", "outage"), rows)]
    for release in preview.releases:
        out += ["", cell(released(release))]
        if scenario_lines(release):
            out += ["", "```yaml", *scenario_lines(release), "```"]
    return out


def inside(path: str, nested: Preview) -> str:
    """A nested stack's heading: the names that lead to it, and its templates."""
    return f"Nested stack {path}: {nested.old} -> {nested.new}"


def own(nested: Preview) -> list[Unseen]:
    """The blind spots that concern something in this nested stack."""
    return [spot for spot in nested.unseen if spot.names and spot.blind is not Blind.NESTED]


def exported(preview: Preview) -> dict[str, Any]:
    """The preview as plain data for JSON."""
    return {
        "schema_version": 1,
        "engine_version": __version__,
        **_exported_stack(preview),
        "nested": [{"path": path, **_exported_stack(inner)} for path, inner in preview.nested],
    }


def _exported_stack(preview: Preview) -> dict[str, Any]:
    return {
        "old": preview.old,
        "new": preview.new,
        "policy": preview.policy,
        "added": preview.count(Action.ADD),
        "modified": preview.count(Action.MODIFY),
        "removed": preview.count(Action.REMOVE),
        "replaced": list(preview.replaced()),
        "perhaps_replaced": list(preview.replaced(Replacement.CONDITIONAL)),
        "failing": list(preview.failing()),
        "denied": list(preview.denied()),
        "changes": [
            _exported_row(row, line) for row, line in zip(preview.rows, lines(preview), strict=True)
        ],
        "releases": [
            {
                "resource": release.resource,
                "instances": release.instances,
                "way": release.way,
                "kind": release.kind or None,
                "settings": {s.key: s.text for s in release.settings},
                "cause": release.cause,
                "warnings": list(release.warnings),
                "scenario": "\n".join(scenario_lines(release)),
            }
            for release in preview.releases
        ],
        "unseen": [
            {"what": spot.blind, "names": list(spot.names), "text": blind(spot)}
            for spot in preview.unseen
        ],
    }


def _exported_row(row: Row, line: Line) -> dict[str, Any]:
    change, impact = row.change, row.impact
    return {
        "action": change.action,
        "logical_id": change.name,
        "type": change.type,
        "replacement": change.replacement,
        "scope": list(change.scope),
        "details": [
            {
                "attribute": detail.attribute,
                "name": detail.name or None,
                "update_behaviour": detail.rule.behaviour,
                "note": detail.rule.note,
                "requires_recreation": detail.recreation,
                "evaluation": detail.evaluation,
                "change_source": detail.source,
                "causing_entity": detail.cause or None,
                "table": detail.rule.source or None,
                "confirmed": detail.rule.confirmed,
            }
            for detail in change.details
        ],
        "policy": {
            "outcome": row.judgement.outcome,
            "verdicts": [dict(found._asdict()) for found in row.judgement.verdicts],
        },
        "effect": impact.effect,
        "if_replaced": impact.perhaps,
        "fixed": list(impact.fixed),
        "data": impact.data or None,
        "kept": impact.kept or None,
        "outage": line.outage,
    }
