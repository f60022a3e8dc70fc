"""Stack policies: the truth table, and the examples of the user guide."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.policies import policy as read
from simulator.platforms.cloudformation.policies import (
    ACTIONS,
    Outcome,
    Policy,
    Statement,
    judge,
    matches,
    verdict,
)
from tests.bring.stacks import changes, one

DATABASE = "AWS::RDS::DBInstance"


def said(allows: bool, action: str = "Update:*", resource: str = "*") -> Statement:
    return Statement(allows, (action,), False, (resource,), False, None, False)


@pytest.mark.parametrize(
    ("has_policy", "allow", "deny", "allowed"),
    [
        (False, False, False, True),
        (True, False, False, False),
        (True, True, False, True),
        (True, False, True, False),
        (True, True, True, False),
    ],
)
@pytest.mark.parametrize("action", ACTIONS)
def test_truth_table(action: str, has_policy: bool, allow: bool, deny: bool, allowed: bool) -> None:
    """None allows everything; any denies by default; an explicit Deny beats Allow in any order."""
    statements = [*([said(True)] if allow else []), *([said(False, action)] if deny else [])]
    for order in itertools.permutations(statements):
        rules: Policy | None = tuple(order) if has_policy else None
        assert verdict(rules, action, "X", DATABASE).allowed is allowed


def written(folder: Path, text: str) -> Policy:
    path = folder / "policy.json"
    path.write_text(text, "utf-8")
    return read(path)


ALLOW_ALL = '{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}'


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        (
            f'{ALLOW_ALL}, {{"Effect": "Deny", "Action": "Update:*", "Principal": "*", '
            '"Resource": "LogicalResourceId/ProductionDatabase"}',
            {("ProductionDatabase", action) for action in ACTIONS},
        ),
        (
            '{"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"}',
            {("ProductionDatabase", "Update:Delete"), ("Other", "Update:Delete")},
        ),
        (
            '{"Effect": "Allow", "Action": "Update:*", "Principal": "*", '
            '"NotResource": "LogicalResourceId/ProductionDatabase"}',
            {("ProductionDatabase", action) for action in ACTIONS},
        ),
        (
            f'{ALLOW_ALL}, {{"Effect": "Deny", "Principal": "*", "Resource": "*", "Action": '
            '["Update:Replace", "Update:Delete"], "Condition": {"StringEquals": '
            '{"ResourceType": ["AWS::EC2::Instance", "AWS::RDS::DBInstance"]}}}',
            {("ProductionDatabase", action) for action in ("Update:Replace", "Update:Delete")},
        ),
        (
            f'{ALLOW_ALL}, {{"Effect": "Deny", "Principal": "*", "Resource": "*", "Action": '
            '"Update:*", "Condition": {"StringLike": {"ResourceType": ["AWS::RDS::*"]}}}',
            {("ProductionDatabase", action) for action in ACTIONS},
        ),
        (
            f'{ALLOW_ALL}, {{"Effect": "Deny", "Principal": "*", "Resource": "*", "Action": '
            '"Update:*", "Condition": {"StringEquals": {"ResourceType": "AWS::RDS::*"}}}',
            set(),
        ),
        (
            f'{ALLOW_ALL}, {{"Effect": "Deny", "Action": "Update:Modify", "Principal": "*", '
            '"Resource": ["LogicalResourceId/Production*", "LogicalResourceId/O??er"]}',
            {("ProductionDatabase", "Update:Modify"), ("Other", "Update:Modify")},
        ),
    ],
)
def test_examples_of_the_user_guide(
    tmp_path: Path, statement: str, refused: set[tuple[str, str]]
) -> None:
    rules = written(tmp_path, f'{{"Statement": [{statement}]}}')
    kinds = {"ProductionDatabase": DATABASE, "Other": "AWS::SQS::Queue"}
    assert refused == {
        (name, action)
        for name, kind in kinds.items()
        for action in ACTIONS
        if not verdict(rules, action, name, kind).allowed
    }


def test_the_statement_that_decided_is_named() -> None:
    rules = (said(True), said(False, "Update:Delete"), said(False))
    assert verdict(rules, "Update:Delete", "X", DATABASE).statement == 2
    assert verdict(rules[:1], "Update:Delete", "X", DATABASE).statement == 1
    assert verdict((), "Update:Delete", "X", DATABASE).statement is None


def test_a_change_needs_what_it_does() -> None:
    no_replace = (said(True), said(False, "Update:Replace"))
    no_modify = (said(True), said(False, "Update:Modify"))
    replaced = changes(*(one(DATABASE, Port=p) for p in (1, 2)))["X"]
    modified = changes(*(one(DATABASE, AllocatedStorage=p) for p in (1, 2)))["X"]
    perhaps = changes(*(one(DATABASE, Engine=p) for p in ("a", "b")))["X"]
    assert judge(no_replace, replaced).outcome is Outcome.DENIED
    assert judge(no_modify, replaced).outcome is Outcome.ALLOWED
    assert judge(no_replace, modified).outcome is Outcome.ALLOWED
    assert judge(no_modify, modified).outcome is Outcome.DENIED
    assert judge(no_replace, perhaps).outcome is Outcome.PERHAPS
    assert judge(no_modify, perhaps).outcome is Outcome.DENIED
    both = "Resources: {X: {Type: A::B::C}, Y: {Type: A::B::C}}"
    single = "Resources: {X: {Type: A::B::C}}"
    assert judge((), changes(single, both)["Y"]).outcome is Outcome.NOT_ASKED
    assert judge((), changes(both, single)["Y"]).outcome is Outcome.DENIED


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        *(("*", "", True), ("*", "abc", True), ("a*c", "abbc", True), ("a*c", "abb", False)),
        *(("a?c", "abc", True), ("a?c", "ac", False), ("", "", True), ("", "a", False)),
        *(("*a*b*", "xaxbx", True), ("*ab", "aab", True), ("[a]", "a", False)),
        ("*a" * 2000 + "b", "a" * 20_000, False),
    ],
)
def test_wild_cards(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "not a stack policy"),
        ('{"Statement": [5]}', "is not a mapping"),
        ('{"Statement": {"Effect": "Maybe", "Action": "*", "Resource": "*"}}', "Allow or Deny"),
        ('{"Statement": {"Effect": "Allow", "Resource": "*"}}', "has Action or NotAction"),
        ('{"Statement": {"Effect": "Allow", "Action": 5, "Resource": "*"}}', "is not text"),
        ('{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}', "no update"),
        (
            '{"Statement": {"Effect": "Allow", "Action": "Update:*", "Resource": "Db"}}',
            "LogicalResourceId/NAME",
        ),
        (
            '{"Statement": {"Effect": "Allow", "Action": "Update:*", "Resource": "*", '
            '"Condition": {"Bool": {"a": "b"}}}}',
            "takes types only",
        ),
        (
            '{"Statement": {"Effect": "Allow", "Action": "Update:*", "Resource": "*", '
            '"Principal": "me"}}',
            "takes everyone only",
        ),
        (
            '{"Statement": {"Effect": "Allow", "Action": "Update:*", "Resource": "*", "X": 1}}',
            "is no part of a statement",
        ),
    ],
)
def test_what_is_no_policy_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason) as caught:
        written(tmp_path, text)
    assert all(problem.line and ";" in problem.message for problem in caught.value.problems)
