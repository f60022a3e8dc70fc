"""The packaged exam questions: what the answers must be, and the answers as they are found."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from simulator.decide.exam import Answer, answer
from simulator.words.reading import EXAM, load
from tests.answers import oracles_exam as oracles

PLAIN = 6


class Key(NamedTuple):
    """The answer, the answer beyond the flip, where that is (None: at one other value), and how
    many replications tell them apart.
    """

    answer: str
    to: str
    flips_at: float | None
    n: int = PLAIN


KEYS = {
    "canary-bake": Key("B", "A", oracles.rate_seen(2, 60, 0.001, 0.9), 40),
    "cold-fleet": Key("B", "A", 0.4),
    "dns-rollback": Key("C", "D", 1800),
    "ecs-stuck": Key("B", "C", 5),
    "failed-start": Key("D", "B", 0.9),
    "flag-or-branch": Key("B", "C", oracles.covered_enough(30, 720, 60), 50),
    "least-capacity": Key("C", "B", 0.75),
    "linear-or-canary": Key("B", "A", 0.1),
    "mixed-sessions": Key("B", "D", oracles.requests_at_par(0.02, 0.1) * 10_000 / 600),
    "monitoring-time": Key("C", "B", None, 40),
    "no-spare-instances": Key("B", "A", 20),
    "noisy-baseline": Key("C", "A", None, 25),
    "patch-a-thousand": Key("B", "D", None, 3),
    "payroll-waves": Key("B", "D", oracles.price_of_waiting(40 * 767, 120)),
    "renamed-column": Key("C", "B", 57_600 / (1.2 * 48.5)),
    "rolling-overload": Key("C", "A", oracles.load_at_par(0.25, 32 * 60, 180)),
    "sessions-in-memory": Key("B", "A", oracles.mean_session_that_passes(100, 180, 3600, 10)),
    "stale-cache": Key("C", "A", None),
    "swap-then-delete": Key("B", "A", None),
    "two-ledgers": Key("C", "B", None),
}


@cache
def answered(name: str, seed: int = 1, flip: bool = True) -> Answer:
    return answer(load(f"{EXAM}/{name}"), KEYS[name].n, seed, flip=flip)
