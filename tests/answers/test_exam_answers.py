"""The deciding values of the exam questions against closed forms.

Counts and shares within 4 standard errors of a Poisson or binomial mean, the rest to rounding.
"""

from __future__ import annotations

import math

import pytest

from simulator.decide.exam import Answer, answer
from simulator.words.reading import EXAM, load
from tests.answers import oracles_exam as oracles
from tests.decide.questions import KEYS, answered


def asked(name: str, *sets: str, n: int = 0) -> Answer:
    """The answer with some settings moved, without looking for its flip."""
    return answer(load(f"{EXAM}/{name}", sets=sets), n or KEYS[name].n, flip=False)


def deciding(found: Answer) -> dict[str, float]:
    return {one.option: one.value.value or 0.0 for one in found.ranking}


def shown(found: Answer, number: int = 0) -> dict[str, float]:
    return {one.option: one.shown[number].value or 0.0 for one in found.ranking}


def objective(found: Answer, number: int = 0) -> dict[str, float]:
    return {one.option: one.objectives[number].value.value or 0.0 for one in found.ranking}


def counted(mean: float, n: int) -> float:
    """Four standard errors of the mean of n Poisson counts."""
    return 4 * math.sqrt(mean / n)


def test_a_thousand_user_hours_on_one_day_and_two_hundred_in_waves() -> None:
    """Exposure over all releases x users; what a detection slower than the waves adds is less."""
    found = answered("payroll-waves")
    hours = {option: time * 5000 / 3600 for option, time in shown(found).items()}
    once = oracles.harmed_user_hours(0.2, 1, 5000, 1)
    waves = oracles.harmed_user_hours(0.2, 0.2, 5000, 1)
    assert (once, waves) == pytest.approx((1000, 200))
    quick = once * (60 * (0.2 + 0.4 + 0.6 + 0.8) + 3600 - 240) / 3600
    assert hours == pytest.approx({"A": once, "B": waves, "C": 0, "D": quick})
    late = shown(asked("payroll-waves", "detection.noticed.after=36h"))
    assert late["B"] / late["A"] == pytest.approx((0.2 * 24 + 0.4 * 12) / 36)


@pytest.mark.parametrize(("seconds", "long", "short"), [(60, 0.81, 0.05), (300, 0.05, 0.05)])
def test_who_is_still_on_a_bad_version(seconds: int, long: float, short: float) -> None:
    """81 % after a minute with 300 s, 5 % after five; nobody behind a load balancer."""
    left = objective(asked("dns-rollback", f"response.back_within={seconds}s", n=2))
    assert oracles.still_on_the_record(seconds, 300, 0.05) == pytest.approx(long)
    assert oracles.still_on_the_record(seconds, 60, 0.05) == pytest.approx(short)
    assert {name: left[name] for name in "ACD"} == pytest.approx(
        {"A": long, "C": 0, "D": short}, abs=1e-6
    )


def test_nine_of_ten_clients_are_back() -> None:
    back = deciding(answered("dns-rollback"))
    assert back["A"] == pytest.approx(oracles.nine_of_ten_back(300, 0.05), abs=0.1)
    assert back["D"] == pytest.approx(oracles.nine_of_ten_back(60, 0.05), abs=0.1)


def test_sessions_that_outlive_the_drain() -> None:
    """Of 1 000: 84.6 % with 300 s, 13.5 % with an hour, none elsewhere; shifted slowly (10 minutes
    and the start of the next tenth) as many as began on the old version in time."""
    lost = objective(answered("sessions-in-memory"))
    usual, longest = oracles.outlives(300, 1800), oracles.outlives(3600, 1800)
    assert (round(usual, 3), round(longest, 3)) == (0.846, 0.135)
    exact = {
        "A": 1000 * longest,
        "B": 0,
        "C": 1000 * usual * oracles.left_on_old(0.1, 600 + 120, 1800),
        "D": 1000 * usual,
    }
    for option, value in exact.items():
        near = counted(value, KEYS["sessions-in-memory"].n)
        assert lost[option] == pytest.approx(value, abs=near), option


def test_what_a_canary_of_five_and_of_thirty_minutes_sees() -> None:
    """Poisson, mean 1.2, two or more: 33.7 %; mean 7.2, three or more: 97.5 %. The number of
    requests is random too, which shifts the first by less than 0.5 %. With fifty times the
    traffic five minutes see everything."""
    n = 300
    power = objective(asked("canary-bake", n=n))
    for option, exact in (("A", oracles.at_least(2, 1.2)), ("B", oracles.at_least(3, 7.2))):
        near = 4 * math.sqrt(exact * (1 - exact) / n)
        assert power[option] == pytest.approx(exact, abs=near + 0.005), option
    assert (round(oracles.at_least(2, 1.2), 3), round(oracles.at_least(3, 7.2), 3)) == (
        0.337,
        0.975,
    )
    busy = ("traffic.rate=100 rps", 'strategies["five minutes"].judge.above=1%')
    found = asked("canary-bake", *busy, n=20)
    assert (found.winner, objective(found)["A"]) == ("A", 1)


def test_tasks_that_may_start_and_stop() -> None:
    """Nothing with 100 and 125 % of 3; one may stop with 66 %; three may start with 200 %, and
    then all start at once; of four desired ones one after the other."""
    assert oracles.startable(3, 1, 1.25) == (0, 0)
    assert oracles.startable(3, 0.66, 1.25) == (0, 1)
    assert oracles.startable(3, 1, 2) == (3, 0)
    assert oracles.startable(4, 1, 1.25) == (1, 0)
    found = answered("ecs-stuck")
    times = {one.option: one.value.value for one in found.ranking}
    assert times == pytest.approx({"A": 180, "B": 60, "C": 240, "D": None})
    (stuck,) = (one for one in found.ranking if one.reasons)
    assert (stuck.option, stuck.reasons[0].partition(":")[0]) == ("D", "stuck")
    kept = {one.option: one.objectives[1].passed for one in found.ranking if one.objectives}
    assert kept == {"A": False, "B": True, "C": True}


def test_requests_lost_when_blue_is_deleted() -> None:
    """500 rps x 60 s / 2 = 15 000, 75 000 with 300 s, none once the records have expired."""
    for ttl, lost in ((60, 15_000), (300, 75_000)):
        assert oracles.lost_at_a_swap(500, ttl) == lost
        found = asked("swap-then-delete", f"strategies.swap.cutover.swap_url.ttl={ttl}s")
        near = counted(lost, KEYS["swap-then-delete"].n)
        assert deciding(found)["A"] == pytest.approx(lost, abs=near)
    kept = asked("swap-then-delete", "strategies.swap.keep_old=60s")
    assert (kept.winner, deciding(kept)["A"]) == ("A", 0)


def test_an_alarm_within_the_monitoring_time() -> None:
    """0, 34 %, 92 %, and 99 % after an hour; an alarm needs up to 20 s more than the fault."""
    n = 200
    path = 'exam.options.D.set={"strategies[\\"stack update\\"].bake": 60m}'
    found = shown(asked("monitoring-time", path, n=n))
    for option, minutes in (("A", 0), ("B", 5), ("C", 30), ("D", 60)):
        exact = oracles.within(minutes, 12)
        near = 4 * math.sqrt(exact * (1 - exact) / n)
        assert found[option] == pytest.approx(exact, abs=near + 0.02), option
    assert [round(oracles.within(m, 12), 2) for m in (5, 30, 60)] == [0.34, 0.92, 0.99]


def test_nodes_a_faulty_patch_breaks() -> None:
    """50, 20, 1 and 150 of 1 000; 40 min, 100 min, 33 h and 40 min for a good one."""
    found = answered("patch-a-thousand")
    broken = {option: -1000 * headroom for option, headroom in objective(found).items()}
    settings = {"A": (50, 0), "B": (20, 0), "C": (1, 0), "D": (50, 100)}
    worst = {option: oracles.worst_broken(*setting) for option, setting in settings.items()}
    assert worst == {"A": 50, "B": 20, "C": 1, "D": 150}
    assert broken == pytest.approx(worst)
    times = {option: oracles.patch_time(1000, k, 120) for option, (k, _) in settings.items()}
    assert deciding(found) == pytest.approx(times)
    assert times == {"A": 2400, "B": 6000, "C": 120_000, "D": 2400}


@pytest.mark.parametrize(("seconds", "left"), [(0, 0.8), (150, 0.4), (300, 0.0)])
def test_old_answers_in_a_cache(seconds: int, left: float) -> None:
    """80 % at once, 40 % after half the time to live, nothing after all of it."""
    assert oracles.old_answers(seconds, 0.8, 300) == pytest.approx(left)
    found = asked("stale-cache", f"response.back_within={seconds}s")
    assert deciding(found)["A"] == pytest.approx(left, abs=1e-9)


def test_user_minutes_behind_a_flag() -> None:
    """2 000 x 5 % x 4.5 = 450; deployed anew 2 000 x 16 = 32 000; with the old fleet 8 000."""
    minutes = {
        option: time * 2000 / 60 for option, time in deciding(answered("flag-or-branch")).items()
    }
    exact = {
        "A": oracles.user_minutes(2000, 1, 4 + 12),
        "B": oracles.user_minutes(2000, 0.05, 4 + 0.5),
        "C": oracles.user_minutes(2000, 1, 4),
        "D": oracles.user_minutes(2000, 1, 4 + 12),
    }
    assert exact == {"A": 32_000, "B": 450, "C": 8000, "D": 32_000}
    assert minutes == pytest.approx(exact)


def test_who_meets_a_canary() -> None:
    """12 requests a user: 69.9 %, 10.0 % of fixed users, 45.1 %, 21.3 %."""
    met = deciding(answered("mixed-sessions"))
    exact = {
        "A": oracles.who_meets_it(12, 0.1, False),
        "B": oracles.who_meets_it(12, 0.1, True),
        "C": oracles.who_meets_it(12, 0.05, False),
        "D": oracles.who_meets_it(12, 0.02, False),
    }
    assert met == pytest.approx(exact, abs=1e-6)


def test_requests_lost_by_rolling_under_load() -> None:
    """A quarter away for 32 min rejects 21 %, a stop of 3 min everything."""
    lost = deciding(answered("rolling-overload"))
    n = KEYS["rolling-overload"].n
    for option, exact in (("A", oracles.rejected(400, 0.25, 0.95, 1920)), ("C", 400 * 180)):
        assert lost[option] == pytest.approx(exact, abs=counted(exact, n)), option
    assert lost["B"] == 0


def test_waves_against_two_ledgers() -> None:
    """Chance x rate x share x time; sync errors x rate x overlap (half as long on bad releases)."""
    lost = deciding(answered("two-ledgers"))
    n = KEYS["two-ledgers"].n
    waves = 0.1 * 20 * 0.5 * 0.1 * 3600
    assert lost["B"] == pytest.approx(waves, abs=0.1 * counted(waves / 0.1, n))
    assert lost["A"] == pytest.approx(10 * waves, abs=0.1 * counted(100 * waves, n))
