"""What stands around a rollout on AWS: the alarms that stop it, and the balancers before it.

Sources: AWS CloudFormation template reference and CloudWatch user guide (2025); the Terraform AWS
provider's names for the same fields; Elastic Load Balancing user guides (2023).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.bring.view import View
from simulator.platforms.codedeploy.rules import shifts
from simulator.words.aws import CLASSIC_BALANCERS
from simulator.words.brought import Assumed, Draft
from simulator.words.units import duration, format_duration, format_share, rate, rough_duration

_ERRORS = re.compile(r"(HTTP(Code)?_?(ELB_|Target_|Backend_)?)?5\w\w(_?Count|Error|Errors)?|Errors")
_LATE = frozenset({"Duration", "Latency", "IntegrationLatency", "TargetResponseTime"})
_REQUESTS = frozenset({"Count", "Invocations", "RequestCount", "RequestCountPerTarget"})
_RATES = frozenset({"5XXError", "5xx", "Errors"})  # 0 or 1 of each request: the average is a share
_KNOWN_OTHERS = re.compile(
    r"CPU|Memory|Disk|Network|EBS|Queue|Messages|Age|Host|Connection|Credit|Capacity|Throttle"
)
_STATISTICS = {name: name for name in ("Sum", "Average", "SampleCount", "Minimum", "Maximum")}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_RATIO = re.compile(r"(?:100\s*\*\s*)?\(?\s*(\w+)\s*/\s*(\w+)\s*\)?(\s*\*\s*100)?")
_ABOVE = {
    "GreaterThanThreshold": True,
    "GreaterThanOrEqualToThreshold": True,
    "GreaterThanUpperThreshold": False,
    "LessThanThreshold": False,
    "LessThanOrEqualToThreshold": False,
    "LessThanLowerThreshold": False,
    "LessThanLowerOrGreaterThanUpperThreshold": False,
}
_MISSING = {name: name for name in ("missing", "breaching", "notBreaching", "ignore")}
START = 300.0  # until an instance is registered: judgement, longer than all but slow starts
SHORT = 30.0
PUBLISHED = 60.0  # until a metric can be read: the scenario's default
_STICKY, _SLOW = "stickiness.enabled", "slow_start.duration_seconds"
_DRAIN = "deregistration_delay.timeout_seconds"


class Names(NamedTuple):
    """How an alarm's fields are called."""

    metric: str
    namespace: str
    statistic: str
    extended: str
    period: str
    periods: str
    datapoints: str
    threshold: str
    comparison: str
    missing: str
    queries: str


_CLOUDFORMATION = Names(
    *("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "EvaluationPeriods"),
    *("DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "Metrics"),
)
_TERRAFORM = Names(
    *("metric_name", "namespace", "statistic", "extended_statistic", "period"),
    *("evaluation_periods", "datapoints_to_alarm", "threshold", "comparison_operator"),
    *("treat_missing_data", "metric_query"),
)


def put(draft: Draft) -> None:
    """Put the draft's alarms and balancers into its keys."""
    if draft.alarms:
        _put_alarms(draft)
    for balancer in draft.balancers:
        if balancer.label in CLASSIC_BALANCERS:
            _put_classic(balancer, draft)
        else:
            _put_target_group(balancer, draft)


def _put_alarms(draft: Draft) -> None:
    found: list[dict[str, Any]] = []
    read = []
    for view in draft.alarms:
        if (alarm := _alarm(view, draft, len(found))) is not None:
            found.append(alarm)
            read.append(view)
    if found:
        draft.put("detection.alarms", found, *read)
        _look_at_times(draft, read)
    elif "detection.alarms" not in draft.keys:
        draft.put("detection.alarms", "none", "no alarm that is understood")


def _look_at_times(draft: Draft, alarms: Sequence[View]) -> None:
    """Say so where a shift of CodeDeploy may be over before any alarm has fired."""
    config = draft.keys.get("strategies.current.config")
    shift = sum(step.wait for step in shifts(str(config)))
    times = []
    for view, alarm in zip(alarms, draft.keys["detection.alarms"], strict=True):
        needed = int(alarm["datapoints"].split(" of ")[0])
        times.append(((needed + 1) * duration(alarm["period"]) + PUBLISHED, view, alarm))
    slowest, view, alarm = min(times, key=lambda one: one[0])
    if config is not None and 0 < shift < slowest:
        draft.remark(
            f"{view.called} may take {rough_duration(slowest)} to fire ({alarm['datapoints']} "
            f"periods of {alarm['period']}, {format_duration(PUBLISHED)} to be published); the "
            f"shift is over after {rough_duration(shift)}."
        )


def _alarm(view: View, draft: Draft, number: int) -> dict[str, Any] | None:
    """An alarm in a scenario's words, or None with a note why not."""
    terraform = not view.label.startswith("AWS::")
    names = _TERRAFORM if terraform else _CLOUDFORMATION
    inside = view if terraform else view.at("Properties")
    if not inside.at(names.comparison).choice(_ABOVE, True):
        inside.say("ignored", "it fires below its threshold, or outside a band", _NOT_THERE)
        return None
    period = inside.at(names.period)
    if inside.at(names.queries).exists:
        period = _stated_period(inside.at(names.queries), names)
    length = period.seconds(300.0)
    metric = _metric(inside, names, length, draft, number)
    if metric is None:
        return None
    count = inside.at(names.periods).integer(1, 1, 1000)
    needed = inside.at(names.datapoints).integer(count, 1, 1000)
    if needed > count:
        raise inside.at(names.datapoints).wrong(
            f"is {needed}, more than the {count} periods looked at; CloudWatch refuses it"
        )
    return {
        "name": view.called,
        **metric,
        "period": format_duration(length),
        "datapoints": f"{needed} of {count}",
        "minimum_requests": 0,
        "missing": inside.at(names.missing).choice(_MISSING, "missing"),
    }


_NOT_THERE = "the rollout is simulated without this alarm"


def _metric(
    inside: View, names: Names, period: float, draft: Draft, number: int
) -> dict[str, Any] | None:
    """What an alarm watches and above which share, or None with a note."""
    if inside.at(names.queries).exists:
        return _of_expression(inside, names)
    metric = inside.name(names.metric)
    threshold = inside.at(names.threshold)
    if metric in _LATE:
        return _of_latency(inside, names, threshold)
    if _ERRORS.fullmatch(metric):
        limit = threshold.number(0.0)
        statistic = inside.at(names.statistic)
        inside.at(names.metric).mark()
        if metric in _RATES and statistic.choice(_STATISTICS, "Sum") == "Average":
            return _share(limit, threshold)
        return _of_count(limit, period, inside, threshold, draft)
    if _KNOWN_OTHERS.search(metric):
        why = f"{metric} is no metric of requests; the simulation does not know it"
        inside.say("ignored", why, _NOT_THERE)
        return None
    return _of_unknown(inside, names, metric, draft, number)


def _of_count(
    limit: float, period: float, inside: View, threshold: View, draft: Draft
) -> dict[str, Any] | None:
    """A number of failed requests in a period, as a share of the traffic assumed."""
    requests = rate(draft.keys["traffic.rate"]) * period
    if limit >= requests:
        why = f"{limit:g} errors in {period:g} s are more than the {requests:g} requests assumed"
        inside.say("ignored", why, _NOT_THERE)
        return None
    threshold.say(
        "approximated",
        f"more than {limit:g} of {requests:g} requests in {period:g} s, at the traffic assumed",
        "with other traffic the same number of errors is another share",
    )
    return {"watch": "service", "metric": "errors", "above": format_share(limit / requests)}


def _share(limit: float, threshold: View, percent: bool = False) -> dict[str, Any]:
    share = limit / 100 if percent else limit
    if share > 1:
        raise threshold.wrong(f"is {limit:g}: a share of requests is never above 100 per cent")
    return {"watch": "service", "metric": "errors", "above": format_share(share)}


def _of_latency(inside: View, names: Names, threshold: View) -> dict[str, Any] | None:
    """A percentile of the latency above its limit: more than so many per cent are late."""
    extended = inside.at(names.extended)
    found = _PERCENTILE.fullmatch(inside.name(names.extended))
    if found is None:
        why = "only a percentile says which share of the requests is late"
        inside.say("ignored", f"{why}; set ExtendedStatistic, e.g. p99", _NOT_THERE)
        return None
    extended.mark()
    inside.at(names.metric).mark()
    threshold.say("approximated", "requests slower than it are those that a slow defect makes late")
    above = format_share(round(1 - float(found[1]) / 100, 6))
    return {"watch": "service", "metric": "late", "above": above}


def _of_expression(inside: View, names: Names) -> dict[str, Any] | None:
    """A rate of errors worked out from two metrics: errors / requests, perhaps times 100."""
    queries = inside.at(names.queries)
    listed = {one.name("Id") or one.name("id"): one for one in queries.items()}
    for query in listed.values():
        for expression in (query.at("Expression"), query.at("expression")):
            found = _RATIO.fullmatch(str(expression.data).strip()) if expression.exists else None
            if found is None:
                continue
            top, bottom = (_metric_name(listed.get(name)) for name in found.group(1, 2))
            if top and bottom and _ERRORS.fullmatch(top.name()) and bottom.name() in _REQUESTS:
                for view in (expression, top, bottom):
                    view.mark()
                threshold = inside.at(names.threshold)
                return _share(threshold.number(0.0), threshold, "100" in expression.text())
    inside.say("ignored", "its expression is no share of failed requests", _NOT_THERE)
    return None


def _metric_name(query: View | None) -> View | None:
    """Where the metric of a query is named."""
    if query is None:
        return None
    found = query.at("MetricStat", "Metric", "MetricName")
    return found if found.exists else query.at("metric", 0, "metric_name")


def _stated_period(queries: View, names: Names) -> View:
    """The period of an expression's metrics."""
    for query in queries.items():
        for found in (query.at("MetricStat", "Period"), query.at("metric", 0, "period")):
            if found.exists:
                return found
    return queries.at(0, names.period)


def _of_unknown(
    inside: View, names: Names, metric: str, draft: Draft, number: int
) -> dict[str, Any]:
    """An alarm on a metric of the user's own: its times hold, its limit is assumed."""
    why = f"{metric or 'its metric'} is the service's own; taken as an alarm on failed requests"
    for key in (names.metric, names.namespace, names.threshold, names.statistic):
        if inside.at(key).exists:
            inside.at(key).say("assumed", why, "above 1% is assumed; its periods hold")
    path = f"detection.alarms[{number}].above"
    draft.assumed.append(Assumed(path, "1%", "0.5%", "5%", "judgement: ten times the usual errors"))
    return {"watch": "service", "metric": "errors", "above": "1%"}


def _put_target_group(group: View, draft: Draft) -> None:
    """A target group's draining and checks."""
    terraform = not group.label.startswith("AWS::")
    inside = group if terraform else group.at("Properties")
    delay, sticky = inside.at("deregistration_delay"), inside.at("stickiness", 0, "enabled")
    slow = inside.at("slow_start")
    for attribute in () if terraform else inside.at("TargetGroupAttributes").items():
        key, value = attribute.name("Key"), attribute.at("Value")
        delay = value if key == _DRAIN else delay
        sticky = value if key == _STICKY else sticky
        slow = value if key == _SLOW else slow
    draft.put("service.drain", delay.seconds(300.0), delay)
    if sticky.exists:
        draft.put("traffic.sticky", sticky.flag(), sticky)
    if slow.exists and slow.seconds() > 0:
        draft.put("service.warm_up.for", slow.seconds(), slow)
        draft.put("service.warm_up.capacity", "50%", "a slow start: half of the traffic on average")
    check = inside.at("health_check", 0) if terraform else inside
    interval = check.at("interval" if terraform else "HealthCheckIntervalSeconds")
    unhealthy = check.at("unhealthy_threshold" if terraform else "UnhealthyThresholdCount")
    _put_checks(group, interval, unhealthy, draft)


def _put_classic(balancer: View, draft: Draft) -> None:
    """A Classic Load Balancer's draining, off by default, and checks."""
    terraform = not balancer.label.startswith("AWS::")
    inside = balancer if terraform else balancer.at("Properties")
    if terraform:
        on, wait = inside.at("connection_draining"), inside.at("connection_draining_timeout")
        check = inside.at("health_check", 0)
        interval, unhealthy = check.at("interval"), check.at("unhealthy_threshold")
    else:
        policy, check = inside.at("ConnectionDrainingPolicy"), inside.at("HealthCheck")
        on, wait = policy.at("Enabled"), policy.at("Timeout")
        interval, unhealthy = check.at("Interval"), check.at("UnhealthyThreshold")
    drains = on.flag(False)
    draft.put("service.drain", wait.seconds(300.0) if drains else 0.0, wait if drains else on)
    if not drains:
        draft.remark(
            f"{balancer.called} drains no connections: requests of an instance that leaves are cut "
            "(ConnectionDrainingPolicy is off by default)."
        )
    _put_checks(balancer, interval, unhealthy, draft)


def _put_checks(balancer: View, interval: View, unhealthy: View, draft: Draft) -> None:
    """An instance is given up after its start, its grace and as many failed checks as count."""
    checks = interval.seconds(30) * unhealthy.integer(2, 1)
    if draft.grace is None:
        for view in (interval, unhealthy):
            if view.exists:
                view.say("no_effect", "its checks only keep requests away; they replace nothing")
        return
    grace, where = draft.grace
    draft.put("service.start_failure.timeout", START + grace + checks, where, interval, unhealthy)
    if grace + checks < SHORT:
        draft.remark(
            f"A new instance has {grace + checks:g} s from its registration until "
            f"{balancer.called} counts it as failed ({where.key} is {grace:g} s): one that takes "
            "longer to answer is replaced for ever."
        )
