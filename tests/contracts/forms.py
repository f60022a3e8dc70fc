"""Every kind of strategy in the forms that contracts and laws are held against."""

from __future__ import annotations

FORMS = {
    "big_bang": ["{}", "{in_place: false, keep_old: 5m}"],
    "rolling": [
        "{}",
        "{batch: 3, surge: 2}",
        "{batch: 30%, mode: batch, pause: 20s}",
        "{batch: 2, in_place: true}",
        "{batch: 3, in_place: true, mode: batch, rollback_batch: 5}",
    ],
    "phased": ["{bake: 5m}", "{bake: 2m, within: {kind: rolling, batch: 2}}"],
    "parallel_adoption": ["{overlap: 1h, keep_old: 10m}"],
    "canary": ["{}", "{steps: [{weight: 10%, bake: 5m}], promote: rolling}"],
    "linear": ["{every: 2m}", "{growth: exponential, every: 1m}"],
    "ab_test": ["{duration: 20m}"],
    "blue_green": ["{}", "{bake: 10m, keep_old: 20m}"],
    "immutable": ["{}", "{first: 30%, bake: 3m}"],
    "shadow": [
        "{duration: 10m}",
        "{duration: 5m, share: 30%, then: {kind: rolling, batch: 2}}",
        "{duration: 5m, then: {kind: blue_green, smoke: none}}",
    ],
    "feature_flag": [
        "{}",
        "{covered: 100%, steps: [{weight: 10%, bake: 5m}], ship: {kind: blue_green}}",
        "{covered: 0%, steps: [{weight: 50%, bake: 2m}], ship: {kind: canary}}",
    ],
    "rate_controlled": ["{concurrency: 3}", "{concurrency: 5, ramp: doubling, max_errors: 2}"],
    "maintenance_window": [
        "{concurrency: 3, duration: 1h, cutoff: 50m, every: 2h, run_time: 7m}",
    ],
    "appconfig": [
        "{}",
        "{strategy: custom, growth: exponential, factor: 10%, duration: 10m, poll: 20s}",
    ],
    "opsworks_deploy": ["{}", "{order: by_zone, check: 2m}"],
}
CASES = [(kind, form) for kind, forms in FORMS.items() for form in forms]
INTERRUPTED = {"big_bang {}", "opsworks_deploy {}"}
SERVICE = "startup: {lognormal: {median: 60s, p95: 150s}}, install: 45s, drain: 30s, cost: 1/h"
