"""A small comparison that has everything a report shows, and hostile names."""

from __future__ import annotations

from functools import cache

from simulator.decide.advice import Comparison, Options, compare
from simulator.decide.flip import search
from simulator.decide.tornado import asked
from simulator.words.reading import loads

HOSTILE = """
version: 1
name: "</title><script>alert(1)</script> & <b>co</b> | @all #1"
question: "What <i>is</i> 'it'?"
profile: bare
service: {instances: 4, startup: 30s, errors: 0.02%}
traffic: {rate: 50 rps, users: 20k}
change:
  defects:
    - {kind: errors, share: 60%, rate: {lognormal: {median: 3%, p95: 50%}}}
    - {kind: leak, share: 40%, onset: 2h, ramp: 1h, rate: 20%}
detection:
  alarms: [{watch: new, metric: errors, above: 1%, period: 1m, datapoints: 2 of 3}]
  people: {report_rate: 0.1%, needed: 5, delay: 10m, triage: 15m}
costs: {failed_request: 0.01, delay: 3/h}
strategies:
  canary: {}
  "<img src=x onerror=alert(1)> & 'co'": {kind: big_bang, in_place: false}
  blue_green: {}
planned: canary
objectives:
  - time_to_deploy p95 < 4h given good
  - users_harmed p95 < 2% given defect
  - time_to_deploy p95 < 20m given good for canary
"""


@cache
def hostile() -> Comparison:
    """The comparison of a scenario whose names try to break out of the page."""
    scenario = loads(HOSTILE)
    flips = (search(scenario, "detection.alarms[0].above", "0.5%", "5%"),)
    moved = asked(scenario, ("users_harmed p95 given errors",))
    return compare(scenario, 40, 1, (), Options(1, (0.5, 1.0, 2.0), flips=flips, tornado=moved))


@cache
def plain() -> Comparison:
    """A comparison without objectives, prices, curves, gates and ranges."""
    text = """
version: 1
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors, rate: 2%}]}
strategies: {big_bang: {in_place: false}, rolling: {}}
"""
    return compare(loads(text), 20, 1, (), Options(1, (1.0,), assumptions=False, gates=False))
