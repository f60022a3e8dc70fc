"""Runs: killed at any moment they resume to the same bytes; stale and damaged files go unused."""

from __future__ import annotations

import errno
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from simulator.findings import engine as fingerprint
from simulator.findings import runs, study
from simulator.findings.comparison import simulate
from simulator.findings.runs import Kept, Store, Tally
from simulator.findings.study import Batch, batches, play, strata
from simulator.words.reading import loads
from simulator.words.scenario import Scenario

TEXT = """
version: 1
profile: ecs-fargate
service: {instances: 8, utilisation: 50%}
traffic: {rate: 200 rps, users: 20k}
change: {defects: [{kind: errors, rate: 5%}, {kind: crash}]}
costs: {failed_request: 0.01}
strategies: {canary: {}, blue_green: {}}
"""
COUNT, FEWEST, SEED = 900, 50, 3
BATCHES = 2 * (5 + 3 + 3)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return loads(TEXT)


@pytest.fixture(scope="module")
def expected(scenario: Scenario) -> bytes:
    return replications(scenario, None)


@pytest.fixture(scope="module")
def whole(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    replications(scenario, Store(folder))
    return folder


def replications(scenario: Scenario, store: Store | None, workers: int = 1) -> bytes:
    file = io.BytesIO()
    jobs = workers if store is None else Kept(workers, store)
    results = simulate(scenario, COUNT, SEED, jobs=jobs, fewest=FEWEST)
    results.frame.to_parquet(file, index=False)
    return file.getvalue()


def test_what_is_kept_reads_back_to_the_bit(
    scenario: Scenario, expected: bytes, tmp_path: Path
) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    assert replications(scenario, first) == expected
    assert first.tally == Tally(played=BATCHES)
    assert replications(scenario, second) == expected
    assert second.tally == Tally(reused=BATCHES)
    assert len(list(tmp_path.iterdir())) == BATCHES


def test_a_larger_study_takes_what_a_smaller_one_left(scenario: Scenario, whole: Path) -> None:
    store = Store(whole)
    groups = strata(scenario, 2 * COUNT, FEWEST)
    wanted = list(batches(scenario.strategies, groups))
    there = [b for b in wanted if store.path(scenario.sha256, SEED, b).exists()]
    assert there == [b for b in wanted if b.stop <= (800 if b.stratum == 0 else 400)]


def test_larger_batches_change_nothing(
    scenario: Scenario, expected: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "_MANY", 100)
    store = Store(tmp_path)
    assert replications(scenario, store) == expected
    assert store.tally == Tally(played=2 * 3)


STARTER = """
import os, sys
from simulator.findings.comparison import simulate
from simulator.findings.runs import Kept, Store
from simulator.words.reading import loads

text, folder, out, count, fewest, seed = sys.argv[1:]
scenario = loads(text)
scenario.canonical()
for _ in sys.stdin:
    child = os.fork()
    if not child:
        os.setsid()
        print(os.getpid(), flush=True)
        kept = Kept(1, Store(folder))
        frame = simulate(scenario, int(count), int(seed), jobs=kept, fewest=int(fewest)).frame
        frame.to_parquet(out, index=False)
        os._exit(0)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


class Starter:
    """A process that has everything imported; it forks a batch, in a group of its own."""

    def __init__(self, folder: Path, out: Path) -> None:
        sizes = map(str, (COUNT, FEWEST, SEED))
        self.process = subprocess.Popen(
            [sys.executable, "-c", STARTER, TEXT, str(folder), str(out), *sizes],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def start(self) -> int:
        """Start a batch: the number of its process group."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return int(self._told())

    def kill(self, group: int) -> None:
        """End a batch as a power cut does."""
        os.killpg(group, signal.SIGKILL)
        assert self._told() == "ended"

    def close(self) -> None:
        """End."""
        self.process.communicate("")

    def _told(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="process groups are POSIX's")
def test_twenty_kills_lose_nothing_that_was_finished(
    scenario: Scenario, expected: bytes, tmp_path: Path
) -> None:
    """SIGKILL of the whole group, at random moments of a batch that gets on between them."""
    chunks, out = tmp_path / "chunks", tmp_path / "replications.parquet"
    chance, starter = random.Random(1), Starter(chunks, out)
    finished: set[Path] = set()
    for _ in range(20):
        group = starter.start()
        began, aim = time.monotonic(), len(finished) + chance.choice([0, 0, 1])
        while time.monotonic() - began < 20 and len(list(chunks.glob("*.npz"))) < aim:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.01))
        starter.kill(group)
        there = set(chunks.glob("*.npz"))
        assert finished <= there
        finished = there
    starter.close()
    assert not out.exists()
    assert 0 < len(finished) < BATCHES
    store = Store(chunks)
    assert replications(scenario, store, workers=2) == expected
    assert store.tally == Tally(played=BATCHES - len(finished), reused=len(finished))


def test_what_killed_writers_left_is_removed_later(scenario: Scenario, tmp_path: Path) -> None:
    """What another one may still be writing stays."""
    old, new = tmp_path / f".{'0' * 16}.part", tmp_path / f".{'1' * 16}.part"
    old.touch(), new.touch()
    os.utime(old, (0, 0))
    replications(scenario, Store(tmp_path))
    assert list(tmp_path.glob("*.part")) == [new]


@pytest.mark.parametrize("damage", ["truncated", "emptied", "flipped", "swapped", "replaced"])
def test_a_damaged_file_is_found_told_and_played_again(
    scenario: Scenario, whole: Path, damage: str
) -> None:
    """Whatever happened to it; afterwards it is whole again."""
    batch = Batch("canary", 1, 0, 200)
    expected = play(scenario, scenario.sha256, SEED, batch)
    path = Store(whole).path(scenario.sha256, SEED, batch)
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    other = Store(whole).path(scenario.sha256, SEED, Batch("canary", 2, 0, 200))
    path.write_bytes(
        {
            "truncated": content[: len(content) // 2],
            "emptied": b"",
            "flipped": bytes(flipped),
            "swapped": other.read_bytes(),
            "replaced": b"not a chunk",
        }[damage]
    )
    told: list[str] = []
    store = Store(whole, told.append)
    simulate(scenario, COUNT, SEED, jobs=Kept(1, store), fewest=FEWEST)
    assert store.tally == Tally(played=1, reused=BATCHES - 1, damaged=1)
    assert path.read_bytes() == content
    assert len(told) == 1
    assert path.name in told[0]
    assert "played again" in told[0]
    again = store.find(scenario.sha256, SEED, batch)
    assert again is not None
    assert list(again) == list(expected)
    for name, values in expected.items():
        assert bytes(str(values), "utf-8") == bytes(str(again[name]), "utf-8")


def test_every_flipped_byte_is_found(scenario: Scenario, whole: Path) -> None:
    """A flip anywhere either is found or leaves what is read the same to the bit."""
    batch = Batch("canary", 1, 0, 200)
    about = runs._about(scenario.sha256, SEED, batch)
    content = Store(whole).path(scenario.sha256, SEED, batch).read_bytes()
    good = runs._read(content, about)
    missed = 0
    for place in range(0, len(content), 97):
        flipped = bytearray(content)
        flipped[place] ^= 0x10
        try:
            found = runs._read(bytes(flipped), about)
        except runs.Damaged:
            continue
        missed += 1
        assert str(found) == str(good)
    assert missed < 20  # dates and flags of the archive: they carry nothing


def test_another_scenario_seed_or_engine_finds_nothing(
    scenario: Scenario, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch("canary", 0, 0, 200)
    store = Store(whole)
    assert store.find(scenario.sha256, SEED, batch) is not None
    other = scenario.with_("traffic.rate", "201 rps")
    assert store.find(other.sha256, SEED, batch) is None
    assert store.find(scenario.sha256, SEED + 1, batch) is None
    monkeypatch.setattr(runs, "engine", lambda: "another")
    assert store.find(scenario.sha256, SEED, batch) is None
    assert store.tally == Tally(reused=1)


def test_the_fingerprint_covers_all_that_decides_a_number(tmp_path: Path) -> None:
    """A byte more in any file that decides, and only there, is another engine."""
    package = tmp_path / "simulator"
    deciding = ["words/defaults.yaml", "play/fleet.py", "strategies/canary.py"]
    deciding += ["findings/study.py", "findings/columns.py"]
    for name in (*deciding, "platforms/argo/rules.py", "report/page.py", "findings/means.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("1", "utf-8")
    before = fingerprint.sources(package)
    for name in ("report/page.py", "findings/means.py"):
        (package / name).write_text("2", "utf-8")
        assert fingerprint.sources(package) == before
    for name in (*deciding, "platforms/argo/rules.py"):
        (package / name).write_text("2", "utf-8")
        assert fingerprint.sources(package) != before
        before = fingerprint.sources(package)
    (package / "play/fleet.py").rename(package / "play/fleets.py")
    assert fingerprint.sources(package) != before


def test_a_write_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left of a write that fails, and what was there before stays."""
    path = tmp_path / "file"
    runs.write(path, b"before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as found:
        runs.write(path, b"after")
    assert found.value.filename == str(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_many_may_write_one_file(tmp_path: Path) -> None:
    """None of them fails, the file is one of theirs, and whoever may read files may read it."""
    path, contents = tmp_path / "file", [bytes([k]) * 50_000 for k in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: [runs.write(path, content) for _ in range(5)], contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_interrupted_study_resumes_from_what_it_kept(
    scenario: Scenario, expected: bytes, tmp_path: Path
) -> None:
    """What was finished is shown with its wider intervals; only the rest is played afterwards."""

    def stop(done: int, total: int) -> None:
        if done > 0.8 * total:
            raise KeyboardInterrupt

    first = Store(tmp_path)
    part = simulate(scenario, COUNT, SEED, jobs=Kept(1, first), progress=stop, fewest=FEWEST)
    assert part.stopped
    assert part.names == ("canary", "blue_green")
    assert 0 < first.tally.played < BATCHES
    second = Store(tmp_path)
    assert replications(scenario, second) == expected
    assert second.tally == Tally(BATCHES - first.tally.played, first.tally.played)


def test_a_gap_is_left_out_so_that_rivals_stay_paired(scenario: Scenario) -> None:
    """Batches come in any order: what lies beyond a missing one would be taken for its own."""

    def second_last(function: Callable[..., Any], calls: Sequence[Any]) -> Iterator[Any]:
        yield from (function(*call) for call in calls if call[4].start != 200)
        raise KeyboardInterrupt

    part = simulate(scenario, COUNT, SEED, jobs=second_last, fewest=FEWEST)
    assert part.stopped
    assert part.replications == {"good": 200, "bad": 400}
    for columns in part.columns.values():
        assert list(columns[0]["replication"]) == list(range(200))
