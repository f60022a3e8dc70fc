"""The table of defaults: every row sourced and usable, and the layers in their order."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulator.words import Assumption, Distribution, Scenario, loads, profiles
from simulator.words.changes import parse_path
from simulator.words.reading import load
from simulator.words.strategy import Strategy, kinds
from simulator.words.writing import stated as written
from tests.words.files import BARE, FIVE_LINES

PROFILES = profiles.names()
STAFF = """
version: 1
profile: {profile}
traffic: {{rate: 400 rps, users: 30k}}
strategies:
  s. 1: {{kind: {kind}, steps: [{{weight: 0, audience: 500 users{finds}}}, {{weight: 50%}}]}}
"""
APP = """
version: 1
profile: {profile}
service: {{elastic: true}}
traffic: {{rate: 400 rps, users: 30k}}
strategies: {{phased: {{recall: none{adoption}}}}}
"""
FINDS, ADOPTION = 'strategies["s. 1"].steps[0].finds', "strategies.phased.adoption"


def assumed(text: str) -> dict[str, Assumption]:
    """What a file leaves to the defaults, by path."""
    return {row.path: row for row in loads(text).assumed}


@pytest.mark.parametrize("profile", [None, *PROFILES])
def test_every_row_names_its_source_and_kind(profile: str | None) -> None:
    for row in profiles.rows(profile):
        assert row.source.strip(), row.path
        assert row.kind in ("measured", "judgement"), row.path
        assert (row.low is None) == (row.high is None), row.path


def test_the_profiles_of_the_format_are_there() -> None:
    assert {"bare", "ecs-fargate", "ec2-ami", "k8s-spare"} <= set(PROFILES)
    assert all(profiles.about(name) for name in PROFILES)


def middle(scenario: Scenario, path: str) -> Any:
    """The number that stands at a path of a scenario; of a law, its median."""
    found: Any = scenario
    for key in parse_path(path):
        if isinstance(key, int):
            found = found[key]
        else:
            fields = type(found).model_fields
            found = getattr(found, next(n for n, f in fields.items() if (f.alias or n) == key))
    return found.quantile(0.5) if isinstance(found, Distribution) else found


@pytest.mark.parametrize("profile", [p for p in PROFILES if p != "bare"])
def test_low_value_and_high_are_in_order(profile: str) -> None:
    scenario = loads(FIVE_LINES.replace("ecs-fargate", profile))
    for row in scenario.assumed:
        if row.low is not None:
            values = (row.low, row.value, row.high)
            low, value, high = (middle(scenario.with_(row.path, v), row.path) for v in values)
            assert low <= value <= high, row.path
            assert low < high, row.path


def test_the_file_is_over_the_profile_is_over_the_table() -> None:
    text = "version: 1\nservice: {{}}\ntraffic: {{rate: 1 rps}}\nstrategies: {{canary: {{}}}}\n{}"
    table = loads(text.format(""))
    profile = loads(text.format("profile: ec2-ami\n"))
    own = loads(text.format("profile: ec2-ami\n").replace("service: {}", "service: {drain: 7s}"))
    assert table.service.drain == 30
    assert profile.service.drain == 300
    assert own.service.drain == 7
    assert own.service.startup == profile.service.startup != table.service.startup


def test_a_key_given_replaces_the_profiles_key_and_its_neighbours_stay() -> None:
    scenario = loads(FIVE_LINES + "detection: {alarms: [{above: 3%}, {watch: old}]}\n")
    first, second = scenario.detection.alarms
    assert (first.above, first.period, first.datapoints) == (0.03, 60, "2 of 3")
    assert (second.watch, second.above) == ("old", 0.01)
    assert scenario.detection.people is not None


def test_a_file_without_profile_has_only_health() -> None:
    detection = loads(FIVE_LINES.replace("profile: ecs-fargate\n", "")).detection
    assert detection.alarms == ()
    assert detection.people is None
    assert (detection.noticed, detection.audit, detection.judge) == (None, None, None)


def test_a_file_without_profile_has_noise_and_trouble() -> None:
    service = loads(FIVE_LINES.replace("profile: ecs-fargate\n", "")).service
    assert service.errors is not None
    assert service.incidents is not None
    assert service.start_failure.probability > 0


def test_a_part_that_is_begun_is_completed_from_the_table() -> None:
    scenario = loads(BARE.replace("bare", "k8s-spare") + "detection: {people: {needed: 3}}\n")
    people = scenario.detection.people
    assert people is not None
    assert (people.needed, people.report_rate) == (3, 0.001)
    assert people.triage.quantile(0.5) == pytest.approx(900)


def test_bare_is_zero_or_absent_for_everything_not_stated() -> None:
    scenario = loads(BARE)
    service, response = scenario.service, scenario.response
    assert (service.errors, service.incidents, service.warm_up) == (None, None, None)
    assert service.utilisation is None
    assert service.startup.mean() == service.install.mean() == service.drain == service.cost == 0
    assert service.start_failure.probability == 0
    assert service.start_failure.timeout == 600
    assert response.decide.mean() == response.page.acknowledge.mean() == 0
    assert response.page.decide.mean() == response.fix.mean() == response.retry.mean() == 0
    assert response.page.off_hours == 1
    assert scenario.detection.alarms == ()
    assert scenario.detection.people is None


def test_bare_completes_a_part_with_zeros() -> None:
    text = BARE + "detection: {alarms: [{above: 2%}], people: {needed: 1}}\n"
    detection = loads(text).detection
    (alarm,) = detection.alarms
    assert (alarm.delay, alarm.minimum_requests, alarm.datapoints) == (0, 0, "1 of 1")
    assert detection.people is not None
    assert detection.people.delay.mean() == detection.people.triage.mean() == 0


def test_bare_errors_are_a_plain_share() -> None:
    errors = loads(BARE.replace("capacity", "errors: {mean: 1%}, capacity")).service.errors
    assert errors is not None
    assert (errors.mean, errors.cv) == (0.01, 0)


@pytest.mark.parametrize("nothing", ["none", "{}"])
def test_nothing_switches_a_part_off(nothing: str) -> None:
    text = FIVE_LINES.replace("55%}", f"55%, errors: {nothing}, start_failure: {nothing}}}")
    scenario = loads(text + f"detection: {nothing}\n")
    assert scenario.service.errors is None
    assert scenario.service.start_failure.probability == 0
    assert scenario.detection.alarms == ()
    assert scenario.detection.people is None


def test_only_what_was_not_stated_is_assumed() -> None:
    plain = assumed(FIVE_LINES)
    assert "service.startup" in plain
    assert "service.instances" not in plain
    stated = assumed(FIVE_LINES.replace("55%}", "55%, startup: 5s}") + "follow_up: 1h\n")
    assert set(plain) - set(stated) == {"service.startup", "follow_up"}


def test_an_assumption_names_the_profiles_value() -> None:
    row = assumed(FIVE_LINES)["service.drain"]
    assert row.value == "300s"
    assert row.low is not None
    assert row.kind == "measured"


def test_capacity_leaves_no_utilisation_to_assume() -> None:
    text = FIVE_LINES.replace("utilisation: 55%", "capacity: 90 rps")
    assert loads(text).service.utilisation is None
    assert "service.utilisation" not in assumed(text)


def test_the_default_mix_has_two_kinds_of_errors() -> None:
    change = loads(FIVE_LINES).change
    errors = [defect for defect in change.defects if defect.kind == "errors"]
    assert [defect.users for defect in errors] == [1.0, 0.05]
    shares = dict(zip(change.labels, change.shares, strict=True))
    assert shares["errors"] + shares["errors 2"] == pytest.approx(0.39)
    assert shares["crash"] == pytest.approx(0.18)
    assert sum(shares.values()) == pytest.approx(1)
    for defect in errors:
        assert defect.rate.quantile(0.5) == pytest.approx(0.03)
        assert defect.rate.quantile(0.95) == pytest.approx(0.5)
        assert defect.rate.quantile(0.9999) == 1


def test_a_defect_is_completed_by_its_kind() -> None:
    change = "change: {defects: [{kind: leak, ramp: 2h}, {kind: crash}, {kind: errors, rate: 9%}]}"
    leak, crash, errors = loads(BARE + change + "\n").change.defects
    assert leak.kind == "leak"
    assert leak.ramp == 7200
    assert leak.onset.quantile(0.5) == pytest.approx(4 * 3600)
    assert crash.kind == "crash"
    assert crash.starts == 1
    assert errors.kind == "errors"
    assert errors.rate.mean() == pytest.approx(0.09)


def test_a_profile_without_instances_needs_no_word_of_them() -> None:
    text = FIVE_LINES.replace("ecs-fargate", "lambda")
    service = loads(re.sub(r"service: .*\n", "", text)).service
    assert (service.elastic, service.instances, service.startup.mean()) == (True, 1, 0.0)
    assert service.concurrency == 1000
    fleet = loads(re.sub(r"service: .*", "service: {elastic: false, instances: 4}", text)).service
    assert (fleet.elastic, fleet.instances, fleet.concurrency) == (False, 4, None)


@pytest.mark.parametrize("profile", ["bare", "ecs-fargate"])
@pytest.mark.parametrize("kind", ["canary", "feature_flag"])
def test_what_an_audience_finds_is_assumed_unless_it_is_stated(profile: str, kind: str) -> None:
    left, stated = (
        loads(STAFF.format(profile=profile, kind=kind, finds=finds))
        for finds in ("", ", finds: 60%")
    )
    (row,) = (one for one in left.assumed if one not in stated.assumed)
    assert row[:5] == (FINDS, "60%", "30%", "80%", "judgement")
    assert not any(".finds" in one.path for one in stated.assumed)
    assert left.canonical() == stated.canonical()
    assert loads(written(left)).assumed == left.assumed
    for value, shows in ((row.low, 0.3), (row.high, 0.8), (None, 0.6)):
        first = left.with_(FINDS, value).strategies["s. 1"].admits
        assert first is not None
        assert first.shows == shows


@pytest.mark.parametrize("profile", ["bare", "lambda"])
def test_how_soon_an_app_is_installed_is_assumed_unless_it_is_stated(profile: str) -> None:
    left, stated = (
        loads(APP.format(profile=profile, adoption=adoption)) for adoption in ("", ", adoption: 1d")
    )
    (row,) = (one for one in left.assumed if one not in stated.assumed)
    assert row[:5] == (ADOPTION, "1d", "8h", "4d", "judgement")
    assert left.canonical() == stated.canonical()
    for value, hours in ((row.low, 8), (row.high, 96), (None, 24)):
        assert left.with_(ADOPTION, value).strategies["phased"].unrecalled == 3600 * hours


def test_what_no_strategy_asks_for_is_not_assumed_of_it() -> None:
    steps = "{steps: [{weight: 0, audience: none}, {weight: 5%}]}"
    every = FIVE_LINES.replace("canary: {}", f"canary: {steps}, phased: {{}}")
    for scenario in (loads(every), load("service-mobile-app")):
        assert not [row for row in scenario.assumed if row.path.startswith("strategies")]


def test_strategies_made_in_python_leave_the_same_to_assume() -> None:
    staff: dict[str, Any] = {"weight": 0, "audience": 500}
    made: dict[str, Strategy] = {
        "s. 1": kinds()["canary"].model_validate({"kind": "canary", "steps": [staff]}),
        "told": kinds()["canary"].model_validate(
            {"kind": "canary", "steps": [staff | {"finds": 0}]}
        ),
    }
    scenario = loads(FIVE_LINES).with_("strategies", made)
    assert [row.path for row in scenario.assumed if row.path.startswith("strategies")] == [FINDS]
    alone, placed = (
        one.strategies["s. 1"].admits for one in (scenario, scenario.with_(FINDS, 0.3))
    )
    by_itself = made["s. 1"].admits
    assert alone is not None
    assert placed is not None
    assert by_itself is not None
    assert (by_itself.shows, alone.shows, placed.shows) == (0.6, 0.6, 0.3)
    app = kinds()["phased"].model_validate({"kind": "phased", "recall": "none"})
    assert app.unrecalled == 86_400
