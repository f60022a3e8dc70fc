"""What DNS, caches and sessions in memory must come to. Seeds fixed, 4 standard errors."""

from __future__ import annotations

import math

import pytest

from tests.answers import oracles, oracles_trouble
from tests.answers.comparing import given, near, noticed
from tests.play.playing import bare, play

HOUR = "{exponential: {mean: 1h}}"


def dns(ttl: float, ignore: float = 0.0, held: str = HOUR, propagation: float = 0.0) -> str:
    """A DNS record's words."""
    return (
        f"{{ttl: {ttl:g}s, ignore: {100 * ignore:g}%, ignore_for: {held}, "
        f"propagation: {propagation:g}s}}"
    )


def cut_over(record: str, keep_old: str = "30d") -> str:
    """Blue/green by DNS, with nothing but the record."""
    return f"blue_green: {{smoke: none, cutover: {{dns: {record}}}, keep_old: {keep_old}}}"


# ttl, ignore, mean of an exponential delay, fixed hold: the textbook's, nobody, everybody, holds
RECORDS = [
    (300, 0.0874, 3600, 0),
    (60, 0.05, 3600, 0),
    (300, 0.0, 3600, 0),
    (10, 1.0, 600, 0),
    (120, 0.15, math.inf, 1200),
    (600, 0.3, math.inf, 300),
]


def law(tau: float, hold: float) -> str:
    """`ignore_for` in words."""
    return f"{hold:g}s" if hold else f"{{exponential: {{mean: {tau:g}s}}}}"


@pytest.mark.parametrize("wait", [(300, 120), (2, 3), (5000, 2500)])
@pytest.mark.parametrize(("ttl", "ignore", "tau", "hold"), RECORDS)
def test_a_cutover_by_dns_costs_r_p_d_and_r(
    ttl: float, ignore: float, tau: float, hold: float, wait: tuple[float, float]
) -> None:
    """Both parts of the clients follow the record by kernels of integral 1 (even over the last ttl;
    exponential or a shift), so the integral of w is that of the published weight, D + R: r p (D +
    R) whatever the record, also when it is rolled back before it has come into effect. Those who
    still ask once w is below 0.1 % meet a version that is gone and fail altogether."""
    scenario = bare(strategy=cut_over(dns(ttl, ignore, law(tau, hold))), **noticed(*wait))
    outcomes = play(scenario, 12)
    exact = oracles.atomic_switch(1000, 0.2, *wait)
    rest = oracles_trouble.area_beyond(0.001, sum(wait), ttl, ignore, tau, hold) + 1e-6 * ttl
    for outcome in outcomes:
        assert sum(wait) - rest - 1e-4 <= outcome.exposure_time <= sum(wait) + 1e-4
        assert outcome.expected_failed_requests >= exact * (1 - 1e-6) - 2e-4 * ttl
        assert outcome.expected_failed_requests <= exact + 800 * rest + 1e-6 * exact
    assert near([o.failed_requests for o in outcomes], outcomes[0].expected_failed_requests)


def test_partial_weights_by_dns() -> None:
    """Weights of 10 %, 40 % and 99.9 % for 600 s each, seen 1 500 s after the first: the integral
    of the published weight is 60 + 240 + 300 s until then, and it is back in 120 s more: r p x
    720 s. Every wait is as short as what most clients need."""
    steps = "[{weight: 10%, bake: 600s}, {weight: 40%, bake: 600s}, {weight: 99.9%, bake: 3h}]"
    scenario = given(
        {"router.dns": dns(600, 0.3, "20m")},
        strategy=f"canary: {{steps: {steps}}}",
        **noticed(1500, 120),
    )
    exact = oracles.weighted_steps(1000, 0.2, [(0.1, 600), (0.4, 600), (0.999, 420)], 1620)
    outcomes = play(scenario, 12)
    assert outcomes[0].expected_failed_requests == pytest.approx(exact, rel=1e-6)
    assert near([o.failed_requests for o in outcomes], exact)


def test_propagation_delays_both_ways() -> None:
    """60 s until the name servers know: the first harm is 60 s after the publication, and going
    back begins 60 s after the decision: r p (D + R + 60 s). The script waits for it once."""
    scenario = bare(strategy=cut_over(dns(300, propagation=60)), **noticed(300, 120))
    outcome = play(scenario, 1)[0]
    assert outcome.exposure_time == pytest.approx(480, rel=1e-6)
    assert outcome.time_to_detect == 300
    good = play(bare(strategy=cut_over(dns(300, propagation=60))), 1, bad=False)[0]
    assert good.time_to_deploy == pytest.approx(60 + 0.999 * 300)


def test_the_stale_area_is_what_a_blue_deleted_at_once_loses() -> None:
    """After the change the share (1 - v) max(0, 1 - x/ttl) + v e^(-x/tau) still asks blue, its
    integral is (1 - v) ttl/2 + v tau = 451.53 s (0.0874, 300 s, 3 600 s), and with blue deleted
    all of it fails although the release is good. The rest, within a day, is below e^-24."""
    area = oracles_trouble.stale_area(300, 0.0874, 3600)
    assert area == pytest.approx(451.53)
    assert oracles_trouble.stale_share(0, 300, 0.0874, 3600) == 1
    outcomes = play(bare(strategy=cut_over(dns(300, 0.0874), "0s")), 60, bad=False)
    assert near([o.failed_requests for o in outcomes], 1000 * area)
    assert outcomes[0].expected_failed_requests == pytest.approx(1000 * area, rel=1e-7)


@pytest.mark.parametrize("keep", [0, 100, 250, 300, 1800])
@pytest.mark.parametrize(
    ("ignore", "tau", "hold"), [(0, math.inf, 0), (0.1, 900, 0), (0.2, math.inf, 600)]
)
def test_keeping_blue_saves_the_clients_that_come_late(
    keep: float, ignore: float, tau: float, hold: float
) -> None:
    """Only those who still ask after `keep_old`: r ((1 - v) (ttl - k)^2 / (2 ttl) + v tau
    e^(-k/tau)); r ttl/2 when blue goes at once and nobody ignores the time to live; nothing for
    those once blue is kept for a whole one."""
    held = law(min(tau, 1e4), hold)
    scenario = bare(strategy=cut_over(dns(300, ignore, held), f"{keep}s"))
    outcome = play(scenario, 1, bad=False)[0]
    exact = 1000 * oracles_trouble.stale_area(300, ignore, tau, hold, keep)
    assert outcome.expected_failed_requests == pytest.approx(exact, rel=1e-6, abs=1e-3)
    if not ignore and not keep:
        assert exact == 1000 * 300 / 2


def test_both_serve_until_the_last_client_has_come() -> None:
    """Mixing while a record of 300 s spreads is that of a ramp, ttl/3 = 100 s; with clients that
    ignore it their tail comes on top."""
    ramp = play(bare(strategy=cut_over(dns(300))), 1, bad=False)[0]
    assert ramp.mixing == pytest.approx(oracles_trouble.mixing_of_dns(300, 0), rel=1e-6)
    assert oracles_trouble.mixing_of_dns(300, 0) == pytest.approx(100)
    late = play(bare(strategy=cut_over(dns(300, 0.1, "{exponential: {mean: 20m}}"))), 1, bad=False)
    exact = oracles_trouble.mixing_of_dns(300, 0.1, 1200)
    assert late[0].mixing == pytest.approx(exact, rel=1e-3)


def test_dns_rolls_back_slower_than_a_redeploy() -> None:
    """With a time to live of an hour 90 % of the traffic is back after 0.9 ttl = 54 min and all but
    0.1 % after 0.999 ttl; reinstalling everything in place takes two minutes. With a minute DNS is
    the faster one."""
    words = noticed(3 * 3600)
    again = play(bare(strategy="big_bang: {}", service="install: 120s", **words), 1)[0]
    assert again.rollback_90 == again.rollback_time == 120
    for ttl, slower in ((3600, True), (60, False)):
        back = play(bare(strategy=cut_over(dns(ttl)), **words), 1)[0]
        assert back.rollback_90 == pytest.approx(0.9 * ttl)
        assert back.rollback_time == pytest.approx(0.999 * ttl)
        assert (back.rollback_90 > again.rollback_90) is slower


def test_a_rollback_waits_for_the_clients_that_ignore_the_time_to_live() -> None:
    """All but 0.1 % are back when (1 - v) max(0, 1 - x/ttl) + v e^(-x/tau) = 0.001, all but 10 %
    and 1 % (no longer harmed) likewise."""
    scenario = bare(strategy=cut_over(dns(300, 0.0874)), **noticed(20 * 3600))
    outcome = play(scenario, 1)[0]
    whole, most, harmless = (
        oracles_trouble.stale_until(left, 300, 0.0874, 3600) for left in (0.001, 0.1, 0.01)
    )
    assert whole == pytest.approx(3600 * math.log(87.4))
    assert outcome.rollback_time == pytest.approx(whole, rel=1e-3)
    assert outcome.rollback_90 == pytest.approx(most, rel=1e-3)
    assert outcome.time_to_mitigate == pytest.approx(harmless, rel=1e-3)


def test_a_deployment_by_dns_is_over_when_the_clients_have_come() -> None:
    """All traffic are 99.9 %: after 0.999 ttl, or tau ln(v/0.001) = 4.47 h with 8.74 % who keep an
    old answer for an hour; the script itself is long over."""
    for ignore, exact in ((0.0, 0.999 * 300), (0.0874, 3600 * math.log(87.4))):
        (outcome,) = play(bare(strategy=cut_over(dns(300, ignore))), 1, bad=False)
        assert outcome.time_to_deploy == pytest.approx(exact, rel=1e-6)
        assert outcome.time_to_value == outcome.time_to_deploy


def test_a_record_is_caught_on_its_way() -> None:
    """Seen 150 s after the change half of the clients have followed a record of 300 s; then they
    come back as evenly: the peak is a half too."""
    (outcome,) = play(bare(strategy=cut_over(dns(300)), **noticed(150)), 1)
    assert outcome.exposure_when_caught == pytest.approx(0.5)
    assert outcome.peak_exposure == pytest.approx(0.5)
    assert outcome.caught_before_full == 1


@pytest.mark.parametrize("sticky", ["true", "false"])
def test_users_harmed_by_a_cutover_by_dns(sticky: str) -> None:
    """Half a request a minute from each, 20 % fail, 1 000 s of it: 1 - e^(-h L) when every request
    meets the mix; sticky users are on new for L + ttl (1 - 2u) seconds each."""
    scenario = bare(
        users="100k",
        traffic=f"sticky: {sticky}",
        strategy=cut_over(dns(600)),
        **noticed(900, 100),
    )
    hazard = 1000 / 100_000 * 0.2
    exact = oracles.users_harmed(10, 1, 0.2, False)
    if sticky == "true":
        exact = oracles_trouble.sticky_users_of_dns(hazard, 1000, 600)
    assert play(scenario, 1)[0].users_harmed == pytest.approx(exact, rel=2e-3)


def test_a_blue_that_is_gone_has_to_be_built_again() -> None:
    """Deleted at once: the stale area fails; seen after two hours, and only when blue has started
    again (400 s) is the record changed back: r (ttl/2 + p (D + R + 400))."""
    scenario = bare(
        service="startup: 400s", strategy=cut_over(dns(300), "0s"), **noticed(7200, 120)
    )
    exact = 1000 * 300 / 2 + oracles.atomic_switch(1000, 0.2, 7200, 520)
    assert near([o.failed_requests for o in play(scenario, 20)], exact)


@pytest.mark.parametrize("shared", ["true", "false"])
@pytest.mark.parametrize(("hits", "ttl"), [(50, 60), (80, 300), (95, 7200)])
def test_a_cache_moves_harm_but_keeps_its_sum(shared: str, hits: int, ttl: int) -> None:
    """A shared cache answers the share h from the mean of the last ttl seconds, whose integral is
    that of w: harm comes later, stays longer, and is r p (D + R) in all. A cache of its own gives
    the new version's requests the new version's answers: the same sum, and nothing afterwards."""
    scenario = given(
        {"router.cache": f"{{hits: {hits}%, ttl: {ttl}s, shared: {shared}}}"},
        strategy="blue_green: {smoke: none, keep_old: 3h}",
        **noticed(300, 120),
    )
    outcomes = play(scenario, 40)
    assert near([o.failed_requests for o in outcomes], oracles.atomic_switch(1000, 0.2, 300, 120))
    longest = max(o.time_to_mitigate for o in outcomes)
    assert longest > 120 if shared == "true" else longest == 120


def test_stale_answers_outlive_the_fix() -> None:
    """Half of the requests from a shared cache of 600 s, seen after 900 s (it is full of the new
    version's answers) and back at once: then h r p max(0, 1 - x/ttl) is left, 1 % of the peak r p
    at x = ttl (1 - 0.01/h) = 588 s."""
    scenario = given(
        {"router.cache": "{hits: 50%, ttl: 600s, shared: true}"},
        strategy="blue_green: {smoke: none}",
        **noticed(900),
    )
    outcome = play(scenario, 1)[0]
    assert outcome.time_to_mitigate == pytest.approx(600 * (1 - 0.01 / 0.5), rel=1e-6)


def test_a_cold_cache_multiplies_the_load() -> None:
    """Warm, the versions see 1 - h of the requests; a cold cache of the new version's own lets all
    of them through: 1/(1 - h) times the load, here five times."""
    headroom = []
    for shared in ("true", "false"):
        scenario = given(
            {"router.cache": f"{{hits: 80%, ttl: 300s, shared: {shared}}}"},
            service="utilisation: 10%",
            strategy="big_bang: {in_place: false}",
        )
        outcome = play(scenario, 1, bad=False)[0]
        assert outcome.failed_requests == 0
        headroom.append(1 + outcome.min_headroom)
    assert headroom[0] == pytest.approx(1 / 0.1)
    assert headroom[0] / headroom[1] == pytest.approx(1 / (1 - 0.8), rel=1e-6)


@pytest.mark.parametrize(
    ("hits", "ttl", "load"), [(0.8, 300, 0.5), (0.5, 120, 0.9), (0.8, 60, 0.2)]
)
def test_what_a_cold_cache_rejects(hits: float, ttl: float, load: float) -> None:
    """All at once onto a cold cache: r ttl s^2 / (2h) are rejected, s = 1 - (1 - h)/u; none when
    the fleet carries everything."""
    scenario = given(
        {"router.cache": f"{{hits: {100 * hits:g}%, ttl: {ttl}s, shared: false}}"},
        service=f"utilisation: {100 * load:g}%",
        strategy="big_bang: {in_place: false}",
    )
    exact = oracles_trouble.cold_cache(1000, hits, ttl, load)
    outcomes = play(scenario, 40, bad=False)
    assert near([o.failed_requests for o in outcomes], exact)
    assert outcomes[0].expected_failed_requests == pytest.approx(exact, rel=1e-6)


SESSIONS = {"service.sessions": "{mean: 30m, requests: 50}"}


def test_sessions_that_outlast_their_drain() -> None:
    """1000/s x 1 800 s / 50 = 36 000 are alive (Little). Ten instances leave one by one, the first
    with a tenth; after 300 s of draining e^(-300/1800) = 84.6 % are not over, are lost, and begin
    anew on those that serve: 40 % more than if they had lain evenly on all of them."""
    scenario = given(
        SESSIONS,
        service="drain: 300s, install: 60s",
        strategy="rolling: {batch: 1, in_place: true}",
    )
    alive = oracles_trouble.sessions_alive(1000, 1800, 50)
    assert alive == 36_000
    assert math.exp(-300 / 1800) == pytest.approx(0.846, abs=5e-4)
    cut = oracles_trouble.sessions_one_by_one(10, 360, 300, 1800, True)
    assert cut[0] == pytest.approx(0.0846, abs=5e-5)
    exact = alive * sum(cut)
    evenly = oracles_trouble.sessions_lost(alive, [0.1] * 10, 300, 1800)
    assert exact / evenly == pytest.approx(1.397, abs=0.001)
    assert near([o.failed_requests for o in play(scenario, 30, bad=False)], exact)


def test_sessions_on_one_instance_more() -> None:
    """With one instance above the fleet's size no session lies on it when the first one leaves."""
    scenario = given(
        SESSIONS,
        service="drain: 400s, startup: 500s",
        strategy="rolling: {batch: 1, surge: 1}",
    )
    exact = 36_000 * sum(oracles_trouble.sessions_one_by_one(10, 500, 400, 1800, False))
    found = play(scenario, 30, bad=False)
    assert near([o.failed_requests for o in found], exact)
    assert found[0].expected_failed_requests == pytest.approx(exact)


@pytest.mark.parametrize(("drain", "standby"), [(300, "true"), (120, "false")])
def test_all_sessions_lie_on_those_that_were_there_before(drain: int, standby: str) -> None:
    """As many new instances join as old ones leave at that moment: all 36 000 lie on the old ones,
    not a half of them."""
    cutover = f"{{replace_instances: {{standby: {standby}}}}}"
    scenario = given(
        SESSIONS,
        service=f"drain: {drain}s, startup: 90s",
        strategy=f"blue_green: {{smoke: none, cutover: {cutover}, keep_old: 0s}}",
    )
    found = play(scenario, 2, bad=False)[0]
    exact = oracles_trouble.sessions_lost(36_000, [1], drain, 1800)
    assert found.expected_failed_requests == pytest.approx(exact)


@pytest.mark.parametrize(("first", "bake"), [(1, 1800), (10, 600)])
def test_a_bake_moves_sessions_to_the_second_group(first: int, bake: int) -> None:
    """While k new instances serve beside n old ones, sessions end and begin anew on k / (n + k) of
    them; the rest starts at once after the bake, and all old ones leave."""
    scenario = given(
        SESSIONS,
        service="drain: 60s",
        strategy=f"immutable: {{first: {first}, bake: {bake}s}}",
    )
    found = play(scenario, 2, bad=False)[0]
    left = oracles_trouble.sessions_left_behind(first / (10 + first), bake, 1800)
    exact = oracles_trouble.sessions_lost(36_000, [left], 60, 1800)
    assert found.expected_failed_requests == pytest.approx(exact)


def test_sessions_of_hundreds_of_instances() -> None:
    """300 instances, a tenth at a time: the mean course of one after the other, which 30 groups of
    30 are within 5 %."""
    scenario = given(
        SESSIONS,
        instances=300,
        service="drain: 60s, startup: {normal: {mean: 120s, sd: 1s}}",
        strategy="rolling: {batch: 10%, surge: 10%}",
    )
    found = play(scenario, 2, bad=False)[0]
    exact = 36_000 * sum(oracles_trouble.sessions_one_by_one(10, 120, 60, 1800, False))
    assert found.expected_failed_requests == pytest.approx(exact, rel=0.05)


def test_everything_stopped_loses_every_session() -> None:
    """In place nothing drains: all 36 000, and the outage's r x T requests."""
    scenario = given(SESSIONS, service="drain: 300s, install: 90s", strategy="big_bang: {}")
    assert near([o.failed_requests for o in play(scenario, 30, bad=False)], 36_000 + 1000 * 90)


def test_an_alarm_does_not_count_lost_sessions() -> None:
    """A good rolling update of ten loses 36 000 sessions, and no alarm is the wiser."""
    scenario = given(
        SESSIONS,
        strategy="rolling: {batch: 1, in_place: true}",
        service="install: 60s",
        detection="alarms: [{watch: service, above: 0.1%}, {watch: old, above: 0.1%}]",
    )
    for outcome in play(scenario, 10, bad=False):
        assert outcome.outcome == "deployed"
        assert outcome.failed_requests > 30_000


def test_visits_stay_on_the_version_where_they_began() -> None:
    """Blue leaves at the switch: all 36 000 began on it, and 84.6 % outlive the drain; kept for
    30 min after it e^-1 of them are left, then e^(-1/6). Green has none of its own to lose."""
    for kept in (0, 1800):
        scenario = given(
            SESSIONS,
            service="drain: 300s, startup: 60s",
            strategy=f"blue_green: {{smoke: none, keep_old: {kept}s}}",
        )
        exact = 36_000 * math.exp(-kept / 1800) * math.exp(-300 / 1800)
        assert near([o.failed_requests for o in play(scenario, 30, bad=False)], exact)


def test_a_rollback_loses_the_visits_that_began_on_the_new_version() -> None:
    """Back after D = 10 min: 1 - e^(-600/1800) of those under way began on green, and of these
    e^(-300/1800) outlive its drain. The defect itself fails nothing."""
    scenario = given(
        SESSIONS,
        service="drain: 300s, startup: 60s",
        defect="{kind: wrong_data, rate: 1%}",
        strategy="blue_green: {smoke: none, keep_old: 2h}",
        **noticed(600),
    )
    exact = 36_000 * -math.expm1(-600 / 1800) * math.exp(-300 / 1800)
    assert near([o.failed_requests for o in play(scenario, 30)], exact)


@pytest.mark.parametrize("after", [0, 60, 150, 299, 400])
def test_harm_that_is_left_some_time_after_the_decision(after: int) -> None:
    """Noticed long after a cut-over by DNS: of the harm at its peak (1 - v)(1 - x/ttl) + v
    e^(-x/tau) are left; behind a load balancer nothing."""
    rest = (1 - 0.05) * max(0.0, 1 - after / 300) + 0.05 * math.exp(-after / 3600)
    behind = "blue_green: {smoke: none, keep_old: 30d}"
    for strategy, exact in ((cut_over(dns(300, 0.05)), rest), (behind, 0.0)):
        scenario = given(
            {"response.back_within": f"{after}s"},
            strategy=strategy,
            **noticed(86_400),
        )
        (outcome,) = play(scenario, 1)
        assert outcome.still_harmed == pytest.approx(exact, abs=1e-6)
