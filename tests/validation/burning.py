"""Burn-rate alarms: when a row of the workbook's table fires."""

from __future__ import annotations

from functools import partial

from scipy import stats

from tests.validation import checks
from tests.validation.rows import Row, caught, row

_BUSY = "rate: 100000 rps"
_SWITCH = "big_bang: {in_place: false}"
_FIVE = "canary: {steps: [{weight: 5%, bake: 2d}]}"
_DETECT = "first evaluation at or after (1 - SLO) b w / e, uniform over a minute"


def _fires(burn: float, long: str, short: str, window: float, share: float, strategy: str) -> Row:
    """All of the traffic (or a canary's part) fails with `share` of the service's requests."""
    exact = 0.001 * burn * window / share
    rate = share if strategy == _SWITCH else share / 0.05
    return row(
        "time_to_detect",
        _DETECT,
        exact,
        300,
        check=checks.law(partial(stats.uniform.cdf, loc=exact, scale=60.0)),
        detector="burn rate",
        rate=_BUSY,
        defect=f"{{kind: errors, rate: {rate:g}}}",
        detection=f"burn_rate: [{{burn: {burn:g}, long: {long}, short: {short}}}]",
        strategy=strategy,
    )


def rows() -> list[Row]:
    """Rows about burn-rate alarms over long and short windows."""
    blind = row(
        "caught in the step",
        "never where e < b (1 - SLO), however long",
        0.0,
        100,
        value=caught("burn rate", "5%"),
        check=checks.share,
        detector="burn rate",
        rate="rate: 1000 rps",
        defect="{kind: errors, rate: 20%}",
        detection="burn_rate: [{burn: 14.4, long: 1h, short: 5m}]",
        strategy=_FIVE,
        response="watch: 0s",
    )
    return [
        _fires(14.4, "1h", "5m", 3600, 0.20, _SWITCH),
        _fires(14.4, "1h", "5m", 3600, 0.05, _SWITCH),
        _fires(36, "1h", "5m", 3600, 0.15, _SWITCH),
        _fires(6, "6h", "30m", 21_600, 0.20, _SWITCH),
        _fires(6, "6h", "30m", 21_600, 0.02, _FIVE),
        _fires(1, "3d", "6h", 259_200, 0.025, _FIVE),
        blind,
    ]
