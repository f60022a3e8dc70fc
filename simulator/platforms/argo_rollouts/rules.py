"""What the Rollout controller works out: counts of pods, weights in force, what it refuses.

Source: argoproj/argo-rollouts (9f8d111d): utils/replicaset/canary.go, utils/defaults/defaults.go,
pkg/apis/rollouts/validation/validation.go, rollout/trafficrouting.go. Weights are shares of
`maxTrafficWeight`. Where the controller's fractions are floating-point numbers these are exact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from simulator.words.limits import Fenceposts
from simulator.words.units import Portion, exact


class Pods(NamedTuple):
    """A version's pods: how many it shall have, and how many are available (ready long enough)."""

    spec: int
    available: int


class Sizes(NamedTuple):
    """How many pods the canary and the stable version shall have."""

    canary: int
    stable: int


class Basic(NamedTuple):
    """A canary without traffic routing at a moment: its two versions, and pods of older ones."""

    canary: Pods
    stable: Pods
    older: int = 0


@lru_cache(1024)
def wish(replicas: int, weight: float, surge: int) -> Sizes:
    """The counts of a basic canary that come nearest to a weight, in replicas pods or one more.

    One more only where `surge` is above 0. The canary's count is the weight rounded up or down;
    the first that is nearest wins: up before down, fewer before more. Down is no choice at one
    half. None at all, or all, only at weights 0 and 1, or for a single pod without surge.
    """
    if replicas == 0:
        return Sizes(0, 0)
    part = exact(weight)
    up, down = math.ceil(replicas * part), math.floor(replicas * part)
    extreme = part in (0, 1) or (replicas == 1 and surge == 0)
    choices = list[tuple[int, int]]()
    for total in (replicas, replicas + 1)[: 2 if surge > 0 else 1]:
        if total > replicas or up < replicas or extreme:
            choices.append((up, total))
        if (total * part) % 1 != Fraction(1, 2) and (down != 0 or extreme):
            choices.append((down, total))
    if not choices:
        return Sizes(0, replicas)
    canary, total = min(choices, key=lambda one: abs(Fraction(*one) - part))
    return Sizes(canary, total - canary)


def next_sizes(now: Basic, replicas: int, weight: float, limits: Fenceposts) -> Sizes:
    """What one pass of the controller makes of a basic canary's counts.

    First up within the surge, stable before canary; as long as older versions have pods nothing
    goes down. Then down to what has to be available: of a canary that grows only stable pods,
    whose own availability does not matter; of one that shrinks only canary pods.
    """
    wanted = wish(replicas, weight, limits.surge)
    most, least = replicas + limits.surge, replicas - limits.unavailable
    room = most - now.canary.spec - now.stable.spec - now.older
    stable = now.stable.spec + min(max(wanted.stable - now.stable.spec, 0), max(room, 0))
    room -= stable - now.stable.spec
    canary = now.canary.spec + min(max(wanted.canary - now.canary.spec, 0), max(room, 0))
    if now.older > 0:
        return Sizes(canary, stable)
    grows = wanted.canary >= now.canary.spec
    counted = _counted(now.canary, not grows) + _counted(now.stable, grows)
    if counted <= least:
        return Sizes(canary, stable)
    spare = counted - least
    if grows:
        if now.stable.spec > wanted.stable:
            stable = max(wanted.stable, now.stable.spec - spare)
        stable, canary = _within(now.stable, now.canary, stable, canary, most, least)
    else:
        canary = max(wanted.canary, now.canary.spec - spare)
        canary, stable = _within(now.canary, now.stable, canary, stable, most, least)
    return Sizes(canary, stable)


def _counted(pods: Pods, whatever: bool) -> int:
    """Pods that count before some go: what shall be there, or what of it is available."""
    return pods.spec if whatever or pods.spec < pods.available else pods.available


def _within(
    leaving: Pods, staying: Pods, left: int, stays: int, most: int, least: int
) -> tuple[int, int]:
    """Counts of the side that leaves and of the other, corrected to be no more than `most`.

    The other side gives first, but not below what has to be available.
    """
    stays -= max(left + stays - most, 0)
    available = min(leaving.available, left) + min(staying.available, stays)
    stays += min(max(staying.available - stays, 0), max(least - available, 0))
    return left - max(left + stays - most, 0), stays


def reached(now: Basic, replicas: int, weight: float, limits: Fenceposts) -> bool:
    """Whether a step of a basic canary is done: nothing to change, and its pods are available."""
    sizes = next_sizes(now, replicas, weight, limits)
    same = (now.canary.spec, now.stable.spec) == sizes
    return same and now.canary.available == now.canary.spec and now.older == 0


def routed(replicas: int, weight: float, scale: Portion | None = None, least: int = 1) -> Sizes:
    """Counts with traffic routing: `setCanaryScale` if one is in force, else the weight rounded up.

    Stable stays whole. A count by weight that is not 0 is at least `least` (minPodsPerReplicaSet),
    but no more than all replicas.
    """
    if scale is not None and not scale.is_share:
        return Sizes(int(scale.number), replicas)
    part = exact(weight if scale is None else scale.number)
    return Sizes(at_least(math.ceil(replicas * part), least, replicas), replicas)


def at_least(count: int, least: int, replicas: int) -> int:
    """A count raised to `minPodsPerReplicaSet`, which is no more than all replicas; 0 stays 0."""
    return max(count, min(least, replicas)) if count else 0


def dynamic(
    replicas: int,
    weight: float,
    actual: float,
    aborted: bool = False,
    scale: Portion | None = None,
    least: int = 1,
) -> Sizes:
    """Counts with `dynamicStableScale`, when the canary's weight shall be `weight` and is `actual`.

    Stable has what the larger of its two weights needs. After an abort the canary, too, keeps what
    its actual weight needs.
    """
    stable = math.ceil(replicas * (1 - min(exact(weight), exact(actual))))
    canary = routed(replicas, weight, scale, least).canary
    if aborted:
        canary = at_least(max(canary, math.ceil(replicas * exact(actual))), least, replicas)
    return Sizes(canary, at_least(stable, least, replicas))


def way_back(weights: Sequence[float], actual: float) -> tuple[float, ...]:
    """The weights after an abort with `dynamicStableScale`: down the steps that were taken, to 0.

    Each is set when as much of stable is available; otherwise the weight is 0 at once.
    """
    return (*sorted({weight for weight in weights if 0 < weight < actual}, reverse=True), 0.0)


def weight_in_force(weights: Sequence[float | None], step: int, aborted: bool = False) -> float:
    """The canary's weight at a step (from 0): the last `setWeight` at or before it.

    `weights` has None for a step of another kind. None yet is 0; past the last step it is 1; after
    an abort 0.
    """
    if aborted:
        return 0.0
    if step >= len(weights):
        return 1.0
    return next((one for one in reversed(weights[: step + 1]) if one is not None), 0.0)


def met(available: int, desired: int, threshold: Portion | None = None) -> bool:
    """Whether enough pods are available for a step to go on (`replicaProgressThreshold`).

    All of them unless it says otherwise; nothing wanted is always met.
    """
    if desired == 0 or threshold is None:
        return available >= desired
    needed = exact(threshold.number) * (desired if threshold.is_share else 1)
    return available + Fraction(1, 10**10) >= needed


def refuse_canary(
    surge: Portion,
    unavailable: Portion,
    routing: bool,
    scales: bool = False,
    delay: bool = False,
    dynamic_stable: bool = False,
) -> Iterator[str]:
    """Why validation refuses a canary; `delay` says that a scale-down delay is given."""
    if surge.number == 0 and unavailable.number == 0:
        yield "max_surge and max_unavailable may not both be 0: no pod could be replaced"
    if not routing:
        for given, name in (
            (scales, "canary_scale"),
            (delay, "scale_down_delay"),
            (dynamic_stable, "dynamic_stable_scale"),
        ):
            if given:
                yield f"{name} needs traffic routing: add traffic_routing: true, or remove it"
    elif delay and dynamic_stable:
        yield "scale_down_delay cannot stand with dynamic_stable_scale: remove one of them"


def refuse_blue_green(
    active: str, preview: str | None, revisions: int = 10, kept: int | None = None
) -> Iterator[str]:
    """Why validation refuses a blue/green: equal services, or more kept revisions than history."""
    if active == preview:
        yield f"active and preview service are both {active!r}: give two different ones"
    if kept is not None and kept > revisions:
        yield f"keeps {kept} old revisions (scaleDownDelayRevisionLimit), history has {revisions}"
