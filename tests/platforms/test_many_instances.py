"""Controllers of hundreds of instances: what single starts decide is followed exactly.

The same update is played pod by pod, as up to 200 instances are, and from its drawn starts.
"""

from __future__ import annotations

import pytest

from simulator.play import pool
from simulator.play.drawn import Starts, Window
from simulator.play.fleet import StartLaw
from simulator.play.luck import Luck, Purpose
from simulator.play.outcome import Outcome
from simulator.words.distributions import Constant
from simulator.words.scenario import Scenario
from tests.platforms.watching import watched
from tests.play.playing import bare, play

PEOPLE = "page: {acknowledge: 1m, decide: 2m}, decide: 10s"
NEVER = "start_failure: {probability: 0%, timeout: 10h}"
CASES = {
    "a breaker that good tasks trip": (
        "ecs_rolling: {circuit_breaker: true, failure_threshold: 20, rollback: true}",
        "startup: {exponential: {mean: 60s}}, start_failure: {probability: 10%, timeout: 2m}",
        "good",
    ),
    "a breaker that counts anew": (
        "ecs_rolling: {circuit_breaker: true, failure_threshold: 6, maximum: 110%}",
        "startup: {uniform: {low: 20s, high: 90s}}, start_failure: {timeout: 2m}",
        "bad",
    ),
    "a breaker that does not": (
        "ecs_rolling: {circuit_breaker: true, failure_threshold: 90, maximum: 120%, "
        "reset_on_healthy: false}",
        "startup: {uniform: {low: 20s, high: 90s}}, start_failure: {timeout: 2m}",
        "bad",
    ),
    "health": (
        "kubernetes_rolling: {}",
        "startup: {exponential: {mean: 60s}}, start_failure: {probability: 3%, timeout: 4m}",
        "good",
    ),
    "no progress": (
        "kubernetes_rolling: {max_surge: 1, max_unavailable: 1, progress_deadline: 3m}",
        f"startup: {{lognormal: {{median: 40s, sigma: 1.2}}}}, {NEVER}",
        "good",
    ),
}


def scenario(name: str) -> tuple[Scenario, bool]:
    """A scenario of 230 instances, and whether its releases are bad."""
    strategy, service, kind = CASES[name]
    words = bare(
        instances=230,
        service=service,
        defect="{kind: crash, starts: 45%}",
        response=PEOPLE,
        strategy=strategy,
    )
    return words.with_("response.hold", True).with_("follow_up", "10m"), kind == "bad"


def times(outcome: Outcome) -> tuple[object, ...]:
    """What is known to the last digit."""
    return (
        outcome.outcome,
        outcome.caught_by,
        *(
            pytest.approx(getattr(outcome, name), rel=1e-9, nan_ok=True)
            for name in ("time_to_deploy", "time_to_detect", "ended")
        ),
    )


@pytest.mark.parametrize("name", CASES)
def test_drawn_starts_are_those_that_are_played(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detections, their moments and the ends agree in every replication, exposure within 5 %:
    instances join along straight lines between their moments."""
    words, bad = scenario(name)
    drawn = play(words, 4, bad=bad)
    monkeypatch.setattr(pool, "_MOST_EXACT", 10_000)
    exact = play(words, 4, bad=bad)
    assert [(o.outcome, o.caught_by) for o in drawn] == [(o.outcome, o.caught_by) for o in exact]
    if "progress" not in name:
        assert any(o.caught_by for o in exact)
    for mine, theirs in zip(drawn, exact, strict=True):
        assert times(mine)[2:4] == times(theirs)[2:4]
        assert mine.exposure_time == pytest.approx(theirs.exposure_time, rel=0.05)


def test_without_progress_it_is_said_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The moments at which nothing has happened for too long are the same ones."""

    def said() -> list[float]:
        rollout, _ = watched(words)
        return [entry.time for entry in rollout.journal if entry.verb == "no progress"]

    words = scenario("no progress")[0]
    drawn = said()
    monkeypatch.setattr(pool, "_MOST_EXACT", 10_000)
    assert len(drawn) > 1
    assert drawn == pytest.approx(said())


def test_failures_break_a_circuit_when_they_are_so_many() -> None:
    """Starts of 30 s in three slots, 1 s of pause: failed tries count until one serves."""
    law = StartLaw(Constant(value=30.0), 0.5, 60.0)
    luck = Luck(7)
    starts = Starts(law, luck, (Purpose.START, 0), Window(12, 3, 1.0))
    lengths = [law.one(luck.uniform(Purpose.START, number)) for number in range(12)]
    assert starts.begins[:3] == [0, 0, 0]
    assert [end - begin for begin, end in zip(starts.begins, starts.ends, strict=True)] == (
        pytest.approx(lengths)
    )
    failures = [
        begin + 60 * k
        for begin, length in zip(starts.begins, lengths, strict=True)
        for k in range(1, int(length // 60) + 1)
    ]
    assert len(failures) == sum(int(length // 60) for length in lengths)
    for number, when in enumerate(sorted(failures), 1):
        assert starts.breaks(number, reset=False) == pytest.approx(when)
    assert starts.breaks(len(failures) + 1, reset=False) == float("inf")
    assert starts.failed(1) == min(failures)
    gaps = list(starts.gaps(40.0))
    assert all(until - since > 40 for since, until in gaps)


def test_above_five_thousand_it_says_what_is_not_followed() -> None:
    (note,) = [
        note
        for note in bare(instances=6000, strategy="kubernetes_rolling: {}").notes
        if "progress_deadline" in note
    ]
    assert note == (
        "kubernetes_rolling: 6000 pods start along their mean course: progress_deadline is not "
        "followed"
    )
    ecs = bare(instances=6000, strategy="ecs_rolling: {circuit_breaker: true}")
    assert any("circuit_breaker is not followed" in note for note in ecs.notes)
    assert not any("followed" in n for n in bare(instances=6000, strategy="ecs_rolling: {}").notes)
