"""Working hours and freezes of a week."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.words.calendar import Calendar
from simulator.words.clock import DAY, WEEK
from simulator.words.reading import ScenarioError, loads

HOUR = 3600.0
OFFICE = Calendar.model_validate(
    {"work": "Mon-Fri 09:00-17:00", "freeze": [{"from": "Fri 12:00", "to": "Mon 08:00"}]}
)
BASE = """
version: 1
profile: bare
service: {instances: 4, capacity: 100 rps, connections: {each: 10, max: 80}}
traffic: {rate: 100 rps, users: 10k, start_at: "Tue 16:00"}
strategies: {it: {kind: canary, steps: [{weight: 5%, bake: 2h}, {weight: 50%, bake: 4h}]}}
"""


@pytest.mark.parametrize(
    ("moment", "work_only", "opens"),
    [
        (1 * DAY + 10 * HOUR, True, 1 * DAY + 10 * HOUR),
        (1 * DAY + 17 * HOUR, True, 2 * DAY + 9 * HOUR),
        (1 * DAY + 20 * HOUR, False, 1 * DAY + 20 * HOUR),
        (4 * DAY + 12 * HOUR, False, WEEK + 8 * HOUR),
        (4 * DAY + 12 * HOUR, True, WEEK + 9 * HOUR),
        (6 * DAY, True, WEEK + 9 * HOUR),
        (WEEK + 3 * HOUR, False, WEEK + 8 * HOUR),
    ],
)
def test_a_step_waits_for_the_next_moment_that_is_allowed(
    moment: float, work_only: bool, opens: float
) -> None:
    assert OFFICE.opens(moment, work_only) == opens


def test_several_working_hours_are_told_with_commas() -> None:
    office = Calendar.model_validate(
        {"work": "Mon-Thu 13:00-17:30, Mon-Thu 09:00-12:00, Fri 09:00-14:00"}
    )
    assert office.opens(12.5 * HOUR, True) == 13 * HOUR
    assert office.opens(4 * DAY + 14 * HOUR, True) == WEEK + 9 * HOUR
    assert office.worked(11 * HOUR, 2 * HOUR) == 14 * HOUR  # lunch is not worked through
    assert office.worked(4 * DAY + 13 * HOUR, 2 * HOUR) == WEEK + 10 * HOUR
    assert office.longest_wait(True) == WEEK + 9 * HOUR - (4 * DAY + 14 * HOUR)


def test_hours_that_touch_are_one_span() -> None:
    shifts = Calendar.model_validate({"work": "Mon-Sun 12:00-24:00, Mon-Sun 00:00-12:00"})
    assert shifts.spans == ((0.0, WEEK),)
    assert shifts.worked(3 * DAY, 3 * DAY) == 6 * DAY


@given(st.floats(0, 3 * WEEK), st.booleans())
def test_what_opens_is_open_and_the_first_such_moment(moment: float, work_only: bool) -> None:
    opens = OFFICE.opens(moment, work_only)
    assert moment <= opens <= moment + 3 * DAY
    assert OFFICE.opens(opens, work_only) == opens
    if work_only:
        assert OFFICE.working(opens)
    between = moment + (opens - moment) / 2
    assert opens - between < 1e-3 or OFFICE.opens(between, work_only) == pytest.approx(opens)


@pytest.mark.parametrize(
    "words",
    [
        {"work": "9 to 5"},
        {"work": "Mon-Fri 17:00-09:00"},
        {"work": "Fri-Mon 09:00-17:00"},
        {"work": "Mon-Fri 09:00-17:00, Wed 12:00-18:00"},
        {"work": "Mon-Fri 09:00-17:00,"},
        {"work": "Mon-Fri 09:00-17:00", "freeze": [{"from": "Mon 00:00", "to": "Sun 23:59"}]},
        {"work": "Mon-Fri 09:00-17:00", "freeze": [{"from": "noon", "to": "Mon 08:00"}]},
    ],
)
def test_a_calendar_that_never_opens_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Calendar.model_validate(words)


def test_a_store_without_room_for_two_fleets_is_found_before_anything_is_simulated() -> None:
    import simulator as ds

    assert ds.rehearse(loads(BASE), "it").suitable
    tight = loads(BASE).with_("service.connections", "{each: 10, max: 79}")
    assert ds.rehearse(tight, "it").reasons == ("needs 80 connections, the store takes 79",)
    with pytest.raises(ScenarioError, match="4 instances hold 40 connections"):
        tight.with_("service.connections", "{each: 10, max: 39}")


def test_steps_wait_for_office_hours_and_a_rollback_does_not() -> None:
    import simulator as ds

    office = loads(BASE).with_("strategies.it.only_in", "work")
    plan = ds.rehearse(office, "it")
    waits = [entry.detail for entry in plan.journal if entry.verb == "wait for hours"]
    assert waits == [15 * HOUR]
    assert plan.duration == 21 * HOUR
    frozen = loads(BASE).with_("calendar", '{freeze: [{from: "Tue 17:30", to: "Wed 06:00"}]}')
    assert ds.rehearse(frozen, "it").duration == 18 * HOUR
    bad = office.with_("change.defects", "[{kind: errors, rate: 20%}]").with_(
        "detection.noticed", "{after: 6h}"
    )
    told = ds.replay(bad, "it", 1, 0, "errors")
    done = {entry.verb: entry.time for entry in told.journal}
    assert done["roll back"] == pytest.approx(6 * HOUR, abs=60)
    assert done["rolled back"] == pytest.approx(6 * HOUR, abs=60)


def test_a_strategy_that_takes_longer_than_the_next_release_cannot_keep_up() -> None:
    import simulator as ds

    daily = loads(BASE).with_("change.every", "5h")
    assert ds.rehearse(daily, "it").reasons[0].startswith("cannot keep up: finished after 6h")
    assert ds.rehearse(loads(BASE).with_("change.every", "7h"), "it").suitable


def test_every_stop_that_is_not_graceful_loses_its_share_of_the_requests() -> None:
    import simulator as ds

    rolling = loads(BASE).with_("strategies.it", "{kind: rolling, batch: 1, surge: 1}")
    abrupt = rolling.with_("service.ungraceful", "3s")
    found = ds.compare(abrupt, replications=400, seed=3).risk()["it"].given_good
    expected = 4 * 3 * 100 / 5  # four stops, each one of five instances in service
    mean = found.failed_requests.mean
    assert mean.value == pytest.approx(expected, abs=4 * (expected / 400) ** 0.5)
    shifted = abrupt.with_("strategies.it", "{kind: canary, steps: [{weight: 5%, bake: 2h}]}")
    assert ds.compare(shifted, 20).risk()["it"].given_good.failed_requests.mean.value == 0
