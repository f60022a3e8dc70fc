"""Questions that are being answered in the background, ever more precisely, for all visitors."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from simulator.decide.advice import Comparison, Options, refined
from simulator.findings.comparison import simulate
from simulator.findings.executors import Executor
from simulator.findings.power import Sight, sights
from simulator.findings.reach import Curve, reach
from simulator.findings.results import Results
from simulator.findings.study import Progress
from simulator.findings.trial import ALL
from simulator.play.replay import Replay, replay
from simulator.web import pool
from simulator.words.problems import ScenarioError
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

if TYPE_CHECKING:
    from simulator.bring.importing import Imported
    from simulator.decide.brought import Miss
    from simulator.decide.tornado import Swing

MOST_REPLICATIONS = 5000
USUAL_REPLICATIONS, USUAL_SEED = 1000, 1
MOST_SECONDS = 180.0
_MOST_UNDER_WAY, MOST_EACH, _MOST_ASKED = 40, 8, 2000
_REMEMBERED = 24
_LEFT_ALONE, _DRAWING = 20.0, 2.0
_AT_ONCE = 3
_MISSED = (50, 300)
_LOOKED_AT, _OF_A_KIND, CLOSELY = 40, 10, 1000
_GATES_PLAYED, _REACH_PLAYED = ((80, 20), (240, 60)), ((40, 10), (120, 30))

Found = TypeVar("Found")
Asked = Callable[[Executor, Progress], Iterator[Found]]
_log = logging.getLogger(__name__)


class Job(Generic[Found]):
    """One question in a thread of its own: `found` is its newest answer, `stage` counts them.

    Its first answer comes at once; what refines it waits until that is drawn, and for its turn, so
    that few such jobs run at the same time. It ends when all who asked have left or have not looked
    at it for a while (a tab that was closed), and after 3 minutes at the latest. One that goes on
    where an earlier job was `left_alone` begins with what that had found.
    """

    def __init__(self, asked: Asked[Found], before: Job[Found] | None = None) -> None:
        self._asked = asked
        self._stop, self._changed = threading.Event(), threading.Condition()
        self._drawn = threading.Event()
        self._begun = self._looked = time.monotonic()
        self.watchers: set[tuple[str, str]] = set()
        self.found: Found | None = before.found if before else None
        self.stage: int = before.stage if before else 0
        self.left_alone = self.too_long = False
        self.done = self.total = 0
        self.ended = False
        self.error: str | None = None

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._work, daemon=True, name="deploysim job").start()

    def wait(self, seconds: float) -> Found | None:
        """The newest answer, as soon as there is one or the job has ended, or None after
        `seconds`."""
        until = time.monotonic() + seconds
        with self._changed:
            while self.found is None and not self.ended:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self.look()
                self._changed.wait(min(left, 1.0))
        return self.found

    def drawn(self) -> None:
        """The first answer stands on a page: what refines it may have the cores."""
        self._drawn.set()

    def look(self) -> None:
        """Somebody is still there."""
        self._looked = time.monotonic()

    def _over(self) -> bool:
        """Whether it is to end: told so, left alone, or at work for too long."""
        now = time.monotonic()
        self.left_alone = self.left_alone or now - self._looked > _LEFT_ALONE
        self.too_long = self.too_long or now - self._begun > MOST_SECONDS
        if self.left_alone or self.too_long:
            self._stop.set()
        return self._stop.is_set()

    def cancel(self) -> None:
        """Stop; what was found so far stays."""
        self._stop.set()
        self._drawn.set()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    @property
    def why(self) -> str:
        """Why it does not go on, for people."""
        if self.left_alone:
            return "Paused while nobody looked"
        if self.too_long:
            return f"Paused after {MOST_SECONDS / 60:g} min of work"
        return "Stopped"

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped before its last answer."""
        return self._stop.is_set()

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def _work(self) -> None:
        turn = None
        executor = pool.until(self._over, lambda: self.found is None)
        try:
            if self.found is not None:
                self._drawn.wait(_DRAWING)
            for stage, found in enumerate(self._asked(executor, self._progress), 1):
                if stage > self.stage:
                    with self._changed:
                        self.found, self.stage = found, stage
                        self._changed.notify_all()
                if turn is None:
                    self._drawn.wait(_DRAWING)
                    turn = _turn(self._over)
        except KeyboardInterrupt:
            pass
        except ScenarioError as error:
            self.error = str(error)
        except Exception:
            _log.exception("a job failed")
            self.error = "This failed for a reason that is not your scenario's; try it again."
        finally:
            if turn:
                _turns.release()
            with self._changed:
                self.ended = True
                self._changed.notify_all()


_turns = threading.Semaphore(_AT_ONCE)


def _turn(over: Callable[[], bool]) -> bool:
    """Wait for one's turn to refine; raises KeyboardInterrupt when stopped meanwhile."""
    while not _turns.acquire(timeout=0.1):
        if over():
            raise KeyboardInterrupt
    return True


class BusyError(Exception):
    """Too many questions are being answered; the text says what to do."""


class Desk:
    """The jobs that are remembered, by what was asked, and who waits for which."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[tuple[Any, ...], Job[Any]] = OrderedDict()
        self._asked: OrderedDict[tuple[str, str], tuple[Any, ...]] = OrderedDict()
        self._stopped: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def ask(self, visitor: str, slot: str, key: tuple[Any, ...], asked: Asked[Found]) -> Job[Found]:
        """The job that answers a question; a visitor has one in each slot and leaves the others.

        Raises BusyError when too many are under way.
        """
        with self._lock:
            place = (visitor, slot)
            before = self._asked.get(place)
            if before not in (None, key):
                self._leave(*place)
                self._stopped.discard(place)
            job = self._jobs.get(key)
            if place in self._stopped and job is not None:
                return job
            left = job is not None and job.cancelled and (before != key or job.left_alone)
            if job is None or left:
                self._make_room(client(visitor))
                job = self._jobs[key] = Job(asked, job)
                job.start()
            self._jobs.move_to_end(key)
            self._asked[place] = key
            while len(self._asked) > _MOST_ASKED:
                self._stopped.discard(self._asked.popitem(last=False)[0])
            job.watchers.add(place)
            job.look()
            return job

    def stop(self, visitor: str, slot: str) -> None:
        """A visitor has seen enough, whoever else goes on; what was found stays."""
        with self._lock:
            self._leave(visitor, slot)
            self._stopped.add((visitor, slot))

    def stopped(self, visitor: str, slot: str) -> bool:
        """Whether the visitor has seen enough of a slot."""
        return (visitor, slot) in self._stopped

    def leave(self, visitor: str, slot: str) -> None:
        """A visitor waits no longer; nobody else's answer is touched."""
        with self._lock:
            self._leave(visitor, slot)

    def let_go(self, visitor: str, slot: str) -> None:
        """A visitor looks no longer, but nothing is stopped: others may come."""
        with self._lock:
            key = self._asked.pop((visitor, slot), None)
            if key is not None and key in self._jobs:
                self._jobs[key].watchers.discard((visitor, slot))

    def drawn(self, visitor: str, slot: str) -> None:
        """The visitor sees the answer of a slot."""
        with self._lock:
            key = self._asked.get((visitor, slot))
            if key is not None and key in self._jobs:
                self._jobs[key].drawn()

    def forget(self, visitor: str, slot: str) -> None:
        """Let a visitor ask the same question anew."""
        with self._lock:
            self._asked.pop((visitor, slot), None)
            self._stopped.discard((visitor, slot))

    def _leave(self, visitor: str, slot: str) -> None:
        job = self._jobs.get(self._asked[visitor, slot]) if (visitor, slot) in self._asked else None
        if job is not None:
            job.watchers.discard((visitor, slot))
            if not job.watchers and not job.ended:
                job.cancel()

    def _make_room(self, who: str) -> None:
        """Keep a browser, and this process, within bounds; the oldest of a browser's jobs end."""
        going = [key for key, job in self._jobs.items() if not job.ended]
        own = [
            place
            for key in going
            for place in self._jobs[key].watchers.copy()
            if client(place[0]) == who
        ]
        for place in own[: max(len(own) + 1 - MOST_EACH, 0)]:
            self._leave(*place)
        if sum(not job.ended for job in self._jobs.values()) >= _MOST_UNDER_WAY:
            raise BusyError("Too many comparisons are under way here; try again in a moment.")
        ended = [key for key, job in self._jobs.items() if job.ended]
        for key in ended[: max(len(self._jobs) - _REMEMBERED, 0)]:
            del self._jobs[key]


def client(visitor: str) -> str:
    """The browser that a visitor's tab belongs to."""
    return visitor.partition("/")[0]


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """The one desk of this process."""
    return Desk()


def compared(
    visitor: str, slot: str, scenario: Scenario, replications: int, seed: int
) -> Job[Comparison]:
    """The comparison of a scenario, after a quick first look ever more precise.

    Raises BusyError when too many are under way.
    """
    most = min(replications, MOST_REPLICATIONS)

    def asked(executor: Executor, progress: Progress) -> Iterator[Comparison]:
        """All stages of the answer."""
        options = Options(executor, assumptions=False)
        return refined(scenario, most, seed, options, progress)

    return desk().ask(visitor, slot, ("compare", scenario.sha256, most, seed), asked)


def drawn(visitor: str, slots: Iterable[str]) -> None:
    """What a visitor asked for stands on a page."""
    for slot in slots:
        desk().drawn(visitor, slot)


def leave(visitor: str, slot: str) -> None:
    """A visitor waits no longer for the answer of a slot."""
    desk().leave(visitor, slot)


def stop(visitor: str, slots: Iterable[str]) -> None:
    """A visitor has seen enough; what was found stays."""
    for slot in slots:
        desk().stop(visitor, slot)


def going(visitor: str, slot: str, job: Job[Any]) -> bool:
    """Whether a visitor may expect better answers of a job."""
    return not job.ended and not desk().stopped(visitor, slot)


def stopped(visitor: str, slot: str, job: Job[Any]) -> bool:
    """Whether better answers of a job that a visitor might have had were stopped."""
    if job.error is not None:
        return False
    return job.cancelled or (not job.ended and desk().stopped(visitor, slot))


def again(visitor: str, slot: str) -> None:
    """Let a visitor ask a question anew that they had stopped."""
    desk().forget(visitor, slot)


def looked_at(visitor: str, scenario: Scenario, seed: int, closely: bool) -> Job[Results]:
    """A study to choose replications from: a small one, then, `closely`, one of a thousand."""

    def asked(executor: Executor, progress: Progress) -> Iterator[Results]:
        """A first look, then a thousand of good and of bad ones."""
        found = simulate(scenario, _LOOKED_AT, seed, (), executor, progress, fewest=_OF_A_KIND)
        yield found
        if closely and found.names:
            yield simulate(scenario, CLOSELY, seed, (), executor, progress)

    return desk().ask(visitor, "replay", ("replay", scenario.sha256, seed, closely), asked)


@st.cache_resource(max_entries=40, show_spinner=False)
def replayed(
    text: str, folder: str | None, names: tuple[str, ...], seed: int, replication: int, label: str
) -> dict[str, Replay]:
    """One replication under several strategies."""
    scenario = loads(text, folder=folder)
    return {name: replay(scenario, name, seed, replication, label) for name in names}


def seen(
    visitor: str, scenario: Scenario, names: tuple[str, ...], every: bool, seed: int
) -> Job[dict[str, tuple[Sight, ...]]]:
    """What the gates of some strategies see: with every detector alone, or with all together."""
    detectors = None if every else (ALL,)

    def asked(executor: Executor, progress: Progress) -> Iterator[dict[str, tuple[Sight, ...]]]:
        """A first look, then a closer one."""
        for count, fewest in _GATES_PLAYED:
            yield {
                name: sights(scenario, name, seed, count, detectors, fewest, executor, progress)
                for name in names
            }

    return desk().ask(visitor, "gates", ("gates", scenario.sha256, names, every, seed), asked)


def reached(
    visitor: str, scenario: Scenario, name: str, number: int, seed: int
) -> Job[tuple[Curve, ...]]:
    """How far one gate of a strategy sees along its length, weight and traffic."""

    def asked(executor: Executor, progress: Progress) -> Iterator[tuple[Curve, ...]]:
        """A first look, then a closer one."""
        for count, fewest in _REACH_PLAYED:
            yield reach(scenario, name, number, seed, count, fewest, executor, progress)

    return desk().ask(visitor, "reach", ("reach", scenario.sha256, name, number, seed), asked)


def mattering(visitor: str, imported: Imported, seed: int) -> Job[tuple[Swing, ...]]:
    """Which assumptions move a rollout that was brought most."""
    from simulator.decide.brought import matter

    def asked(executor: Executor, progress: Progress) -> Iterator[tuple[Swing, ...]]:
        """All of them, once."""
        yield matter(imported, seed, executor, progress)

    key = ("matter", imported.scenario.sha256, repr(imported.assumed), seed)
    return desk().ask(visitor, "matter", key, asked)


def missing(visitor: str, scenario: Scenario, seed: int) -> Job[Miss]:
    """What a rollout that was brought would not notice."""
    from simulator.decide.brought import missed

    def asked(executor: Executor, progress: Progress) -> Iterator[Miss]:
        """A first look, then a closer one."""
        for count in _MISSED:
            yield missed(scenario, count, seed, executor, progress)

    return desk().ask(visitor, "miss", ("miss", scenario.sha256, seed), asked)
