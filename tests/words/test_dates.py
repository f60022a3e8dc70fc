"""Calendars with dates and time zones, and approvals in working hours."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simulator as ds
from simulator.words.calendar import Calendar
from simulator.words.clock import DAY, WEEK, Clock, date_seconds, zone_named
from simulator.words.reading import ScenarioError, loads
from simulator.words.scenario import Scenario
from simulator.words.writing import dump
from tests.play.playing import bare, play
from tests.words.files import FIVE_LINES

HOUR = 3600.0
BERLIN = ZoneInfo("Europe/Berlin")
TEXT = """\
version: 1
profile: bare
service: {{instances: 4, capacity: 100 rps, startup: 0s}}
traffic: {{rate: 100 rps, users: 10k, start_at: {start}}}
calendar: {{{calendar}}}
strategies: {{it: {{kind: canary, {only}steps: [{steps}]}}}}
"""


def dated(start: str, calendar: str, steps: str, only: str = "only_in: work, ") -> Scenario:
    return loads(TEXT.format(start=start, calendar=calendar, steps=steps, only=only))


def waits(scenario: Scenario) -> list[tuple[float, float]]:
    """(when, how long) the rehearsed script waits for hours."""
    journal = ds.rehearse(scenario, "it").journal
    return [(e.time, e.detail) for e in journal if e.verb == "wait for hours"]


TWO = "{weight: 5%, bake: 4h}, {weight: 50%, bake: 1h}"


@pytest.mark.parametrize(
    ("start", "zone", "expected"),
    [
        ("2026-03-27 15:00", "Europe/Berlin", 61.0),  # forward in the night to Sunday
        ("2026-10-23 15:00", "Europe/Berlin", 63.0),  # back
        ("2026-03-27 15:00", "UTC", 62.0),
        ("2026-03-27 15:00", "Asia/Tokyo", 62.0),
        ("2026-05-08 15:00", "Europe/Berlin", 62.0),
    ],
)
def test_a_weekend_is_an_hour_shorter_when_clocks_are_put_forward(
    start: str, zone: str, expected: float
) -> None:
    """Friday 19:00 until Monday 9:00 are 62 h, in the weekend of the change 61 or 63."""
    scenario = dated(start, f"timezone: {zone}", TWO)
    assert waits(scenario) == [(4 * HOUR, expected * HOUR)]
    assert ds.rehearse(scenario, "it").duration == (4 + expected + 1) * HOUR
    assert loads(dump(scenario)).canonical() == scenario.canonical()


@pytest.mark.parametrize(
    ("freeze", "opens"),
    [
        ("from: 2026-12-24, to: 2027-01-02", "2027-01-04 09:00"),
        ("from: 2026-12-24, to: 2026-12-27", "2026-12-28 09:00"),
        ("from: 2026-12-24 12:00, to: 2026-12-28 11:30", "2026-12-28 11:30"),
        ("from: 2026-12-24, to: 2026-12-28 06:00", "2026-12-28 09:00"),
    ],
)
def test_a_freeze_by_date_has_all_hours_of_its_last_day(freeze: str, opens: str) -> None:
    """From Wednesday 23 December 15:00 the second step is due at 19:00."""
    scenario = dated("2026-12-23 15:00", f"freeze: [{{{freeze}}}]", TWO)
    due = datetime(2026, 12, 23, 19)
    wait = (datetime.fromisoformat(opens) - due).total_seconds()
    if "12:00" in freeze:  # Thursday morning is free
        wait = 14 * HOUR
    assert waits(scenario) == [(4 * HOUR, wait)]
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == 5 * HOUR + wait


def test_a_trace_knows_its_date_in_utc(tmp_path: Path) -> None:
    """The trace begins on Friday 27 March 2026 at 14:00 UTC: 15:00 in Berlin, 23:00 in Tokyo."""
    rows = "".join(f"2026-03-27T{hour}:00:00,6000\n" for hour in (14, 15, 16))
    (tmp_path / "load.csv").write_text("timestamp,value\n" + rows)
    text = TEXT.format(start="none", calendar="timezone: ZONE", steps=TWO, only="only_in: work, ")
    text = text.replace("rate: 100 rps", "trace: {file: load.csv, per: 1m}")
    text = text.replace(", start_at: none", "")
    found = {}
    for zone in ("Europe/Berlin", "Asia/Tokyo"):
        path = tmp_path / "it.yaml"
        path.write_text(text.replace("ZONE", zone))
        found[zone] = waits(ds.load(path))
    assert found["Europe/Berlin"] == [(4 * HOUR, 61 * HOUR)]
    assert found["Asia/Tokyo"] == [(0.0, 58 * HOUR)]


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.floats(0, 60 * DAY))
def test_the_wall_clock_is_that_of_the_zone(start: datetime, t: float) -> None:
    """The same as adding seconds in UTC; and what the clock shows comes when it is said to."""
    start = start.replace(second=0, microsecond=0)
    clock = Clock(date_seconds(start.isoformat(" ", "minutes")), BERLIN)
    begun = start.replace(tzinfo=BERLIN).timestamp()
    shown = datetime.fromtimestamp(begun + t, BERLIN)
    plain = (shown.replace(tzinfo=None) - datetime(1969, 12, 29)).total_seconds()
    assert clock.wall(t) == pytest.approx(plain, abs=1e-5)
    assert clock.wall(t + clock.until(plain + DAY, t)) - plain - DAY in (
        pytest.approx(0, abs=1e-3),
        pytest.approx(HOUR, abs=1e-3),  # an hour that there is not
    )


APPROVE = "{weight: 5%, bake: 1h, approve: 30m}"


@pytest.mark.parametrize(
    ("start", "calendar", "after"),
    [
        ("Tue 10:00", "work: Mon-Fri 09:00-17:00", 1.5),
        ("Tue 15:45", "work: Mon-Fri 09:00-17:00", 1.25 + 16 + 0.25),  # 15 min today, 15 tomorrow
        ("Tue 20:00", "work: Mon-Fri 09:00-17:00", 13.5),  # asked outside: from 9:00 on
        ("Fri 16:00", "work: Mon-Fri 09:00-17:00", 65.5),  # asked as the office closes
        ("Sat 12:00", "work: Sat-Sun 10:00-14:00", 1.5),
        ("Tue 20:00", "", 1.5),  # nobody has said when people work
        ("2026-10-23 16:15", "timezone: Europe/Berlin, work: Mon-Fri 09:00-17:00", 65.25 + 1),
    ],
)
def test_an_approval_takes_working_time(start: str, calendar: str, after: float) -> None:
    scenario = dated(start, calendar, APPROVE, only="")
    (outcome,) = play(scenario, 1, bad=False)
    assert outcome.time_to_deploy == after * HOUR


def test_a_freeze_stops_no_approval_but_the_step_after_it() -> None:
    calendar = 'work: Mon-Fri 09:00-17:00, freeze: [{from: "Tue 11:00", to: "Tue 16:00"}]'
    scenario = dated("Tue 10:00", calendar, APPROVE, only="")
    journal = ds.rehearse(scenario, "it").journal
    approved = next(entry.time for entry in journal if entry.verb == "approved")
    assert approved == 6.5 * HOUR  # asking for it is a step: at 16:00


@given(st.floats(0, 2 * WEEK), st.floats(1, 3 * WEEK))
def test_working_time_is_what_lies_in_working_hours(moment: float, seconds: float) -> None:
    """The working time between asking and answering, span by span, is what the answer takes."""
    calendar = Calendar.model_validate({"work": "Mon-Fri 09:00-17:00"})
    done = calendar.worked(moment, seconds)
    spans = [(w * WEEK + a, w * WEEK + b) for w in range(30) for a, b in calendar.spans]
    within = sum(max(min(b, done) - max(a, moment), 0.0) for a, b in spans)
    assert within == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("calendar", "work_only", "hours"),
    [
        ("{}", True, 64),
        ("{freeze: [{from: Fri 12:00, to: Mon 12:00}]}", True, 72),
        ("{freeze: [{from: Fri 12:00, to: Mon 12:00}]}", False, 72),
        ("{freeze: [{from: 2026-12-24, to: 2027-01-02}]}", False, 240),
        ("{freeze: [{from: 2026-12-24, to: 2027-01-02}]}", True, 11 * 24 + 16),
    ],
)
def test_the_longest_wait(calendar: str, work_only: bool, hours: float) -> None:
    """Wednesday 17:00 until Monday 4 January 9:00 with the freeze in between: 11 d 16 h."""
    scenario = bare(traffic="start_at: 2026-12-01 10:00").with_("calendar", calendar)
    assert scenario.calendar.longest_wait(work_only) == hours * HOUR


def test_pages_are_slower_outside_the_hours_of_the_zone() -> None:
    """Saturday 28 March 2026, 16:30: the next Monday's office opens 39.5 h later. Noticed 39 h or
    40 h after the first harm, decided after 10 min or three times as long."""
    scenario = bare(
        traffic="start_at: 2026-03-28 16:30",
        detection="noticed: {after: AFTER}".replace("AFTER", "39h"),
        response="page: {decide: 10m, off_hours: 3}",
    ).with_("calendar.timezone", "Europe/Berlin")
    for after, takes in (("39h", 1800.0), ("40h", 600.0)):
        words = scenario.with_("detection.noticed.after", after).with_("follow_up", "3d")
        (outcome,) = play(words, 1)
        assert outcome.exposure_time == float(after[:-1]) * HOUR + takes


@pytest.mark.parametrize(
    ("start", "calendar", "path", "says"),
    [
        ("Tue 10:00", "timezone: Europe/Berln", "calendar.timezone", "did you mean Europe/Berlin?"),
        (
            "Tue 10:00",
            "freeze: [{from: 2026-12-24, to: 2027-01-02}]",
            "calendar",
            "needs a start with a date: write e.g. traffic: {start_at: 2026-12-23 10:00}",
        ),
        (
            "2026-12-01 10:00",
            "freeze: [{from: 2027-01-02, to: 2026-12-24}]",
            "calendar.freeze[0]",
            "the freeze ends before it begins: exchange from and to",
        ),
        (
            "2026-12-01 10:00",
            "freeze: [{from: 2026-12-24, to: Mon 08:00}]",
            "calendar.freeze[0]",
            "either both weekly times or both dates",
        ),
        (
            "2026-12-01 10:00",
            "freeze: [{from: 2026-12-24, to: 2026-13-01}]",
            "calendar.freeze[0]",
            "'2026-13-01' is a day or a time that there is not",
        ),
        ("2026-12-01 25:00", "", "traffic", "is a day or a time that there is not"),
        ("2026-12", "", "traffic", "'2026-12' is not a date: write e.g. 2026-12-24 or"),
        (
            "2026-03-29 02:30",
            "timezone: Europe/Berlin",
            "calendar",
            "clocks in Europe/Berlin never show 2026-03-29 02:30",
        ),
        (
            "Tue 10:00",
            "work: Mon-Fri 09:00-17:00, freeze: [{from: Mon 00:00, to: Sun 23:59}]",
            "calendar",
            "its freezes leave no working hour: shorten them",
        ),
    ],
)
def test_calendars_that_cannot_be(start: str, calendar: str, path: str, says: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        dated(start, calendar, TWO)
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == (path, 4 if path == "traffic" else 5)
    assert says in problem.message


@pytest.mark.parametrize("words", ["none", "{}"])
def test_no_calendar_is_one_of_usual_hours(words: str) -> None:
    scenario = bare().with_("calendar", words)
    assert scenario.calendar == Calendar()
    assert scenario.calendar.working(DAY + 10 * HOUR)
    assert not scenario.calendar.working(DAY + 8 * HOUR)


def test_what_of_a_calendar_is_without_effect_is_noted() -> None:
    (note,) = dated("Tue 10:00", "timezone: Europe/Berlin", TWO).notes
    assert note.startswith("calendar.timezone is without effect: traffic.start_at has no date")
    freeze = "freeze: [{from: 2025-12-24, to: 2026-01-02}]"
    (note,) = dated("2026-03-01 10:00", freeze, TWO).notes
    assert note == "the freeze to 2026-01-02 is over when the deployment begins"
    assert dated("2026-01-02 23:00", freeze, TWO).notes == ()


def test_a_plan_that_waits_for_hours_shows_the_wall_clock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from simulator.cli.app import run

    for start, shown in (("Fri 15:00", "Mon 09:00"), ("2026-12-18 15:00", "Mon 2026-12-21 09:00")):
        path = tmp_path / "it.yaml"
        path.write_text(TEXT.format(start=start, calendar="", steps=TWO, only="only_in: work, "))
        with pytest.raises(SystemExit):
            run(["rehearse", str(path)])
        assert f"{shown}  shift 50 % of the traffic" in capsys.readouterr().out


def test_an_unknown_zone_is_refused_and_others_are_not() -> None:
    assert zone_named("Europe/Berlin") == BERLIN
    for name in ("Mars", "Europe", "../etc/passwd", "/etc/passwd", "", "europe/berlin?"):
        with pytest.raises(ValueError, match="no time zone is called"):
            zone_named(name)


def test_a_step_after_a_long_freeze_is_not_cut_off() -> None:
    """The rehearsal ends just before the freeze; a start that takes longer falls into it, and waits
    ten days more."""
    scenario = loads(
        TEXT.format(
            start="2026-12-23 18:30",
            calendar="freeze: [{from: 2026-12-24, to: 2027-01-02}]",
            steps="{weight: 5%, bake: 3h}",
            only="",
        )
    )
    scenario = scenario.with_("service.start_failure", "{probability: 0%, timeout: 2h}")
    scenario = scenario.with_("service.startup", "{uniform: {low: 0s, high: 100m}}")
    assert ds.rehearse(scenario, "it").duration < 5.5 * HOUR
    outcomes = play(scenario, 30, bad=False)
    late = [o.time_to_deploy for o in outcomes if o.time_to_deploy > 5 * DAY]
    assert 0 < len(late) < 30
    waited = (datetime(2027, 1, 3) - datetime(2026, 12, 23, 18, 30)).total_seconds()
    assert all(-1e-3 < time - waited <= 6000 for time in late), late


def test_only_weekends_are_free() -> None:
    """A week without working hours needs a free hour only; who waits for work is told."""
    text = "calendar: {freeze: [{from: Sun 20:00, to: Sat 20:00}]}\n"
    assert loads(FIVE_LINES + text).calendar.opens(0.0, False) == 5 * DAY + 20 * 3600
    with pytest.raises(ScenarioError, match="freezes leave no working hour"):
        loads(FIVE_LINES.replace("canary: {}", "canary: {only_in: work}") + text)
    with pytest.raises(ScenarioError, match="freezes leave no hour of the week"):
        loads(FIVE_LINES + "calendar: {freeze: [{from: Mon 00:00, to: Mon 00:00}]}\n")
