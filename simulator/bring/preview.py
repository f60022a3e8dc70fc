"""What an update of a CloudFormation stack would do, as far as its templates say it."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import NamedTuple

from simulator.bring.documents import ManifestError
from simulator.bring.policies import policy as read_policy
from simulator.bring.templates import template
from simulator.platforms.cloudformation.changes import Action, Change, Replacement, change_set
from simulator.platforms.cloudformation.outage import Effect, Impact, impact
from simulator.platforms.cloudformation.policies import Judgement, Outcome, Policy, judge
from simulator.platforms.cloudformation.unseen import Unseen, unseen
from simulator.platforms.cloudformation.update_policies import Release, releases
from simulator.words.problems import Problem


class Row(NamedTuple):
    """One change with what a stack policy says to it and what it does to its resource."""

    change: Change
    judgement: Judgement
    impact: Impact


class Preview(NamedTuple):
    """What updating a stack from one template to the next does, and what cannot be seen of it.

    `policy` is the stack policy's file, or None for a stack without one.
    """

    old: str
    new: str
    policy: str | None
    rows: tuple[Row, ...]
    releases: tuple[Release, ...]
    unseen: tuple[Unseen, ...]

    def count(self, action: Action) -> int:
        """How many resources are added, modified, removed."""
        return sum(row.change.action is action for row in self.rows)

    def replaced(self, how: Replacement = Replacement.TRUE) -> tuple[str, ...]:
        """The names of the resources that are replaced (or perhaps replaced)."""
        return tuple(row.change.name for row in self.rows if row.change.replacement is how)

    def denied(self) -> tuple[str, ...]:
        """The names of the resources whose change the stack policy denies."""
        found = (row for row in self.rows if row.judgement.outcome is Outcome.DENIED)
        return tuple(row.change.name for row in found)

    def failing(self) -> tuple[str, ...]:
        """The names of the resources that make the update fail by a fixed name or a new type."""
        return tuple(r.change.name for r in self.rows if r.impact.effect is Effect.FAILS)


def preview(
    old: str | FilePath, new: str | FilePath, policy: str | FilePath | None = None
) -> Preview:
    """Compare two templates (files, "-" or packaged names) as a change set would.

    Parameters stand at their defaults. Raises ManifestError with everything that is wrong with a
    template or the policy.
    """
    problems: list[Problem] = []
    found = []
    for where in (old, new):
        try:
            found.append(template(where))
        except ManifestError as error:
            problems += error.problems
    rules: Policy | None = None
    if policy is not None:
        try:
            rules = read_policy(policy)
        except ManifestError as error:
            problems += error.problems
    if problems:
        raise ManifestError(problems)
    before, after = found
    changes = change_set(before, after)
    return Preview(
        before.file,
        after.file,
        None if policy is None else str(policy),
        tuple(Row(change, judge(rules, change), impact(change)) for change in changes),
        releases(changes, after),
        unseen(before, after, changes),
    )
