"""DNS, caches, sessions, schemas, defects of load, trouble, shadows, flags, commands on targets."""

from __future__ import annotations

from functools import partial

from simulator.play.outcome import Outcome
from tests.answers import oracles
from tests.answers import oracles_trouble as trouble
from tests.validation import checks
from tests.validation.harm import SWITCH, decided, errors, noticed
from tests.validation.rows import Row, caught, row
from tests.validation.times import exponential

ALARM = "alarms: [{above: 5%, phase: aligned}]"


def record(ttl: float, ignore: float, tau: float) -> str:
    """A DNS record that some clients keep for an exponential time."""
    held = exponential(tau) if ignore else "1h"
    return f"{{ttl: {ttl:g}s, ignore: {100 * ignore:g}%, ignore_for: {held}, propagation: 0s}}"


def cut_over(ttl: float, ignore: float, tau: float, keep_old: str) -> str:
    """Blue/green by such a record."""
    dns = record(ttl, ignore, tau)
    return f"blue_green: {{smoke: none, cutover: {{dns: {dns}}}, keep_old: {keep_old}}}"


def names() -> list[Row]:
    """Weights that are DNS records."""
    found = []
    for ttl, ignore, tau, keep in ((300, 0.0874, 3600, 0), (300, 0, 1, 0), (60, 0.2, 900, 600)):
        found.append(
            row(
                "failed_requests",
                "r ((1 - v) (L - k)² / (2 L) + v τ e^(-k/τ))",
                1000 * trouble.stale_area(ttl, ignore, tau, kept=keep),
                200,
                bad=False,
                strategy=cut_over(ttl, ignore, tau, f"{keep}s"),
            )
        )
    for ttl, detect, decide in ((300, 300, 120), (3600, 60, 30)):
        found.append(
            row(
                "failed_requests",
                "r p ∫ w = r p (D + R)",
                oracles.atomic_switch(1000, 0.2, detect, decide),
                200,
                strategy=cut_over(ttl, 0, 1, "30d"),
                detection=noticed(f"{detect}s"),
                response=decided(f"{decide}s"),
                detector="noticed",
            )
        )
    for ttl in (60, 3600):
        found.append(
            row("mixing", "L / 3", ttl / 3, 5, bad=False, strategy=cut_over(ttl, 0, 1, "2h"))
        )
    return found


def caches() -> list[Row]:
    """Answers from a cache: harm that comes later, and the load of a cold one."""
    found = []
    for hits, ttl in ((0.5, 60), (0.9, 600)):
        found.append(
            row(
                "failed_requests",
                "r p (1 - h) ∫ w + r p h ∫ w = r p (D + R)",
                oracles.atomic_switch(1000, 0.2, 300, 120),
                200,
                strategy="blue_green: {smoke: none}",
                detection=noticed("300s"),
                response=decided("120s"),
                detector="noticed",
                also={"router.cache": f"{{hits: {100 * hits:g}%, ttl: {ttl}s, shared: true}}"},
            )
        )
    for hits, ttl, load in ((0.8, 300, 0.5), (0.5, 120, 0.9)):
        found.append(
            row(
                "failed_requests",
                "r L s² / (2h), s = 1 - (1 - h) / ρ",
                trouble.cold_cache(1000, hits, ttl, load),
                200,
                bad=False,
                strategy=SWITCH,
                service=f"utilisation: {100 * load:g}%",
                also={"router.cache": f"{{hits: {100 * hits:g}%, ttl: {ttl}s, shared: false}}"},
            )
        )
    return found


def sessions() -> list[Row]:
    """Sessions in the memory of instances that leave."""
    alive = trouble.sessions_alive(1000, 1800, 50)
    begun = "r s / q Σ oⱼ e^(-d/s) / (n - j)"
    here = alive * sum(trouble.sessions_one_by_one(10, 360, 300, 1800, True))
    beside = alive * sum(trouble.sessions_one_by_one(10, 500, 400, 1800, False))
    all_old = trouble.sessions_lost(alive, [1], 300, 1800)
    baked = trouble.sessions_left_behind(1 / 2, 600, 1800)
    after = trouble.sessions_lost(alive, [baked], 60, 1800)
    group = "blue_green: {smoke: none, cutover: replace_instances, keep_old: 0s}"
    wait = "immutable: {first: 10, bake: 600s}"
    return [
        row(
            "failed_requests",
            formula,
            exact,
            200,
            bad=False,
            strategy=strategy,
            service=service,
            also={"service.sessions": "{mean: 30m, requests: 50}"},
        )
        for formula, exact, strategy, service in (
            (begun, here, "rolling: {batch: 1, in_place: true}", "drain: 300s, install: 60s"),
            (begun, beside, "rolling: {batch: 1, surge: 1}", "drain: 400s, startup: 500s"),
            ("r s / q e^(-d/s)", all_old, group, "drain: 300s, startup: 90s"),
            ("r s / q (1 - w (1 - e^(-b/s))) e^(-d/s)", after, wait, "drain: 60s"),
        )
    ]


def loads() -> list[Row]:
    """Defects that show above a traffic, and those that stay in the data."""
    found = []
    daily = "daily: {mean: 500 rps, peak: 900 rps, peak_at: 13:00}"
    for limit in (600, 700):
        _, exact = trouble.above_threshold(500, 900, limit, 0.2)
        found.append(
            row(
                "failed_requests",
                "p ∫ r over r > limit",
                exact,
                50,
                strategy=SWITCH,
                service="capacity: 200 rps",
                rate=daily,
                traffic="start_at: Tue 2:00",
                defect=f"{{kind: load, threshold: {limit / 20:g}%, rate: 20%}}",
            )
        )
    for weight, persists in ((0.05, 1.0), (0.5, 0.6)):
        found.append(
            row(
                "failed_requests",
                "r p 2w (1 - w) (D + f repair)",
                trouble.left_in_the_data(1000, 0.1, weight, 900, persists, 7200),
                200,
                strategy=f"canary: {{steps: [{{weight: {100 * weight:g}%, bake: 10h}}]}}",
                defect=f"{{kind: mixed_versions, rate: 10%, persists: {100 * persists:g}%, "
                "repair: 2h}",
                detection=noticed("900s"),
                detector="noticed",
            )
        )
    return found


def schemas() -> list[Row]:
    """Migrations: what they block, what a restore loses, and no way back."""
    inner = "order: together, migrate: 300s, writes_blocked: 60s"
    there = {"change.schema": f"{{coupled: {{{inner}, restore: 900s}}}}"}
    never = {"change.schema": f"{{coupled: {{{inner}, restore: none}}}}", "response.fix": "2h"}
    wrong = {**never, "response.point_of_no_return": "roll_back"}
    blocked = 1000 * 0.2 * 60
    words = {
        "strategy": SWITCH,
        "traffic": "writes: 20%",
        "detection": noticed("600s"),
        "response": decided("120s"),
        "detector": "noticed",
    }
    return [
        row("failed_requests", "r v b", blocked, 200, bad=False, also=there, **words),
        row("corrupt_writes", "r v (D + R + S)", 1000 * 0.2 * 1620, 200, also=there, **words),
        row(
            "failed_requests",
            "r v b + r p (D + R + F + T)",
            blocked + oracles.atomic_switch(1000, 0.2, 600, 120 + 7200 + 300),
            200,
            also=never,
            **words,
        ),
        row(
            "failed_requests",
            "r v b + r p (D + R) + r F",
            blocked + oracles.atomic_switch(1000, 0.2, 600, 120) + 1000 * 7200,
            200,
            also=wrong,
            **words,
        ),
        row(
            "time_to_deploy",
            "(n - 1) (T + apart) + T",
            2 * (1800 + 86_400) + 1800,
            5,
            bad=False,
            strategy="canary: {}",
            also={"change.schema": "{expand_contract: {releases: 3, apart: 1d}}"},
        ),
    ]


def broken() -> list[Row]:
    """Instances that fail."""
    slow = {"strategy": SWITCH, "detection": noticed("1500s"), "response": decided("300s")}
    found = []
    for size, mtbf in ((20, 18_000), (40, 36_000)):
        lost = trouble.broken_mean(size, mtbf, 600, 1800)
        found.append(
            row(
                "failed_requests",
                "r (L (1 - 1/(ρ f)) + ∫ broken / (n ρ f))",
                1000 * (1800 * (1 - 1 / 1.5) + lost / size / 1.5),
                600,
                instances=size,
                service="utilisation: 50%",
                defect="{kind: slow, factor: 3, rate: 0%}",
                detector="noticed",
                also={"failures.instance": f"{{mtbf: {mtbf}s, repair: 600s}}", "follow_up": "30m"},
                **slow,
            )
        )
    value = [trouble.slow_and_less(0.475, 2, 1 - k / 10, 0.01) for k in range(11)]
    found.append(
        row(
            "failed_requests",
            "r ∫ Σ Pois(k) bad(k)",
            1000 * trouble.over_broken(10, 9000, 600, 1800, value.__getitem__),
            600,
            service="utilisation: 47.5%",
            defect="{kind: slow, factor: 2, rate: 1%}",
            detector="noticed",
            also={"failures.instance": "{mtbf: 9000s, repair: 600s}", "follow_up": "30m"},
            **slow,
        )
    )
    return found


def stalls() -> list[Row]:
    """Rollbacks that do nothing, tools that stall."""
    found = []
    for chance in (0.2, 0.5):
        found.append(
            row(
                "time_to_mitigate",
                "R + (A + R) f / (1 - f)",
                120 + 180 * trouble.tries(chance),
                800,
                strategy="blue_green: {smoke: none, keep_old: 10d}",
                detection=noticed("300s"),
                response=decided("120s").replace("{", "{acknowledge: 60s, "),
                detector="noticed",
                also={"failures.rollback": f"{100 * chance:g}%"},
            )
        )
    for due, mtbf, repair in ((900, 2000, 1200), (600, 600, 3600)):
        found.append(
            row(
                "time_to_deploy",
                "B + (r - B) (1 - e^(-B/M)) + M - (M + B) e^(-B/M)",
                due + trouble.stalled_step(due, mtbf, repair),
                800,
                bad=False,
                strategy=f"canary: {{steps: [{{weight: 10%, bake: {due}s}}]}}",
                also={"failures.tool_stall": f"{{mtbf: {mtbf}s, repair: {repair}s}}"},
            )
        )
    return found


def hanging() -> list[Row]:
    """Rollouts that never finish, found by the operator."""
    found = []
    for size, batch, load in ((9, 3, 0.75), (10, 4, 0.9)):
        words = {
            "strategy": f"rolling: {{batch: {batch}, mode: batch}}",
            "instances": size,
            "service": f"utilisation: {100 * load:g}%",
            "defect": "{kind: crash}",
            "detection": "health: none",
            "response": "overdue: 30m, page: {acknowledge: 60s, decide: 300s}",
            "detector": "operator",
        }
        exact = 1000 * 2160 * oracles.rejected_in_place(load, batch / size)
        found.append(
            row("failed_requests", "r (O + A + R) max(0, 1 - (1 - b) / ρ)", exact, 200, **words)
        )
    return found


def _hidden(peak: float, outcome: Outcome) -> float:
    return float(outcome.peak_exposure <= peak)


def shadows() -> list[Row]:
    """What shows in copies."""
    found = []
    for chance in (0.3, 0.8):
        strategy = (
            f"shadow: {{comparable: {100 * chance:g}%, then: {{kind: big_bang, in_place: false}}}}"
        )
        found += [
            row(
                "caught in the shadow",
                "comparable",
                chance,
                800,
                value=caught("alarm", "shadow"),
                check=checks.share,
                strategy=strategy,
                detection=ALARM,
                detector="alarm new",
            ),
            row(
                "failed_requests",
                "(1 - c) r p D",
                (1 - chance) * oracles.atomic_switch(1000, 0.2, 60, 0),
                800,
                strategy=strategy,
                defect=errors(0.2),
                detection=ALARM,
                detector="alarm new",
            ),
        ]
    return found


def flags() -> list[Row]:
    """What sits behind a flag, and what does not."""
    found = []
    for chance in (0.3, 0.7):
        flag = (
            f"feature_flag: {{covered: {100 * chance:g}%, steps: [{{weight: 5%, bake: 2h}}], "
            "ship: {kind: big_bang, in_place: false}}"
        )
        words = {
            "strategy": flag,
            "detection": noticed("300s"),
            "response": decided("120s"),
            "detector": "noticed",
        }
        exact = chance * 0.05 * 450 + (1 - chance) * 420
        found += [
            row(
                "behind the flag",
                "covered",
                chance,
                800,
                value=partial(_hidden, 0.05),
                check=checks.share,
                **words,
            ),
            row("exposure_time", "c w (D + R + poll) + (1 - c) (D + R)", exact, 800, **words),
        ]
    return found


def on_targets() -> list[Row]:
    """Commands on targets: their time and their errors."""
    found = []
    for mean, count, slots in ((60, 100, 10), (90, 20, 20)):
        run = f"run_time: {exponential(mean)}"
        words = {"instances": count, "bad": False}
        found.append(
            row(
                "time_to_deploy",
                "m (n - k) / k + m Hₖ",
                oracles.sliding_window(mean, count, slots),
                300,
                strategy=f"rate_controlled: {{concurrency: {slots}, {run}}}",
                **words,
            )
        )
        sizes = trouble.groups_that_double(count, slots)
        found.append(
            row(
                "time_to_deploy",
                "m Σ H over 1, 2, 4 ... k, k",
                sum(oracles.slowest_exponential(mean, size) for size in sizes),
                300,
                strategy=f"rate_controlled: {{concurrency: {slots}, ramp: doubling, {run}}}",
                **words,
            )
        )
    for accepted in (0, 2):
        found.append(
            row(
                "caught by health",
                "P(Bin(n, f) > e)",
                trouble.too_many_errors(20, 0.1, accepted),
                800,
                value=caught("health"),
                bad=False,
                check=checks.share,
                instances=20,
                service="start_failure: {probability: 10%, timeout: 10m}",
                strategy=f"rate_controlled: {{concurrency: 5, max_errors: {accepted}}}",
                detector="health",
            )
        )
    return found


def rows() -> list[Row]:
    """All of them."""
    return [
        *names(),
        *caches(),
        *sessions(),
        *loads(),
        *schemas(),
        *broken(),
        *stalls(),
        *hanging(),
        *shadows(),
        *flags(),
        *on_targets(),
    ]
