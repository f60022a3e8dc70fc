"""The risk of a bad release as its terms: how likely, how far it reaches, how hard it hits.

Harm is counted in failed requests: probability x exposure x severity is what bad releases cost on
average in each release, good or bad. All three are measured; nothing is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.means import NOTHING, Interval, mean

if TYPE_CHECKING:
    from simulator.findings.results import StrategyRisk


class Terms(NamedTuple):
    """One strategy's risk: `probability` that a release is defective, `exposure`, the requests that
    a bad one serves on average, and `severity`, failed requests for each of them (above 1 where
    others fail as well); `total` is their product, failed requests a release.

    All but the probability with 95 % intervals. Without exposure there is no severity, and what
    failed nevertheless is in the total alone.
    """

    probability: float
    exposure: Interval
    severity: Interval
    total: Interval


def terms(risk: StrategyRisk) -> Terms:
    """The terms of a strategy's risk, from its bad releases."""
    bad = risk.given_defect
    chance = bad.share
    failed, exposure = bad.failed_requests.mean, bad.exposed_requests.mean
    total = Interval(*(None if x is None else chance * x for x in failed))
    return Terms(chance, exposure, _severity(risk, failed, exposure), total)


def _severity(risk: StrategyRisk, failed: Interval, exposure: Interval) -> Interval:
    """The ratio of both means; its interval is that of the residuals, over the mean exposure
    (Cochran, Sampling Techniques, 1977, section 6.4).
    """
    if not exposure.value or failed.value is None:
        return NOTHING
    bad = risk.given_defect
    ratio = failed.value / exposure.value
    residuals = bad.values("failed_requests") - ratio * bad.values("exposed_requests")
    around = mean(residuals, bad.strata)
    if around.low is None or around.high is None:
        return Interval(ratio, None, None)
    half = (around.high - around.low) / 2 / exposure.value
    return Interval(ratio, max(ratio - half, 0.0), ratio + half)
