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
    "blue_green": [
        "{}",
        "{bake: 10m, keep_old: 20m}",
        "{cutover: {dns: {weights: [20%, 100%], ignore: 0%}}}",
        "{cutover: {swap_group: {beside: 3m}}, keep_old: 5m}",
        "{cutover: {replace_instances: {skew: 5}}}",
        "{cutover: {replace_instances: {standby: true}}, keep_old: 5m}",
        "{cutover: {clone_stack: {ignore: 0%}}, keep_old: 5m}",
    ],
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
    "service_by_service": [
        "{count: 3, coupling: 60%}",
        "{count: 4, coupling: 100%, each: {kind: big_bang, in_place: false}}",
    ],
    "rate_controlled": ["{concurrency: 3}", "{concurrency: 5, ramp: doubling, max_errors: 2}"],
    "kubernetes_rolling": [
        "{max_surge: 1, max_unavailable: 20%, min_ready: 20s, progress_deadline: 9h}",
    ],
    "kubernetes_recreate": ["{}"],
    "ecs_rolling": [
        "{minimum_healthy: 70%, maximum: 120%, circuit_breaker: true, failure_threshold: 40}",
    ],
    "ecs_blue_green": ["{}"],
    "ecs_linear": ["{step: 30%, step_bake: 3m}"],
    "ecs_canary": ["{canary_bake: 5m}"],
    "cloudformation_rolling": [
        "{max_batch: 5, pause: 30s}",
        "{max_batch: 4, min_in_service: 8, wait_on_signals: true, pause: 1h}",
    ],
    "cloudformation_replacing": ["{timeout: 12h}", "{timeout: 12h, min_successful: 60%}"],
    "codedeploy": [
        "{minimum_healthy: 40%}",
        "{config: ECSCanary10Percent5Minutes, terminate_after: 5m}",
    ],
    "beanstalk": [
        "{policy: rolling_with_additional_batch, batch: 3, command_timeout: 1h}",
        "{policy: immutable, command_timeout: 1h}",
    ],
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
INTERRUPTED = {
    "big_bang {}",
    "kubernetes_recreate {}",
    "opsworks_deploy {}",
    "cloudformation_rolling {max_batch: 5, pause: 30s}",
}
SERVICE = "startup: {lognormal: {median: 60s, p95: 150s}}, install: 45s, drain: 30s, cost: 1/h"
