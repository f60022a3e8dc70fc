"""Addressed luck: every latent quantity is found by its address, not by drawing order."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15
_STEP: Final = 0xD1342543DE82EF95
_UNIT: Final = 2.0**-52
_WORTHWHILE: Final = 12
_AT_ONCE: Final = 64
_PLACES: Final = [purpose * _GOLDEN & _MASK for purpose in range(64)]
_ZERO: Final = np.zeros(4, dtype=np.uint64)
# 64 bits, not `int`: in machine code an interrupt during a long product of those ends the process.
_Word = Any


class Purpose:
    """The fixed table of purposes: part of every address, so the numbers never change meaning."""

    SEVERITY: Final = 1
    ONSET: Final = 2
    FACTOR: Final = 3
    START: Final = 4
    INSTALL: Final = 5
    PHASE: Final = 6
    NOISE_OFFSET: Final = 7
    INCIDENT_GAP: Final = 8
    INCIDENT_LENGTH: Final = 9
    NOTICED: Final = 10
    AUDIT_PHASE: Final = 11
    AUDIT_FINDS: Final = 12
    REPORT_DELAY: Final = 13
    TRIAGE: Final = 14
    DECIDE: Final = 15
    PAGE_ACKNOWLEDGE: Final = 16
    PAGE_DECIDE: Final = 17
    FIX: Final = 18
    RETRY: Final = 19
    APPROVE: Final = 20
    SMOKE: Final = 21
    RECONCILE: Final = 22
    OLD_START: Final = 23
    OLD_INSTALL: Final = 24
    FAILURE_GAP: Final = 25
    FAILURE_REPAIR: Final = 26
    FAILURE_VERSION: Final = 27
    ZONE_GAP: Final = 28
    ZONE_REPAIR: Final = 29
    STALL_GAP: Final = 30
    STALL_REPAIR: Final = 31
    SLIP: Final = 32
    SLIP_NOTICED: Final = 33
    ROLLBACK_FAILS: Final = 34
    MIGRATE: Final = 35
    RESTORE: Final = 36
    ROUTINE: Final = 37
    REPAIR: Final = 38
    COMPARABLE: Final = 39
    COVERED: Final = 40
    TARGET: Final = 41
    TARGET_FAILS: Final = 42
    CONFLICT: Final = 51
    RESOLVE: Final = 52
    TESTS: Final = 53
    TOUCHED: Final = 54
    AUDIENCE: Final = 55


def _mix(x: _Word) -> _Word:
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

    __slots__ = ("_fresh", "_generators", "_key", "_made", "_root", "_states", "replication")

    def __init__(self, seed: int, replication: int = 0) -> None:
        word: _Word = seed
        self._root: _Word = _mix((word * _GOLDEN + 0x632BE59BD9B4E019) & _MASK)
        self._generators = tuple(np.random.Generator(np.random.Philox(0)) for _ in range(4))
        self._states: list[Any] = [dict(g.bit_generator.state) for g in self._generators]
        self.rekey(replication)

    def rekey(self, replication: int) -> None:
        """Move to another replication: all addresses and generators start afresh."""
        self.replication = replication
        number: _Word = replication + 1
        self._key: _Word = _mix((self._root + number * _GOLDEN) & _MASK)
        self._fresh = [False] * 4
        self._made: dict[int, tuple[int, list[float]]] = {}

    def uniform(self, purpose: int, index: int = 0) -> float:
        """A uniform number in the open interval (0, 1) for this purpose and index."""
        number: _Word = index
        x: _Word = self._key + _PLACES[purpose]
        x = (x + number * _STEP if index else x) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return float(((x ^ (x >> 31)) >> 12) * _UNIT + _UNIT / 2)

    def in_turn(self, purpose: int, index: int, more: int) -> float:
        """The same for indices that follow each other, when so many are still to be asked for."""
        first, made = self._made.get(purpose, (0, []))
        if 0 <= index - first < len(made):
            return made[index - first]
        if more < _WORTHWHILE:
            return self.uniform(purpose, index)
        made = self.uniforms(purpose, index, min(more, _AT_ONCE)).tolist()
        self._made[purpose] = index, made
        return float(made[0])

    def uniforms(self, purpose: int, first: int, count: int) -> NDArray[np.float64]:
        """The uniform numbers of this purpose from index `first` on, so many of them."""
        number: _Word = first
        start = np.uint64((self._key + _PLACES[purpose] + number * _STEP) & _MASK)
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
