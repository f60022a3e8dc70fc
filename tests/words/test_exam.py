"""Exam blocks: what they say, how they read back, and one clear message for each mistake."""

from __future__ import annotations

import pytest

from simulator.words.objectives import measure
from simulator.words.options import chosen, option, posed
from simulator.words.problems import ScenarioError
from simulator.words.reading import EXAM, load, loads, packaged, packaged_folder
from simulator.words.writing import dump

GOOD = """\
version: 1
profile: bare
service: {instances: 4, capacity: 100 rps}
traffic: {rate: 100 rps, users: 10k}
strategies:
  rolling: {}
  my canary: {kind: canary}
planned: my canary
exam:
  decides: failed_requests p95 given defect
  shows: [stuck, false_alarm given good]
  options:
    A: {text: one, strategy: rolling, set: {strategies.rolling.batch: 2}}
    B: {text: two, set: {'strategies["my canary"].pace': 2, service.instances: 8}}
  flips: {path: traffic.rate, low: 50 rps, high: 200 rps}
"""


def test_options_are_scenarios_of_their_own() -> None:
    scenario = loads(GOOD)
    assert posed(scenario).decides.statistic == "p95"
    assert [chosen(scenario, name) for name in "AB"] == ["rolling", "my canary"]
    first, second = (option(scenario, name, {"traffic.rate": 70}) for name in "AB")
    assert (first.exam, first.traffic.rate, second.service.instances) == (None, 70, 8)
    assert second.strategies["my canary"].pace == 2


def test_an_exam_reads_back() -> None:
    scenario = loads(GOOD)
    assert loads(dump(scenario)).resolved() == scenario.resolved()
    assert scenario.with_("exam", "none").exam is None
    assert "exam" not in scenario.with_("exam", "none").resolved()


def test_a_measure_is_a_figure_or_a_share_of_releases() -> None:
    assert (measure("loss").unit, measure("stuck given good").unit) == ("money", "share")
    assert measure("time_to_detect applicable").unit == "share"
    with pytest.raises(ValueError, match="leave out p95"):
        measure("stuck p95")
    with pytest.raises(ValueError, match="did you mean rolled_back"):
        measure("roled_back")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("failed_requests p95", "failed_request p95", 10, "did you mean failed_requests"),
        ("p95 given defect", "p90 given defect", 10, "names no figure"),
        ("p95 given defect", "p95 given leek", 10, "nothing is given as 'leek'"),
        ("[stuck, ", "[stuck given leek, ", 11, "nothing is given as 'leek'"),
        ("strategy: rolling", "strategy: roling", 13, "did you mean rolling"),
        ("set: {strategies.rolling.batch: 2}", "sets: {}", 13, "did you mean set"),
        ("strategies.rolling.batch: 2", "strategies.rolling.batsh: 2", 13, "did you mean batch"),
        ("service.instances: 8", "service.instances: many", 14, "is not a whole number"),
        ("service.instances: 8", "traffic.rate: 8", 14, "write 8 rps"),
        ("pace': 2,", "pace': 2, 'a..b': 1,", 14, "is not a path"),
        ("text: two, ", "", 14, "is missing"),
        ("text: two, ", "text: two, value: 5, ", 9, "some options have a value"),
        ("high: 200 rps", "high: 200", 15, "write 200 rps"),
        ("low: 50 rps", "low: 500 rps", 15, "is not below 200 rps"),
        ("high: 200 rps", "to: 200 rps", 15, "needs low and high, or to alone"),
        ("traffic.rate, low: 50 rps, high: 200 rps", "planned, low: a, high: b", 15, "no strategy"),
        ("traffic.rate, low: 50 rps, high: 200 rps", "name, low: a, high: b", 15, "is no number"),
        ("traffic.rate, low", "'traffic.spikes[0].at', low", 15, "is not there"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        loads(GOOD.replace(old, new), "quiz.yaml")
    problem, *others = caught.value.problems
    assert says in problem.message
    assert problem.line == line
    assert not others or {other.line for other in others} == {line}


def test_options_need_each_other() -> None:
    alone = GOOD.replace(GOOD[GOOD.index("    B:") : GOOD.index("  flips")], "")
    with pytest.raises(ScenarioError, match="fewer than two options"):
        loads(alone)
    with pytest.raises(ScenarioError, match="exam: is missing; write exam"):
        posed(loads(GOOD).with_("exam", "none"))
    lost = loads(GOOD).with_("planned", "rolling").with_("strategies.my canary", None)
    with pytest.raises(ScenarioError, match="my canary"):
        posed(lost)


@pytest.mark.parametrize("name", packaged(EXAM))
def test_a_packaged_question_is_a_file_like_the_others(name: str) -> None:
    text = (packaged_folder() / f"{name}.yaml").read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=../scenario.schema.json\n")
    scenario = load(name)
    assert " ".join(scenario.question.split()).endswith("?")
    again = loads(dump(scenario))
    assert again.resolved() == scenario.resolved()
