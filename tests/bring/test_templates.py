"""Templates: values worked out as far as the file says them; what cannot be right."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest

from simulator.bring.documents import Manifest, ManifestError, decoded
from simulator.bring.templates import of, packaged_templates
from simulator.platforms.cloudformation.changes import change_set
from simulator.platforms.cloudformation.policies import judge
from simulator.platforms.cloudformation.stack import Function
from simulator.platforms.cloudformation.unseen import unseen
from simulator.platforms.cloudformation.update_policies import releases
from simulator.words.documents import Document
from tests.bring.stacks import read

SECTIONS = """
Parameters:
  Stage: {Type: String, Default: prod}
  Size: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Open: {Type: String}
  Ami: {Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /ami/1}
Mappings:
  Types: {prod: {size: m7g.large}, test: {size: t4g.small}}
  Amis: {us-east-1: {id: ami-1}, eu-west-1: {id: ami-2}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsOpen: !Equals [!Ref Open, "yes"]
  Both: !And [!Condition IsProd, !Condition IsOpen]
  Either: !Or [!Condition IsProd, !Condition IsOpen]
  Never: !Not [!Condition IsProd]
"""


def value(text: str) -> Any:
    """What a property's value comes to, beside the sections above."""
    found = read(
        f"{SECTIONS}\nResources:\n  Q: {{Type: A::B::C}}\n  X:\n    Type: A::B::C\n"
        f"    Properties:\n      V: {text}\n"
    )
    return found.resources["X"].properties.get("V")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!Ref Stage", "prod"),
        ("!Ref Size", "3"),
        ("true", "true"),
        ("!Ref Zones", ["a", "b"]),
        ("!Select [1, !Ref Zones]", "b"),
        ('!Join ["-", [!Ref Stage, !Ref Size]]', "prod-3"),
        ('!Sub "${Stage}/${!Literal}"', "prod/${Literal}"),
        ('!Sub ["${Stage}-${Other}", {Other: !Ref Size}]', "prod-3"),
        ("!FindInMap [Types, !Ref Stage, size]", "m7g.large"),
        ("!If [IsProd, a, b]", "a"),
        ("!If [Never, a, b]", "b"),
        ("!If [Either, a, b]", "a"),
        ("!If [IsOpen, a, a]", "a"),
        ("!If [IsProd, !Ref AWS::NoValue, b]", None),
        ("[a, !Ref AWS::NoValue]", ["a"]),
        ('!Split [",", "x,y"]', ["x", "y"]),
        ("{Ref: Stage}", "prod"),
        ('{"Fn::Sub": "${Stage}"}', "prod"),
        ("!Ref Q", Function("Ref", "Q")),
        ("!GetAtt Q.Arn", Function("Fn::GetAtt", ["Q", "Arn"])),
        ('{"Fn::GetAtt": [Q, Arn]}', Function("Fn::GetAtt", ["Q", "Arn"])),
        ("!GetAtt Q.End.Point", Function("Fn::GetAtt", ["Q", "End.Point"])),
        ("!Ref Open", Function("Parameter", "Open")),
        ("!Ref AWS::Region", Function("Parameter", "AWS::Region")),
        ("!Ref Ami", Function("Parameter", "Ami at /ami/1")),
    ],
)
def test_a_value_is_worked_out_as_far_as_can_be(text: str, expected: Any) -> None:
    assert value(text) == expected


def test_two_ways_to_write_one_text_are_equal() -> None:
    one = value('!Sub "a-${AWS::Region}-${Q.Arn}"')
    assert one == value('!Join ["-", [a, !Ref AWS::Region, !GetAtt Q.Arn]]')
    assert isinstance(one, Function)


def test_what_stays_open_remembers_what_it_stands_for() -> None:
    """An image by region: the mapping's content decides whether the value is the same."""
    old = value("!FindInMap [Amis, !Ref AWS::Region, id]")
    other = SECTIONS.replace("ami-2", "ami-3")
    new = (
        read(
            f"{other}\nResources:\n  X:\n    Type: A::B::C\n    Properties:\n"
            "      V: !FindInMap [Amis, !Ref AWS::Region, id]\n"
        )
        .resources["X"]
        .properties["V"]
    )
    assert old != new
    assert value("!If [IsOpen, a, b]") != value("!If [Both, a, b]")


def test_a_condition_keeps_a_resource_out_or_leaves_it_open() -> None:
    found = read(
        SECTIONS + "Resources:\n  A: {Type: A::B::C, Condition: Never}\n"
        "  B: {Type: A::B::C, Condition: IsProd}\n"
        "  C: {Type: A::B::C, Condition: Both}\n"
    )
    assert set(found.resources) == {"B", "C"}
    assert not found.resources["B"].perhaps
    assert found.resources["C"].perhaps


WRONG = """
Conditions:
  A: !Condition B
  B: !Condition A
Resources:
  bad name: {Type: A::B::C}
  NoType: {Properties: {}}
  Odd: {Type: "<b>x</b>"}
  X:
    Type: A::B::C
    Condition: A
    Properties:
      One: !Ref Nobody
      Two: !GetAtt Nobody.Arn
      Three:
      Four: !If [Unknown, 1, 2]
      Five: !FindInMap [NoMap, a, b]
      Six: !Select [5, [a]]
"""


def test_everything_wrong_is_named_at_its_place() -> None:
    with pytest.raises(ManifestError) as caught:
        read(WRONG)
    told = {(p.line, p.path): p.message for p in caught.value.problems}
    assert told.pop((3, "Conditions.A"), told.pop((4, "Conditions.B"), "")).startswith(
        "conditions build on each other"
    )
    assert [line for line, _ in told] == [6, 7, 8, 13, 14, 15, 16, 17, 18]
    assert all(";" in message for message in told.values())


@pytest.mark.parametrize(
    "text",
    [
        *("hello", "[1]", "a: 1", "Resources: {}", "Resources: 5", "Resources: {X: 5}"),
        "Parameters: [1]\nResources: {X: {Type: A::B::C}}",
        "Parameters: {P: 1}\nResources: {X: {Type: A::B::C}}",
        "Resources: {X: {Type: A::B::C}}\n---\nResources: {}",
        'Resources: {"Fn::ForEach::X": [a, [b], {}]}',
        "Resources: {X: {Type: A::B::C, Properties: [1]}}",
        "Resources: {X: {Type: A::B::C, Properties: {A: !Sub [1]}}}",
        "Resources: {X: {Type: A::B::C, Properties: {A: !Join x}}}",
        "Resources: {X: {Type: A::B::C, Properties: {A: !If x}}}",
        "Resources: {X: {Type: A::B::C, Properties: {A: !GetAtt [a]}}}",
        "Resources: {X: {Type: A::B::C, Properties: {A: {Ref: [a]}}}}",
        "Resources: {X: {Type: A::B::C, Properties: {A: !FindInMap x}}}",
    ],
)
def test_what_is_no_template_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ManifestError, match=";") as caught:
        read(text)
    assert all(problem.line for problem in caught.value.problems)


def big(**sections: Any) -> str:
    return json.dumps({"Resources": {"X": {"Type": "A::B::C", "Properties": {}}}, **sections})


def test_texts_that_would_fill_the_memory_are_refused() -> None:
    started = time.process_time()
    many = big(
        Mappings={"M": {"a": {"b": "y" * 100_000}}},
        Resources={
            "X": {
                "Type": "A::B::C",
                "Properties": {
                    str(i): {"Fn::Join": ["", [{"Fn::FindInMap": ["M", "a", "b"]}] * 20]}
                    for i in range(100)
                },
            }
        },
    )
    with pytest.raises(ManifestError, match="16 MiB"):
        read(many)
    long = big(Parameters={"P": {"Type": "String", "Default": "x" * 5000}})
    with pytest.raises(ManifestError, match="over 4096 bytes"):
        read(long)
    assert time.process_time() - started < 5


def test_conditions_and_functions_are_not_followed_for_ever() -> None:
    chain = {f"C{i}": {"Condition": f"C{i + 1}"} for i in range(3000)}
    with pytest.raises(ManifestError, match="too deeply"):
        read(
            big(
                Conditions={**chain, "C3000": {"Fn::Equals": ["a", "a"]}},
                Resources={"X": {"Type": "A::B::C", "Condition": "C0"}},
            )
        )
    wide = {f"C{i}": {"Fn::And": [{"Condition": f"C{i + 1}"}] * 2} for i in range(50)}
    found = read(
        big(
            Conditions={**wide, "C50": {"Fn::Equals": [{"Ref": "AWS::Region"}, "a"]}},
            Resources={"X": {"Type": "A::B::C", "Condition": "C0"}},
        )
    )
    assert found.resources["X"].perhaps


ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1e300,
        10**20,
        "",
        "x",
        "\x1b[2J",
        [],
        {},
        [[]],
        [None],
        {"": {}},
        {"Ref": 5},
    ),
    *({"Ref": "X"}, {"Ref": None}, {"Fn::GetAtt": "X"}, {"Fn::If": ["IsProd", {}, []]}),
    *({"Fn::Sub": ["${X}", {}]}, {"Fn::Select": ["-1", ["a"]]}, {"Fn::Join": ["", {"Ref": "X"}]}),
    *({"Fn::Transform": {"Name": "m"}}, {"Condition": "IsProd"}, ["a", {"Fn::If": []}]),
]


def test_whatever_stands_in_a_template_is_read_or_refused_in_words() -> None:
    text = (packaged_templates() / "web-tier-before.template").read_text("utf-8")
    good = decoded(text.encode(), "t").documents[0]
    known = of(decoded(text.encode(), "t"))
    for number, path in enumerate(filter(None, good.places)):
        for odd in (ODD[number % len(ODD)], ODD[(7 * number + 3) % len(ODD)]):
            data = copy.deepcopy(good.data)
            where = data
            for key in path[:-1]:
                where = where[key]
            where[path[-1]] = odd
            try:
                found = of(Manifest("t", (Document(data, good.places),)))
            except ManifestError:
                continue
            changes = change_set(known, found)
            assert all(judge((), change).verdicts or not change.details for change in changes)
            releases(changes, found)
            unseen(known, found, changes)
