"""Exam questions: every packaged one is answered as it should be, and flips where it should."""

from __future__ import annotations

import re

import pytest

from simulator.decide.exam import answer
from simulator.words.reading import EXAM, load, loads, packaged, packaged_folder
from tests.decide.questions import KEYS, PLAIN, answered


def test_every_question_has_its_key_here() -> None:
    assert sorted(KEYS) == [name.removeprefix(f"{EXAM}/") for name in packaged(EXAM)]


@pytest.mark.parametrize("name", KEYS)
def test_a_question_is_answered_and_flips(name: str) -> None:
    """Twice, with luck that has nothing in common; the flip is found to 2 % and up to luck."""
    key, found = KEYS[name], answered(name)
    assert (found.winner, found.close) == (key.answer, False)
    again = answered(name, 2, False)
    assert (again.winner, again.close) == (key.answer, False)
    assert [one.option for one in found.ranking] != [one.option for one in found.flips[0].ranking]
    (flip,) = found.flips
    assert flip.to == key.to != key.answer
    assert flip.verified or key.n > PLAIN
    turn = found.exam.flips
    assert (flip.path, isinstance(flip.flips_at, str)) == (turn.path, turn.to is not None)
    if key.flips_at is not None:
        near = 0.4 if key.n > PLAIN else 0.04
        assert flip.flips_at == pytest.approx(key.flips_at, rel=near)


def test_no_file_names_its_answer() -> None:
    for name in packaged(EXAM):
        text = (packaged_folder() / f"{name}.yaml").read_text("utf-8")
        assert not re.search(r"(answer|correct|key|solution)\s*:", text, re.IGNORECASE), name


@pytest.mark.parametrize("name", ["payroll-waves", "sessions-in-memory", "stale-cache"])
def test_the_order_and_the_letters_of_the_options_do_not_matter(name: str) -> None:
    """Turned round, the same text is the answer and the same numbers stand beside the texts."""
    scenario = load(f"{EXAM}/{name}")
    listed = scenario.resolved()["exam"]["options"]
    turned = dict(zip(listed, reversed(list(listed.values())), strict=True))
    other = answer(scenario.with_("exam.options", turned), KEYS[name].n, flip=False)
    plain = answered(name)
    assert other.ranking[0].text == plain.ranking[0].text
    assert {one.text: one.value for one in other.ranking} == {
        one.text: one.value for one in plain.ranking
    }


SHOP = """
version: 1
profile: bare
service: {instances: 4}
traffic: {rate: 100 rps, users: 10k}
change: {defect_probability: 50%, defects: [{kind: errors, rate: 50%}]}
detection: {noticed: {after: 10m}}
follow_up: 1h
strategies:
  switch: {kind: big_bang, in_place: false, keep_old: 1h}
  canary: {steps: [{weight: 10%, bake: 1h}]}
exam:
  decides: failed_requests mean given defect
  options:
    A: {text: one, strategy: switch}
    B: {text: other, strategy: switch, set: {traffic.rate: 100 rps}}
    C: {text: third, strategy: canary, set: {traffic.rate: 5000 rps}}
  flips: {path: traffic.users, low: 5k, high: 20k}
"""


def test_what_cannot_be_told_apart_is_too_close_to_call() -> None:
    """A and B are the same; what never changes the answer is no flip."""
    found = answer(loads(SHOP), 6)
    assert found.close
    assert {one.option for one in found.ranking[:2]} == {"A", "B"}
    assert found.flips == ()


def test_the_most_may_win() -> None:
    found = answer(loads(SHOP, sets=["exam.most=true"]), 6, flip=False)
    assert (found.winner, found.close) == ("C", False)


def test_what_misses_an_objective_or_cannot_be_done_loses_first() -> None:
    """The canary has less harm than the switch, but needs more time; then more instances."""
    asked = ["exam.options.C.set={}", "objectives=[time_to_deploy mean <= 10m given good]"]
    found = answer(loads(SHOP, sets=asked), 6, flip=False)
    assert [len(one.missed) for one in found.ranking] == [0, 0, 1]
    limited = loads(SHOP, sets=["service.limit=8", "exam.options.C.set={service.limit: 4}"])
    last = answer(limited, 6, flip=False).ranking[-1]
    assert (last.option, last.reasons) == ("C", ("needs 8 instances, limit 4",))
