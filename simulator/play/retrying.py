"""Clients that try again: what detectors see of the tries, and what becomes of the requests.

Detectors count tries, users meet outcomes. With p the bad share of the tries and q what a retry
meets, p q^k of the requests are bad after k retries; q is p where a retry may go to the other
version, and the bad share of the user's own version where he stays there. Each request is tried 1 +
p + ... + p^k times, which is load; tries that normal operation needs as well are part of what
`capacity` and `rate` say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.play.fates import Tried, tries, unavoidable
from simulator.play.fleet import NEW, OLD
from simulator.play.shares import Shares, last_of

if TYPE_CHECKING:
    from simulator.play.state import State, Top

_MOST, _CLOSE = 200, 1e-10


class Retried(NamedTuple):
    """The shares of (old, new): `seen` of all tries, by detectors, and `met` of all requests, by
    users; `more` is how many times its share of the requests each version gets.
    """

    seen: tuple[Shares, Shares]
    met: tuple[Shares, Shares]
    more: tuple[Any, Any]


class _Bad(NamedTuple):
    """The bad share of tries that are retries of one on (old, new): `usual` and because of the
    deployment `plain`, and for users whom a defect reaches `within` more.
    """

    usual: Any
    plain: tuple[Any, Any]
    within: tuple[Any, Any]

    def at(self, version: int) -> tuple[Any, Any]:
        """The whole bad share for those whom the defect does not reach, and for the others."""
        plain = self.usual + self.plain[version]
        return plain, plain + self.within[version]


def retried(
    state: State,
    weight: Any,
    rate: Any,
    capacity: tuple[Any, Any],
    leak: Any,
    top: Top,
    reached: tuple[Any, Any],
) -> Retried:
    """What becomes of requests that are tried again, at the load that this makes.

    More load can mean more failures and these more load: the least load that sustains itself is
    found by repetition from the load without retries.
    """
    plan, more = state.plan, (1.0 + 0.0 * weight, 1.0 + 0.0 * weight)
    usual = 1.0 - state.clear * (1.0 - unavoidable(state, rate, 1.0, top))
    for _ in range(_MOST):
        loaded = (reached[OLD] * more[OLD], reached[NEW] * more[NEW])
        carried = state.shared_out(weight, loaded) if plan.elastic else capacity
        old, new = tries(state, weight, rate, carried, leak, top, loaded)
        bad = _bad(state, (old, new), weight, usual)
        before, more = more, _load(state, bad)
        if all(np.max(np.abs(a - b)) < _CLOSE for a, b in zip(before, more, strict=True)):
            break
    seen, met = [], []
    for version, one in enumerate((old, new)):
        whole = one._replace(reaching=reached[version])
        seen.append(_seen(state, version, whole, bad, more[version]))
        met.append(_met(state, version, whole, bad, (old, new), weight))
    return Retried((seen[OLD], seen[NEW]), (met[OLD], met[NEW]), more)


def last_retried(found: Retried) -> Retried:
    """The same at the last of several times, as floats."""
    seen, met, more = found
    return Retried(
        (last_of(seen[OLD]), last_of(seen[NEW])),
        (last_of(met[OLD]), last_of(met[NEW])),
        (float(np.ravel(more[OLD])[-1]), float(np.ravel(more[NEW])[-1])),
    )


def tried(p: Any, count: int) -> Any:
    """1 + p + ... + p^(count - 1): tries of a request that is tried at most `count` times."""
    return sum((p**power for power in range(count)), 0.0 * p)


def _gap(low: Any, gap: Any, power: int) -> Any:
    """(low + gap)^power - low^power, exactly 0 without a gap."""
    high = low + gap
    return gap * sum((high**i * low ** (power - 1 - i) for i in range(power)), 0.0 * gap)


def _bad(state: State, both: tuple[Tried, Tried], weight: Any, usual: Any) -> _Bad:
    plain = (both[OLD].common, both[NEW].common)
    within = (both[OLD].served * both[OLD].fail, both[NEW].served * both[NEW].fail)
    if not state.plan.sticky:
        plain, within = (
            ((1.0 - weight) * pair[OLD] + weight * pair[NEW],) * 2 for pair in (plain, within)
        )
    return _Bad(usual, plain, within)


def _load(state: State, bad: _Bad) -> tuple[Any, Any]:
    """How many times its requests each version gets, compared with normal operation."""
    count, users = state.plan.retries + 1, state.fault.users
    found = []
    for version in (OLD, NEW):
        plain, within = bad.at(version)
        every = (1.0 - users) * tried(plain, count) + users * tried(within, count)
        found.append(every / tried(bad.usual, count))
    return found[OLD], found[NEW]


def _seen(state: State, version: int, one: Tried, bad: _Bad, more: Any) -> Shares:
    """The tries on one version, as detectors count them."""
    count, users = state.plan.retries + 1, state.fault.users
    part = users * tried(bad.at(version)[1], count) / (more * tried(bad.usual, count))
    within = part * one.served
    return Shares(
        one.share * one.reaching * more,
        one.common + within * one.fail,
        within * one.late + one.overdue * (1.0 - part * one.fail),
        within * one.corrupt,
        (one.common + one.overdue) * one.reaching,
        within * (one.fail + one.late + one.corrupt) * one.reaching * (1.0 - state.overdue),
    )


def _met(
    state: State,
    version: int,
    one: Tried,
    bad: _Bad,
    both: tuple[Tried, Tried],
    weight: Any,
) -> Shares:
    """The requests that are tried on one version first, as users meet them in the end."""
    k, users = state.plan.retries, state.fault.users
    plain, within = bad.at(version)
    first, more = one.common + bad.usual, bad.within[version]
    common = one.common * plain**k + bad.usual * _gap(bad.usual, bad.plain[version], k)
    fail = one.served * one.fail * within**k + first * _gap(plain, more, k)
    answers = []
    for what in ("late", "corrupt"):
        mine = one.served * getattr(one, what)
        old, new = (other.served * getattr(other, what) for other in both)
        later = mine if state.plan.sticky else (1.0 - weight) * old + weight * new
        answers.append(mine + (first + one.served * one.fail) * later * tried(within, k))
    late, corrupt = answers
    well: Any = 0.0
    if state.overdue:  # whatever ends well is late, unless it fails with nothing deployed as well
        well = state.overdue * (1.0 - bad.usual ** (k + 1) - common)
    return Shares(
        one.share * one.reaching,
        common + users * fail,
        users * late + well - state.overdue * users * fail,
        users * corrupt,
        (common + well) * one.reaching,
        (fail + late + corrupt) * one.reaching * (1.0 - state.overdue),
    )
