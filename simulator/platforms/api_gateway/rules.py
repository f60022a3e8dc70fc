"""The exact arithmetic of throttles, usage plans, caches and stage canaries.

Source: Amazon API Gateway developer guide (commit 6060e21e, 2023). Its throttles are a best effort;
here they are exact.

No simulation calls them: they are for readers, and the tests hold documented examples and simulated
figures against them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple


class Bucket(NamedTuple):
    """A token bucket: `rate` tokens/s come in, at most `burst` lie in it; a request takes one."""

    rate: float
    burst: float


ACCOUNT = Bucket(10_000.0, 5_000.0)
SMALL_REGION = Bucket(2_500.0, 1_250.0)  # Cape Town, Milan
Level = Literal["client and method", "method", "account"]
ORDER: tuple[Level, ...] = ("client and method", "method", "account")


class Request(NamedTuple):
    """A request that comes `at` so many seconds, of a client (its API key), for a method."""

    at: float
    client: str = ""
    method: str = ""


def refused(bucket: Bucket, offered: float, seconds: float, level: float | None = None) -> float:
    """Requests refused (429) of `offered` requests/s in so many seconds, as a fluid.

    The bucket begins with `level` tokens, full when left out. What comes above `rate` empties it;
    after level / (offered - rate) seconds the share 1 - rate / offered is refused.
    """
    tokens = bucket.burst if level is None else level
    above = offered - bucket.rate
    return max(above * seconds - tokens, 0.0)


def refused_share(bucket: Bucket, offered: float) -> float:
    """The share refused in the long run: half at twice the rate."""
    return max(0.0, 1.0 - bucket.rate / offered)


def admit(
    requests: Sequence[Request], limits: Mapping[tuple[Level, str], Bucket]
) -> tuple[Level | None, ...]:
    """For each request, in the order of time, the level that refuses it; None if it is let through.

    `limits` are buckets by (level, name): of a client and method "client/method" (or "client/*"),
    of a method by its name, of the account "". Levels are asked in the order of `ORDER`, and only a
    request that all let through takes a token of each. Every bucket is full at first.
    """
    tokens = {key: bucket.burst for key, bucket in limits.items()}
    since = dict.fromkeys(limits, requests[0].at if requests else 0.0)
    answers: list[Level | None] = []
    for request in requests:
        asked = [key for key in _keys(request) if key in limits]
        for key in asked:
            bucket = limits[key]
            grown = tokens[key] + bucket.rate * (request.at - since[key])
            tokens[key], since[key] = min(grown, bucket.burst), request.at
        empty = next((level for level, name in asked if tokens[level, name] < 1 - 1e-9), None)
        if empty is None:
            for key in asked:
                tokens[key] -= 1
        answers.append(empty)
    return tuple(answers)


def _keys(request: Request) -> tuple[tuple[Level, str], ...]:
    return (
        ("client and method", f"{request.client}/{request.method}"),
        ("client and method", f"{request.client}/*"),
        ("method", request.method),
        ("account", ""),
    )


def quota_lasts(limit: int, rate: float) -> float:
    """Seconds until a usage plan's quota of `limit` requests is used up at `rate` requests/s."""
    return limit / rate


def stale(hits: float, ttl: float, seconds: float) -> float:
    """The share of all answers that are still old so many seconds after a change behind a cache.

    Entries are of even age: hits (1 - t / ttl).
    """
    return hits * max(0.0, 1.0 - seconds / ttl)


def cold(hits: float) -> float:
    """How many times as much reaches the back end of an empty cache as of a warm one."""
    return 1.0 / (1.0 - hits)


def seen_of_canary(share: float, hits: float) -> float:
    """The share of all requests that reach a canary behind a cache it shares: share x misses."""
    return share * (1.0 - hits)


def mixed_sessions(requests: int, share: float) -> float:
    """The share of sessions of so many requests that meet both versions.

    A stage canary chooses for each request by itself: 1 - w^n - (1 - w)^n.
    """
    return 1.0 - share**requests - (1.0 - share) ** requests


def broken_calls(rate: float, moved: float) -> float:
    """Requests/s that fail once an old version is withdrawn and a share `moved` has left it."""
    return rate * (1.0 - moved)
