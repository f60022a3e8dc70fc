"""Counted harm minus its integrated intensity has mean 0, for every strategy and cause."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate
from simulator.words.reading import loads

TEXT = """
version: 1
profile: ec2-ami
service: {instances: 12, utilisation: 60%, errors: {mean: 0.3%, cv: 1, for: 5m}}
traffic: {TRAFFIC, users: 30k, sticky: true}
detection:
  alarms:
    - {watch: new, above: 1%, datapoints: 2 of 3, minimum_requests: 20, delay: 45s}
    - {name: all, watch: service, metric: bad, above: 2%, period: 5m, delay: 10s}
  people: {report_rate: 0.5%}
strategies:
  big_bang: {}
  rolling: {}
  in place: {kind: rolling, in_place: true, mode: batch, batch: 3}
  phased: {bake: 10m}
  parallel_adoption: {overlap: 1d, reconcile: {every: 2h}, sync_error: 0.01%}
  canary: {judge: {above: 2%}}
  linear: {}
  blue_green: {}
  immutable: {}
  ab_test: {duration: 1h}
  measured: {kind: argo_canary, traffic_routing: true, starting_step: 1,
    steps: [{weight: 20%}, {pause: 9m}, {analysis: [{above: 2%, interval: 50s, count: 5}]}],
    analysis: [{above: 3%, interval: 1m, failure_limit: 2, watch: service}]}
"""
CONSTANT = loads(TEXT.replace("TRAFFIC", "rate: 300 rps"))
DAILY = loads(TEXT.replace("TRAFFIC", "daily: {mean: 250 rps, peak: 400 rps, peak_at: 11:00}"))


@pytest.mark.parametrize("traffic", ["constant", "daily"])
@pytest.mark.parametrize("name", list(CONSTANT.strategies))
def test_counts_are_a_martingale(name: str, traffic: str) -> None:
    """Within 4 standard errors for each kind of defect and for good releases."""
    words = CONSTANT if traffic == "constant" else DAILY
    count = 40 if traffic == "constant" else 15
    plan, luck = prepare(words, name), Luck(11)
    for label, defect in [
        ("good", None),
        *zip(words.change.labels, words.change.defects, strict=True),
    ]:
        surplus = []
        for number in range(count):
            luck.rekey(number)
            outcome = replicate(plan, luck, defect, label)
            surplus.append(outcome.failed_requests - outcome.expected_failed_requests)
        spread = np.std(surplus, ddof=1)
        if spread > 0:
            z = np.mean(surplus) / (spread / math.sqrt(count))
            assert abs(z) < 4.3, (label, z)


def test_a_version_that_leaves_within_a_period_is_counted_until_then() -> None:
    """Every request on the old version fails after the migration, while a fleet rolls; the alarm's
    last period ends after the last old instance has left."""
    words = loads(
        """
version: 1
profile: bare
service: {instances: 300, capacity: 10 rps, install: {uniform: {low: 250s, high: 350s}}}
traffic: {rate: 1000 rps, users: 1M}
change: {schema: {coupled: {order: together, migrate: 1m, writes_blocked: 0s, restore: none}}}
detection: {alarms: [{above: 99.9%, watch: service}]}
strategies: {rolling: {in_place: true}}
"""
    )
    outcome = replicate(prepare(words, "rolling"), Luck(1), None, "good")
    assert outcome.expected_failed_requests > 50_000
    assert outcome.failed_requests == pytest.approx(outcome.expected_failed_requests, rel=0.1)
