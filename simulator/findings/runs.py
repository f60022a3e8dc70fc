"""Runs that survive interruption: finished batches in a folder, each under a hash of what it is."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from simulator.findings.columns import Columns, Packed, unpacked
from simulator.findings.engine import engine
from simulator.findings.executors import Workers, each

if TYPE_CHECKING:
    from simulator.findings.study import Batch

FORMAT = 1
_FEWEST = 10
_PART, _STALE = ".part", 3600.0  # seconds; nobody writes one file for so long


class Tally(NamedTuple):
    """Batches of a store so far: played, taken from the folder, and found damaged there."""

    played: int = 0
    reused: int = 0
    damaged: int = 0


class Damaged(Exception):
    """A file of the folder is not what it was when it was written; the text says why."""


class Store:
    """Finished batches in a folder, one file each, named by a hash of all that decides them.

    The same folder may serve many scenarios, seeds and engines: none finds what another left. It
    may be deleted at any time. Batches of fewer than 10 replications are not kept: they are
    played as quickly as they are read.
    """

    def __init__(self, folder: str | Path, warn: Callable[[str], None] | None = None) -> None:
        self._folder, self._warn = Path(folder), warn
        self._tidied = False
        self.tally = Tally()

    def path(self, digest: str, seed: int, batch: Batch) -> Path:
        """Where a batch of a scenario with this hash is kept."""
        name = hashlib.sha256(_about(digest, seed, batch).encode()).hexdigest()
        return self._folder / f"{name}.npz"

    def find(self, digest: str, seed: int, batch: Batch) -> Columns | None:
        """The columns of a batch, or None when they are not there whole."""
        path = self.path(digest, seed, batch)
        try:
            columns = _read(path.read_bytes(), _about(digest, seed, batch))
        except FileNotFoundError:
            return None
        except Damaged as error:
            self.tally = self.tally._replace(damaged=self.tally.damaged + 1)
            if self._warn is not None:
                self._warn(f"{path} is damaged ({error}); its replications are played again")
            return None
        self.tally = self.tally._replace(reused=self.tally.reused + 1)
        return columns

    def keep(self, digest: str, seed: int, batch: Batch, found: Packed) -> None:
        """Write a finished batch; raises OSError when the folder cannot take it."""
        self.tally = self.tally._replace(played=self.tally.played + 1)
        if batch.stop - batch.start < _FEWEST:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._tidied:
            tidy(self._folder)
            self._tidied = True
        write(self.path(digest, seed, batch), _written(found, _about(digest, seed, batch)))


class Kept:
    """Workers whose finished batches a store keeps; what is there is not played again."""

    def __init__(self, workers: Workers, store: Store) -> None:
        self.workers, self.store = workers, store

    def __call__(
        self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
    ) -> Iterator[Any]:
        """Carry out calls that are no batches: their results are not kept."""
        return each(function, calls, self.workers)


def write(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file that is either whole or not there, whenever the process or machine stops.

    Others may write the same file meanwhile: one of them wins. `mode` are its permissions (None:
    as usual). Raises OSError with the file's name when it cannot be written.
    """
    part = path.with_name(f".{os.urandom(8).hex()}{_PART}")
    try:
        with part.open("xb") as file:
            if mode is not None:
                part.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


def tidy(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder."""
    for part in folder.glob(f".{'[0-9a-f]' * 16}{_PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE:
                part.unlink()


def _about(digest: str, seed: int, batch: Batch) -> str:
    """All that decides a batch, as text."""
    return json.dumps([FORMAT, engine(), digest, seed, *batch])


def _written(found: Packed, about: str) -> bytes:
    lists, numbers = found
    texts = json.dumps(lists)
    file = BytesIO()
    np.savez(file, numbers=numbers, texts=texts, checksum=_checksum(about, texts, numbers))
    return file.getvalue()


def _read(content: bytes, about: str) -> Columns:
    """The columns in a file's content; raises Damaged unless they are those that were kept."""
    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            numbers, texts = file["numbers"], str(file["texts"])
            checksum = str(file["checksum"])
    except (BadZipFile, ValueError, KeyError, OSError, EOFError, NotImplementedError):
        raise Damaged(f"{len(content)} bytes that do not read") from None
    if checksum != _checksum(about, texts, numbers):
        raise Damaged("its checksum is another")
    return unpacked((json.loads(texts), numbers))


def _checksum(about: str, texts: str, numbers: np.ndarray[Any, Any]) -> str:
    whole = hashlib.sha256(f"{about}\n{texts}\n{numbers.shape}\n".encode())
    whole.update(np.ascontiguousarray(numbers).tobytes())
    return whole.hexdigest()
