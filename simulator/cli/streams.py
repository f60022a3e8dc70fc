"""Standard input and output as they may be: closed, full, gone, or unable to show a letter."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_INPUT, _OUTPUT = "standard input", "standard output"
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF, getattr(errno, "EDQUOT", errno.ENOSPC))


class _Closed(io.TextIOBase):
    """A closed stream: it can be neither read nor written."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def buffer(self) -> _Closed:
        """The stream of bytes below, as closed as this one."""
        return self

    def read(self, *_: object) -> str:
        """Raise OSError."""
        raise OSError(errno.EBADF, "it is closed", self._name)

    write = read  # type: ignore[assignment]


class _Ended(KeyboardInterrupt):
    """A request to end. Python itself ends as by Ctrl-C when it met a plain KeyboardInterrupt in
    code that an import made, though it was caught.
    """


def prepare() -> None:
    """Stand-ins for closed streams; a letter that cannot be shown becomes a question mark."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # or else the next file that is opened would be taken for the stream
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or _Closed(_INPUT)
    sys.stdout = sys.stdout or _Closed(_OUTPUT)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def abandon() -> None:
    """Drop what could not be written to standard output; nobody hears of it when Python ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def trouble(error: OSError) -> str | None:
    """What is wrong outside of the program, in one line; None when it is not known where."""
    why = error.strerror or str(error)
    place = error.filename  # of every file that is written; standard output has none
    if place is None and error.errno in _FULL:
        place = _OUTPUT
    what = " cannot be read" if place == _INPUT else " cannot be written"
    if isinstance(error, FileNotFoundError):  # by whoever wanted it
        what = ""
    return place and f"{place}{what}: {why}"


@contextmanager
def ended_like_interrupted() -> Iterator[list[int]]:
    """A request to end (SIGTERM) is a keyboard interrupt; the list holds those there were."""
    heard: list[int] = []

    def hear(number: int, _: FrameType | None) -> None:
        heard.append(number)
        raise _Ended

    main = threading.current_thread() is threading.main_thread()
    if not main or os.name != "posix" or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield heard
        return
    signal.signal(signal.SIGTERM, hear)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
