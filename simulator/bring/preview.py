"""What an update of a CloudFormation stack would do, as far as its templates say it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import NamedTuple

from simulator.bring.documents import ManifestError
from simulator.bring.nested import Nests, Pair, place_of
from simulator.bring.policies import policy as read_policy
from simulator.bring.templates import template
from simulator.platforms.cloudformation.changes import Action, Change, Replacement, change_set
from simulator.platforms.cloudformation.outage import Effect, Impact, impact
from simulator.platforms.cloudformation.policies import Judgement, Outcome, Policy, judge
from simulator.platforms.cloudformation.stack import Template
from simulator.platforms.cloudformation.unseen import Unseen, unseen
from simulator.platforms.cloudformation.update_policies import Release, releases
from simulator.words.documents import plain
from simulator.words.problems import Problem
from simulator.words.shape import near

_NOTHING: Mapping[str, str] = {}


class Row(NamedTuple):
    """One change with what a stack policy says to it and what it does to its resource."""

    change: Change
    judgement: Judgement
    impact: Impact


class Preview(NamedTuple):
    """What updating a stack from one template to the next does, and what cannot be seen of it.

    `policy` is the stack policy's file, or None for a stack without one. `nested` holds the stacks
    inside it that could be read, at any depth, each under the names that lead to it.
    """

    old: str
    new: str
    policy: str | None
    rows: tuple[Row, ...]
    releases: tuple[Release, ...]
    unseen: tuple[Unseen, ...]
    nested: tuple[tuple[str, Preview], ...] = ()

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
        """The names of the resources that make the update fail by a fixed name or a new type, those
        of nested stacks with the names that lead to them.
        """
        own = [r.change.name for r in self.rows if r.impact.effect is Effect.FAILS]
        inner = (f"{path}/{name}" for path, found in self.nested for name in found.failing())
        return (*own, *inner)


def preview(
    old: str | FilePath,
    new: str | FilePath,
    policy: str | FilePath | None = None,
    parameters: Mapping[str, str] = _NOTHING,
) -> Preview:
    """Compare two templates (files, "-" or packaged names) as a change set would.

    Parameters stand at their defaults but for those given. Nested stacks whose template is a
    relative path inside the folder are compared as well. Raises ManifestError with everything that
    is wrong with a template, the policy or the parameters.
    """
    problems: list[Problem] = []
    found = []
    for where in (old, new):
        try:
            found.append(template(where, parameters))
        except ManifestError as error:
            problems += error.problems
    rules: Policy | None = None
    if policy is not None:
        try:
            rules = read_policy(policy)
        except ManifestError as error:
            problems += error.problems
    if not problems:
        problems = _unknown(parameters, found)
    if problems:
        raise ManifestError(problems)
    nests = Nests()
    before, after = found
    outer = Pair("", before, after, (place_of(old), place_of(new)))
    return _compared(outer, rules, None if policy is None else str(policy), nests)


def _unknown(parameters: Mapping[str, str], templates: list[Template]) -> list[Problem]:
    """Parameters that neither template has."""
    known = [name for found in templates for name in found.parameters]
    return [
        Problem(
            "--parameter",
            "",
            None,
            None,
            f"no parameter {plain(name)[:60]!r} in either template{near(name, known)}",
        )
        for name in parameters
        if name not in known
    ]


def _compared(pair: Pair, rules: Policy | None, policy: str | None, nests: Nests) -> Preview:
    """One stack with everything inside it; what is inside comes first in `missing`."""
    changes = change_set(pair.old, pair.new)
    inner, before = list[tuple[str, Preview]](), len(nests.missing)
    for found in nests.inside(pair, changes):
        compared = _compared(found, None, None, nests)
        inner += [(found.name, compared._replace(nested=())), *compared.nested]
    missing = nests.missing[before:] if pair.name else nests.missing
    return Preview(
        pair.old.file,
        pair.new.file,
        policy,
        tuple(Row(change, judge(rules, change), impact(change)) for change in changes),
        releases(changes, pair.new),
        unseen(pair.old, pair.new, changes, missing),
        tuple(inner),
    )
