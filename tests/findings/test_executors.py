"""Executors: the same bytes wherever calls are carried out, and what a dead worker costs."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from simulator.findings import clusters, executors
from simulator.findings.comparison import simulate
from simulator.findings.executors import Local, LostWorkersError, OtherEngineError, Shared, each
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 8, utilisation: 50%}
traffic: {rate: 200 rps, users: 20k}
change: {defects: [{kind: errors, rate: 5%}, {kind: crash}]}
strategies: {canary: {}, blue_green: {}}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


@pytest.fixture(scope="module")
def expected(scenario: Scenario) -> bytes:
    return replications(scenario, 1)


@pytest.fixture(scope="module")
def dask() -> Iterator[clusters.Dask]:
    pytest.importorskip("distributed")
    pool = clusters.Dask(2)
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def ray() -> Iterator[clusters.Ray]:
    pytest.importorskip("ray")
    pool = clusters.Ray(2)
    yield pool
    pool.close()


def replications(scenario: Scenario, workers: executors.Workers) -> bytes:
    file = io.BytesIO()
    simulate(scenario, 60, seed=3, jobs=workers, fewest=20).frame.to_parquet(file, index=False)
    return file.getvalue()


class Counted:
    """Something that counts how often it is pickled."""

    pickled = 0

    def __reduce__(self) -> tuple[type[Counted], tuple[()]]:
        Counted.pickled += 1
        return Counted, ()


def test_what_calls_have_in_common_is_pickled_once_and_read_once() -> None:
    common = Shared(Counted())
    sent = [pickle.dumps((number, common)) for number in range(3)]
    first, *others = (pickle.loads(text) for text in sent)
    assert Counted.pickled == 1
    assert isinstance(first[1].value, Counted)
    assert all(other[1] is first[1] for other in others)


def dies_once(marker: str, number: int) -> int:
    """Kill the process that the call is in, the first time that number 3 is up."""
    try:
        if number == 3:
            Path(marker).touch(exist_ok=False)
            os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        pass
    time.sleep(0.02)
    return number


def always_dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def process(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def check_pool(pool: executors.Pool, scenario: Scenario, expected: bytes, folder: Path) -> None:
    """The same bytes; work goes to other processes; a dead one's is done again; it can be left."""
    assert replications(scenario, pool) == expected
    assert os.getpid() not in set(each(process, [(k,) for k in range(4)], pool))
    calls = [(str(folder / "died"), number) for number in range(12)]
    assert sorted(each(dies_once, calls, pool)) == list(range(12))
    assert (folder / "died").exists()
    left = each(process, [(k,) for k in range(40)], pool)
    next(left)
    began = time.monotonic()
    left.close()
    assert time.monotonic() - began < 2
    assert sorted(each(pow, [(k, 2) for k in range(5)], pool, 2)) == [0, 1, 4, 9, 16]


def test_worker_processes_of_this_machine(
    scenario: Scenario, expected: bytes, tmp_path: Path
) -> None:
    check_pool(Local(2), scenario, expected, tmp_path)


def test_worker_processes_that_are_kept(
    scenario: Scenario, expected: bytes, tmp_path: Path
) -> None:
    """In a `with` statement the same, and further calls leave no more folders in shared memory."""

    def shared() -> set[Path]:
        return set(Path("/dev/shm").glob(f"joblib*_{os.getpid()}_*"))

    with Local(2) as pool:
        found = []
        for _ in range(3):
            assert sorted(each(pow, [(k, 2) for k in range(5)], pool)) == [0, 1, 4, 9, 16]
            found.append(shared())
        assert found[0] == found[1] == found[2]
        check_pool(pool, scenario, expected, tmp_path)


ALONE = """
import os, sys, time
from simulator.findings.executors import Local

def busy(folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    time.sleep(60)

if __name__ == "__main__":
    list(Local(2)(busy, [(sys.argv[1],)] * 4))
"""


def alive(process: int) -> bool:
    """Whether a process is there and no zombie, which is one that nobody has asked about."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """Also in the middle of a call."""
    path = os.pathsep.join(sys.path)
    script, busy = tmp_path / "alone.py", tmp_path / "busy"
    script.write_text(ALONE, "utf-8")
    busy.mkdir()
    command = [sys.executable, str(script), str(busy)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as parent:
        wait(lambda: len(list(busy.iterdir())) == 2)
        workers = [int(path.name) for path in busy.iterdir()]
        assert all(map(alive, workers))
        parent.kill()
    wait(lambda: not any(map(alive, workers)))


def wait(until: Callable[[], bool]) -> None:
    """Wait for something that comes within 20 s."""
    began = time.monotonic()
    while not until():
        assert time.monotonic() - began < 20
        time.sleep(0.05)


class Late(executors.Pool):
    """A pool that first gives an answer of the call before."""

    def __init__(self) -> None:
        self.kept: list[executors.Task] = []

    def results(self, tasks: Sequence[executors.Task]) -> executors.Done:
        """Each task's results, after those of the last task that was left undone."""
        for task in [*self.kept, *tasks]:
            self.kept = [tasks[-1]]
            yield executors.carried_out(task)


def test_an_answer_to_calls_that_were_left_is_no_answer_to_later_ones() -> None:
    pool = Late()
    left = each(pow, [(9, 2), (8, 2)], pool)
    assert next(left) == 81
    left.close()
    assert list(each(pow, [(k, 2) for k in range(3)], pool)) == [0, 1, 4]


def test_dask(dask: clusters.Dask, scenario: Scenario, expected: bytes, tmp_path: Path) -> None:
    check_pool(dask, scenario, expected, tmp_path)


def test_a_dask_scheduler_at_an_address(
    dask: clusters.Dask, scenario: Scenario, expected: bytes
) -> None:
    """Attached to workers that somebody else started; leaving them does not end them."""
    other = clusters.executor(f"dask:{dask.address}", 0)
    assert isinstance(other, clusters.Dask)
    assert dask.address.startswith("tcp://127.0.0.1:")
    assert replications(scenario, other) == expected
    other.close()
    assert list(each(pow, [(2, 3)], dask)) == [8]


def test_ray(ray: clusters.Ray, scenario: Scenario, expected: bytes, tmp_path: Path) -> None:
    check_pool(ray, scenario, expected, tmp_path)


def test_workers_that_die_again_and_again_end_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "_RETRIES", 1)
    with pytest.raises(LostWorkersError, match=r"died 2 times in a row.*--jobs"):
        list(each(always_dies, [(), ()], 2))


def test_a_worker_with_another_engine_is_refused() -> None:
    with pytest.raises(OtherEngineError, match="another engine"):
        executors.carried_out(("0" * 64, 0, pow, [(2, 3)]))


@pytest.mark.parametrize(
    ("name", "package", "remedy"),
    [
        ("dask:local", "distributed", r"pip install 'deploysim\[distributed\]'"),
        ("ray", "ray", r"pip install 'deploysim\[ray\]'"),
    ],
)
def test_a_missing_package_is_told_with_the_remedy(
    name: str, package: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "find_spec", lambda asked: None if asked == package else True)
    with pytest.raises(clusters.ExecutorError, match=remedy):
        clusters.executor(name, 1)


@pytest.mark.parametrize("name", ["moon", "dask", "dask:", "ray:local", ""])
def test_an_unknown_executor_is_told_with_those_there_are(name: str) -> None:
    with pytest.raises(clusters.ExecutorError, match=r"serial, local, dask:local"):
        clusters.executor(name, 1)


@pytest.mark.parametrize("address", ["foo", "tcp://foo", "127.0.0.1:x", "tcp://"])
def test_what_is_no_address_is_told_at_once(address: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(clusters.ExecutorError, match="no address of a Dask scheduler"):
        clusters.executor(f"dask:{address}", 1)


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(clusters, "_SECONDS", 0.2)
    for address in ("tcp://127.0.0.1:1", "nonsense://x:1"):
        with pytest.raises(clusters.ExecutorError, match="no Dask scheduler answers"):
            clusters.executor(f"dask:{address}", 1)
