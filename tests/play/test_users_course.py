"""When the needed-th report falls: inside long spans, and where the hazard grows."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import beta

from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.users import Reports, Users
from tests.play.playing import bare, mean_and_error, play

PEOPLE = "people: {report_rate: 100%, needed: 1000, delay: 0s, triage: 0s}"


def test_sticky_users_are_not_everybody() -> None:
    """20 % of 2 million users at 0.0005 requests/s and 20 % errors: the share s of them is harmed
    at -ln(1 - s) / 0.0001; the 1000th of 400 000 at 25.03 s, in a bake of two hours that nothing
    else cuts. Standard deviation of the 1000th: 25 / sqrt(1000)."""
    scenario = bare(
        users="2M",
        traffic="sticky: true",
        detection=PEOPLE,
        strategy="canary: {steps: [{weight: 20%, bake: 2h}]}",
    )
    mean, error = mean_and_error([o.time_to_detect for o in play(scenario, 80)])
    assert abs(mean + math.log(1 - 1000 / 400_000) / 1e-4) < 4 * error
    assert error == pytest.approx(25 / math.sqrt(1000 * 80), rel=0.4)


def test_a_growing_leak_is_reported_late_in_its_ramp() -> None:
    """A leak from 10 min on, up to 20 % over an hour, on all of 1000 requests/s: failures until t
    after its onset are 1000 x 0.2 t^2 / 7200; the 1000th at sqrt(36 000) = 189.7 s. One straight
    piece of an hour would say 10 s."""
    scenario = bare(
        users="2M",
        defect="{kind: leak, onset: 10m, ramp: 1h, rate: 20%}",
        detection=PEOPLE,
        strategy="big_bang: {in_place: false}",
    )
    mean, error = mean_and_error([o.time_to_detect for o in play(scenario, 60)])
    assert abs(mean - math.sqrt(36_000)) < 4 * error + 0.25


@pytest.mark.parametrize(
    ("ramp", "rate", "rps", "users", "needed"),
    [
        (37, 0.83, 1700, 7300, 301),
        (60, 0.20, 1000, 1_000_000, 100),
        (3600, 0.20, 1000, 2_000_000, 5),
        (86_400, 0.05, 1000, 2_000_000, 50),
        (259_200, 0.05, 1000, 2_000_000, 50),
    ],
)
def test_the_first_of_a_leak_are_not_reported_before_they_fail(
    ramp: int, rate: float, rps: int, users: int, needed: int
) -> None:
    """The hazard of a user t after the onset is rps x rate t^2 / (2 ramp users) = -ln(1 - B), B the
    share harmed at the needed-th of all users: Beta(needed, users - needed + 1). A quarter of a
    second is what the course between its edges may lag."""
    scenario = bare(
        rate=f"rate: {rps} rps",
        users=str(users),
        defect=f"{{kind: leak, onset: 10m, ramp: {ramp}s, rate: {rate:%}}}",
        detection=f"people: {{report_rate: 100%, needed: {needed}, delay: 0s, triage: 0s}}",
        strategy="big_bang: {in_place: false}",
    )
    harmed = beta(needed, users - needed + 1).ppf((np.arange(100_000) + 0.5) / 100_000)
    exact = float(np.mean(np.sqrt(-np.log1p(-harmed) * 2 * ramp * users / (rps * rate))))
    played = play(scenario, 200)
    mean, error = mean_and_error([o.time_to_detect for o in played])
    assert abs(mean - exact) < 4 * error + 0.25
    failed, error = mean_and_error([o.failed_requests for o in played])
    lag = 0.25 * rps * rate * min(exact / ramp, 1.0)
    assert failed > needed - 4 * error - lag


@pytest.mark.parametrize(
    ("harm", "report", "share"),
    [
        (1 / 10.0, 1 / 47.0, 0.03),
        (1 / 3700.0, 1 / 290.0, 0.0004),
        (1 / 3700.0, 1 / 290.0, 0.4),
        (1 / 52_000.0, 1 / 130.0, 0.0002),
        (1 / 52_000.0, 1 / 130.0, 0.06),
        (1 / 52_000.0, 1 / 9100.0, 0.002),
    ],
)
def test_reports_come_when_their_share_says(harm: float, report: float, share: float) -> None:
    """Users are harmed at rate `harm` and report at rate `report` after it: the share that is in is
    1 - (report e^(-harm t) - harm e^(-report t)) / (report - harm). A line between the edges of the
    course lags by at most 0.25 s, wherever the spans of its history begin."""
    scenario = bare(
        detection=f"people: {{report_rate: 100%, delay: {{exponential: {{mean: {1 / report}s}}}}}}"
    )
    plan = prepare(scenario, "big_bang")
    assert plan.people is not None
    for spans in ([0.0, 40_000.0], [0.0, 3.0, 90.0, 91.0, 2500.0, 40_000.0]):
        users, found = Users(False, 1.0), math.inf
        reports = Reports(plan.people, plan.arrivals, plan.users, Luck(1))
        reports.share = share
        for start, end in pairwise(spans):
            ahead, hazard = users.copy(), harm * (end - start)
            ahead.add((start, end), 1.0, (0.0, 0.0), (0.0, hazard), False)
            found = min(found, reports.by(ahead, len(users.history), start, end))
            users.add((start, end), 1.0, (0.0, 0.0), (0.0, hazard), False)
        in_by = 1 - (report * math.exp(-harm * found) - harm * math.exp(-report * found)) / (
            report - harm
        )
        rise = (
            harm * report / (report - harm) * (math.exp(-harm * found) - math.exp(-report * found))
        )
        assert abs(in_by - share) / rise < 0.35


@pytest.mark.parametrize("share", [0.3, 1e-3, 1e-5, 1e-6])
@pytest.mark.parametrize(
    "delay",
    [
        "[5m, 10m]",
        "{exponential: {mean: 290s}}",
        "{lognormal: {median: 10m, p95: 45m}}",
        "{lognormal: {median: 10m, p95: 2d}}",
        "{weibull: {scale: 3h, shape: 0.2}}",
        "{empirical: [3m, 3m, 20m]}",
        "{empirical: [5m, 5m]}",
    ],
)
def test_reports_of_any_delay_come_when_their_share_says(delay: str, share: float) -> None:
    """With users harmed at one a second of 3700, the share in by t is the integral of
    e^(-s/3700)/3700 F(t - s) over the harm times s; the moment it is reached is found to 0.35 s."""
    scenario = bare(detection=f"people: {{report_rate: 100%, delay: {delay}}}")
    plan = prepare(scenario, "big_bang")
    assert plan.people is not None
    people = plan.people
    users = Users(False, 1.0)
    reports = Reports(people, plan.arrivals, plan.users, Luck(1))
    reports.share = share
    users.add((0.0, 40_000.0), 1.0, (0.0, 0.0), (0.0, 40_000 / 3700), False)
    found = reports.by(users, 0, 0.0, 40_000.0)

    def in_by(t: float) -> float:
        """The share of reports that are in."""
        late = np.concatenate([[0.0], np.geomspace(1e-6, max(t, 1e-5), 400_001)])
        middles = (late[1:] + late[:-1]) / 2
        harmed = -np.diff(-np.expm1(-(t - late) / 3700)) * (late[1:] <= t)
        return float(np.dot(harmed, people.delay.cdf(middles)))

    assert in_by(found - 0.35) < share < in_by(found + 0.35)
