"""OpsWorks Stacks: the lifecycle events of the guide, and its two ways to deploy."""

from __future__ import annotations

import pytest

from simulator.platforms.opsworks import rules
from simulator.platforms.opsworks.rules import Event
from simulator.play.rehearsal import rehearse
from tests.play.playing import bare, play


def test_a_b_c_and_a_new_d() -> None:
    """The guide: A, B, C serve and D boots: Setup and Deploy on D, then Configure on all; when A
    is stopped later, Shutdown on A and Configure on B, C and D."""
    assert rules.boot(0, "D", "ABC", setup=200, deploy=40) == (
        Event(0, "D", "setup"),
        Event(200, "D", "deploy"),
        *(Event(240, name, "configure") for name in "ABCD"),
    )
    assert rules.stop(1000, "A", "ABCD") == (
        Event(1000, "A", "shutdown"),
        *(Event(1000, name, "configure") for name in "BCD"),
    )
    assert rules.reboot() == ()
    assert rules.deploy(9, "BC") == (Event(9, "B", "deploy"), Event(9, "C", "deploy"))
    assert rules.undeploy(9, "B") == (Event(9, "B", "undeploy"),)


def test_a_storm_of_configures_collapses_to_the_last() -> None:
    """Three instances come online within a minute: A carries out one Configure, not three."""
    events = [e for n, name in enumerate("BCD") for e in rules.boot(20.0 * n, name, "A")]
    on_a = [e for e in rules.coalesced(events, 60) if e.instance == "A"]
    assert on_a == [Event(40, "A", "configure")]
    assert len([e for e in rules.coalesced(events, 1) if e.instance == "A"]) == 3
    assert [e for e in rules.coalesced(events, 60) if e.name != "configure"] == [
        e for e in events if e.name != "configure"
    ]


def test_times_of_the_guide() -> None:
    """Connections drain and 120 s follow; what is stopped in the console comes back after 5 min."""
    assert rules.gone_after(300) == 420
    assert rules.stopped_outside(1000) == 1300


def test_online_instances_get_no_code_by_themselves() -> None:
    """A release at 100 s: an instance that boots later has it, one that is online has it after the
    Deploy command; one new instance beside three is a skew of 25 %."""
    assert rules.code_of(joined=200, released=100, deployed=())
    assert not rules.code_of(joined=0, released=100, deployed=(50,))
    assert rules.code_of(joined=0, released=100, deployed=(150,))
    assert rules.skew(3, 1) == 0.25


def test_a_rollback_goes_back_one_of_five() -> None:
    assert rules.rollback_to(list("abcdefg")) == "f"
    assert rules.rollback_to(["a"]) is None


@pytest.mark.parametrize(
    ("instances", "zones", "parts"),
    [(9, 3, (1, 2, 3, 3)), (10, 3, (1, 3, 3, 3)), (3, 3, (1, 1, 1)), (2, 4, (1, 1))],
)
def test_one_instance_its_zone_then_the_others(
    instances: int, zones: int, parts: tuple[int, ...]
) -> None:
    assert rules.parts(instances, zones) == parts
    scenario = bare(
        instances=instances,
        service=f"zones: {zones}",
        strategy="opsworks_deploy: {order: by_zone, check: 5m}",
    )
    plan = rehearse(scenario, "opsworks_deploy")
    ran = [e.detail[0] for e in plan.journal if e.verb == "run on targets"]
    assert tuple(ran) == parts
    assert plan.duration == len(parts) * 120 + (len(parts) - 1) * 300


def test_everything_at_once_is_an_outage() -> None:
    outcome = play(bare(strategy="opsworks_deploy: {}"), 1, bad=False)[0]
    assert outcome.outage == outcome.time_to_deploy == 120
    gentle = bare(service="zones: 3", strategy="opsworks_deploy: {order: by_zone}")
    assert play(gentle, 1, bad=False)[0].outage == 0


def test_the_first_instance_alone_meets_a_release_that_does_not_start() -> None:
    """By zone one of nine is broken when it stops; all at once all nine are."""
    for order, headroom in (("by_zone", 8 / 9 / 0.5 - 1), ("all_at_once", -1)):
        scenario = bare(
            instances=9,
            service="utilisation: 50%, zones: 3",
            defect="{kind: crash}",
            strategy=f"opsworks_deploy: {{order: {order}}}",
        )
        outcome = play(scenario, 1)[0]
        assert outcome.caught_by == "health"
        assert outcome.min_headroom == pytest.approx(headroom)
