"""Cases for the keys of routes, schemas and trouble: another value, and what else to set first."""

from __future__ import annotations

Case = tuple[str, tuple[tuple[str, str], ...]]

PEOPLE_ONLY = ("detection.alarms", "none")
MILD = ("change.defects", "[{kind: errors, rate: 0.3%}]")
ROLLING = ("strategies.it", "{kind: rolling, batch: 2}")
PREPARED = ("strategies.it", "{kind: big_bang, in_place: false, keep_old: 3h}")
CRASH = ("change.defects", "[{kind: crash}]")

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
_HANGS = (CRASH, ("detection", "{health: none}"), ("response.overdue", "30m"))

_ELASTIC = (("service.elastic", "true"), _TENTH, ("service.concurrency", "40"))
_COPIES = ("strategies.it", "{kind: shadow, duration: 9m}")
_THROTTLE = (_COPIES, ("router.throttle", "{rate: 400 rps, burst: 5000}"))

CASES: dict[str, Case] = {
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
    "change.licences": ("6", (("costs.licence", "100"),)),
    "costs.licence": ("100", (("change.licences", "6"),)),
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
        "ship": "{kind: big_bang, in_place: false}",
        "judge": "{above: 2%}",
    },
    "rate_controlled": {
        "concurrency": "2",
        "max_errors": "3",
        "run_time": "5m",
        "ramp": "doubling",
    },
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
    "opsworks_deploy": {"order": "by_zone", "run_time": "5m", "check": "9m"},
}
_LONG = "run_time: 50m, concurrency: 1"
FIRST = {
    ("maintenance_window", "duration"): _LONG,
    ("maintenance_window", "cutoff"): _LONG,
    ("maintenance_window", "every"): _LONG,
    ("maintenance_window", "max_errors"): "concurrency: 2, run_time: 2m",
    ("appconfig", "growth"): "strategy: custom",
    ("appconfig", "factor"): "strategy: custom",
    ("appconfig", "duration"): "strategy: custom",
    ("appconfig", "bake"): "strategy: custom",
    ("opsworks_deploy", "check"): "order: by_zone",
    ("shadow", "comparable"): "comparable: 0%",
    ("feature_flag", "covered"): "covered: 100%",
    ("feature_flag", "judge"): "covered: 100%",
}
