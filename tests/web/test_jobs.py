"""Jobs: shared answers, one question at a time for everybody, bounds, and stopping at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.web import jobs, pool, state
from simulator.web.jobs import BusyError, Desk
from simulator.words.problems import Problem, ScenarioError

pytestmark = pytest.mark.filterwarnings("ignore")


def slowly(executor: Any, progress: Any) -> Iterator[int]:
    """A first answer, then others that never end."""
    for number in range(1000):
        yield number
        list(executor(time.sleep, [(0.02,)] * 4))


def wait_for(what: Any, seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not what():
        time.sleep(0.01)
    return bool(what())


def test_one_answer_serves_all_who_ask_and_stops_when_the_last_leaves() -> None:
    desk = Desk()
    first = desk.ask("ann", "A", ("q",), slowly)
    assert desk.ask("ben", "A", ("q",), slowly) is first
    assert first.wait(20) is not None
    desk.leave("ann", "A")
    assert not first.cancelled
    began = time.monotonic()
    desk.leave("ben", "A")
    assert first.ended
    assert time.monotonic() - began < 0.1
    kept = first.found
    assert kept is not None
    assert desk.ask("ben", "A", ("q",), slowly) is first
    desk.forget("ben", "A")
    again = desk.ask("ben", "A", ("q",), slowly)
    assert again is not first
    desk.leave("ben", "A")


def test_who_has_seen_enough_stops_and_others_go_on() -> None:
    desk = Desk()
    job = desk.ask("ann/1", "A", ("q",), slowly)
    assert desk.ask("ben/1", "A", ("q",), slowly) is job
    desk.stop("ann/1", "A")
    assert desk.stopped("ann/1", "A")
    assert not job.ended
    assert desk.ask("ann/1", "A", ("q",), slowly) is job
    assert desk.stopped("ann/1", "A")
    desk.stop("ben/1", "A")
    assert job.ended
    desk.forget("ann/1", "A")
    assert not desk.stopped("ann/1", "A")
    assert desk.ask("ann/1", "A", ("q",), slowly) is not job
    desk.leave("ann/1", "A")


def test_what_has_its_last_answer_is_not_offered_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    monkeypatch.setattr(jobs, "desk", lambda: desk)
    job = desk.ask("ann/1", "A", ("q",), lambda *_: iter([1]))
    desk.drawn("ann/1", "A")
    assert wait_for(lambda: job.ended)
    desk.stop("ann/1", "A")
    assert not jobs.stopped("ann/1", "A", job)
    early = desk.ask("ann/1", "B", ("r",), slowly)
    desk.ask("ben/1", "B", ("r",), slowly)
    desk.stop("ann/1", "B")
    assert jobs.stopped("ann/1", "B", early)
    assert not jobs.stopped("ben/1", "B", early)
    desk.stop("ben/1", "B")
    assert jobs.stopped("ben/1", "B", early)


def test_one_browser_has_so_many_jobs_and_its_oldest_end() -> None:
    desk = Desk()
    own = [desk.ask(f"ann/{k}", "A", ("ann", k), slowly) for k in range(jobs.MOST_EACH)]
    other = desk.ask("ben/1", "A", ("ben",), slowly)
    more = desk.ask("ann/more", "A", ("ann", "more"), slowly)
    assert own[0].ended
    assert not any(job.ended for job in (*own[1:], other, more))
    for job in (*own, other, more):
        job.cancel()


def test_what_was_left_alone_goes_on_from_what_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LEFT_ALONE", 0.3)
    desk = Desk()
    job = desk.ask("ann/1", "A", ("q",), slowly)
    job.drawn()
    assert wait_for(lambda: job.stage >= 1)
    assert wait_for(lambda: job.ended)
    again = desk.ask("ann/1", "A", ("q",), slowly)
    assert again is not job
    assert again.found is not None
    assert again.stage >= job.stage
    again.cancel()


def test_what_rests_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST_SECONDS", 0.3)
    desk = Desk()
    job = desk.ask("ann/1", "A", ("q",), slowly)
    job.drawn()
    for _ in range(100):
        if job.ended:
            break
        job.look()
        time.sleep(0.05)
    assert job.ended
    assert job.why.startswith("Paused after")
    cancelled = desk.ask("ann/1", "A", ("r",), slowly)
    cancelled.cancel()
    assert cancelled.why == "Stopped"


def test_a_tab_that_was_closed_keeps_nobody_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_LEFT_ALONE", 0.5)
    desk = Desk()
    job = desk.ask("ann", "A", ("q",), slowly)
    assert job.wait(20) is not None
    for _ in range(8):
        time.sleep(0.1)
        job.look()
    assert not job.ended
    assert wait_for(lambda: job.ended, 3)


def test_another_question_leaves_the_one_before() -> None:
    desk = Desk()
    first = desk.ask("ann", "A", ("one",), slowly)
    desk.ask("ann", "A", ("two",), slowly)
    assert first.cancelled
    desk.leave("ann", "A")


def test_few_refine_at_a_time_and_everybody_gets_a_first_answer() -> None:
    desk = Desk()
    asked = [desk.ask(f"v{k}", "A", (k,), slowly) for k in range(8)]
    assert all(job.wait(30) is not None for job in asked)
    time.sleep(0.5)
    assert sum(job.stage > 1 for job in asked) <= 3
    for k in range(8):
        desk.leave(f"v{k}", "A")
    assert wait_for(lambda: all(job.ended for job in asked))


def test_too_many_questions_are_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_MOST_UNDER_WAY", 2)
    desk = Desk()
    for k in range(2):
        desk.ask(f"v{k}", "A", (k,), slowly)
    with pytest.raises(BusyError, match="try again in a moment"):
        desk.ask("v3", "A", (3,), slowly)
    for k in range(2):
        desk.leave(f"v{k}", "A")


def test_old_answers_are_forgotten() -> None:
    desk = Desk()

    def at_once(*_: Any) -> Iterator[int]:
        yield 1

    for k in range(100):
        assert desk.ask("ann", "A", (k,), at_once).wait(5) == 1
    assert wait_for(lambda: len(desk._jobs) <= 26)


def test_what_goes_wrong_is_told_without_a_traceback() -> None:
    def wrong(*_: Any) -> Iterator[int]:
        yield 1
        raise ScenarioError([Problem("x", "a.b", None, None, "is odd; make it even")])

    def broken(*_: Any) -> Iterator[int]:
        raise RuntimeError("boom")
        yield 1

    desk = Desk()
    job = desk.ask("ann", "A", ("wrong",), wrong)
    assert wait_for(lambda: job.ended)
    assert "make it even" in str(job.error)
    job = desk.ask("ann", "B", ("broken",), broken)
    assert job.wait(5) is None
    assert "boom" not in str(job.error)


def test_a_pool_ends_soon_after_it_is_told() -> None:
    stop = threading.Event()
    results = pool.until(stop.is_set)(time.sleep, [(0.05,)] * 200)
    next(results)
    stop.set()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(results)
    assert time.monotonic() - began < 0.5


def test_a_scenario_fits_into_a_link_and_nothing_larger_comes_out() -> None:
    text = "version: 1\n" * 50
    assert state.unpacked(state.packed(text)) == text
    assert len(state.packed(text)) < 60
    with pytest.raises(ValueError, match="larger than 1 MiB"):
        state.unpacked(state.packed("a" * (2 << 20)))
    for garbage in ("", "%%%", "AAAA", "x" * 100):
        with pytest.raises(ValueError, match="scenario"):
            state.unpacked(garbage)
