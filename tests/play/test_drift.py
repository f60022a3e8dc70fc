"""Instances that somebody changed by hand: updates in place fail on them, replacements do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.play.fleet import StartLaw
from simulator.words.distributions import Exponential
from tests.answers.comparing import near
from tests.play.playing import bare, play


@given(
    once=st.floats(0.01, 1),
    failing=st.floats(0, 0.6),
    timeout=st.floats(20, 300),
    survival=st.floats(1e-6, 1 - 1e-6),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_law_of_a_start_with_a_first_failure_inverts(
    once: float, failing: float, timeout: float, survival: float
) -> None:
    """P(T > t) is at most the survival asked for at t, and not below it just before."""
    law = StartLaw(Exponential(scale=60.0), failing, timeout, once)
    time = law.survivor(survival)
    before, after = law.cdf(np.array([time - 1e-6, time + 1e-6]))
    assert 1 - after <= survival + 1e-5
    assert survival <= 1 - before + 1e-5


def test_its_mean_is_that_of_its_draws() -> None:
    """Mean of a success, and a timeout for each try that is lost, the first more often."""
    law = StartLaw(Exponential(scale=30.0), 0.2, 600.0, 0.5)
    assert near([law.one((k + 0.5) / 40_000) for k in range(40_000)], law.mean())
    assert law.mean() == pytest.approx(30 + 600 * 0.6 / 0.8)


def test_a_stop_for_everything_waits_for_what_drifted() -> None:
    """Ten instances, each changed by hand with 20 %: with 0.8^10 = 10.7 % the outage is a minute,
    else the first try on one of them is given up after ten. It never fails twice: no alarm."""
    scenario = bare(
        service="install: 60s, drifted: 20%, start_failure: {timeout: 10m}", strategy="big_bang: {}"
    )
    outcomes = play(scenario, 800, bad=False)
    assert {o.outage for o in outcomes} == {60.0, 660.0}
    assert {o.outcome for o in outcomes} == {"deployed"}
    short = sum(o.outage == 60 for o in outcomes) / 800
    exact = 0.8**10
    assert abs(short - exact) < 4 * math.sqrt(exact * (1 - exact) / 800)


def test_the_way_back_is_not_drifted() -> None:
    """What was reinstalled is as the tool knows it: the old version goes back in a minute."""
    scenario = bare(
        service="install: 60s, drifted: 100%, start_failure: {timeout: 10m}",
        detection="noticed: {after: 5m}",
        strategy="big_bang: {}",
    )
    (outcome,) = play(scenario, 1)
    assert outcome.outage == 660 + 60


@pytest.mark.parametrize("strategy", ["rolling: {}", "immutable: {}", "blue_green: {}"])
def test_replacing_does_not_care(strategy: str) -> None:
    scenario = bare(service="startup: {exponential: {mean: 60s}}", strategy=strategy)
    edited = scenario.with_("service.drifted", "30%")
    plain, same = ([o.time_to_deploy for o in play(s, 5, bad=False)] for s in (scenario, edited))
    assert plain == same


@pytest.mark.parametrize("accepted", [0, 3])
def test_a_command_counts_them_as_errors(accepted: int) -> None:
    """20 targets, 10 % of them drifted: more than e fail with the binomial's tail."""
    scenario = bare(
        instances=20,
        service="drifted: 10%",
        strategy=f"rate_controlled: {{concurrency: 5, max_errors: {accepted}}}",
    )
    outcomes = play(scenario, 400, bad=False)
    stopped = sum(o.outcome == "false_alarm" for o in outcomes) / 400
    exact = 1 - sum(math.comb(20, k) * 0.1**k * 0.9 ** (20 - k) for k in range(accepted + 1))
    assert abs(stopped - exact) < 4 * math.sqrt(exact * (1 - exact) / 400)
