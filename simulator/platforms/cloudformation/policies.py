"""Stack policies: which updates of which resources they let through.

Source: AWS CloudFormation user guide, "Prevent updates to stack resources" (2023). Applies to
updates only; without a policy everything is allowed, with one everything not allowed is denied.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from simulator.platforms.cloudformation.changes import Action, Change, Replacement

MODIFY, REPLACE, DELETE = "Update:Modify", "Update:Replace", "Update:Delete"
ACTIONS = (MODIFY, REPLACE, DELETE)
_LOGICAL = "LogicalResourceId/"


class Statement(NamedTuple):
    """One statement: patterns with * and ?; `but` turns a list into everything but it.

    `types` are patterns of resource types, or None without a condition.
    """

    allows: bool
    actions: tuple[str, ...]
    but_actions: bool
    resources: tuple[str, ...]
    but_resources: bool
    types: tuple[str, ...] | None
    exact_types: bool

    def applies(self, action: str, name: str, kind: str) -> bool:
        """Whether it speaks of this update of this resource."""
        if self.types is not None:
            fits = matches_exactly if self.exact_types else matches
            if not any(fits(pattern, kind) for pattern in self.types):
                return False
        spoken = any(matches(pattern, action) for pattern in self.actions)
        meant = any(matches(pattern, _LOGICAL + name) for pattern in self.resources)
        return spoken is not self.but_actions and meant is not self.but_resources


Policy = tuple[Statement, ...]


class Verdict(NamedTuple):
    """Whether a policy lets an update of a resource through, and the statement that decided.

    `statement` counts from 1; None: no policy, or no statement allows it.
    """

    action: str
    allowed: bool
    statement: int | None


class Outcome(StrEnum):
    """What a policy means for a change; `PERHAPS`: it depends on whether it is replaced."""

    ALLOWED = "allowed"
    DENIED = "denied"
    PERHAPS = "denied if replaced"
    NOT_ASKED = "not asked"


class Judgement(NamedTuple):
    """What a policy means for a change, with the verdict on every kind of update it may need."""

    outcome: Outcome
    verdicts: tuple[Verdict, ...]


def verdict(policy: Policy | None, action: str, name: str, kind: str) -> Verdict:
    """Judge one kind of update of one resource: no policy allows, an explicit Deny beats Allow."""
    if policy is None:
        return Verdict(action, True, None)
    allowed: int | None = None
    for number, statement in enumerate(policy, 1):
        if statement.applies(action, name, kind):
            if not statement.allows:
                return Verdict(action, False, number)
            allowed = allowed or number
    return Verdict(action, allowed is not None, allowed)


def judge(policy: Policy | None, change: Change) -> Judgement:
    """Judge a change; what is added is never asked about."""
    verdicts = tuple(verdict(policy, action, change.name, change.type) for action in needed(change))
    if not verdicts:
        return Judgement(Outcome.NOT_ASKED, ())
    if all(found.allowed for found in verdicts):
        return Judgement(Outcome.ALLOWED, verdicts)
    if any(found.allowed for found in verdicts):
        return Judgement(_mixed(verdicts), verdicts)
    return Judgement(Outcome.DENIED, verdicts)


def _mixed(verdicts: tuple[Verdict, ...]) -> Outcome:
    """A modification that is denied is denied, whatever a replacement would be."""
    refused = {found.action for found in verdicts if not found.allowed}
    return Outcome.PERHAPS if refused == {REPLACE} else Outcome.DENIED


def needed(change: Change) -> tuple[str, ...]:
    """The kinds of update that a change needs, or may need."""
    match change.action:
        case Action.REMOVE:
            return (DELETE,)
        case Action.DYNAMIC if change.old is not None:
            return (DELETE,)
        case Action.MODIFY if change.replacement is Replacement.TRUE:
            return (REPLACE,)
        case Action.MODIFY if change.replacement is Replacement.FALSE:
            return (MODIFY,)
        case Action.MODIFY:
            return (MODIFY, REPLACE)
    return ()


def matches_exactly(pattern: str, text: str) -> bool:
    """Whether a text is the pattern, letter by letter."""
    return pattern == text


def matches(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern in which * stands for any text and ? for any letter."""
    here, place = 0, 0
    star, mark = -1, 0
    while place < len(text):
        if here < len(pattern) and pattern[here] == "*":
            star, mark = here, place
            here += 1
        elif here < len(pattern) and pattern[here] in ("?", text[place]):
            here, place = here + 1, place + 1
        elif star >= 0:
            here, mark = star + 1, mark + 1
            place = mark
        else:
            return False
    return set(pattern[here:]) <= {"*"}
