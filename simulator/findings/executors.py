"""Where independent calls are carried out: here, in worker processes, or in somebody's pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

Executor = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterator[Any]]
"""Carries out function(*call) for every call and gives the results as they come, in any order; it
raises KeyboardInterrupt to stop."""

Workers = int | Executor
"""A number of worker processes, or an executor."""


def each(
    function: Callable[..., Any],
    calls: Sequence[tuple[Any, ...]],
    workers: Workers = 1,
    at_once: int = 1,
) -> Iterator[Any]:
    """The results of function(*call) for every call, in any order.

    `at_once` is the number of calls that a worker process takes together.
    """
    if not isinstance(workers, int):
        yield from workers(function, calls)
    elif workers <= 1 or len(calls) <= 1:
        for call in calls:
            yield function(*call)
    else:
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=at_once)
        yield from parallel(delayed(function)(*call) for call in calls)
