"""What waves of cells and zones must come to."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest

import simulator as ds
from simulator.play.rehearsal import gates, rehearse
from simulator.words.scenario import Scenario
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play

CELLS = "cells: [{name: small, share: 10%}, {name: east, share: 30%}, {name: west, share: 60%}]"
ALARM = "alarms: [{above: 2%, minimum_requests: 20, delay: 30s}]"
HOUR = 3600.0


@pytest.mark.parametrize("within", ["", ", within: {kind: rolling, batch: 1}"])
def test_waves_by_cells_harm_as_waves_of_as_many_users_do(within: str) -> None:
    """The same shares in the same order: all that differs are the names of the steps."""
    words = {
        "service": f"startup: {{exponential: {{mean: 60s}}}}, {CELLS}",
        "detection": ALARM,
        "defect": "{kind: errors, rate: {lognormal: {median: 3%, p95: 50%}}}",
        "users": "20k",
    }
    users = play(bare(strategy=f"phased: {{waves: [10%, 30%, 60%]{within}}}", **words), 40)
    cells = play(bare(strategy=f"phased: {{by: cells{within}}}", **words), 40)
    assert any(0 < outcome.users_harmed < 1 for outcome in users)
    for one, other in zip(users, cells, strict=True):
        assert one._replace(caught_at="") == pytest.approx(
            other._replace(caught_at=""), nan_ok=True
        )
    assert {outcome.caught_at for outcome in cells} <= {"small", "east", "west", "after", "never"}
    assert "small" in {outcome.caught_at for outcome in cells}


@pytest.mark.parametrize(("after", "moved"), [(1800, 0.1), (3600 + 1800, 0.4)])
def test_a_defect_met_while_a_wave_is_watched_harms_the_cells_that_have_moved(
    after: int, moved: float
) -> None:
    """1000 rps of 10 000 users, every request on new fails: a user on new for half an hour makes
    180, so that all of those cells are harmed and nobody else. Exposure is the sum over the cells
    of share x time: 0.1 x 1800 s, or 0.1 x 5400 + 0.3 x 1800 s."""
    scenario = bare(
        users="10k",
        service=CELLS,
        defect="{kind: errors, rate: 100%}",
        strategy="phased: {by: cells, bake: 1h}",
        **noticed(after),
    )
    outcomes = play(scenario, 20)
    exposure = {0.1: 180.0, 0.4: 540.0 + 540.0}[moved]
    assert [o.users_harmed for o in outcomes] == pytest.approx([moved] * 20, abs=1e-12)
    assert [o.exposure_time for o in outcomes] == pytest.approx([exposure] * 20)
    assert near([o.failed_requests for o in outcomes], 1000 * exposure)


def test_users_meet_every_zone() -> None:
    """One of four zones is new for 30 min: each user's requests fall into it by chance, so that of
    0.1 x 1800 requests a user a quarter of 2 % fails: 1 - e^(-0.9) are harmed, not a quarter."""
    scenario = bare(
        users="10k",
        service="zones: 4",
        defect="{kind: errors, rate: 2%}",
        strategy="phased: {by: zones, bake: 1h}",
        **noticed(1800),
    )
    harmed = [o.users_harmed for o in play(scenario, 5)]
    assert harmed == pytest.approx([1 - math.exp(-0.9)] * 5)


def test_shares_of_a_rolling_update_are_of_the_wave() -> None:
    """A third of the 30 instances of a cell at a time, exponential starts of 60 s: a window of k
    over n has the mean m (n - k)/k + m H_k, 60 x 2 + 60 x H_10 = 295.7 s; 30 more instances of the
    other cell as well."""
    cells = "cells: [{name: a, share: 50%}, {name: b, share: 50%}]"
    scenario = bare(
        instances=60,
        service=f"startup: {{exponential: {{mean: 60s}}}}, {cells}",
        strategy="phased: {by: cells, bake: 0s, within: {kind: rolling, batch: 33%, surge: 33%}}",
    )
    expected = 60 * 2 + 60 * sum(1 / k for k in range(1, 11))
    assert near([o.time_to_deploy for o in play(scenario, 600, bad=False)], 2 * expected)


@pytest.mark.parametrize(
    ("within", "at_once"),
    [
        ("kind: kubernetes_rolling, max_surge: 25%, max_unavailable: 0", (1, 9)),
        ("kind: ecs_rolling, minimum_healthy: 100%, maximum: 150%", (2, 18)),
        ("kind: rate_controlled, concurrency: 50%", (2, 18)),
        ("kind: rolling, batch: 50%", (2, 18)),
    ],
)
def test_so_are_those_of_controllers(within: str, at_once: tuple[int, int]) -> None:
    """A Deployment, or service, of 4 instances and one of 36; a quarter, or half, at once."""
    cells = "startup: 60s, cells: [{name: a, share: 10%}, {name: b, share: 90%}]"
    strategy = f"phased: {{by: cells, within: {{{within}}}}}"
    journal = rehearse(bare(instances=40, service=cells, strategy=strategy), "phased").journal
    rolls = [entry.detail[-1] for entry in journal if entry.verb in ("roll", "run on targets")]
    assert tuple(rolls) == at_once


def by_the_clock(start: datetime, waves: int, move: timedelta) -> datetime:
    """When a deployment by Amazon's schedule is over: each step begins in office hours."""
    now = start
    for number in range(waves):
        for bake in (1, 3 if number else 12):
            while now.weekday() > 4 or not 9 <= now.hour < 17:
                now = (now + timedelta(hours=1)).replace(minute=0, second=0)
            now += move + timedelta(hours=bake)
    return now


@pytest.mark.parametrize(("count", "days"), [(6, 4), (7, 4), (8, 5), (9, 5)])
def test_a_deployment_in_waves_takes_four_or_five_business_days(count: int, days: int) -> None:
    """Six to nine waves, 10 min for each move: 12 h after the first, 1 + 3 h after each later one,
    and no step begins outside Mon-Fri 9-17. Amazon: "about four or five business days"."""
    cells = ", ".join(f"{{name: c{n}, share: {100 / count}%}}" for n in range(count))
    scenario = bare(
        instances=90,
        service=f"startup: 10m, cells: [{cells}]",
        traffic="start_at: Mon 09:00",
        strategy="phased: {by: cells, schedule: amazon}",
    )
    found = rehearse(scenario, "phased")
    start = datetime(2026, 6, 1, 9)
    over = by_the_clock(start, count, timedelta(minutes=10))
    assert found.duration == (over - start).total_seconds()
    assert (over - start).days + 1 == days


@pytest.mark.parametrize("within", ["kind: rolling, batch: 50%", "kind: immutable"])
def test_a_rehearsal_names_waves_by_their_cells(within: str) -> None:
    scenario = bare(
        service=f"startup: 1m, {CELLS}",
        detection=ALARM,
        strategy="phased: {by: cells, waves: [{cells: [small]}, {cells: [east, west]}], "
        f"within: {{{within}}}}}",
    )
    seen = gates(scenario, "phased")
    assert [gate.phase for gate in seen] == ["small", "east + west", "watch"]
    assert [gate.weight for gate in seen] == pytest.approx([0.1, 1.0, 1.0])
    assert [gate.requests for gate in seen[:2]] == pytest.approx([180_000, 1_800_000])
    told = [text for _, text in ds.replay(scenario, "phased").story()]
    assert told[0] == "next wave: small (10 %)"


def gentle(bake: str) -> Scenario:
    """Waves of cells that begin shortly before the office closes."""
    return bare(
        service=f"{CELLS}, startup: 10m",
        traffic="start_at: Fri 16:30",
        strategy=f"phased: {{by: cells, only_in: work, bake: {bake}}}",
    )


@pytest.mark.parametrize(
    "inner",
    [
        "phased: {bake: 1h, within: {kind: rolling, only_in: work}}",
        "feature_flag: {steps: [], ship: {kind: phased, by: cells, schedule: amazon}}",
    ],
)
def test_a_strategy_keeps_to_the_hours_of_what_is_inside_it(inner: str) -> None:
    scenario = bare(instances=99, service=CELLS, traffic="start_at: Fri 16:30", strategy=inner)
    (name,) = scenario.strategies
    waits = [e.time for e in rehearse(scenario, name).journal if e.verb == "wait for hours"]
    assert waits[0] == HOUR


def test_a_judge_gives_its_verdict_at_night() -> None:
    """The bake from 15:00 is over at 19:00, and so is the release; the next step would wait."""
    scenario = bare(
        traffic="start_at: Tue 15:00",
        detection="judge: {above: 2%}",
        strategy="canary: {only_in: work, steps: [{weight: 50%, bake: 4h}]}",
    )
    (outcome,) = play(scenario, 1)
    assert (outcome.caught_by, outcome.time_to_detect) == ("judge", 4 * HOUR)


@pytest.mark.parametrize("bake", ["1h", "5m"])
def test_watching_begins_when_a_wave_has_moved_whatever_the_hour(bake: str) -> None:
    """Friday 16:30: the first wave has moved at 16:40 and is watched; the next one waits for Monday
    9:00. With 5 min the second begins at 16:45 and is moved and watched by 17:00."""
    plan = rehearse(gentle(bake), "phased")
    waits = [(e.time, e.detail) for e in plan.journal if e.verb == "wait for hours"]
    first = 600 + (HOUR if bake == "1h" else 600 + 2 * 300)
    assert waits == [(first, 64.5 * HOUR - first)]
    rest = 2 * (600 + HOUR) if bake == "1h" else 600 + 300
    assert plan.duration == 64.5 * HOUR + rest


def test_shares_of_cells_that_do_not_add_up_in_binary_are_whole_at_the_last_gate() -> None:
    """33 + 33 + 34 % with busy hours of their own: no gate has more than all requests."""
    cells = "{name: eu, share: 33%, peak_at: 14:00}, {name: us, share: 33%, peak_at: 20:00}"
    scenario = bare(
        service=f"cells: [{cells}, {{name: asia, share: 34%, peak_at: 06:00}}]",
        rate="daily: {mean: 500 rps, peak: 900 rps, peak_at: 14:00}",
        strategy="phased: {by: cells}",
    )
    assert max(gate.weight for gate in gates(scenario, "phased")) == 1.0
    assert ds.rehearse(scenario, "phased").suitable
