"""Addressed luck: every latent quantity is found by its address, not by drawing order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_STEP = 0xD1342543DE82EF95
_UNIT = 2.0**-52
_ZERO = np.zeros(4, dtype=np.uint64)


class Purpose:
    """The fixed table of purposes: part of every address, so the numbers never change meaning."""

    SEVERITY = 1
    ONSET = 2
    FACTOR = 3
    START = 4
    INSTALL = 5
    PHASE = 6
    NOISE_OFFSET = 7
    INCIDENT_GAP = 8
    INCIDENT_LENGTH = 9
    NOTICED = 10
    AUDIT_PHASE = 11
    AUDIT_FINDS = 12
    REPORT_DELAY = 13
    TRIAGE = 14
    DECIDE = 15
    PAGE_ACKNOWLEDGE = 16
    PAGE_DECIDE = 17
    FIX = 18
    RETRY = 19
    APPROVE = 20
    SMOKE = 21
    RECONCILE = 22
    OLD_START = 23
    OLD_INSTALL = 24
    FAILURE_GAP = 25
    FAILURE_REPAIR = 26
    FAILURE_VERSION = 27
    ZONE_GAP = 28
    ZONE_REPAIR = 29
    STALL_GAP = 30
    STALL_REPAIR = 31
    SLIP = 32
    SLIP_NOTICED = 33
    ROLLBACK_FAILS = 34
    MIGRATE = 35
    RESTORE = 36
    ROUTINE = 37
    REPAIR = 38
    COMPARABLE = 39
    COVERED = 40
    TARGET = 41
    TARGET_FAILS = 42
    CONFLICT = 51
    RESOLVE = 52
    TESTS = 53
    TOUCHED = 54
    AUDIENCE = 55


def _mix(x: int) -> int:
    """The 64-bit finaliser of SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2714064.2660195)."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


class Luck:
    """All randomness of one replication, addressed by (seed, replication, purpose, index).

    `uniform` gives latent quantities by inverse transform, equal for every rival strategy.
    `counts()`, `noise()`, `people()` and `history()` are generators re-keyed on first use in a
    replication: Poisson counts, the multipliers of the baseline errors (block after block), the
    users who report, and those multipliers before the deployment (block before block). One object
    serves one thread; `rekey` moves it to the next replication.
    """

    __slots__ = ("_fresh", "_generators", "_key", "_root", "_states", "replication")

    def __init__(self, seed: int, replication: int = 0) -> None:
        self._root = _mix((seed * _GOLDEN + 0x632BE59BD9B4E019) & _MASK)
        self._generators = tuple(np.random.Generator(np.random.Philox(0)) for _ in range(4))
        self._states: list[Any] = [dict(g.bit_generator.state) for g in self._generators]
        self.rekey(replication)

    def rekey(self, replication: int) -> None:
        """Move to another replication: all addresses and generators start afresh."""
        self.replication = replication
        self._key = _mix((self._root + (replication + 1) * _GOLDEN) & _MASK)
        self._fresh = [False] * 4

    def uniform(self, purpose: int, index: int = 0) -> float:
        """A uniform number in the open interval (0, 1) for this purpose and index."""
        x = (self._key + purpose * _GOLDEN + index * _STEP) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((x ^ (x >> 31)) >> 12) * _UNIT + _UNIT / 2

    def uniforms(self, purpose: int, first: int, count: int) -> NDArray[np.float64]:
        """The uniform numbers of this purpose from index `first` on, so many of them."""
        start = np.uint64((self._key + purpose * _GOLDEN + first * _STEP) & _MASK)
        x = start + np.arange(count, dtype=np.uint64) * np.uint64(_STEP)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        whole = ((x ^ (x >> np.uint64(31))) >> np.uint64(12)).astype(np.float64)
        found: NDArray[np.float64] = whole * _UNIT + _UNIT / 2
        return found

    def counts(self) -> np.random.Generator:
        """The generator of all Poisson and binomial counts of this replication."""
        return self._generators[0] if self._fresh[0] else self._stream(0)

    def noise(self) -> np.random.Generator:
        """The generator of the baseline errors' block multipliers."""
        return self._stream(1)

    def people(self) -> np.random.Generator:
        """The generator of who reports."""
        return self._stream(2)

    def history(self) -> np.random.Generator:
        """The generator of the baseline errors' multipliers before the deployment."""
        return self._stream(3)

    def _stream(self, number: int) -> np.random.Generator:
        generator = self._generators[number]
        if not self._fresh[number]:
            self._fresh[number] = True
            state = self._states[number]
            state["state"] = {"counter": _ZERO, "key": np.array([self._key, number], np.uint64)}
            state["buffer_pos"] = 4
            state["has_uint32"] = 0
            generator.bit_generator.state = state
        return generator
