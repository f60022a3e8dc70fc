"""Scenario files that the tests of words share."""

from __future__ import annotations

FIVE_LINES = """\
version: 1
profile: ecs-fargate
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
strategies: {rolling: {}, canary: {}, blue_green: {}}
"""

BARE = """\
version: 1
profile: bare
service: {instances: 4, capacity: 100 rps}
traffic: {rate: 100 rps, users: 10k}
strategies: {rolling: {}, canary: {}}
"""

IN_FULL = """\
# yaml-language-server: $schema=scenario.schema.json
version: 1
name: Web shop checkout
question: How should the checkout team release a risky pricing change?
profile: ec2-ami
service:
  instances: 40
  capacity: 150 rps
  startup: {lognormal: {median: 110s, p95: 220s}}
  install: {triangular: {low: 30s, mode: 45s, high: 2m}}
  drain: 300s
  cost: 0.17 USD/h
  errors: {mean: 0.02%, cv: 1, for: 5m}
  incidents: {every: 30d, lasts: {weibull: {scale: 20m, shape: 0.8}}, errors: 5%}
  warm_up: {for: 1m, capacity: 70%}
  start_failure: {probability: 0.5%, timeout: 10m}
  limit: 90
traffic:
  daily: {mean: 2000 rps, peak: 3000 rps, peak_at: 14:00}
  users: 250k
  sticky: true
  writes: 20%
  start_at: Tue 10:00
  spikes: [{at: 2h, lasts: 10m, factor: 3}]
router: {propagation: 0s}
change:
  defect_probability: 5%
  schema: compatible
  defects:
    - {kind: errors, share: 40%, rate: {lognormal: {median: 3%, p95: 50%}}}
    - {kind: errors, share: 10%, rate: 100%, users: 5%}
    - {kind: slow, share: 5%, factor: [1.2, 3], rate: 5%}
    - {kind: crash, share: 18%}
    - {kind: leak, share: 5%, onset: {exponential: {mean: 4h}}, ramp: 1h, rate: 20%}
    - {kind: wrong_data, share: 10%, rate: {uniform: {low: 0.1%, high: 1%}}}
    - {kind: mixed_versions, share: 5%, rate: {empirical: [1%, 5%, 10%]}}
failures: {}
detection:
  alarms:
    - watch: new
      metric: errors
      above: 1%
      period: 1m
      datapoints: 2 of 3
      minimum_requests: 20
      delay: 60s
      missing: missing
      phase: random
    - {watch: service, metric: late, above: 5%}
  burn_rate: none
  noticed: {after: [10m, 2h]}
  audit: {every: 1d, coverage: 60%}
  judge: {test: threshold, metric: errors, above: 1%, against: old, no_verdict: pass}
  people:
    report_rate: 0.1%
    needed: 5
    delay: {lognormal: {median: 10m, sigma: 1}}
    triage: {lognormal: {mean: 15m, sd: 10m}}
response:
  automatic: watched
  watch: 15m
  hold: true
  decide: 10s
  page: {acknowledge: {normal: {mean: 3m, sd: 1m}}, decide: 10m, off_hours: 3}
  fix: {lognormal: {median: 4h, sigma: 0.8}}
  retry: 2h
calendar: {}
slo: {availability: 99.9%, window: 30d, budget_left: 100%}
costs:
  currency: USD
  failed_request: 0.02
  corrupt_write: 5 USD
  responder: 120/h
  watching: 0/h
  outage: 0/h
  sla_credit: 0
  licence: 0
  delay: 0/h
follow_up: 24h
strategies:
  big_bang: {}
  phased: {waves: [10%, 30%, 60%], bake: 30m}
  phased by rolling: {kind: phased, within: {kind: rolling, batch: 33%}, bake: [30m, 1h, 0s]}
  parallel_adoption: {overlap: 14d, reconcile: none}
  canary: {steps: [{weight: 5%, bake: 10m}, {weight: 25%, bake: 10m}]}
  careful canary:
    kind: canary
    judge: {above: 2%, metric: bad}
    steps:
      - {weight: 1%, bake: 1h}
      - {weight: 10%, bake: 1h, approve: [10m, 2h]}
  blue_green: {cutover: load_balancer, keep_old: 1h, smoke: none}
  rolling: {surge: 1, max_unavailable: 0}
  immutable: {first: 20%}
  linear: {growth: exponential}
  ab_test: {}
planned: canary
objectives:
  - time_to_deploy p95 < 4h given good
  - users_harmed p99 < 5%
  - budget_spent mean < 10% given defect
  - loss mean < 100 USD for careful canary
"""
