"""What is told of a rollout that was brought: where fields went, and what to answer first."""

from __future__ import annotations

from simulator.bring.importing import from_text, imported
from simulator.decide.tornado import SHOWN, Swing
from simulator.report import brought as told
from simulator.words.profiles import Assumption

TEXT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: mine}
spec:
  replicas: 6
  revisionHistoryLimit: 2
  template: {spec: {containers: [{name: it, image: "it:1"}]}}
"""


def swing(path: str, harm: float = 0.0, time: float = 0.0) -> Swing:
    ends = {**dict.fromkeys(SHOWN, 0.0), "users_harmed": harm, "time_to_deploy": time}
    return Swing(Assumption(path, 1, 0, 2, "judgement", "a guess"), ends, dict(ends))


def test_every_used_field_says_where_it_went_and_unset_ones_come_last() -> None:
    found = imported(from_text(TEXT, "mine.yaml"))
    rows = told.used(found)
    assert rows[0] == ("mine.yaml:5", "spec.replicas", "6", "service.instances = 6")
    unset = [row for row in rows if not row[0]]
    assert rows[-len(unset) :] == unset
    assert any(
        "maxSurge is not set" in row[1] and row[3].endswith("max_surge = 25%") for row in unset
    )
    assert len(rows) - len(unset) == found.count("used")


def test_what_only_the_owner_knows_stands_first_then_what_matters_most() -> None:
    found = imported(from_text(TEXT, "mine.yaml"))
    swings = [
        swing("service.warm_up.capacity", harm=0.2),
        swing("traffic.users", harm=-0.1),
        swing("service.warm_up.for", time=30.0),
        swing("change.defect_probability", harm=1e-17),
    ]
    rows = told.questions(found, swings)
    assert [row.path for row in rows[: len(told.ALWAYS)]] == list(told.ALWAYS)
    assert [row.path for row in rows[-2:]] == ["service.warm_up.capacity", "service.warm_up.for"]
    by_path = {row.path: row for row in rows}
    assert by_path["traffic.rate"].plausible == "1 rps to 10000 rps"
    assert by_path["traffic.rate"].place == 0
    assert by_path["change.defect_probability"].moves == ""
    assert by_path["traffic.users"].place == 2
    assert by_path["traffic.users"].moves == "users harmed by a bad release -10.0 to +0.0 points"
    assert by_path["service.warm_up.for"].moves == "moves the time to deploy by 30 s"


def test_what_was_answered_is_asked_no_more() -> None:
    found = imported(from_text(TEXT, "mine.yaml"), sets=["traffic.rate=9 rps"])
    assert "traffic.rate" not in [row.path for row in told.questions(found, ())]
