"""Throttles, usage plans, caches and stage canaries: the rules, and the engine beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.platforms.api_gateway import rules
from simulator.platforms.api_gateway.rules import Bucket, Request
from simulator.play.luck import Luck
from simulator.play.rehearsal import gates, prepare
from simulator.play.replication import replicate
from tests.answers.comparing import given as setting
from tests.answers.comparing import near, noticed
from tests.play.playing import bare, play
from tests.play.test_judge import fails_above

SWITCH = "big_bang: {in_place: false}"


# Caches ------------------------------------------------------------------------------------


def test_a_fix_behind_a_cache_arrives_late() -> None:
    """Entries of even age, 80 % hits, 300 s: 80, 40 and 0 % of the answers are old at 0, 150, 300.

    Played: everybody has failed for an hour when the switch back is made; what fails in the second
    after each of these moments is that share of all requests."""
    for after, share in ((0, 0.8), (150, 0.4), (300, 0.0)):
        assert rules.stale(0.8, 300, after) == pytest.approx(share)
    scenario = setting(
        {"router.cache": "{hits: 80%, ttl: 300s, shared: true}"},
        defect="{kind: errors, rate: 100%}",
        strategy=SWITCH,
        **noticed(3600),
    )
    plan = prepare(scenario, "big_bang")
    moments = [at for after in (0.0, 150.0, 299.0, 301.0) for at in (after, after + 1)]
    failed = []
    for at in moments:
        plan.bound(3600 + at)
        failed.append(
            replicate(plan, Luck(1), scenario.change.defects[0], "x").expected_failed_requests
        )
    rates = [(b - a) / 1000 for a, b in zip(failed[::2], failed[1::2], strict=True)]
    middles = [rules.stale(0.8, 300, after + 0.5) for after in (0, 150, 299, 301)]
    assert rates == pytest.approx(middles, abs=1e-4)


def test_a_canary_with_a_cache_of_its_own_starts_cold() -> None:
    """Five times the load of a warm cache at 80 % hits, at the very moment of the switch."""
    assert rules.cold(0.8) == pytest.approx(5)
    least = {}
    for shared in ("true", "false"):
        scenario = setting(
            {"router.cache": f"{{hits: 80%, ttl: 300s, shared: {shared}}}"},
            service="capacity: 1000 rps",
            strategy=SWITCH,
        )
        least[shared] = play(scenario, 1, bad=False)[0].min_headroom + 1
    assert least["true"] / least["false"] == pytest.approx(rules.cold(0.8), rel=1e-3)


def test_a_shared_cache_hides_most_of_a_canary() -> None:
    """10 % of 2 rps for half an hour are 360 requests; a fifth of them gets past the cache, and the
    judge sees no more: it fails as often as with 72."""
    assert rules.seen_of_canary(0.1, 0.8) == pytest.approx(0.02)
    scenario = setting(
        {"router.cache": "{hits: 80%, ttl: 300s, shared: true}"},
        rate="rate: 2 rps",
        defect="{kind: errors, rate: 2%}",
        detection="judge: {test: threshold, above: 2%}",
        strategy="canary: {steps: [{weight: 10%, bake: 30m}]}",
    )
    assert gates(scenario, "canary")[0].requests == pytest.approx(72)
    caught = [float(o.caught_by == "judge") for o in play(scenario, 400, seed=2)]
    assert near(caught, fails_above(72, 0.02, 0.02))


# Stage canaries ----------------------------------------------------------------------------


def test_sessions_are_mixed() -> None:
    """12 requests at 10 %: 1 - 0.9^12 - 0.1^12 = 72 % of the sessions meet both versions; drawn."""
    assert rules.mixed_sessions(12, 0.1) == pytest.approx(0.7176, abs=1e-4)
    new = np.random.default_rng(3).random((20_000, 12)) < 0.1
    mixed = float(np.mean(new.any(axis=1) & ~new.all(axis=1)))
    assert abs(mixed - 0.7176) < 4 * math.sqrt(0.2 / 20_000)


@pytest.mark.parametrize(("sticky", "harmed"), [("false", 1 - math.exp(-1.2)), ("true", 0.1)])
def test_a_stage_canary_is_not_sticky(sticky: str, harmed: float) -> None:
    """Twelve requests of each user while a tenth fails: 70 % meet it when each request is drawn by
    itself, a tenth when users stay where they are."""
    scenario = bare(
        rate="rate: 1000 rps",
        users="50k",
        traffic=f"sticky: {sticky}",
        defect="{kind: errors, rate: 100%}",
        strategy="canary: {steps: [{weight: 10%, bake: 1h}]}",
        **noticed(600),
    )
    assert play(scenario, 1)[0].users_harmed == pytest.approx(harmed, rel=1e-3)


def test_a_stage_variable_leaves_no_tail() -> None:
    """Another backend behind the same address: all is back at once, unlike with DNS records."""
    back = {}
    for cutover in ("load_balancer", "{dns: {ttl: 60s, ignore: 5%, propagation: 60s}}"):
        scenario = bare(
            strategy=f"blue_green: {{cutover: {cutover}, smoke: none}}", **noticed(7200)
        )
        back[cutover[:4]] = play(scenario, 1)[0].rollback_90
    assert back["load"] == 0
    tail = back["{dns"]
    assert tail > 60


def test_consumers_of_a_withdrawn_version_fail() -> None:
    assert rules.broken_calls(500, 0.9) == pytest.approx(50)


# Throttles ---------------------------------------------------------------------------------


def test_half_of_twice_the_rate_is_refused() -> None:
    """Account: 10 000 requests/s with 5 000 to spare; at 20 000 the burst lasts half a second."""
    account = rules.ACCOUNT
    assert rules.refused_share(account, 20_000) == 0.5
    assert rules.refused(account, 20_000, 0.5) == 0
    assert rules.refused(account, 20_000, 10.5) == 100_000
    assert rules.refused(account, 9_000, 3600) == 0
    small = rules.SMALL_REGION
    assert (small.rate, small.burst) == (account.rate / 4, account.burst / 4)


@given(
    rate=st.integers(5, 50),
    burst=st.integers(2, 40),
    offered=st.integers(10, 120),
    seconds=st.integers(1, 20),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_one_by_one_as_the_fluid_says(rate: int, burst: int, offered: int, seconds: int) -> None:
    """Evenly spaced requests against a bucket of whole tokens: the fluid within two of them."""
    requests = [Request(k / offered) for k in range(offered * seconds)]
    answers = rules.admit(requests, {("account", ""): Bucket(rate, burst)})
    counted = sum(answer is not None for answer in answers)
    assert abs(counted - rules.refused(Bucket(rate, burst), offered, seconds)) <= 2


def test_a_noisy_client_cannot_starve_the_others() -> None:
    """One client sends nine times its part of a full account: without keys everybody loses alike,
    with a usage plan the others lose nothing."""
    rng = np.random.default_rng(4)
    times = np.sort(rng.uniform(0, 60, 60 * 180))
    noisy = rng.random(len(times)) < 0.5
    calls = [
        Request(float(t), "noisy" if n else f"quiet {k % 9}", "GET /")
        for k, (t, n) in enumerate(zip(times, noisy, strict=True))
    ]
    account = {("account", ""): Bucket(100.0, 50.0)}
    keyed = {**account, ("client and method", "noisy/*"): Bucket(10.0, 5.0)}

    def lost(limits: dict, whose: str) -> float:  # type: ignore[type-arg]
        answers = rules.admit(calls, limits)
        own = [a is not None for c, a in zip(calls, answers, strict=True) if whose in c.client]
        return sum(own) / len(own)

    assert lost(account, "quiet") == pytest.approx(lost(account, "noisy"), abs=0.03)
    assert lost(account, "quiet") == pytest.approx(1 - 100 / 180, abs=0.03)
    assert lost(keyed, "noisy") == pytest.approx(1 - 10 / 90, abs=0.02)
    assert lost(keyed, "quiet") < 0.02


def test_the_order_of_the_levels() -> None:
    """The first that refuses answers, and what is refused takes no token anywhere."""
    limits = {
        ("client and method", "a/GET"): Bucket(1.0, 1.0),
        ("method", "GET"): Bucket(1.0, 2.0),
        ("account", ""): Bucket(1.0, 3.0),
    }
    calls = [Request(0, "a", "GET"), Request(0, "a", "GET"), Request(0, "b", "GET")]
    calls += [Request(0, "b", "GET"), Request(0, "b", "PUT"), Request(0, "b", "PUT")]
    answers = rules.admit(calls, limits)
    assert answers == (None, "client and method", None, "method", None, "account")
    assert rules.ORDER == ("client and method", "method", "account")
    assert rules.admit([], limits) == ()
    assert rules.quota_lasts(86_400, 2) == 43_200


@pytest.mark.parametrize("burst", [1, 5000])
def test_copies_use_up_a_throttle(burst: int) -> None:
    """1 000 requests/s and as many copies against 1 500: the burst lasts burst / 500 seconds, then
    a quarter is refused of everything until the hour is over; nothing with nothing deployed."""
    scenario = setting(
        {"router.throttle": f"{{rate: 1500 rps, burst: {burst}}}"},
        strategy="shadow: {duration: 1h, then: {kind: canary}}",
    )
    outcomes = play(scenario, 20, bad=False)
    expected = 1000 * 0.25 * (3600 - burst / 500)
    assert outcomes[0].expected_failed_requests == pytest.approx(expected)
    assert near([o.failed_requests for o in outcomes], expected)
    canary = scenario.with_("strategies", "{canary: {}}")
    assert play(canary, 1, bad=False)[0].expected_failed_requests == 0


@pytest.mark.parametrize("rate", ["rate: 2000 rps", "daily: {mean: 2000 rps, peak: 2001 rps}"])
def test_what_is_refused_anyway_is_no_harm(rate: str) -> None:
    """Half of the requests are refused with nothing deployed: a good release harms nobody, a bad
    one only the half that comes through."""
    rate = rate.replace("2001 rps", "2001 rps, peak_at: 14:00")
    scenario = setting(
        {"router.throttle": "{rate: 1000 rps, burst: 5k}"},
        rate=rate,
        strategy="canary: {steps: [{weight: 10%, bake: 1h}]}",
        **noticed(600),
    )
    assert play(scenario, 1, bad=False)[0].expected_failed_requests == 0
    bad = play(scenario, 1)[0]
    assert bad.expected_failed_requests == pytest.approx(1000 * 0.1 * 0.2 * 600, rel=2e-3)


def test_a_cold_cache_meets_a_throttle() -> None:
    """1 000 requests/s past a cold cache that warms over 300 s, h = 80 %: 1 000 (1 - 0.8 x) reach
    the throttle, of which 600 get through until x = 1/2; the rest is refused."""
    scenario = setting(
        {
            "router.cache": "{hits: 80%, ttl: 300s, shared: false}",
            "router.throttle": "{rate: 600 rps, burst: 1}",
        },
        strategy=SWITCH,
    )
    x = np.linspace(0, 0.5, 200_001)
    reaching = 1 - 0.8 * x
    expected = 300 * float(np.trapezoid(1000 * reaching - 600, x))
    outcome = play(scenario, 1, bad=False)[0]
    assert outcome.expected_failed_requests == pytest.approx(expected, rel=1e-3)
