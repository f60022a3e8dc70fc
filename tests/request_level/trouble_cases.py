"""Cases of everything that can go wrong beside a defect of the code, parameters drawn afresh."""

from __future__ import annotations

from random import Random

from tests.play.playing import bare
from tests.request_level.agreement import Case, watched

HARM = ("failed_requests", "users_harmed", "exposed_requests", "rolled_back")


def a_cutover_by_dns(rng: Random) -> Case:
    """Clients follow as their answers expire, there and back, some of them late."""
    ttl, late = rng.randint(60, 180), rng.randint(5, 20)
    dns = f"{{ttl: {ttl}s, ignore: {late}%, ignore_for: {{exponential: {{mean: 4m}}}}}}"
    scenario = bare(
        rate="rate: 4 rps",
        users="500",
        traffic=f"sticky: {rng.choice(['true', 'false'])}",
        defect=f"{{kind: errors, rate: {{uniform: {{low: 25%, high: {rng.randint(30, 40)}%}}}}}}",
        detection="noticed: {after: {uniform: {low: 3m, high: 5m}}}",
        response="page: {decide: 60s}",
        strategy=f"blue_green: {{smoke: none, keep_old: 12h, cutover: {{dns: {dns}}}}}",
    )
    return Case(scenario, ratio=2)


def blue_deleted_while_clients_ask_for_it(rng: Random) -> Case:
    """A good release whose old fleet is gone before its clients, each of whom keeps its answer."""
    ttl, keep = rng.randint(200, 400), rng.randint(20, 100)
    dns = f"{{ttl: {ttl}s, ignore: 0%, propagation: {rng.randint(0, 30)}s}}"
    scenario = bare(
        rate="rate: 12 rps",
        users="2k",
        traffic="sticky: true",
        strategy=f"blue_green: {{smoke: none, keep_old: {keep}s, cutover: {{dns: {dns}}}}}",
    ).with_("response.automatic", "watched")
    return Case(scenario.with_("response.watch", "10m"), ("failed_requests", "users_harmed"), False)


def a_defect_that_depends_on_the_load(rng: Random) -> Case:
    """Nothing at the first step, everything above the threshold, by daily traffic."""
    scenario = bare(
        rate=f"daily: {{mean: 3 rps, peak: {rng.uniform(4.5, 5.5):.1f} rps, peak_at: 12:00}}",
        users="1k",
        traffic="start_at: Tue 9:00",
        service="capacity: 1 rps",
        defect=f"{{kind: load, threshold: {rng.randint(25, 35)}%, rate: {{uniform: {{low: 30%, "
        "high: 40%}}}",
        detection="noticed: {after: {uniform: {low: 2m, high: 4m}}}",
        response="page: {decide: 60s}",
        strategy="canary: {steps: [{weight: 20%, bake: 10m}, {weight: 60%, bake: 30m}]}",
    )
    return Case(scenario.with_("follow_up", "10m"))


def what_stays_in_the_data(rng: Random) -> Case:
    """Incompatible versions, rolled back; a part of it stays until it is repaired."""
    repair = "{uniform: {low: 5m, high: 15m}}"
    scenario = bare(
        instances=10,
        rate="rate: 3 rps",
        users="1k",
        service=f"startup: {{lognormal: {{median: {rng.randint(40, 70)}s, sigma: 0.3}}}}",
        defect=f"{{kind: mixed_versions, rate: {{uniform: {{low: 40%, high: 60%}}}}, "
        f"persists: {rng.randint(30, 80)}%, repair: {repair}}}",
        detection="noticed: {after: {uniform: {low: 120s, high: 200s}}}",
        response="page: {decide: 30s}",
        strategy="rolling: {batch: 1, surge: 1, max_unavailable: 0, rollback_batch: 2}",
    )
    return Case(scenario.with_("response.hold", True).with_("follow_up", "10m"))


def a_schema_that_goes_with_the_code(rng: Random) -> Case:
    """Writes refused, a switch, a restore beside, and the writes in between lost."""
    schema = (
        f"{{coupled: {{migrate: {rng.randint(60, 120)}s, writes_blocked: {rng.randint(30, 60)}s, "
        f"restore: {{uniform: {{low: 2m, high: {rng.randint(4, 8)}m}}}}}}}}"
    )
    scenario = bare(
        rate="rate: 5 rps",
        users="1k",
        traffic="writes: 30%",
        defect="{kind: errors, rate: 30%}",
        detection="noticed: {after: {uniform: {low: 60s, high: 200s}}}",
        response="page: {decide: 30s}",
        strategy=rng.choice(
            ["big_bang: {in_place: false, keep_old: 1h}", "blue_green: {smoke: none}"]
        ),
    )
    return Case(scenario.with_("change.schema", schema), (*HARM, "corrupt_writes"))


def instances_that_fail(rng: Random) -> Case:
    """Instances fail while a part of the fleet is away: some rejections are nobody's doing, and
    many a broken one is replaced before it is mended."""
    scenario = bare(
        instances=8,
        rate="rate: 5 rps",
        users="2k",
        service=f"utilisation: {rng.randint(80, 85)}%, startup: 2m",
        strategy="rolling: {batch: 2, pause: 1m}",
    )
    failures = f"{{instance: {{mtbf: {rng.randint(20, 30)}m, repair: 5m}}}}"
    words = watched(scenario.with_("failures", failures))
    figures = ("failed_requests", "users_harmed")
    return Case(words, figures, False, most=2400)


def attempts_that_fail(rng: Random) -> Case:
    """Every other attempt to roll back does nothing."""
    scenario = bare(
        rate="rate: 4 rps",
        users="2k",
        defect="{kind: errors, rate: 20%}",
        detection="noticed: {after: {uniform: {low: 60s, high: 200s}}}",
        response="page: {acknowledge: 30s, decide: 90s}",
        strategy="canary: {steps: [{weight: 50%, bake: 8h}]}",
    )
    return Case(scenario.with_("failures.rollback", f"{rng.randint(30, 50)}%"), most=2400)


def a_shared_cache(rng: Random) -> Case:
    """Wrong answers come late and stay until they are forgotten."""
    scenario = bare(
        rate="rate: 5 rps",
        users="2k",
        defect="{kind: errors, rate: {uniform: {low: 20%, high: 40%}}}",
        detection="noticed: {after: {uniform: {low: 3m, high: 6m}}}",
        response="page: {decide: 60s}",
        strategy="blue_green: {smoke: none}",
    )
    cache = f"{{hits: {rng.randint(40, 80)}%, ttl: {rng.randint(60, 300)}s, shared: true}}"
    words = scenario.with_("router.cache", cache)
    return Case(words, ("failed_requests", "users_harmed"), ratio=2)


def a_shadow_that_shows_some(rng: Random) -> Case:
    """Copies show a part of the defects; the rest meets users in the canary after it."""
    then = "{kind: canary, steps: [{weight: 40%, bake: 1h}]}"
    scenario = bare(
        rate="rate: 3 rps",
        users="2k",
        defect="{kind: errors, rate: 30%}",
        detection="alarms: [{above: 10%, minimum_requests: 20, delay: 30s}]",
        strategy=f"shadow: {{duration: 6m, comparable: {rng.randint(20, 30)}%, then: {then}}}",
    )
    return Case(scenario.with_("follow_up", "10m"), HARM, most=2400)


def a_flag_that_covers_some(rng: Random) -> Case:
    """What the flag covers is dark while the code is shipped; the rest is not."""
    ship = "{kind: rolling, batch: 2, surge: 2, max_unavailable: 0}"
    scenario = bare(
        rate="rate: 2 rps",
        users="1k",
        service="startup: {uniform: {low: 40s, high: 80s}}",
        defect="{kind: errors, rate: 30%}",
        detection="noticed: {after: {uniform: {low: 4m, high: 6m}}}",
        response="page: {decide: 60s}",
        strategy=f"feature_flag: {{steps: [{{weight: 25%, bake: 1h}}], poll: 30s, "
        f"covered: {rng.randint(40, 60)}%, ship: {ship}}}",
    )
    return Case(scenario, HARM, most=2400)


def a_command_on_targets(rng: Random) -> Case:
    """A window over all targets, in place, some of which fail until there are too many."""
    scenario = bare(
        instances=10,
        rate="rate: 4 rps",
        users="2k",
        service=f"utilisation: {rng.randint(78, 84)}%, drain: 10s",
        defect=f"{{kind: crash, starts: {rng.randint(30, 50)}%}}",
        response="decide: 10s",
        strategy=f"rate_controlled: {{concurrency: {rng.randint(2, 3)}, max_errors: 0, "
        "run_time: {uniform: {low: 60s, high: 120s}}}",
    )
    words = scenario.with_("follow_up", "10m")
    return Case(words, ("failed_requests", "rolled_back", "rollback_time"), most=2400)


def a_zone_lost_while_a_part_is_away(rng: Random) -> Case:
    """Zones go dark in the middle of a rolling update."""
    scenario = bare(
        instances=6,
        rate="rate: 3 rps",
        users="1k",
        service=f"utilisation: {rng.randint(60, 65)}%, startup: 90s, zones: 3",
        strategy="rolling: {batch: 2, pause: 1m}",
    )
    failures = f"{{zone: {{mtbf: {rng.randint(7, 9)}m, repair: 4m}}}}"
    words = watched(scenario.with_("failures", failures))
    figures = ("failed_requests", "users_harmed")
    return Case(words, figures, False, most=2400)


def a_tool_that_stalls(rng: Random) -> Case:
    """Steps that have to wait until the tool works again."""
    scenario = bare(
        rate="rate: 1 rps",
        users="1k",
        strategy=f"linear: {{step: 10%, every: {rng.randint(60, 120)}s}}",
    )
    words = scenario.with_("failures", "{tool_stall: {mtbf: 10m, repair: 3m}}")
    words = watched(words)
    return Case(words, ("time_to_deploy",), False)


def sessions_in_memory(rng: Random) -> Case:
    """Instances leave with sessions that are not over when the drain is."""
    sessions = f"{{mean: {rng.randint(8, 15)}m, requests: {rng.randint(5, 10)}}}"
    scenario = bare(
        instances=6,
        rate="rate: 4 rps",
        users="2k",
        service=f"startup: 30s, drain: {rng.randint(60, 200)}s, sessions: {sessions}",
        strategy="rolling: {batch: 1, surge: 1, max_unavailable: 0}",
    )
    words = watched(scenario, "10m")
    return Case(words, ("failed_requests", "users_harmed"), False)


def sessions_that_move_again_and_again(rng: Random) -> Case:
    """In place, one or two at a time: what was lost on one instance lies on the next one."""
    sessions = f"{{mean: {rng.randint(8, 15)}m, requests: {rng.randint(5, 10)}}}"
    scenario = bare(
        instances=6,
        rate="rate: 4 rps",
        users="2k",
        service="install: {uniform: {low: 60s, high: 200s}}, drain: "
        f"{rng.randint(20, 60)}s, sessions: {sessions}",
        strategy=f"rolling: {{batch: {rng.randint(1, 2)}, in_place: true}}",
    )
    words = watched(scenario, "10m")
    return Case(words, ("failed_requests", "users_harmed"), False)


def sessions_on_the_way_back(rng: Random) -> Case:
    """New instances beside all old ones; some of the visits began on them when they leave again."""
    sessions = f"{{mean: {rng.randint(4, 6)}m, requests: {rng.randint(5, 10)}}}"
    scenario = bare(
        instances=6,
        rate="rate: 4 rps",
        users="2k",
        service=f"startup: 30s, drain: {rng.randint(20, 60)}s, sessions: {sessions}",
        defect="{kind: wrong_data, rate: 1%}",
        detection="noticed: {after: {uniform: {low: 2m, high: 8m}}}",
        traffic="writes: 1%",
        strategy="immutable: {first: 6, bake: 1h}",
    )
    words = scenario.with_("response.hold", True).with_("follow_up", "10m")
    return Case(words, ("failed_requests", "users_harmed"))


def sessions_where_they_began(rng: Random) -> Case:
    """Traffic is shifted in steps; the old instances leave with the sessions that began on them."""
    sessions = f"{{mean: {rng.randint(8, 15)}m, requests: {rng.randint(3, 6)}}}"
    scenario = bare(
        instances=6,
        rate="rate: 4 rps",
        users="2k",
        service=f"startup: 30s, drain: {rng.randint(60, 200)}s, sessions: {sessions}",
        strategy=f"linear: {{step: 25%, every: {rng.randint(2, 6)}m}}",
    )
    words = watched(scenario, "10m")
    return Case(words, ("failed_requests", "users_harmed"), False)


TROUBLE = (
    a_cutover_by_dns,
    blue_deleted_while_clients_ask_for_it,
    a_defect_that_depends_on_the_load,
    what_stays_in_the_data,
    a_schema_that_goes_with_the_code,
    instances_that_fail,
    attempts_that_fail,
    a_shared_cache,
    a_shadow_that_shows_some,
    a_flag_that_covers_some,
    a_command_on_targets,
    a_zone_lost_while_a_part_is_away,
    a_tool_that_stalls,
    sessions_in_memory,
    sessions_that_move_again_and_again,
    sessions_on_the_way_back,
    sessions_where_they_began,
)
