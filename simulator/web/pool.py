"""Worker processes that all visitors share, a few calls of each at a time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from functools import lru_cache
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor

from simulator.findings.executors import Executor

CORES = min(os.cpu_count() or 1, 8)
_AHEAD, _SPARED = 2, 1
MOST = 20  # replications at once: what was given up runs to its end, and keeps nobody waiting
_LOOK = 0.05
_KEPT, _LOOK_AFTER = 3600.0, 2.0


def until(over: Callable[[], bool], urgent: Callable[[], bool] = lambda: True) -> Executor:
    """An executor that ends with KeyboardInterrupt as soon as `over` says so.

    Nobody has more than a few calls in the pool, so every visitor's work goes on; what is not
    urgent leaves a core to the pages and to first answers.
    """

    def carry_out(function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """The results of all calls, in any order."""
        waiting = iter(calls)
        running: set[Future[Any]] = set()
        try:
            while True:
                most = CORES + _AHEAD if urgent() else max(CORES - _SPARED, 1)
                while len(running) < most and (call := next(waiting, None)) is not None:
                    running.add(_WORKERS.submit(function, call))
                if not running:
                    return
                done, running = wait(running, _LOOK, FIRST_COMPLETED)
                if over():
                    raise KeyboardInterrupt
                for future in done:
                    yield future.result()
        finally:
            for future in running:
                future.cancel()

    carry_out.most = MOST  # type: ignore[attr-defined]
    return carry_out


class _Workers:
    """The worker processes: begun when they are needed, and anew when one of them died."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def submit(self, function: Callable[..., Any], call: tuple[Any, ...]) -> Future[Any]:
        """Have function(*call) carried out."""
        with self._lock:
            if self._pool is None:
                self._pool = _new_pool()
            try:
                return self._submitted(function, call)
            except BrokenExecutor:
                self._pool = _new_pool()
                return self._submitted(function, call)
            except RuntimeError:  # the process is ending
                raise KeyboardInterrupt from None

    def _submitted(self, function: Callable[..., Any], call: tuple[Any, ...]) -> Future[Any]:
        assert self._pool is not None
        found: Future[Any] = self._pool.submit(function, *call)
        return found


def _new_pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(CORES, timeout=_KEPT, initializer=_ready, initargs=(os.getpid(),))


def _ready(parent: int) -> None:
    """In a worker: import the engine, and end when the server does, however that ends."""
    from simulator.play.replication import replicate  # noqa: F401

    def watch() -> None:
        """Look after the server."""
        while os.getppid() == parent:
            time.sleep(_LOOK_AFTER)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


_WORKERS = _Workers()


@lru_cache(maxsize=1)
def warm_up() -> None:
    """Start the worker processes, once, while the first page is being drawn."""
    threading.Thread(target=_start, daemon=True, name="deploysim pool").start()


def _start() -> None:
    for _ in range(CORES):
        _WORKERS.submit(os.getpid, ())
