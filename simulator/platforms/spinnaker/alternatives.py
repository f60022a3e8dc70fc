"""Other ways to write pipelines of Spinnaker and canary configs of Kayenta."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from simulator.platforms.spinnaker import kayenta
from simulator.platforms.spinnaker.graph import side, told, waits_for
from simulator.words.brought import Alternative

if TYPE_CHECKING:
    from simulator.bring.view import View

_ANALYSIS: dict[str, Any] = {
    "canaryConfigId": "",
    "lifetimeDuration": "PT1H",
    "canaryAnalysisIntervalMins": "10",
    "scoreThresholds": {"pass": "95", "marginal": "75"},
}


def of_pipeline(
    root: View, stages: Sequence[View], configs: Sequence[View]
) -> Iterator[Alternative]:
    """Other ways to write a pipeline."""
    canary = next((one for one in stages if side(told(one)) == "canary"), None)
    if canary is not None and not any(one.peek("type") == "kayentaCanary" for one in stages):
        yield analysed(root, stages, canary)
    for stage in stages:
        words = stage.at("canaryConfig")
        if stage.peek("type") == "kayentaCanary":
            often = ((words.at("canaryAnalysisIntervalMins"), "10"),)
            yield Alternative("a run every ten minutes", often, "a failing canary ends sooner")
            long = (
                (words.at("lifetimeDuration"), "PT12H"),
                (words.at("lookbackMins"), "60"),
                (words.at("canaryAnalysisIntervalMins"), "30"),
            )
            yield Alternative("twelve hours, an hour back", long, "defects that show later")
            yield doubtful(words.at("scoreThresholds"))
        elif stage.peek("type") == "wait":
            waits = ((stage.at("waitTime"), 1800),)
            yield Alternative("wait for half an hour", waits, "what is bad has time to be noticed")
        elif stage.peek("type") == "deployManifest" and not side(told(stage)):
            options = (
                (stage.at("trafficManagement", "enabled"), True),
                (stage.at("trafficManagement", "options", "strategy"), "redblack"),
            )
            yield Alternative("red/black", options, "a way back while the old pods are there")
    for config in configs:
        yield from critical(config)


def analysed(root: View, stages: Sequence[View], canary: View) -> Alternative:
    """A pipeline with an hour's analysis of its canary; what waited for the canary waits for it."""
    first = canary.name("refId")
    own = f"{first}-analysis"
    stage = {
        "type": "kayentaCanary",
        "name": "Canary analysis",
        "refId": own,
        "requisiteStageRefIds": [first],
        "analysisType": "realTime",
        "canaryConfig": _ANALYSIS,
    }
    later = [one for one in stages if first in waits_for(one)]
    changes: list[tuple[View, Any]] = [(root.at("stages", len(stages)), stage)]
    for one in later:
        changes.append((one.at("requisiteStageRefIds"), [*sorted(waits_for(one)), own]))
    return Alternative("analyse the canary", tuple(changes), "its errors stop it within an hour")


def careful(config: View) -> Iterator[Alternative]:
    """Other ways to write a canary config."""
    yield from critical(config)
    yield doubtful(config.at("classifier", "scoreThresholds"))


def critical(config: View) -> Iterator[Alternative]:
    """A canary config whose metrics of errors and latency fail a canary alone."""
    changes = tuple(
        (metric.at("analysisConfigurations", "canary", "critical"), True)
        for metric in config.at("metrics").items()
        if kayenta.counts(metric) is not None
    )
    if changes:
        yield Alternative("critical errors", changes, "one metric alone fails the canary")


def doubtful(thresholds: View) -> Alternative:
    """Thresholds that end a canary at the first run that is in doubt."""
    change = ((thresholds.at("marginal"), 90),)
    return Alternative("marginal at 90", change, "runs that are in doubt end it")
