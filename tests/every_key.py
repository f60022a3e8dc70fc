"""Cases for the keys of routes, schemas and trouble: another value, and what else to set first."""

from __future__ import annotations

Case = tuple[str, tuple[tuple[str, str], ...]]

PEOPLE_ONLY = ("detection.alarms", "none")
MILD = ("change.defects", "[{kind: errors, rate: 0.3%}]")
ROLLING = ("strategies.it", "{kind: rolling, batch: 2}")
PREPARED = ("strategies.it", "{kind: big_bang, in_place: false, keep_old: 3h}")
CRASH = ("change.defects", "[{kind: crash}]")
THREE = ("service.zones", "3")
_FAILING = ("service.start_failure", "{probability: 50%, timeout: 2m}")

TENANTS = ("traffic.users", "{count: 20k, largest: 20%, zipf: 1}")
STAFF = (
    "strategies.it",
    "{kind: canary, steps: [{weight: 0, audience: 2k users, bake: 9m}, {weight: 50%, bake: 5m}]}",
)
_TENTH = ("service.service_time", "100ms")
_SESSIONS = (MILD, ("service.sessions", "{mean: 30m, requests: 50}"))
_DNS = (("router.dns", "{ttl: 60s, ignore: 5%, ignore_for: {exponential: {mean: 1h}}}"),)
_CACHE = (("router.cache", "{hits: 60%, ttl: 5m, shared: true}"),)
_INNER = "order: together, migrate: 5m, writes_blocked: 1m, restore: 1h"
_COUPLED = (("change.schema", f"{{coupled: {{{_INNER}}}}}"),)
_NO_RETURN = (("change.schema", f"{{coupled: {{{_INNER.replace('1h', 'none')}}}}}"),)
_STEPS = (("change.schema", "{expand_contract: {releases: 3, apart: 1d}}"),)
_ROUTINE = (MILD, ("change.upgrade_routine", "{takes: 10m, lock: false}"))
_BREAKS = (ROLLING, PEOPLE_ONLY, ("detection.people", "none"), ("service.capacity", "52 rps"))
_INSTANCES = (*_BREAKS, ("failures.instance", "{mtbf: 6h, repair: 20m}"))
_ZONES = (*_BREAKS, ("service.zones", "3"), ("failures.zone", "{mtbf: 6h, repair: 20m}"))
_STALLS = (("failures.tool_stall", "{mtbf: 10m, repair: 10m}"),)
_MIXED = (
    PEOPLE_ONLY,
    ("change.defects", "[{kind: mixed_versions, rate: 30%, persists: 60%, repair: 1h}]"),
)
_LOAD = (("change.defects", "[{kind: load, threshold: 30%, rate: 9%}]"),)
_CARRIED = "{count: 8, each: 2%, bisect: 9m, tests: [{catches: 50%, takes: 9m, flakes: 20%}]}"
_CHANGES = (("change", f"{{changes: {_CARRIED}, defects: [{{kind: errors, rate: 3%}}]}}"),)
_BRANCH = (("change.branch", "{age: 20d, conflict: 2%, resolve: 1h}"),)
_HANGS = (CRASH, ("detection", "{health: none}"), ("response.overdue", "30m"))

_CELLS = (
    ("service.cells", "[{name: a, share: 30%}, {name: b, share: 70%}]"),
    ("strategies.it", "{kind: phased, by: cells}"),
)
_WAVES = (
    _CELLS[0],
    ("strategies.it", "{kind: phased, by: cells, waves: [{cells: [a]}, {cells: [b]}]}"),
)
_OFFICE = ("strategies.it.only_in", "work")

_ELASTIC = (("service.elastic", "true"), _TENTH, ("service.concurrency", "40"))
_LATE = (_TENTH, ROLLING, ("slo.latency", "200ms"))
_COLD = (*_ELASTIC, ("service.cold_start", "{lasts: 400ms}"), ("slo.latency", "300ms"))
_GROUP = ("service.scaling", "{min: 2, max: 20}")
_SMALL = ("strategies.it", "{kind: blue_green, green: scaled}")
_WAITS = ("strategies.it", "{kind: blue_green, keep_old: 3h}")
_SCALING = (_GROUP, _WAITS, ("detection", "{noticed: {after: 1h}}"))
_COPIES = ("strategies.it", "{kind: shadow, duration: 9m}")
_THROTTLE = (_COPIES, ("router.throttle", "{rate: 400 rps, burst: 5000}"))

_QUEUE = ("traffic", "{rate: 300 rps, users: 20k, writes: 20%, queue: true, deadline: 9m}")

CASES: dict[str, Case] = {
    "response.back_within": ("0s", ()),
    "service.ungraceful": ("20s", (ROLLING,)),
    "service.start_rate": ("2/min", ()),
    "service.cold_start.share": ("5%", _COLD),
    "service.cold_start.lasts": ("1s", _COLD),
    "service.queueing": ("shared", _LATE),
    "service.scaling.min": ("4", _SCALING),
    "service.scaling.max": ("6", _SCALING),
    "service.scaling.target": ("90%", _SCALING),
    "service.scaling.up": ("8m", (*_SCALING, _SMALL)),
    "service.scaling.down": ("2h", _SCALING),
    "slo.latency": ("300ms", _LATE),
    "service.cells": ("[{name: a, share: 20%}, {name: b, share: 80%}]", _CELLS),
    "service.cells[0].name": ("c", _CELLS),
    "service.cells[0].peak_at": (
        "06:00",
        (
            ("traffic", "{daily: {mean: 200 rps, peak: 300 rps, peak_at: 14:00}, users: 20k}"),
            *_CELLS,
        ),
    ),
    "strategies.it.waves[0]": ("{cells: [a], bake: 9m}", _WAVES),
    "strategies.it.waves": ("[{cells: [b]}, {cells: [a]}]", _WAVES),
    "calendar.timezone": (
        "Asia/Tokyo",
        (
            ("traffic.start_at", "2026-03-28 16:57"),
            ("calendar", "{timezone: Europe/Berlin}"),
            _OFFICE,
        ),
    ),
    "calendar.work": ("Mon-Fri 12:00-13:00", (_OFFICE,)),
    "calendar.freeze": ('[{from: "Tue 10:01", to: "Tue 12:00"}]', ()),
    "strategies.it.only_in": ("work", (("traffic.start_at", '"Tue 16:57"'),)),
    "traffic.deadline": ("20s", (_QUEUE, ("strategies.it", "{kind: big_bang}"))),
    "traffic.retries": ("1", ()),
    "service.overload": ("collapse", (ROLLING, ("service.capacity", "52 rps"))),
    "traffic.connections.mean": ("3h", (("traffic.connections", "{mean: 10m}"),)),
    "service.drifted": ("30%", (("strategies.it", "{kind: big_bang}"),)),
    "service.elastic": ("true", ()),
    "service.concurrency": ("20", _ELASTIC),
    "service.service_time": ("200ms", _ELASTIC),
    "service.cost_per_request": ("0.01", (*_ELASTIC, _COPIES)),
    "service.sessions.mean": ("3h", _SESSIONS),
    "service.sessions.requests": ("5", _SESSIONS),
    "service.zones": ("2", _ZONES),
    "router.dns.ttl": ("10m", _DNS),
    "router.dns.ignore": ("50%", _DNS),
    "router.dns.ignore_for": ("10m", _DNS),
    "router.dns.propagation": ("5m", _DNS),
    "router.cache.hits": ("20%", _CACHE),
    "router.cache.ttl": ("30m", _CACHE),
    "router.cache.shared": ("false", _CACHE),
    "router.throttle.rate": ("350 rps", _THROTTLE),
    "router.throttle.burst": ("50k", _THROTTLE),
    "change.schema.coupled.order": ("schema_last", _COUPLED),
    "change.schema.coupled.migrate": ("9m", _COUPLED),
    "change.schema.coupled.writes_blocked": ("4m", _COUPLED),
    "change.schema.coupled.restore": ("9h", _COUPLED),
    "change.schema.expand_contract.releases": ("5", _STEPS),
    "change.schema.expand_contract.apart": ("3d", _STEPS),
    "change.upgrade_routine.takes": ("20m", _ROUTINE),
    "change.upgrade_routine.lock": ("true", _ROUTINE),
    "change.single_writer": ("true", ()),
    "change.replication_lag": ("30s", ()),
    "change.licences": ("6", (("costs.licence", "100"),)),
    "costs.licence": ("100", (("change.licences", "6"),)),
    "change.changes.count": ("2", _CHANGES),
    "change.changes.bisect": ("1h", _CHANGES),
    "change.changes.tests": ("[]", _CHANGES),
    "change.changes.tests[0].takes": ("1h", _CHANGES),
    "change.changes.tests[0].flakes": ("80%", _CHANGES),
    "change.branch.age": ("90d", _BRANCH),
    "change.branch.conflict": ("9%", _BRANCH),
    "change.branch.resolve": ("9h", _BRANCH),
    "costs.release": ("100", ()),
    "change.defects[0].threshold": ("60%", _LOAD),
    "change.defects[0].persists": ("0%", _MIXED),
    "change.defects[0].repair": ("5h", _MIXED),
    "failures.instance.mtbf": ("3h", _INSTANCES),
    "failures.instance.repair": ("2h", _INSTANCES),
    "failures.zone.mtbf": ("3h", _ZONES),
    "failures.zone.repair": ("2h", _ZONES),
    "failures.tool_stall.mtbf": ("3m", _STALLS),
    "failures.tool_stall.repair": ("20m", _STALLS),
    "failures.slip": ("90%", (("strategies.it", "{kind: phased, bake: 5m}"),)),
    "failures.rollback": ("90%", ()),
    "response.point_of_no_return": ("roll_back", _NO_RETURN),
    "response.overdue": ("2h", _HANGS),
    "detection.health": ("none", (CRASH, ("response.overdue", "30m"))),
}

_MEASURED = "above: 1%, interval: 1m, failure_limit: 1, name: first"
_EMPTY = "above: 1%, interval: 1m, minimum_requests: 100000"


def _measured(words: str) -> tuple[tuple[str, str], ...]:
    """A canary with one analysis beside its steps, people alone besides it."""
    steps = "[{weight: 20%}, {pause: 15m}]"
    routed = f"traffic_routing: true, starting_step: 1, steps: {steps}"
    strategy = f"{{kind: argo_canary, {routed}, analysis: [{{{words}}}]}}"
    return (PEOPLE_ONLY, ("strategies.it", strategy))


_A = "strategies.it.analysis[0]"
_PAUSED = (
    PEOPLE_ONLY,
    ("strategies.it", "{kind: argo_canary, steps: [{weight: 20%}, {pause: 9m}, {approve: 5m}]}"),
)
_SCALED = (
    PEOPLE_ONLY,
    (
        "strategies.it",
        "{kind: argo_canary, traffic_routing: true, steps: [{canary_scale: 3}, {weight: 10%}, "
        "{match_weight: true}, {pause: 5m}, {analysis: [{above: 90%}]}]}",
    ),
)
ANALYSIS: dict[str, Case] = {
    f"{_A}.name": ("second", _measured(_MEASURED)),
    f"{_A}.watch": ("old", _measured(_MEASURED)),
    f"{_A}.metric": ("late", _measured(_MEASURED)),
    f"{_A}.above": ("50%", _measured(_MEASURED)),
    f"{_A}.interval": ("3m", _measured(_MEASURED)),
    f"{_A}.count": ("1", _measured(_MEASURED)),
    f"{_A}.failure_limit": ("4", _measured(_MEASURED)),
    f"{_A}.error_limit": ("0", _measured(_EMPTY)),
    f"{_A}.initial_delay": ("4m", _measured(_MEASURED)),
    f"{_A}.window": ("20s", _measured("above: 3%, interval: 1m, failure_limit: 3")),
    f"{_A}.delay": ("2m", _measured(_MEASURED)),
    f"{_A}.minimum_requests": ("100000", _measured(_MEASURED)),
    f"{_A}.no_data": ("pass", _measured(_EMPTY)),
    "strategies.it.steps[1].pause": ("5m", _PAUSED),
    "strategies.it.steps[2].approve": ("50m", _PAUSED),
    "strategies.it.steps[0].canary_scale": ("5", _SCALED),
    "strategies.it.steps[2]": ("{pause: 1m}", _SCALED),
    "strategies.it.steps[4].analysis": ("[{above: 0.1%}]", _SCALED),
}

# kind -> (setting -> another value)
SETTINGS: dict[str, dict[str, str]] = {
    "shadow": {
        "share": "20%",
        "duration": "9m",
        "comparable": "100%",
        "then": "{kind: rolling}",
    },
    "feature_flag": {
        "steps": "[{weight: 30%}]",
        "poll": "3m",
        "covered": "0%",
        "flags": "6",
        "combinations_tested": "1",
        "ship": "{kind: big_bang, in_place: false}",
        "judge": "{above: 2%}",
    },
    "service_by_service": {
        "count": "2",
        "coupling": "90%",
        "each": "{kind: big_bang, in_place: false}",
    },
    "rate_controlled": {
        "concurrency": "2",
        "max_errors": "3",
        "run_time": "5m",
        "ramp": "doubling",
    },
    "kubernetes_rolling": {
        "max_surge": "50%",
        "max_unavailable": "0",
        "min_ready": "40s",
        "progress_deadline": "1m",
    },
    "kubernetes_recreate": {"progress_deadline": "1m"},
    "spinnaker": {"stages": "[{kind: deploy}]", "on_failure": "clean_up"},
    "ecs_rolling": {
        "minimum_healthy": "50%",
        "maximum": "150%",
        "circuit_breaker": "true",
        "rollback": "true",
        "failure_threshold": "12",
        "reset_on_healthy": "false",
    },
    "cloudformation_rolling": {
        "max_batch": "2",
        "min_in_service": "6",
        "pause": "40s",
        "wait_on_signals": "true",
        "min_successful": "50%",
    },
    "cloudformation_replacing": {"timeout": "40s", "min_successful": "50%"},
    "beanstalk": {
        "command_timeout": "10s",
        "policy": "immutable",
        "batch": "2",
        "health_wait": "5m",
        "new_version": "30%",
        "evaluation": "9m",
    },
    "codedeploy": {
        "config": "HalfAtATime",
        "minimum_healthy": "2",
        "zonal": "true",
        "zone_minimum": "1",
        "monitor": "5m",
        "first_monitor": "9m",
        "rollback": "true",
        "terminate_after": "9m",
        "smoke": "{for: 9m}",
    },
    "ecs_blue_green": {"bake": "9m"},
    "ecs_linear": {"step": "20%", "step_bake": "9m"},
    "ecs_canary": {"canary": "20%", "canary_bake": "20m"},
}
# (kind, setting) -> what else of the scenario to set first
WORDS = {
    ("blue_green", "green"): (_GROUP,),
    ("phased", "recall"): (("service.elastic", "true"),),
    ("phased", "adoption"): (("service.elastic", "true"), ("strategies.it.recall", "none")),
    ("phased", "by"): (("service.cells", "[{name: a, share: 30%}, {name: b, share: 70%}]"),),
    ("beanstalk", "command_timeout"): (
        ("service.install", "5m"),
        ("service.start_failure", "{probability: 0%, timeout: 1h}"),
    ),
    ("kubernetes_rolling", "progress_deadline"): (CRASH,),
    ("kubernetes_recreate", "progress_deadline"): (CRASH,),
    ("cloudformation_rolling", "min_successful"): (CRASH,),
    ("codedeploy", "zonal"): (THREE,),
    ("codedeploy", "zone_minimum"): (THREE,),
    ("codedeploy", "monitor"): (THREE,),
    ("codedeploy", "first_monitor"): (THREE,),
    ("codedeploy", "rollback"): (CRASH,),
    ("spinnaker", "on_failure"): (CRASH,),
    ("argo_canary", "progress_deadline"): (CRASH,),
    ("argo_canary", "progress_abort"): (CRASH,),
    ("argo_blue_green", "progress_deadline"): (CRASH,),
    ("argo_blue_green", "progress_abort"): (CRASH,),
    ("flagger", "progress_deadline"): (CRASH,),
    ("flagger", "session_affinity"): (("traffic.sticky", "false"), PEOPLE_ONLY),
    ("ecs_rolling", "circuit_breaker"): (CRASH,),
    ("ecs_rolling", "rollback"): (CRASH,),
    ("ecs_rolling", "failure_threshold"): (CRASH,),
    ("ecs_rolling", "reset_on_healthy"): (_FAILING, PEOPLE_ONLY),
}
SETTINGS |= {
    "maintenance_window": {
        "duration": "2h",
        "cutoff": "3h30m",
        "every": "1d",
        "concurrency": "2",
        "max_errors": "3",
        "run_time": "5m",
    },
    "appconfig": {
        "strategy": "AppConfig.AllAtOnce",
        "growth": "exponential",
        "factor": "50%",
        "duration": "9m",
        "bake": "19m",
        "poll": "5m",
    },
    "flagger": {
        "interval": "20s",
        "threshold": "9",
        "max_weight": "50%",
        "step_weight": "20%",
        "step_weights": "[5%, 40%]",
        "step_weight_promotion": "20%",
        "iterations": "4",
        "match": "20%",
        "mirror": "50%",
        "metrics": "[{metric: late}]",
        "no_data": "pass",
        "load_test": "20 rps",
        "load_test_shows": "0%",
        "provider": "kubernetes",
        "skip_analysis": "true",
        "progress_deadline": "1m",
        "pre_rollout": "100%",
        "confirm_rollout": "9m",
        "confirm_promotion": "9m",
        "session_affinity": "true",
        "max_surge": "3",
        "max_unavailable": "3",
    },
    "opsworks_deploy": {"order": "by_zone", "run_time": "5m", "check": "9m"},
    "argo_canary": {
        "steps": "[{weight: 50%}, {pause: 9m}]",
        "traffic_routing": "true",
        "max_surge": "3",
        "max_unavailable": "0",
        "analysis": "[{above: 1%, interval: 1m}]",
        "starting_step": "1",
        "min_pods": "3",
        "dynamic_stable_scale": "true",
        "scale_down_delay": "9m",
        "min_ready": "40s",
        "progress_deadline": "1m",
        "progress_abort": "true",
        "abort_scale_down_delay": "9m",
    },
    "argo_blue_green": {
        "preview_replicas": "2",
        "pre_promotion_analysis": "[{above: 1%, no_data: pass, initial_delay: 5m}]",
        "auto_promotion": "false",
        "auto_promotion_after": "9m",
        "approve": "5m",
        "post_promotion_analysis": "[{above: 1%, interval: 1m, count: 5}]",
        "scale_down_delay": "9m",
        "min_ready": "40s",
        "progress_deadline": "1m",
        "progress_abort": "true",
        "abort_scale_down_delay": "9m",
    },
}
_ROUTED = "traffic_routing: true, steps: [{weight: 20%}, {pause: 3m}]"
_LONG = "run_time: 50m, concurrency: 1"
FIRST = {
    ("beanstalk", "batch"): "policy: rolling",
    ("cloudformation_replacing", "min_successful"): "timeout: 65s",
    ("beanstalk", "new_version"): "policy: traffic_splitting",
    ("beanstalk", "evaluation"): "policy: traffic_splitting",
    ("codedeploy", "zonal"): "minimum_healthy: 1",
    ("codedeploy", "zone_minimum"): "minimum_healthy: 1, zonal: true",
    ("codedeploy", "monitor"): "zonal: true",
    ("codedeploy", "first_monitor"): "zonal: true",
    ("codedeploy", "terminate_after"): "config: ECSAllAtOnce",
    ("codedeploy", "smoke"): "config: ECSAllAtOnce",
    ("cloudformation_rolling", "max_batch"): "pause: 30s",
    ("cloudformation_rolling", "min_in_service"): "pause: 30s",
    ("cloudformation_rolling", "min_successful"): "wait_on_signals: true, pause: 1m",
    ("ecs_rolling", "rollback"): "circuit_breaker: true",
    ("ecs_rolling", "failure_threshold"): "circuit_breaker: true",
    ("ecs_rolling", "reset_on_healthy"): "circuit_breaker: true, maximum: 120%",
    ("maintenance_window", "duration"): _LONG,
    ("maintenance_window", "cutoff"): _LONG,
    ("maintenance_window", "every"): _LONG,
    ("maintenance_window", "max_errors"): "concurrency: 2, run_time: 2m",
    ("appconfig", "growth"): "strategy: custom",
    ("appconfig", "factor"): "strategy: custom",
    ("appconfig", "duration"): "strategy: custom",
    ("appconfig", "bake"): "strategy: custom",
    ("flagger", "match"): "iterations: 4",
    ("flagger", "no_data"): "iterations: 4",
    ("flagger", "load_test"): "iterations: 4",
    ("flagger", "load_test_shows"): "iterations: 4, load_test: 20 rps",
    ("flagger", "session_affinity"): "metrics: []",
    ("flagger", "max_surge"): "metrics: []",
    ("flagger", "max_unavailable"): "metrics: []",
    ("flagger", "confirm_promotion"): "metrics: []",
    ("flagger", "step_weight_promotion"): "metrics: []",
    ("opsworks_deploy", "check"): "order: by_zone",
    ("argo_canary", "analysis"): _ROUTED,
    ("argo_canary", "starting_step"): f"analysis: [{{above: 1%, interval: 1m}}], {_ROUTED}",
    ("argo_canary", "min_pods"): _ROUTED,
    ("argo_canary", "dynamic_stable_scale"): _ROUTED,
    ("argo_canary", "scale_down_delay"): _ROUTED,
    ("argo_canary", "abort_scale_down_delay"): _ROUTED,
    ("argo_canary", "progress_abort"): "progress_deadline: 3m",
    ("argo_blue_green", "progress_abort"): "progress_deadline: 3m",
    ("argo_blue_green", "approve"): "auto_promotion: false",
    ("shadow", "comparable"): "comparable: 0%",
    ("feature_flag", "covered"): "covered: 100%",
    ("feature_flag", "judge"): "covered: 100%",
    ("feature_flag", "flags"): "covered: 100%, combinations_tested: 2",
    ("feature_flag", "combinations_tested"): "covered: 100%",
}
