"""The examples that messages give: whatever is missing, what is proposed can be written."""

from __future__ import annotations

import re

import pytest

from simulator.words.reading import ScenarioError, loads

FILE = """\
version: 1
profile: bare
service: {{instances: 10, capacity: 100 rps{service}}}
traffic: {{rate: 100 rps, users: 10k{traffic}}}
strategies: {{rolling: {{}}}}
"""


def refused(service: str = "", traffic: str = "") -> str:
    with pytest.raises(ScenarioError) as wrong:
        loads(FILE.format(service=service, traffic=traffic))
    (problem,) = wrong.value.problems
    return problem.message


@pytest.mark.parametrize(
    ("there", "key"),
    [
        ("scaling: {max: 20, target: 60%}", "min"),
        ("scaling: {min: 4, target: 60%}", "max"),
        ("connections: {max: 400}", "each"),
        ("connections: {each: 5}", "max"),
    ],
)
def test_what_is_proposed_for_a_missing_key_can_be_read(there: str, key: str) -> None:
    said = refused(f", {there}")
    proposed = re.search(r"is missing; add e\.g\. (\S+: \S+)", said)
    assert proposed
    assert proposed[1].startswith(f"{key}: ")
    loads(FILE.format(service=f", {there[:-1]}, {proposed[1]}}}", traffic=""))


@pytest.mark.parametrize(
    ("value", "said"), [("2.5", "e.g. 2"), ("0.5", "e.g. 1"), ("some", "e.g. 20")]
)
def test_the_whole_number_below_is_proposed(value: str, said: str) -> None:
    assert refused(traffic=f", retries: {value}").endswith(f"is not a whole number; write {said}")


def test_elastic_services_have_nothing_to_scale() -> None:
    text = FILE.replace("instances: 10, capacity: 100 rps", "elastic: true")
    with pytest.raises(ScenarioError, match="an elastic service has no instances to scale"):
        loads(text.format(service=", scaling: {min: 2, max: 9, target: 50%}", traffic=""))
