"""What a release carries: its probability of a defect, stated or worked out."""

from __future__ import annotations

import pytest

from simulator.words.problems import ScenarioError
from simulator.words.reading import loads
from simulator.words.writing import dump

TEXT = """
version: 1
profile: bare
service: {instances: 4, startup: 60s}
traffic: {rate: 10 rps, users: 1k}
change:
  changes: {count: 20, each: 0.5%, tests: [{catches: 60%, takes: 8m, flakes: 2%}, {catches: 50%}]}
  defects: [{kind: errors, rate: 10%}]
strategies: {rolling: {}}
"""


@pytest.mark.parametrize("count", [1, 4, 20, 1000])
@pytest.mark.parametrize("each", [0.0, 0.005, 1.0])
def test_a_release_is_defective_unless_every_change_is_sound(count: int, each: float) -> None:
    """1 - (1 - q)^count, q = each x product of (1 - catches), to 12 digits."""
    change = loads(TEXT).with_all({"change.changes.count": count, "change.changes.each": each})
    exact = 1 - (1 - each * 0.4 * 0.5) ** count
    assert change.change.defect_probability == pytest.approx(exact, rel=1e-12)


def test_without_tests_every_defect_escapes() -> None:
    scenario = loads(TEXT, sets=["change.changes.tests=[]"])
    assert scenario.change.defect_probability == pytest.approx(1 - 0.995**20, rel=1e-12)
    assert scenario.with_("change.changes.each", "100%").change.defect_probability == 1


def test_one_change_without_tests_is_a_stated_probability() -> None:
    one = loads(TEXT, sets=["change.changes={count: 1, each: 5%}"])
    assert one.change.defect_probability == pytest.approx(0.05)
    assert one.change.changes is not None
    assert one.change.changes.steps == 0


def test_a_branch_conflicts_the_more_the_older_it_is() -> None:
    """1 - (1 - c)^days: a fortnight of 2 % a day is 24.6 %, half a day 1 %."""
    branch = {"age": "14d", "conflict": "2%", "resolve": "1h"}
    old = loads(TEXT).with_("change.branch", branch).change.branch
    young = loads(TEXT).with_("change.branch", {**branch, "age": "12h"}).change.branch
    assert old is not None
    assert young is not None
    assert old.chance == pytest.approx(1 - 0.98**14)
    assert young.chance == pytest.approx(1 - 0.98**0.5)


def test_what_is_left_out_comes_from_the_table() -> None:
    scenario = loads(TEXT.replace("profile: bare", "profile: ecs-fargate"))
    assert scenario.change.changes is not None
    assert scenario.change.changes.bisect == 900
    assumed = {row.path for row in scenario.assumed}
    assert "change.changes.bisect" in assumed
    assert "change.defect_probability" not in assumed


def test_written_out_it_is_the_same() -> None:
    scenario = loads(TEXT)
    assert loads(dump(scenario)).sha256 == scenario.sha256


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("change.defect_probability=5%", "which follows from changes: remove one of the two"),
        ("change.changes.tests[0].flakes=100%", "never ends; write a share below 100%"),
        ("change.changes.count=0", "not a whole number of at least 1"),
        ("change.changes={count: 3}", "each: is missing"),
        ("change.changes=none", None),
    ],
)
def test_what_makes_no_sense_is_told(setting: str, says: str | None) -> None:
    """Without changes the probability is the table's again."""
    if says is None:
        assert loads(TEXT, sets=[setting]).change.defect_probability == 0.05
        return
    with pytest.raises(ScenarioError, match=says):
        loads(TEXT, sets=[setting])


def test_neither_stated_nor_worked_out() -> None:
    with pytest.raises(ScenarioError, match="has no defect_probability: write e"):
        loads(TEXT, sets=["change.changes=none", "change.defect_probability=none"])
