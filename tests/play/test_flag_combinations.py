"""Flags against branches: what a flag hides, and how many bad minutes users have with it."""

from __future__ import annotations

import math

import pytest

from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from tests.play.playing import bare, play


@pytest.mark.parametrize(("flags", "tested"), [(1, 2), (1, 1), (3, 6), (3, 100), (10, 64)])
def test_a_flag_hides_a_defect_only_in_a_combination_that_was_tested(
    flags: int, tested: int
) -> None:
    """Of the defects behind it a share min(m / 2^k, 1), within 4 standard errors; the others reach
    everybody as the code is shipped."""
    scenario = bare(
        service="startup: 60s",
        detection="noticed: {after: 5m}",
        strategy="feature_flag: {covered: 80%, steps: [{weight: 5%, bake: 1h}], "
        f"ship: {{kind: big_bang, in_place: false}}, flags: {flags}, "
        f"combinations_tested: {tested}}}",
    )
    rows = play(scenario, 250)
    hidden = sum(row.peak_exposure < 1 for row in rows) / len(rows)
    exact = 0.8 * min(tested / 2**flags, 1)
    assert hidden == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / len(rows)))


RISKY = """
version: 1
profile: bare
service: {instances: 10, startup: 12m, start_failure: {timeout: 1h}}
traffic: {rate: 100 rps, users: 2k}
change: {defect_probability: 10%, defects: [{kind: errors, rate: 100%}]}
detection: {noticed: {after: 4m}}
response: {page: {decide: 0s}}
strategies:
  flag: {kind: feature_flag, covered: 100%, poll: 30s, steps: [{weight: 5%, bake: 1d}],
         ship: {kind: big_bang, in_place: false}}
  release: {kind: big_bang, in_place: false}
"""


def bad_minutes(scenario: Scenario) -> list[float]:
    """Bad user-minutes of each strategy: users x the integral of the share on the bad version."""
    found = []
    for name in ("flag", "release"):
        only = scenario.with_("strategies", {name: scenario.strategies[name]})
        (row,) = play(only, 1)
        found.append(row.exposure_time / 60 * scenario.traffic.users)
    return found


def test_bad_user_minutes_are_users_times_share_times_time() -> None:
    """2,000 users, found after 4 min: 5 % and half a minute to switch off is 450; everybody and 12
    min to deploy the old version again is 32,000."""
    assert bad_minutes(loads(RISKY)) == pytest.approx([450, 32_000])


def test_a_defect_in_a_combination_nobody_tested_takes_the_flag_s_advantage_away() -> None:
    """Shipped to everybody, and no flag takes it back: as bad as the release."""
    untested = loads(RISKY).with_("strategies.flag.flags", 40)
    untested = untested.with_("strategies.flag.combinations_tested", 1)
    assert bad_minutes(untested) == pytest.approx([32_000, 32_000])
