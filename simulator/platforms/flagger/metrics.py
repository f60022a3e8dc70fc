"""Reading the metrics of a Canary's analysis. Source: flagger scheduler_metrics.go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simulator.platforms.flagger import rules
from simulator.words.brought import NAME, Draft
from simulator.words.units import format_duration

if TYPE_CHECKING:
    from simulator.bring.view import View

SUCCESS, DURATION = "request-success-rate", "request-duration"
_LATE = 0.01


def read(analysis: View, draft: Draft, every: float, threshold: int) -> None:
    """Put the metrics that are known into the draft; the others are noted."""
    found = [one for metric in analysis.at("metrics").items() for one in _metric(metric, draft)]
    where = analysis.at("metrics")
    draft.put(f"strategies.{NAME}.metrics", found, where)
    if not found:
        draft.remark(
            "No metric that is known is checked: every check is good, whatever users meet."
        )
    longest = max((_window(one) for one in found), default=0.0)
    ticks = rules.window_ticks(longest, every) if longest else 1
    if ticks > 1:
        draft.remark(
            f"Checks look back {format_duration(longest)} every {format_duration(every)}: one bad "
            f"moment fails up to {ticks} of them, so that {threshold} failed checks can come of "
            f"{-(-threshold // ticks)}."
        )


def _window(metric: dict[str, Any]) -> float:
    window: float = metric["window"]
    return window


def _metric(metric: View, draft: Draft) -> Iterator[dict[str, Any]]:
    """A metric in the words of a scenario, if it is one of those built in."""
    name = metric.name("name")
    window = metric.at("interval")
    bounds = metric.at("thresholdRange").mapping()
    least, most, old = bounds.at("min"), bounds.at("max"), metric.at("threshold")
    if name == SUCCESS:
        metric.at("name").mark()
        limit = least if bounds.exists else old
        if not limit.exists:
            metric.say("no_effect", "it has no least success rate: every value is good")
            return
        most.say("no_effect", "a success rate is never too high")
        above = round(1.0 - limit.percent(), 9)
        yield {"metric": "errors", "above": above, "window": window.seconds(rules.USUAL_WINDOW)}
    elif name == DURATION:
        limit = most if bounds.exists else old
        if not limit.exists:
            metric.say("no_effect", "it has no longest duration: every value is good")
            return
        metric.at("name").mark()
        least.say("no_effect", "a duration is never too short")
        milliseconds = limit.number()
        limit.say(
            "approximated",
            f"a 99th percentile above {milliseconds:g} ms is more than 1 % of late requests",
            "which requests are late is said by the defects of the scenario",
        )
        yield {"metric": "late", "above": _LATE, "window": window.seconds(rules.USUAL_WINDOW)}
    else:
        metric.say(
            "ignored",
            "what its query measures is not known",
            "a defect that only it would show is not stopped",
        )
        draft.remark(
            f"The metric {name or 'without a name'} is a query of your own: not simulated, so "
            "that more releases pass here than with it."
        )
