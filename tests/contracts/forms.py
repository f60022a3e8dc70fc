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
        "{config: ECSLinear30PercentEvery2Minutes, smoke: {for: 1m}}",
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
    "spinnaker": [
        "{stages: [{kind: deploy_canary, instances: 20%}, {kind: canary_analysis, delay: 2m, "
        "interval: 5m, lookback: 9m, lifetime: 16m, unseen: 96%}, {kind: deploy, rollout: none}]}",
        "{on_failure: clean_up, stages: [{kind: deploy_canary, share: 3%, baseline: false}, "
        "{kind: manual_judgment, takes: 5m}, {kind: delete_canary}, {kind: wait}, "
        "{kind: deploy, rollout: rolling_red_black, steps: [30%, 100%], wait: 4m}]}",
        "{stages: [{kind: deploy_canary}, {kind: wait}, {kind: deploy, keep_old: 5m}]}",
        "{stages: [{kind: deploy, rollout: highlander}]}",
    ],
    "flagger": [
        "{interval: 30s, max_weight: 30%, metrics: [], step_weight_promotion: 10%, "
        "progress_deadline: 9h}",
        "{interval: 30s, iterations: 4, mirror: 50%, metrics: [], max_surge: 1, "
        "progress_deadline: 9h}",
        "{interval: 30s, skip_analysis: true, progress_deadline: 9h}",
    ],
    "opsworks_deploy": ["{}", "{order: by_zone, check: 2m}"],
    "argo_canary": [
        "{progress_deadline: 9h}",
        "{steps: [{weight: 20%}, {pause: 2m}, {weight: 60%}, {approve: 3m}], max_surge: 1, "
        "min_ready: 20s, progress_deadline: 9h}",
        "{traffic_routing: true, steps: [{canary_scale: 4}, {weight: 20%}, {pause: 2m}, "
        "{match_weight: true}, {weight: 50%}, {analysis: [{above: 90%, no_data: pass}]}], "
        "analysis: [{above: 90%, interval: 1m, no_data: pass}], min_pods: 2, "
        "progress_deadline: 9h}",
        "{traffic_routing: true, dynamic_stable_scale: true, min_ready: 10s, "
        "progress_deadline: 9h, "
        "steps: [{weight: 20%}, {pause: 2m}, {weight: 70%}, {pause: 2m}]}",
    ],
    "argo_blue_green": [
        "{progress_deadline: 9h}",
        "{preview_replicas: 2, auto_promotion: false, approve: 5m, scale_down_delay: 4m, "
        "abort_scale_down_delay: 50s, progress_deadline: 9h, "
        "post_promotion_analysis: [{above: 90%, interval: 1m, no_data: pass}]}",
    ],
}
AUDIENCE = "{steps: [{weight: 0, audience: 20k users, bake: 3m}, {weight: 30%, bake: 5m}]}"
CASES = [(kind, form) for kind, forms in FORMS.items() for form in forms]
CASES += [("canary", AUDIENCE), ("feature_flag", AUDIENCE)]
INTERRUPTED = {
    "big_bang {}",
    "kubernetes_recreate {}",
    "opsworks_deploy {}",
    "cloudformation_rolling {max_batch: 5, pause: 30s}",
}
SERVICE = "startup: {lognormal: {median: 60s, p95: 150s}}, install: 45s, drain: 30s, cost: 1/h"
