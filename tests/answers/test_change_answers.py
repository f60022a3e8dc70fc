"""What defects of load and of mixed versions, schemas, routines and licences must come to."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simulator.play.rehearsal import rehearse
from tests.answers import oracles, oracles_trouble
from tests.answers.comparing import given, near, noticed
from tests.play.playing import bare, play

SWITCH = "big_bang: {in_place: false}"
LOAD = "{kind: load, threshold: 30%, rate: 20%}"
ROOM = "capacity: 200 rps"  # ten instances carry 2 000/s, 30 % of it are 600/s


@pytest.mark.parametrize(("weight", "shows"), [(0.05, 0), (0.5, 0), (0.6, 0), (0.61, 1), (0.9, 1)])
def test_load_shows_above_its_threshold(weight: float, shows: int) -> None:
    """At 1000/s a weight w carries w x 1000/s; above 600/s (30 % of 2 000) all of the new version's
    requests fail with 20 %: r p w (D + R). At 60 % and below nothing ever does: first harm comes
    when everybody is moved, two hours later, and is that of a switch."""
    steps = f"[{{weight: {100 * weight:g}%, bake: 2h}}]"
    scenario = bare(
        service=ROOM, defect=LOAD, strategy=f"canary: {{steps: {steps}}}", **noticed(300, 120)
    )
    outcomes = play(scenario, 30)
    met = weight if shows else 1.0
    assert near(
        [o.failed_requests for o in outcomes], oracles.atomic_switch(1000, 0.2 * met, 300, 120)
    )
    assert {o.exposure_when_caught for o in outcomes} == {met}
    assert {o.peak_exposure for o in outcomes} == {met}


def test_copies_of_requests_load_as_requests_do() -> None:
    """All requests are mirrored, 1000/s are above the threshold: an alarm on the new version sees
    20 % bad during the shadow phase, and nobody was harmed; with a third mirrored it sees none."""
    detection = "alarms: [{watch: new, above: 5%, phase: aligned}]"
    for share, phase in ((100, "shadow"), (30, "watch")):
        scenario = bare(
            service=ROOM,
            defect=LOAD,
            detection=detection,
            strategy=f"shadow: {{share: {share}%, then: {{kind: big_bang, in_place: false}}}}",
        )
        outcomes = play(scenario, 10)
        assert {o.caught_at for o in outcomes} == {phase}
        if phase == "shadow":
            assert {o.failed_requests for o in outcomes} == {0}


@pytest.mark.parametrize("start", ["Tue 2:00", "Tue 13:00"])
def test_load_of_a_day(start: str) -> None:
    """r(t) = 500 + 400 cos(2 pi (t - 13 h)/day) is above 700/s (35 % of 2 000) for 2h with cos =
    1/2, 8 hours: the failures are p times the requests of that time, p (2 m h + (P - m) day/pi
    sin(pi/3)), whenever the release begins (it is followed for a day)."""
    length, exact = oracles_trouble.above_threshold(500, 900, 700, 0.2)
    assert length == pytest.approx(8 * 3600)
    scenario = bare(
        service=ROOM,
        rate="daily: {mean: 500 rps, peak: 900 rps, peak_at: 13:00}",
        traffic=f"start_at: {start}",
        defect="{kind: load, threshold: 35%, rate: 20%}",
    )
    outcomes = play(scenario, 10)
    assert outcomes[0].expected_failed_requests == pytest.approx(exact, rel=1e-6)
    assert near([o.failed_requests for o in outcomes], exact)


def mixed(persists: float, repair: float) -> str:
    """Versions that do not understand each other, with a part that stays in the data."""
    return f"{{kind: mixed_versions, rate: 10%, persists: {100 * persists:g}%, repair: {repair}s}}"


@pytest.mark.parametrize("persists", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("weight", [0.05, 0.5, 0.8])
def test_what_mixed_versions_leave_in_the_data(weight: float, persists: float) -> None:
    """r p 2w(1 - w) for 900 s and the decision's 120 s, and the part that persists for two hours
    more: r p 2w(1 - w) (D + R + f x 7 200). With f = 0 nothing is left after the rollback."""
    steps = f"[{{weight: {100 * weight:g}%, bake: 100h}}]"
    scenario = bare(
        defect=mixed(persists, 7200), strategy=f"canary: {{steps: {steps}}}", **noticed(900, 120)
    )
    exact = oracles_trouble.left_in_the_data(1000, 0.1, weight, 1020, persists, 7200)
    outcomes = play(scenario, 20)
    assert near([o.failed_requests for o in outcomes], exact)
    assert {o.time_to_mitigate for o in outcomes} == {120.0 + (7200 if persists else 0)}
    assert {o.time_to_recover for o in outcomes} == {1020.0 + (7200 if persists else 0)}


def test_a_weight_on_its_way_back_harms_as_before() -> None:
    """60 s until a weight is in effect: what the decision finds stays what it is until then, the
    repair begins afterwards: r p 2w(1 - w) (D + R + 60 + f repair)."""
    scenario = given(
        {"router.propagation": "60s"},
        defect=mixed(0.6, 3600),
        strategy="canary: {steps: [{weight: 50%, bake: 100h}]}",
        **noticed(900, 120),
    )
    exact = oracles_trouble.left_in_the_data(1000, 0.1, 0.5, 1080, 0.6, 3600)
    assert near([o.failed_requests for o in play(scenario, 20)], exact)


@pytest.mark.parametrize("persists", [0.0, 0.6, 1.0])
def test_going_back_through_the_half_is_the_worst_of_it(persists: float) -> None:
    """Ten instances exchanged one by one, 60 s each, all new when it is decided: 198 s of mixing
    forward, the part 1 - f of that again on the way back, and the part f of the highest value so
    far, which stays 1/2 from the half on until the repair."""
    scenario = bare(
        service="startup: 60s",
        defect=mixed(persists, 3600),
        strategy="rolling: {batch: 1, surge: 1, max_unavailable: 0, mode: batch}",
        **noticed(1200),
    )
    area = oracles_trouble.mixed_there_and_back(10, 60, persists, 3600)
    if not persists:
        assert area == pytest.approx(2 * oracles.mixing_of_joins(60, 10))
    assert near([o.failed_requests for o in play(scenario, 20)], 1000 * 0.1 * area)


def test_going_back_from_mixed_versions_can_be_worse_than_finishing() -> None:
    """Noticed when all but nobody is on the old version: finishing harms no more, going back meets
    everything again."""
    scenario = bare(
        service="startup: 60s",
        defect=mixed(0.6, 3600),
        strategy="rolling: {batch: 1, surge: 1, max_unavailable: 0, mode: batch}",
        **noticed(1200),
    )
    assert {o.rollback_worse for o in play(scenario, 3)} == {1.0}


def coupled(order: str = "together", restore: str = "restore: 900s") -> dict[str, str]:
    """A schema that the code depends on: 300 s of migration, 60 s of it without writes."""
    inner = f"order: {order}, migrate: 300s, writes_blocked: 60s, {restore}"
    return {"change.schema": f"{{coupled: {{{inner}}}}}"}


NO_WAY_BACK = "restore: none"
WRITES = {"traffic": "writes: 20%"}


@pytest.mark.parametrize("order", ["together", "schema_first", "schema_last"])
def test_blocked_writes_fail(order: str) -> None:
    """A good switch: 60 s without writes, r x 20 % x 60 s; the migration's 300 s and the start's
    100 s count to the deployment, in whatever order."""
    scenario = given(coupled(order), service="startup: 100s", strategy=SWITCH, **WRITES)
    outcomes = play(scenario, 30, bad=False)
    assert near([o.failed_requests for o in outcomes], 1000 * 0.2 * 60)
    assert {o.time_to_deploy for o in outcomes} == {400.0}
    assert {o.corrupt_writes for o in outcomes} == {0.0}


def test_a_migration_inside_the_outage() -> None:
    """Everything stopped: the migration runs first, then the installation; all requests fail."""
    scenario = given(coupled(), service="install: 100s", strategy="big_bang: {}", **WRITES)
    outcomes = play(scenario, 30, bad=False)
    assert near([o.failed_requests for o in outcomes], 1000 * 400)
    assert {o.outage for o in outcomes} == {400.0}


def test_the_old_version_fails_on_the_new_schema() -> None:
    """Together: after the migration 90 % of the requests are still on the old version for the 600 s
    of the step, and all of them fail, although the release is good: r (0.2 x 60 + 0.9 x 600).
    With the schema first or last the same canary only blocks writes."""
    strategy = "canary: {steps: [{weight: 10%, bake: 600s}]}"
    together = play(given(coupled(), strategy=strategy, **WRITES), 30, bad=False)
    assert near([o.failed_requests for o in together], 1000 * (0.2 * 60 + 0.9 * 600))
    for order in ("schema_first", "schema_last"):
        kinder = play(given(coupled(order), strategy=strategy, **WRITES), 30, bad=False)
        assert near([o.failed_requests for o in kinder], 1000 * 0.2 * 60)


def test_users_of_the_old_version_meet_the_new_schema() -> None:
    """Nine of ten users stay on the old version for 600 s, six requests each: 0.9 (1 - e^-6), and
    not one of the tenth, if nobody writes."""
    scenario = given(
        coupled(),
        users="100k",
        traffic="sticky: true, writes: 0%",
        strategy="canary: {steps: [{weight: 10%, bake: 600s}]}",
    )
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.users_harmed == pytest.approx(oracles.users_harmed(6, 0.9, 1, True), rel=1e-9)


def test_a_restore_loses_the_writes_since_the_migration() -> None:
    """Switched right after the migration, seen after 600 s, decided 120 s later, restored in 900 s
    while everything goes on: r x 20 % x 1 620 s of writes are lost, and the defect harms until the
    restore is done."""
    scenario = given(coupled(), strategy=SWITCH, **noticed(600, 120), **WRITES)
    outcomes = play(scenario, 30)
    assert near([o.corrupt_writes for o in outcomes], 1000 * 0.2 * (600 + 120 + 900))
    exact = 1000 * 0.2 * 60 + oracles.atomic_switch(1000, 0.2, 600, 120 + 900)
    assert near([o.failed_requests for o in outcomes], exact)


def test_a_schema_that_goes_first_needs_no_restore() -> None:
    """The old version works with it: back at once, and no write is lost."""
    scenario = given(coupled("schema_first"), strategy=SWITCH, **noticed(600, 120), **WRITES)
    outcomes = play(scenario, 30)
    assert {o.corrupt_writes for o in outcomes} == {0.0}
    assert near(
        [o.failed_requests for o in outcomes],
        1000 * 0.2 * 60 + oracles.atomic_switch(1000, 0.2, 600, 120),
    )


def test_past_the_point_of_no_return_the_fix_is_waited_for() -> None:
    """No restore: the defect goes on until the fix (7 200 s) and one more deployment (start 100 s
    and migration 300 s) after the decision, r p (D + R + F + T); then the new version is right."""
    scenario = given(
        {**coupled(restore=NO_WAY_BACK), "response.fix": "7200s"},
        service="startup: 100s",
        strategy=SWITCH,
        **noticed(600, 120),
        **WRITES,
    )
    outcomes = play(scenario, 20)
    bad = oracles.atomic_switch(1000, 0.2, 600, 120 + 7200 + 400)
    assert near([o.failed_requests for o in outcomes], 1000 * 0.2 * 60 + bad)
    assert {o.time_to_value for o in outcomes} == {400.0 + 600 + 120 + 7200 + 400}
    assert {o.corrupt_writes for o in outcomes} == {0.0}
    assert {o.unresolved for o in outcomes} == {0.0}


def test_rolling_back_the_wrong_way_stops_everything() -> None:
    """Back at once to a version that cannot work with the schema: r p (D + R) before, and r x the
    fix's 7 200 s after the decision, five times as much a second."""
    scenario = given(
        {
            **coupled(restore=NO_WAY_BACK),
            "response.fix": "7200s",
            "response.point_of_no_return": "roll_back",
        },
        strategy=SWITCH,
        **noticed(600, 120),
        **WRITES,
    )
    outcomes = play(scenario, 20)
    exact = 1000 * 0.2 * 60 + oracles.atomic_switch(1000, 0.2, 600, 120) + 1000 * 7200
    assert near([o.failed_requests for o in outcomes], exact)
    assert {o.rollback_worse for o in outcomes} == {1.0}


def test_compatible_releases_take_their_time() -> None:
    """Three releases a day apart: 2 (T + 1 d) + T, here T = 1 900 s, and no harm."""
    scenario = given(
        {"change.schema": "{expand_contract: {releases: 3, apart: 1d}}"},
        service="startup: 100s",
        strategy="canary: {steps: [{weight: 10%, bake: 30m}]}",
    )
    single = bare(service="startup: 100s", strategy="canary: {steps: [{weight: 10%, bake: 30m}]}")
    time = play(single, 1, bad=False)[0].time_to_deploy
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == pytest.approx(2 * (time + 86_400) + time)
    assert outcome.failed_requests == 0


@pytest.mark.parametrize(
    ("strategy", "lock", "runs"),
    [
        (SWITCH, "false", 1),
        ("blue_green: {}", "false", 1),
        ("canary: {steps: [{weight: 10%}, {weight: 50%}]}", "false", 3),
        ("canary: {steps: [{weight: 10%}, {weight: 50%}]}", "true", 1),
        ("phased: {waves: [50%, 50%]}", "false", 2),
        ("rolling: {batch: 2, mode: batch, surge: 2}", "false", 5),
        ("rolling: {batch: 2, mode: batch, surge: 2}", "true", 1),
        ("immutable: {first: 1}", "false", 2),
    ],
)
def test_an_upgrade_routine_stops_everything(strategy: str, lock: str, runs: int) -> None:
    """Ten minutes without anybody serving before the first traffic, and once more for every further
    group of starts unless a lock prevents it: r x T each."""
    scenario = given({"change.upgrade_routine": f"{{takes: 10m, lock: {lock}}}"}, strategy=strategy)
    outcomes = play(scenario, 10, bad=False)
    assert near([o.failed_requests for o in outcomes], 1000 * 600 * runs)
    assert {o.outage for o in outcomes} == {600.0 * runs}


def test_a_routine_inside_the_outage() -> None:
    """Everything is stopped anyway: installation and routine one after the other, once."""
    scenario = given(
        {"change.upgrade_routine": "{takes: 10m, lock: false}"},
        service="install: 90s",
        strategy="big_bang: {}",
    )
    outcomes = play(scenario, 10, bad=False)
    assert near([o.failed_requests for o in outcomes], 1000 * 690)
    assert {o.time_to_deploy for o in outcomes} == {690.0}


def test_an_announced_stop_is_no_alarm() -> None:
    """The routine's ten minutes and a migration's blocked writes are harm, and no detector counts
    them."""
    for key, words in (
        ("change.upgrade_routine", "{takes: 10m, lock: true}"),
        ("change.schema", coupled()["change.schema"]),
    ):
        scenario = given(
            {key: words},
            strategy=SWITCH,
            detection="alarms: [{watch: service, above: 0.1%}, {watch: old, above: 0.1%}]",
            **WRITES,
        )
        for outcome in play(scenario, 5, bad=False):
            assert outcome.outcome == "deployed"
            assert outcome.failed_requests > 0


@pytest.mark.parametrize("weight", [0.05, 0.5])
def test_the_second_writer_fails(weight: float) -> None:
    """While both serve, r w x 20 % of writes fail on the new version; once it is alone none do."""
    steps = f"[{{weight: {100 * weight:g}%, bake: 600s}}]"
    scenario = given(
        {"change.single_writer": "true"}, strategy=f"canary: {{steps: {steps}}}", **WRITES
    )
    outcomes = play(scenario, 30, bad=False)
    assert near([o.failed_requests for o in outcomes], 1000 * weight * 0.2 * 600)
    switch = given({"change.single_writer": "true"}, strategy=SWITCH, **WRITES)
    assert {o.failed_requests for o in play(switch, 5, bad=False)} == {0}


def test_copies_that_write_are_seen_and_harm_nobody() -> None:
    """In parallel the new version's 20 % of writes fail: an alarm on it sees them, a good release
    is rolled back, and nobody was harmed."""
    scenario = given(
        {"change.single_writer": "true"},
        strategy="parallel_adoption: {overlap: 1h}",
        detection="alarms: [{watch: new, above: 5%, phase: aligned}]",
        **WRITES,
    )
    outcomes = play(scenario, 10, bad=False)
    assert {o.outcome for o in outcomes} == {"false_alarm"}
    assert {o.failed_requests for o in outcomes} == {0}


def test_licences_cost() -> None:
    """Twenty instances at once with 15 licences, 100 each: 500; none for those that are enough."""
    costs = []
    for licences in (15, 20):
        scenario = given(
            {"change.licences": str(licences), "costs.licence": "100"}, strategy="blue_green: {}"
        )
        (outcome,) = play(scenario, 1, bad=False)
        costs.append(outcome.extra_cost)
    assert costs == [500, 0]


@pytest.mark.parametrize(
    ("also", "bad", "numbers", "fine"),
    [
        ({"change.licences": "15"}, "blue_green: {}", ("20", "15"), "big_bang: {}"),
        (coupled(), "canary: {steps: [{weight: 10%, bake: 1h}]}", ("1h",), "big_bang: {}"),
        (
            {"change.single_writer": "true"},
            "parallel_adoption: {overlap: 2h}",
            ("2h",),
            SWITCH,
        ),
        (
            {"change.upgrade_routine": "{takes: 10m, lock: false}"},
            "phased: {waves: [50%, 50%]}",
            ("10m", "2"),
            "big_bang: {}",
        ),
    ],
    ids=["licences", "schema", "one writer", "routine"],
)
def test_what_cannot_be_honoured_is_said_in_numbers(
    also: dict[str, str], bad: str, numbers: tuple[str, ...], fine: str
) -> None:
    """A rehearsal says why, and it is played all the same."""
    scenario = given(also, strategy=bad)
    found = rehearse(scenario, next(iter(scenario.strategies)))
    assert not found.suitable
    assert all(number in " ".join(found.reasons) for number in numbers)
    assert play(scenario, 1, bad=False)[0].outcome == "deployed"
    scenario = given(also, strategy=fine)
    assert rehearse(scenario, next(iter(scenario.strategies))).suitable


def test_mixing_of_a_ramp_is_a_third_of_it() -> None:
    """Integral of 2w(1 - w) along a ramp of length T: T/3; steps of 1/n come close with 1/n^2."""
    off = []
    for steps in (10, 100):
        words = f"linear: {{step: {100 / steps:g}%, every: {3600 / steps:g}s}}"
        (outcome,) = play(bare(strategy=words), 1, bad=False)
        off.append(abs(outcome.mixing - 1200) / 1200)
    assert all(b < a / 50 for a, b in pairwise(off))
    assert np.isclose(off[0], 1 / 100, rtol=0.01)


def _lost_by_lag(strategy: str, lag: str, count: int = 20) -> float:
    """Mean corrupt writes of a defect of no writes, noticed 5 minutes after its first harm."""
    scenario = bare(
        strategy=strategy,
        service="startup: 60s",
        traffic="writes: 20%",
        rate="rate: 300 rps",
        detection="noticed: {after: 5m}",
    ).with_("change.replication_lag", lag)
    return float(np.mean([outcome.corrupt_writes for outcome in play(scenario, count)]))


@pytest.mark.parametrize(("lag", "seconds"), [("45s", 45.0), ("7s", 7.0), ("20m", 300.0)])
def test_a_rollback_loses_what_the_other_store_has_not_got(lag: str, seconds: float) -> None:
    """r writes min(lag, time since the switch), within 4 standard errors (20 counts)."""
    exact = 300 * 0.2 * seconds
    found = _lost_by_lag("blue_green: {smoke: none}", lag)
    assert abs(found - exact) < 4 * math.sqrt(exact / 20)


def test_a_canary_loses_its_part_of_them() -> None:
    """10 % for 3 minutes and the minute in which more instances start, then 30 % until it is found
    after 5: with a lag of 4 minutes 0.1 x 180 + 0.3 x 60 s."""
    steps = "[{weight: 10%, bake: 3m}, {weight: 30%, bake: 30m}]"
    found = _lost_by_lag(f"canary: {{steps: {steps}}}", "4m")
    exact = 300 * 0.2 * (0.1 * 180 + 0.3 * 60)
    assert abs(found - exact) < 4 * math.sqrt(exact / 20)


def test_nothing_is_lost_with_one_store_or_before_there_was_traffic() -> None:
    assert _lost_by_lag("blue_green: {smoke: none}", "none") == 0
    assert _lost_by_lag("blue_green: {smoke: {for: 1h, catches: 100%}}", "1h") == 0
