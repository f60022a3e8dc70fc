"""Where independent calls are carried out: here, in worker processes, or in somebody's pool."""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, Generic, Self, TypeVar, cast

from simulator.findings.engine import engine

Call = tuple[Any, ...]
Executor = Callable[[Callable[..., Any], Sequence[Call]], Iterator[Any]]
"""Carries out function(*call) for every call and gives the results as they come, in any order; it
raises KeyboardInterrupt to stop."""

Workers = int | Executor
"""A number of worker processes, or an executor."""

Task = tuple[str, int, Callable[..., Any], Sequence[Call]]
"""The engine's fingerprint, a number that no other task of this process has, calls of one function.

Workers that are kept may still answer for calls that were left early."""

Done = Generator[tuple[int, list[Any]], None, None]
"""Numbers of tasks with the results of their calls, as they come."""

Value = TypeVar("Value")
_RETRIES = 3
_LOOK = 2.0  # seconds between two looks at whether the parent is still there
_one_at_a_time = threading.Lock()
_numbers = itertools.count()


class LostWorkersError(Exception):
    """Workers died again and again on the same work; the text says what to do."""


class OtherEngineError(Exception):
    """A worker has another version of the engine, whose numbers would not fit."""


def each(
    function: Callable[..., Any],
    calls: Sequence[Call],
    workers: Workers = 1,
    at_once: int = 1,
) -> Generator[Any, None, None]:
    """The results of function(*call) for every call, in any order.

    `at_once` is the number of calls that a worker process takes together. Raises LostWorkersError
    when workers die again and again.
    """
    if isinstance(workers, int) and workers > 1 and len(calls) > 1:
        workers = Local(workers)
    if isinstance(workers, Pool):
        yield from workers.carry_out(function, calls, at_once)
    elif isinstance(workers, int):
        for call in calls:
            yield function(*call)
    else:
        yield from workers(function, calls)


class Shared(Generic[Value]):
    """What many calls have in common: pickled once, and read once by each worker."""

    __slots__ = ("_pickled", "value")

    def __init__(self, value: Value) -> None:
        self.value, self._pickled = value, b""

    def __reduce__(self) -> tuple[Any, ...]:
        if not self._pickled:
            import cloudpickle

            self._pickled = cloudpickle.dumps(self.value)
        return _shared, (self._pickled,)


@lru_cache(maxsize=8)
def _shared(pickled: bytes) -> Shared[Any]:
    return Shared(pickle.loads(pickled))


class Pool(ABC):
    """Worker processes, here or elsewhere; what a dead one was doing is done again."""

    died: tuple[type[BaseException], ...] = ()

    @abstractmethod
    def results(self, tasks: Sequence[Task]) -> Done:
        """The numbers and results of all tasks, in any order; `died` when a worker died."""

    def __call__(self, function: Callable[..., Any], calls: Sequence[Call]) -> Iterator[Any]:
        """The results of all calls, in any order."""
        return self.carry_out(function, calls)

    def carry_out(
        self, function: Callable[..., Any], calls: Sequence[Call], at_once: int = 1
    ) -> Iterator[Any]:
        """The results of all calls, in any order; see `each`."""
        tasks = [
            (engine(), next(_numbers), function, calls[start : start + at_once])
            for start in range(0, len(calls), at_once)
        ]
        left = {task[1]: task for task in tasks}
        lost = 0
        while left:
            found = self.results(list(left.values()))
            try:
                for number, results in found:
                    if left.pop(number, None):
                        lost = 0
                        yield from results
            except self.died as error:
                lost += 1
                if lost > _RETRIES:
                    raise LostWorkersError(
                        f"a worker died {lost} times in a row ({type(error).__name__}); most often "
                        "its memory ran out: use fewer workers (--jobs) or --executor serial"
                    ) from error
            finally:
                _closed(found)


def carried_out(task: Task) -> tuple[int, list[Any]]:
    """In a worker: the results of a task's calls, beside its number.

    Raises OtherEngineError when the worker would come to other numbers.
    """
    expected, number, function, calls = task
    if engine() != expected:
        raise OtherEngineError(
            "a worker has another engine than this process: install the same version of deploysim, "
            "Python, numpy, scipy and simpy on both, and start both anew"
        )
    with _one_at_a_time:
        return number, [function(*call) for call in calls]


def _closed(found: Done) -> None:
    """End a generator of results early, without joblib's remark that this was early."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found.close()


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes that begin meanwhile do not hear Ctrl-C: this one ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Local(Pool):
    """So many worker processes on this machine.

    In a `with` statement all that is carried out shares what joblib keeps beside its processes: a
    folder in shared memory, of which there would otherwise be one for each call until the end.
    """

    died = (BrokenExecutor,)

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._kept: Any = None

    def __enter__(self) -> Self:
        self._kept = self._parallel()
        with deaf_to_interrupts():
            self._kept.__enter__()
        return self

    def __exit__(self, *why: object) -> None:
        self._kept.__exit__(*why)
        self._kept = None

    def _parallel(self) -> Any:
        from joblib import Parallel

        return Parallel(n_jobs=self.jobs, return_as="generator_unordered", batch_size=1)

    def results(self, tasks: Sequence[Task]) -> Done:
        """The numbers and results of all tasks, in any order."""
        from joblib import delayed

        parallel = self._kept or self._parallel()
        with deaf_to_interrupts():
            calls = (delayed(_carried_out_for)(os.getpid(), task) for task in tasks)
            return cast(Done, parallel(calls))


def _carried_out_for(parent: int, task: Task) -> tuple[int, list[Any]]:
    """In a worker of a process of this machine: `carried_out`, but not longer than for it."""
    if os.name == "posix" and os.getppid() == parent:  # elsewhere it never changes
        _end_with(parent)
    return carried_out(task)


@cache
def _end_with(parent: int) -> None:
    """From now on this process ends by itself when its parent is gone."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, name="parent", daemon=True).start()
