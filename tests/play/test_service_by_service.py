"""Service by service: how many a change touches, and what a lock-step costs."""

from __future__ import annotations

import math

import pytest

from simulator.words.scenario import Scenario
from tests.play.playing import bare, mean_and_error, play

START, NOTICED, DECIDES = 60, 1000, 120


def cut(coupling: str, defect: str = "{kind: errors, rate: 20%}", count: int = 5) -> Scenario:
    """Ten instances in services that are switched one after the other, found after 1000 s."""
    return bare(
        service=f"startup: {START}s",
        defect=defect,
        detection=f"noticed: {{after: {NOTICED}s}}",
        response=f"page: {{decide: {DECIDES}s}}",
        strategy=f"service_by_service: {{count: {count}, coupling: {coupling}, "
        "each: {kind: big_bang, in_place: false}}",
    )


def test_a_change_touches_one_service_and_the_others_by_chance() -> None:
    """1 + (n - 1) c = 2.2 releases for five services and 30 %, within 4 standard errors, each
    with a start-up of 60 s."""
    rows = play(cut("30%"), 600, bad=False)
    mean, error = mean_and_error([row.releases for row in rows])
    assert abs(mean - (1 + 4 * 0.3)) < 4 * error
    assert all(row.time_to_deploy == START * row.releases for row in rows)
    alone = sum(row.releases == 1 for row in rows) / len(rows)
    assert alone == pytest.approx(0.7**4, abs=4 * math.sqrt(0.24 * 0.76 / 600))


def test_independent_services_keep_a_defect_in_one_of_them() -> None:
    """r p / n (D + R + start-up) failed requests of one in five, within 4 standard errors."""
    rows = play(cut("0%"), 60)
    mean, error = mean_and_error([row.failed_requests for row in rows])
    assert abs(mean - 1000 * 0.20 / 5 * (NOTICED + DECIDES + START)) < 4 * error
    assert {row.releases for row in rows} == {1}


def test_a_lock_step_is_as_bad_as_a_monolith_and_takes_as_long_as_all_steps() -> None:
    """Weights j/5 for 60 s each, then everything: r p (60 (0.2 + 0.4 + 0.6 + 0.8) + D + R - 4 x
    60), and a start-up back."""
    rows = play(cut("100%"), 60)
    mean, error = mean_and_error([row.failed_requests for row in rows])
    seconds = START * 2.0 + (NOTICED - 4 * START) + DECIDES + START
    assert abs(mean - 1000 * 0.20 * seconds) < 4 * error
    good = play(cut("100%"), 1, bad=False)[0]
    assert (good.time_to_deploy, good.releases) == (5 * START, 5)
    assert good.mixed_time == 4 * START


@pytest.mark.parametrize("count", [2, 5, 10])
def test_mixed_contracts_last_from_the_first_service_to_the_last(count: int) -> None:
    """The integral of 2w(1 - w) over weights j/n for T each is T (n^2 - 1) / (3 n); at one go it is
    nothing. Nobody notices in time, so that it is all that happens."""
    defect = "{kind: mixed_versions, rate: 30%, persists: 0%, repair: 1h}"
    rows = play(cut("100%", defect, count), 40)
    mixing = START * (count**2 - 1) / (3 * count)
    assert rows[0].mixing == pytest.approx(mixing)
    mean, error = mean_and_error([row.failed_requests for row in rows])
    assert abs(mean - 1000 * 0.30 * mixing) < 4 * error
    alone = play(cut("0%", defect, count), 5)
    assert all(row.failed_requests == 0 for row in alone)


@pytest.mark.parametrize(
    "defect",
    [
        "{kind: slow, factor: 1, rate: 20%}",
        "{kind: leak, onset: 0s, ramp: 0s, rate: 20%}",
        "{kind: load, threshold: 0.0001%, rate: 20%}",
    ],
)
def test_every_kind_that_harms_requests_stays_in_its_service(defect: str) -> None:
    """A fifth of the whole, within 3 %."""
    whole = cut("100%", defect, 1).with_("service.capacity", "1000 rps")
    part = cut("0%", defect).with_("service.capacity", "1000 rps")
    failed = [sum(row.failed_requests for row in play(s, 10)) for s in (whole, part)]
    assert failed[1] / failed[0] == pytest.approx(1 / 5, rel=0.03)


def test_a_release_that_is_rolled_back_leaves_no_service_new() -> None:
    """Found while the fourth of five is on its way, the way back is one step."""
    early = cut("100%").with_("detection.noticed.after", f"{2 * START + 30}s")
    (row,) = play(early.with_("response.page.decide", "1s"), 1)
    assert row.outcome == "rolled_back"
    assert row.peak_exposure == pytest.approx(0.6)
    assert row.rollback_time < math.inf


def test_only_releases_that_have_begun_are_paid_for() -> None:
    """Four services of 100 s each, all touched, found D s after the first one serves: the releases
    begun are 1 + ceil(D / 100), the last of them by the time of the detection."""
    for after, begun in ((50, 2), (150, 3), (1000, 4)):
        scenario = bare(
            service="startup: 100s, drain: 0s",
            detection=f"noticed: {{after: {after}s}}",
            response="page: {decide: 0s}",
            strategy="service_by_service: {count: 4, coupling: 100%, "
            "each: {kind: rolling, batch: 100%, surge: 100%}}",
        ).with_("costs.release", "10")
        (row,) = play(scenario, 1)
        assert (row.releases, row.loss_release) == (begun, 10 * begun), after
