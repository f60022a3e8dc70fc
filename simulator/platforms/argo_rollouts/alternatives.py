"""Other ways to write a Rollout: its own fields changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulator.platforms.argo_rollouts import rules
from simulator.words.brought import Alternative

if TYPE_CHECKING:
    from simulator.bring.view import View
    from simulator.platforms.argo_rollouts.templates import Templates

_SMALL = 5
_PAUSE = {"pause": {"duration": "5m"}}


def alternatives(document: View, templates: Templates) -> Iterator[Alternative]:
    """Other ways to write a Rollout."""
    strategy = document.at("spec", "strategy")
    if strategy.at("canary").exists:
        replicas = document.peek("spec", "replicas")
        yield from _of_canary(
            strategy.at("canary"), templates, replicas if isinstance(replicas, int) else 1
        )
    else:
        yield from _of_blue_green(strategy.at("blueGreen"))


def _steps(canary: View) -> list[Mapping[str, Any]]:
    found = canary.peek("steps")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _of_canary(canary: View, templates: Templates, replicas: int) -> Iterator[Alternative]:
    steps = _steps(canary)
    weights = [place for place, step in enumerate(steps) if "setWeight" in step]
    if templates.unused and not canary.at("analysis").exists and weights:
        analysis = {
            "templates": [{"templateName": name} for name in templates.unused],
            "startingStep": weights[0] + 1,
        }
        yield Alternative(
            "the analysis beside the steps",
            ((canary.at("analysis"), analysis),),
            "what the template measures aborts a bad release by itself",
        )
    yield from _of_analysis(canary.at("analysis"), weights, templates)
    waits = [canary.at("steps", place, "pause", "duration") for place in range(len(steps))]
    longer = [(view, _time(2 * view.seconds())) for view in waits if view.exists]
    if longer:
        yield Alternative("pauses twice as long", tuple(longer), "more is seen before each step")
    paused = _with_pauses(steps)
    if paused != steps:
        changes = ((canary.at("steps"), paused),)
        yield Alternative("a pause before each measurement", changes, "it has requests to look at")
    if weights:
        first = canary.at("steps", weights[0], "setWeight")
        if _can_be_smaller(first, canary, replicas):
            yield Alternative(
                "a first weight of 5 %", ((first, 5),), "fewer users meet a bad release first"
            )
    if not canary.at("trafficRouting").exists:
        careful = ((canary.at("maxSurge"), 1), (canary.at("maxUnavailable"), 0))
        yield Alternative("one more, none missing", careful, "never fewer pods than wanted")


def _of_analysis(analysis: View, weights: list[int], templates: Templates) -> Iterator[Alternative]:
    """Other ways to measure beside the steps."""
    start = analysis.at("startingStep")
    if analysis.exists and weights and not start.integer(0):
        yield Alternative(
            "the analysis after the first weight",
            ((start, weights[0] + 1),),
            "it has a new version to measure",
        )
    often = [(view, _time(view.seconds() / 2)) for view in templates.intervals(analysis)]
    if often:
        yield Alternative(
            "measured twice as often", tuple(often), "a bad release is aborted sooner"
        )


def _time(seconds: float) -> str:
    return f"{seconds / 60:g}m" if seconds % 60 == 0 else f"{seconds:g}s"


def _can_be_smaller(weight: View, canary: View, replicas: int) -> bool:
    """Whether 5 % would be another number of pods, or another weight."""
    if not isinstance(weight.data, int) or not _SMALL < weight.data <= 100:
        return False
    if canary.at("trafficRouting").exists:
        return True
    now, then = (rules.wish(replicas, one / 100, 1).canary for one in (weight.data, _SMALL))
    return then < now


def _with_pauses(steps: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The steps with a pause between a weight and the analysis right after it."""
    found = list[Mapping[str, Any]]()
    for step in steps:
        if "analysis" in step and found and "setWeight" in found[-1]:
            found.append(_PAUSE)
        found.append(step)
    return found


def _of_blue_green(blue_green: View) -> Iterator[Alternative]:
    auto, after = blue_green.at("autoPromotionEnabled"), blue_green.at("autoPromotionSeconds")
    if not auto.flag(True):
        yield Alternative(
            "promoted by itself after 10 min",
            ((auto, True), (after, 600)),
            "no release waits for a person",
        )
    delay = blue_green.at("scaleDownDelaySeconds")
    yield Alternative(
        "old pods for an hour", ((delay, 3600),), "a way back at once for as long as they are there"
    )
    preview = blue_green.at("previewReplicaCount")
    if not preview.exists:
        yield Alternative("one preview pod", ((preview, 1),), "fewer pods until the promotion")
