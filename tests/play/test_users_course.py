"""When the needed-th report falls: inside long spans, and where the hazard grows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.play.playing import bare, mean_and_error, play

PEOPLE = "people: {report_rate: 100%, needed: 1000, delay: 0s, triage: 0s}"


def test_sticky_users_are_not_everybody() -> None:
    """20 % of 2 million users at 0.0005 requests/s and 20 % errors: the share s of them is harmed
    at -ln(1 - s) / 0.0001; the 1000th of 400 000 at 25.03 s, in a bake of two hours that nothing
    else cuts. Standard deviation of the 1000th: 25 / sqrt(1000)."""
    scenario = bare(
        users="2M",
        traffic="sticky: true",
        detection=PEOPLE,
        strategy="canary: {steps: [{weight: 20%, bake: 2h}]}",
    )
    mean, error = mean_and_error([o.time_to_detect for o in play(scenario, 80)])
    assert abs(mean + math.log(1 - 1000 / 400_000) / 1e-4) < 4 * error
    assert error == pytest.approx(25 / math.sqrt(1000 * 80), rel=0.4)


def test_a_growing_leak_is_reported_late_in_its_ramp() -> None:
    """A leak from 10 min on, up to 20 % over an hour, on all of 1000 requests/s: failures until t
    after its onset are 1000 x 0.2 t^2 / 7200; the 1000th at sqrt(36 000) = 189.7 s. The hazards
    are added in pieces of a minute, straight inside: within 4 %; one piece of an hour would say
    10 s."""
    scenario = bare(
        users="2M",
        defect="{kind: leak, onset: 10m, ramp: 1h, rate: 20%}",
        detection=PEOPLE,
        strategy="big_bang: {in_place: false}",
    )
    found = np.mean([o.time_to_detect for o in play(scenario, 60)])
    assert found == pytest.approx(math.sqrt(36_000), rel=0.04)
