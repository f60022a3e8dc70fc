"""Pools on other engines: Dask and Ray, on this machine or on a cluster."""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from typing import Any

from simulator.findings.executors import (
    Done,
    Local,
    Pool,
    Task,
    Workers,
    carried_out,
    deaf_to_interrupts,
)

NAMES = "serial, local, dask:local, dask:ADDRESS or ray"
_HERE = "127.0.0.1"
_SECONDS = 10
_CONNECT = 3
_IN_FLIGHT = 1000
_STORE = 200 * 2**20


class ExecutorError(Exception):
    """An executor that is unknown, not installed or out of reach; the text says what to do."""


def executor(name: str, jobs: int) -> Workers:
    """The executor of this name with so many worker processes (0: one per core).

    An address is that of a Dask scheduler, e.g. `dask:tcp://127.0.0.1:8786`. It is open when this
    returns, and closed when the process ends. Raises ExecutorError.
    """
    jobs = jobs or os.cpu_count() or 1
    kind, _, address = name.partition(":")
    if name == "serial":
        return 1
    if name == "local":
        return jobs
    pool: Dask | Ray
    if kind == "dask" and address:
        _needs("distributed", "distributed", name)
        pool = Dask(jobs, None if address == "local" else address)
    elif name == "ray":
        _needs("ray", "ray", name)
        pool = Ray(jobs)
    else:
        raise ExecutorError(f"{name!r} is no executor; use {NAMES}")
    atexit.register(pool.close)
    return pool


def _needs(package: str, extra: str, name: str) -> None:
    if find_spec(package) is None:
        raise ExecutorError(
            f"{name} needs the package {package}: pip install 'deploysim[{extra}]', "
            "or use --executor local"
        )


def _check_address(address: str) -> None:
    """Whether this may be a scheduler's address; a client of one that is none never ends well."""
    from distributed.comm import parse_address, parse_host_port

    try:
        parse_host_port(parse_address(address)[1])
    except ValueError as error:
        raise ExecutorError(
            f"{address!r} is no address of a Dask scheduler ({error}); "
            "write e.g. dask:tcp://127.0.0.1:8786, or use dask:local"
        ) from None


class Dask(Pool):
    """Dask's workers: those of a scheduler's address, or some of its own on this machine.

    Dask itself gives the work of a dead worker to another one, three times.
    """

    def __init__(self, jobs: int, address: str | None = None) -> None:
        import dask
        from distributed import Client, KilledWorker, LocalCluster

        self.died = (KilledWorker,)
        self._cluster: Any = None
        if address is None:
            dask.config.set({"distributed.comm.timeouts.connect": f"{_CONNECT}s"})
            with deaf_to_interrupts():
                self._cluster = LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    host=_HERE,
                    dashboard_address=f"{_HERE}:0",  # a port that is free; there is no page on it
                    silence_logs=logging.CRITICAL,
                )
        else:
            _check_address(address)
        try:
            self._client = Client(self._cluster or address, timeout=_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ExecutorError(
                f"no Dask scheduler answers at {address!r} within {_SECONDS} s ({error}); "
                "start one with `dask scheduler`, or use dask:local"
            ) from None

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return str(self._client.scheduler.address)

    def results(self, tasks: Sequence[Task]) -> Done:
        """The numbers and results of all tasks, in any order."""
        from distributed import as_completed

        waiting = iter(tasks)
        running = as_completed(
            self._submitted(waiting, _IN_FLIGHT), self._client.loop, with_results=True
        )
        try:
            for future, found in running:
                yield found
                future.release()
                running.update(self._submitted(waiting, 1))
        finally:
            self._client.cancel(list(running.futures))

    def _submitted(self, waiting: Iterator[Task], count: int) -> list[Any]:
        return [
            self._client.submit(carried_out, task, pure=False) for task in islice(waiting, count)
        ]

    def close(self) -> None:
        """Leave the scheduler; end workers of its own."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


class Ray(Pool):
    """Ray's workers: those of the cluster that RAY_ADDRESS names, or some on this machine.

    Ray itself gives the work of a dead worker to another one, three times.
    """

    def __init__(self, jobs: int) -> None:
        elsewhere = "RAY_ADDRESS" in os.environ
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if not elsewhere:  # without this it listens on every interface
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        import ray
        from ray.exceptions import NodeDiedError, OutOfMemoryError, WorkerCrashedError

        self.died = (WorkerCrashedError, OutOfMemoryError, NodeDiedError)
        if not ray.is_initialized():
            here = {} if elsewhere else {"num_cpus": jobs, "object_store_memory": _STORE}
            try:
                ray.init(
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    **here,
                )
            except (OSError, ValueError) as error:
                raise ExecutorError(
                    f"Ray cannot be started or reached ({error}); check RAY_ADDRESS, "
                    "or use --executor local"
                ) from None
        self._ray, self._remote = ray, ray.remote(max_retries=3)(carried_out)

    def results(self, tasks: Sequence[Task]) -> Done:
        """The numbers and results of all tasks, in any order."""
        waiting = iter(tasks)
        running = self._submitted(waiting, _IN_FLIGHT)
        try:
            while running:
                done, running = self._ray.wait(running)
                yield from self._ray.get(done)
                running += self._submitted(waiting, len(done))
        finally:
            for one in running:
                self._ray.cancel(one, force=False)

    def _submitted(self, waiting: Iterator[Task], count: int) -> list[Any]:
        return [self._remote.remote(task) for task in islice(waiting, count)]

    def close(self) -> None:
        """Leave the cluster; end workers of its own."""
        self._ray.shutdown()


__all__ = ["NAMES", "Dask", "ExecutorError", "Local", "Ray", "executor"]
