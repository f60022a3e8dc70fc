"""The traffic of the request-level model, as a plain function of time.

Part of `request_level`: nothing is shared with the engine that it validates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from simulator.words.clock import clock_seconds

if TYPE_CHECKING:
    from simulator.words.traffic import Traffic

DAY = 86_400.0
INSTANT = 1e-7


def rate_at(traffic: Traffic) -> Callable[[float], float]:
    """The arrival rate (requests/s) as a plain function of seconds since the start."""
    daily = traffic.daily

    since_peak = traffic.began - clock_seconds(daily.peak_at) if daily is not None else 0.0
    spikes = [(spike.at, spike.at + spike.lasts, spike.factor) for spike in traffic.spikes]

    def rate(t: float) -> float:
        """Requests/s at t seconds."""
        if daily is not None:
            angle = 2 * math.pi * (t + since_peak) / DAY
            level = daily.mean + (daily.peak - daily.mean) * math.cos(angle)
        elif traffic.rate is not None:
            level = traffic.rate
        else:
            return float(traffic.at(t))
        for begin, end, factor in spikes:
            if begin <= t < end:
                level *= factor
        return level

    return rate
