"""The canary judge's scores: metrics classified one by one, and summed up to a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.play.verdicts import Verdict, shift

if TYPE_CHECKING:
    from simulator.words.detection import JudgedMetric

Array = NDArray[np.float64]
Label = Literal["pass", "high", "low", "nodata", "nodata fail"]

_HALF = 0.5
_WHOLE = 100.0


class Classified(NamedTuple):
    """What one metric says: its label, and whether it alone fails the step."""

    label: Label
    critical: bool


def classify(
    new: Array, old: Array, rule: JudgedMetric, confidence: float, tolerance: float
) -> Classified:
    """One metric's values of the periods, new against old; a metric that must not increase.

    High when the confidence interval of the Mann-Whitney shift lies above `tolerance` times its
    estimate and the ratio of means reaches `allowed_increase`; low likewise below. Equal samples
    pass; a ratio with a mean of 0 is skipped. A critical metric that is high with a ratio of at
    least `critical_increase` fails the whole step (source: Spinnaker Kayenta,
    NetflixACAJudge-v1.0, kayenta-judge).
    """
    if not len(new) or not len(old):
        missing: Label = "nodata fail" if rule.must_have_data else "nodata"
        return Classified(missing, rule.critical)
    if np.array_equal(np.sort(new), np.sort(old)) or len(np.unique(np.concatenate([new, old]))) < 2:
        return Classified("pass", False)
    found = shift(new, old, confidence)
    margin = tolerance * abs(found.estimate)
    means = float(new.mean()), float(old.mean())
    ratio = means[0] / means[1] if all(means) else math.nan
    if found.low > margin and not ratio < rule.allowed_increase:
        return Classified("high", rule.critical and not ratio < rule.critical_increase)
    if found.high < -margin:
        return Classified("low", False)
    return Classified("pass", False)


def score(found: Sequence[Classified], rules: Sequence[JudgedMetric]) -> float:
    """The summary score, 0 to 100: the weighted share of metrics that did not get worse.

    Metrics without data are left out; the score is 0 when a critical metric fails or when at
    least half of the metrics have no data (source as above; a metric here is a group of its own,
    and one that improved counts as passed: it must not increase).
    """
    if any(metric.critical for metric in found):
        return 0.0
    missing = sum(metric.label == "nodata" for metric in found)
    if missing >= _HALF * len(found):
        return 0.0
    weights = passed = 0.0
    for metric, rule in zip(found, rules, strict=True):
        if metric.label != "nodata":
            weights += rule.weight
            passed += rule.weight * (metric.label in ("pass", "low"))
    return round(_WHOLE * passed / weights, 2) if weights else 0.0


def verdict(points: float, passing: float, marginal: float) -> Verdict:
    """Pass at `passing` points and above, no verdict at `marginal` and above, else fail."""
    if points >= passing:
        return "pass"
    return "none" if points >= marginal else "fail"
