"""For every key of the format some scenario in which changing only that key changes the result."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from pydantic import BaseModel

from simulator.findings.columns import columns
from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate
from simulator.words.reading import load, loads
from simulator.words.scenario import Scenario
from simulator.words.strategy import kinds
from tests import every_key

BASE = """
version: 1
profile: bare
service:
  instances: 6
  capacity: 60 rps
  startup: {uniform: {low: 50s, high: 70s}}
  install: 40s
  drain: 30s
  cost: 1/h
  errors: {mean: 0.5%, cv: 1, for: 5m}
  incidents: {every: 6h, lasts: 10m, errors: 5%}
  warm_up: {for: 60s, capacity: 40%}
  start_failure: {probability: 5%, timeout: 2m}
traffic: {rate: 300 rps, users: 20k, sticky: true, writes: 20%, start_at: Tue 10:00}
router: {propagation: 5s}
change:
  defect_probability: 20%
  defects: [{kind: errors, rate: 3%}]
detection:
  alarms:
    - {watch: new, metric: errors, above: 1%, period: 1m, datapoints: 2 of 3, minimum_requests: 20,
       delay: 30s, missing: missing, phase: random}
  people: {report_rate: 0.2%, needed: 3, delay: 5m, triage: 5m}
response:
  automatic: watched
  watch: 10m
  hold: true
  decide: 10s
  page: {acknowledge: 2m, decide: 5m, off_hours: 2}
  fix: 2h
  retry: 1h
slo: {availability: 99.9%, window: 30d, budget_left: 100%}
costs: {failed_request: 0.01, corrupt_write: 1, responder: 100/h, responders: 2, watching: 1/h,
        outage: 10/h, sla_credit: 5, delay: 3/h}
follow_up: 6h
strategies: {it: {kind: canary, steps: [{weight: 10%, bake: 5m}, {weight: 50%, bake: 5m}]}}
"""

PEOPLE_ONLY = ("detection.alarms", "none")
NIGHT = ("traffic.start_at", '"Sun 3:00"')
ROLLING = ("strategies.it", "{kind: rolling, batch: 2}")
BIG = ("strategies.it", "{kind: big_bang}")
FEW = ("detection.alarms[0].minimum_requests", "100000")
MILD = ("change.defects", "[{kind: errors, rate: 0.3%}]")

_RANKS = ("detection.judge", "{test: mann_whitney, confidence: 90%}")
_RULES = (
    "detection.judge",
    "{test: mann_whitney, confidence: 90%, metrics: [{metric: errors}, {metric: late}]}",
)
_LENIENT = (
    "detection.judge",
    "{test: mann_whitney, confidence: 90%, passing: 40%, metrics: [{metric: errors}, "
    "{metric: late}]}",
)
_SHORT = "{kind: canary, steps: [{weight: 10%, bake: 3m}]}"
_BURN = "[{burn: 6, long: 1h, short: 10m}]"
BLIPS = ("service.incidents", "{every: 20m, lasts: 3m, errors: 30%}")

# path -> (another value, what else to set first)
CASES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "service.instances": ("7", ()),
    "service.capacity": ("45 rps", (ROLLING,)),
    "service.startup": ("100s", ()),
    "service.install": ("80s", (BIG,)),
    "service.drain": ("90s", ()),
    "service.cost": ("2/h", ()),
    "service.errors.mean": ("1%", ()),
    "service.errors.cv": ("0.2", (("service.errors.mean", "1%"),)),
    "service.errors.for": ("20m", (("service.errors.mean", "1%"),)),
    "service.incidents.every": ("1h", ()),
    "service.incidents.lasts": ("60m", (MILD, PEOPLE_ONLY, ("service.incidents.every", "20m"))),
    "service.incidents.errors": ("40%", (("service.incidents.every", "20m"),)),
    "service.warm_up.for": ("10m", (ROLLING,)),
    "service.warm_up.capacity": ("100%", (ROLLING,)),
    "service.start_failure.probability": ("40%", ()),
    "service.start_failure.timeout": ("55s", ()),
    "traffic.rate": ("200 rps", ()),
    "traffic.spikes": ("[{at: 5m, lasts: 10m, factor: 3}]", ()),
    "traffic.users": ("50k", ()),
    "traffic.sticky": ("false", ()),
    "traffic.writes": ("50%", (("change.defects", "[{kind: wrong_data, rate: 5%}]"),)),
    "traffic.start_at": ('"Sun 3:00"', (PEOPLE_ONLY,)),
    "router.propagation": ("60s", ()),
    "change.defects[0].rate": ("9%", ()),
    "change.defects[0].users": ("10%", ()),
    "detection.alarms[0].watch": ("service", ()),
    "detection.alarms[0].metric": ("late", ()),
    "detection.alarms[0].above": ("4%", ()),
    "detection.alarms[0].period": ("2m", ()),
    "detection.alarms[0].datapoints": ("1 of 1", ()),
    "detection.alarms[0].minimum_requests": ("100000", ()),
    "detection.alarms[0].delay": ("90s", ()),
    "detection.alarms[0].missing": ("breaching", (FEW,)),
    "detection.alarms[0].phase": ("aligned", ()),
    "detection.alarms[0].name": ("another", ()),
    "detection.burn_rate": (_BURN, (PEOPLE_ONLY,)),
    "detection.burn_rate[0].burn": ("30", (PEOPLE_ONLY, ("detection.burn_rate", _BURN))),
    "detection.burn_rate[0].long": ("20m", (PEOPLE_ONLY, ("detection.burn_rate", _BURN))),
    "detection.burn_rate[0].short": ("1m", (PEOPLE_ONLY, ("detection.burn_rate", _BURN), BLIPS)),
    "detection.burn_rate[0].watch": ("new", (PEOPLE_ONLY, ("detection.burn_rate", _BURN))),
    "detection.burn_rate[0].metric": ("late", (PEOPLE_ONLY, ("detection.burn_rate", _BURN))),
    "detection.burn_rate[0].delay": ("90s", (PEOPLE_ONLY, ("detection.burn_rate", _BURN))),
    "detection.burn_rate[0].phase": ("aligned", (PEOPLE_ONLY, ("detection.burn_rate", _BURN))),
    "detection.people.report_rate": ("1%", (PEOPLE_ONLY,)),
    "detection.people.needed": ("9", (PEOPLE_ONLY,)),
    "detection.people.delay": ("20m", (PEOPLE_ONLY,)),
    "detection.people.triage": ("20m", (PEOPLE_ONLY,)),
    "detection.noticed.after": (
        "20m",
        (("detection.people", "none"), PEOPLE_ONLY, ("detection.noticed", "{after: 5m}")),
    ),
    "detection.audit.every": (
        "3h",
        (
            PEOPLE_ONLY,
            ("detection.people", "none"),
            ("change.defects", "[{kind: wrong_data, rate: 5%}]"),
            ("detection.audit", "{every: 20m, coverage: 50%}"),
        ),
    ),
    "detection.audit.coverage": (
        "5%",
        (
            PEOPLE_ONLY,
            ("detection.people", "none"),
            ("change.defects", "[{kind: wrong_data, rate: 5%}]"),
            ("detection.audit", "{every: 20m, coverage: 90%}"),
        ),
    ),
    "detection.judge": ("{above: 2%}", (PEOPLE_ONLY,)),
    "detection.judge.metric": ("late", (PEOPLE_ONLY, ("detection.judge", "{above: 2%}"))),
    "detection.judge.above": ("20%", (PEOPLE_ONLY, ("detection.judge", "{above: 2%}"))),
    "detection.judge.minimum_requests": (
        "10000000",
        (PEOPLE_ONLY, ("detection.judge", "{above: 2%}")),
    ),
    "detection.judge.no_verdict": (
        "fail",
        (PEOPLE_ONLY, ("detection.judge", "{above: 2%, minimum_requests: 10000000}")),
    ),
    "detection.judge.test": (
        "mann_whitney",
        (PEOPLE_ONLY, ("detection.judge", "{test: sequential}")),
    ),
    "detection.judge.against": (
        "baseline",
        (PEOPLE_ONLY, ("detection.judge", "{test: two_proportion}")),
    ),
    "detection.judge.significance": (
        "1e-9%",
        (
            PEOPLE_ONLY,
            ("change.defects", "[{kind: errors, rate: 1%}]"),
            ("service.warm_up", "none"),
            ("detection.judge", "{test: sequential}"),
        ),
    ),
    "detection.judge.confidence": ("50%", (PEOPLE_ONLY, MILD, _RANKS)),
    "detection.judge.tolerance": ("95%", (PEOPLE_ONLY, _RANKS)),
    "detection.judge.metrics": ("[{metric: late}]", (PEOPLE_ONLY, _RANKS)),
    "detection.judge.passing": ("40%", (PEOPLE_ONLY, _RULES)),
    "detection.judge.marginal": ("40%", (PEOPLE_ONLY, _RULES, ("detection.judge.passing", "60%"))),
    "detection.judge.metrics[0].metric": ("late", (PEOPLE_ONLY, _RULES)),
    "detection.judge.metrics[0].weight": ("0.1", (PEOPLE_ONLY, _RULES)),
    "detection.judge.metrics[0].critical": ("true", (PEOPLE_ONLY, _LENIENT)),
    "detection.judge.metrics[0].allowed_increase": ("100", (PEOPLE_ONLY, _RULES)),
    "detection.judge.metrics[0].critical_increase": (
        "100",
        (PEOPLE_ONLY, _LENIENT, ("detection.judge.metrics[0].critical", "true")),
    ),
    "detection.judge.metrics[0].must_have_data": (
        "true",
        (PEOPLE_ONLY, _LENIENT, ("detection.judge.period", "4m"), ("strategies.it", _SHORT)),
    ),
    "detection.judge.period": ("2m", (PEOPLE_ONLY, ("detection.judge", "{test: sequential}"))),
    "response.automatic": ("never", ()),
    "response.watch": ("60m", (PEOPLE_ONLY,)),
    "response.hold": (
        "false",
        (PEOPLE_ONLY, ("response.page.decide", "20m"), ("detection.people.needed", "1")),
    ),
    "response.decide": ("5m", ()),
    "response.page.acknowledge": ("30m", (("response.automatic", "never"),)),
    "response.page.decide": ("30m", (PEOPLE_ONLY,)),
    "response.page.off_hours": ("9", (PEOPLE_ONLY, NIGHT)),
    "response.fix": ("9h", ()),
    "slo.availability": ("99%", ()),
    "slo.window": ("7d", ()),
    "slo.budget_left": ("0%", ()),
    "costs.failed_request": ("0.02", ()),
    "costs.corrupt_write": ("9", (("change.defects", "[{kind: wrong_data, rate: 5%}]"),)),
    "costs.responder": ("50/h", ()),
    "costs.responders": ("5", ()),
    "costs.watching": ("9/h", ()),
    "costs.outage": ("99/h", (BIG,)),
    "costs.sla_credit": ("99", (("slo.budget_left", "0%"),)),
    "costs.delay": ("9/h", ()),
    "follow_up": ("9h", (PEOPLE_ONLY, ("detection.people", "none"))),
    "strategies.it.steps[0].weight": ("20%", ()),
    "strategies.it.steps[0].bake": ("9m", ()),
    "strategies.it.steps[0].approve": ("9m", ()),
    "strategies.it.steps[0].judge": ("{above: 2%}", (PEOPLE_ONLY,)),
    "strategies.it.steps[0].audience": ("9k users", (every_key.STAFF,)),
    "strategies.it.steps[0].finds": ("5%", (every_key.STAFF,)),
    "traffic.users.count": ("30k", (every_key.TENANTS,)),
    "traffic.users.largest": ("30%", (every_key.TENANTS,)),
    "traffic.users.zipf": ("0.8", (every_key.TENANTS,)),
    "strategies.it.pace": ("3", ()),
    **every_key.ANALYSIS,
    **every_key.CASES,
}

# Keys that say how results are shown, or that only one other thing can stand for.
NOT_IN_A_REPLICATION = {
    "version",
    "name",
    "question",
    "profile",
    "planned",
    "objectives",
    "costs.currency",
    "service.utilisation",  # tests/words: another way to say capacity
    "service.limit",  # found by rehearsing
    *("service.connections.each", "service.connections.max", "change.every"),  # as well
    "change.defect_probability",  # weighs the strata
    "change.changes.each",
    "change.changes.tests[0].catches",
    "change.defects[0].share",
    "change.defects[0].kind",
    "traffic.queue",  # comes with its deadline: tests/answers/test_traffic_answers.py
    "traffic.daily",
    "traffic.trace",
    "response.retry",  # good releases only
}


@cache
def base() -> Scenario:
    """The scenario that every case changes."""
    return loads(BASE)


def outcomes(scenario: Scenario) -> list[Any]:
    plan, luck = prepare(scenario, "it"), Luck(4)
    rows = []
    for number in range(12):
        luck.rekey(number)
        rows.append(replicate(plan, luck, scenario.change.defects[0], "bad"))
    return rows


def same(a: list[Any], b: list[Any]) -> bool:
    for one, two in zip(a, b, strict=True):
        for x, y in zip(one, two, strict=True):
            if x != y and not (x != x and y != y):  # two NaN are the same
                return False
    return True


@pytest.mark.parametrize("path", list(CASES))
def test_every_key_matters(path: str) -> None:
    value, before = CASES[path]
    scenario = base()
    for other, setting in before:
        scenario = scenario.with_(other, setting)
    assert not same(outcomes(scenario), outcomes(scenario.with_(path, value)))


def test_a_retry_delays_only_innocent_releases() -> None:
    """`retry` counts for a good release that was rolled back."""
    scenario = base().with_("service.incidents", "{every: 10m, lasts: 10m, errors: 20%}")
    values = []
    for wait in ("1h", "9h"):
        plan, luck = prepare(scenario.with_("response.retry", wait), "it"), Luck(4)
        rows = []
        for number in range(10):
            luck.rekey(number)
            rows.append(replicate(plan, luck, None, "good"))
        assert any(row.outcome == "false_alarm" for row in rows)
        values.append(columns(rows)["time_to_value"])
    assert not (values[0] == values[1]).all()


def leaves(model: type[BaseModel], path: str) -> list[str]:
    """Every path of a section's keys, one level of nested sections included."""
    found = []
    for name, field in model.model_fields.items():
        key = f"{path}.{field.alias or name}" if path else (field.alias or name)
        inner = [m for m in _models(field.annotation) if m.__module__.startswith("simulator.words")]
        if len(inner) == 1 and key not in CASES and key not in NOT_IN_A_REPLICATION:
            found += leaves(inner[0], key)
        elif inner and key in ("detection.alarms", "change.defects"):
            continue
        else:
            found.append(key)
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for part in getattr(annotation, "__args__", ()) for m in _models(part)]


def test_no_key_was_forgotten() -> None:
    covered = set(CASES) | NOT_IN_A_REPLICATION
    sections = {
        name: _models(field.annotation)
        for name, field in Scenario.model_fields.items()
        if name not in ("strategies", "objectives", "exam")
    }
    missing = []
    for name, models in sections.items():
        keys = leaves(models[0], name) if models else [name]
        missing += [key for key in keys if not any(_stands_for(c, key) for c in covered)]
    assert missing == []


def _stands_for(case: str, key: str) -> bool:
    """Whether a case is about this key, or about one inside it (in the first item of a list)."""
    plain = case.replace("[0]", "")
    return plain == key or plain.startswith(f"{key}.")


def settings() -> list[tuple[str, str, str]]:
    """(kind, setting, another value) for every setting of every strategy."""
    other = {
        "big_bang": {"in_place": "false", "keep_old": "9m"},
        "rolling": {
            "batch": "3",
            "mode": "batch",
            "surge": "2",
            "max_unavailable": "1",
            "in_place": "true",
            "pause": "2m",
            "rollback_batch": "1",
        },
        "phased": {
            "waves": "[50%, 50%]",
            "bake": "9m",
            "by": "cells",
            "schedule": "amazon",
            "within": "{kind: rolling, batch: 1}",
            "judge": "{above: 2%}",
            "recall": "none",
            "adoption": "9h",
        },
        "parallel_adoption": {
            "overlap": "4h",
            "reconcile": "{every: 10m, coverage: 50%}",
            "sync_error": "1%",
            "double_work": "9/h",
            "keep_old": "3d",
        },
        "canary": {"steps": "[{weight: 30%}]", "judge": "{above: 2%}", "promote": "rolling"},
        "linear": {"step": "30%", "every": "3m", "growth": "exponential", "judge": "{above: 2%}"},
        "ab_test": {
            "share": "20%",
            "baseline": "20%",
            "effect": "3%",
            "power": "95%",
            "significance": "20%",
            "duration": "9m",
        },
        "blue_green": {
            "cutover": "{dns: {ttl: 60s}}",
            "smoke": "none",
            "bake": "9m",
            "keep_old": "3h",
            "judge": "{above: 2%}",
            "green": "scaled",
        },
        "immutable": {"first": "3", "bake": "9m", "judge": "{above: 2%}"},
        **every_key.SETTINGS,
    }
    return [(kind, key, value) for kind, keys in other.items() for key, value in keys.items()]


ONLY_ONE_VALUE: set[tuple[str, str]] = set()
FIRST = {
    ("big_bang", "keep_old"): "in_place: false",
    ("rolling", "max_unavailable"): "surge: 1",
    ("ab_test", "power"): "effect: 5%",
    ("ab_test", "significance"): "effect: 5%",
    ("ab_test", "baseline"): "effect: 5%",
    ("ab_test", "effect"): "baseline: 10%",
    ("blue_green", "judge"): "bake: 5m",
    ("immutable", "judge"): "bake: 5m",
    ("parallel_adoption", "reconcile"): "overlap: 3h",
    ("parallel_adoption", "double_work"): "overlap: 3h",
    ("parallel_adoption", "sync_error"): "overlap: 3h",
    **every_key.FIRST,
}


@pytest.mark.parametrize(("kind", "key", "value"), settings())
def test_every_setting_of_a_strategy_matters(kind: str, key: str, value: str) -> None:
    """Played with a good release nobody aborts, or with a bad one that people find."""
    first = FIRST.get((kind, key), "")
    scenario = base().with_("strategies.it", f"{{kind: {kind}, {first}}}")
    if key in ("judge", "rollback_batch", "reconcile", "keep_old"):
        scenario = scenario.with_("detection.alarms", "none")
    if key in ("keep_old", "comparable"):
        scenario = scenario.with_("service.warm_up", "none").with_("service.incidents", "none")
    for path, words in every_key.WORDS.get((kind, key), ()):
        scenario = scenario.with_(path, words)
    changed = scenario.with_(f"strategies.it.{key}", value)

    def play(words: Scenario, bad: bool) -> list[Any]:
        plan, luck = prepare(words, "it"), Luck(4)
        rows = []
        for number in range(6):
            luck.rekey(number)
            defect = words.change.defects[0] if bad else None
            rows.append(replicate(plan, luck, defect, "x"))
        return rows

    assert any(not same(play(scenario, bad), play(changed, bad)) for bad in (False, True))


def test_every_setting_is_listed() -> None:
    listed = {(kind, key) for kind, key, _ in settings()} | ONLY_ONE_VALUE
    for kind, model in kinds().items():
        for name, field in model.model_fields.items():
            if name not in ("kind", "pace", "only_in"):
                assert (kind, field.alias or name) in listed


def test_the_limit_is_found_by_rehearsing() -> None:
    from simulator.play.rehearsal import rehearse

    scenario = load("textbook", sets=["service.limit=39"])
    assert rehearse(scenario, "blue_green").reasons == ("needs 40 instances, limit 39",)
    assert rehearse(scenario.with_("service.limit", "40"), "blue_green").suitable
