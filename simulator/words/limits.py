"""The limits of a rolling update of pods: a surge is rounded up, what may be missing down."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from simulator.words.units import Portion, exact


class Fenceposts(NamedTuple):
    """Pods allowed above the wanted number, and pods allowed to be missing from it."""

    surge: int
    unavailable: int


@lru_cache(1024)
def fenceposts(surge: Portion, unavailable: Portion, replicas: int) -> Fenceposts:
    """The limits in pods, as Deployments of Kubernetes and the Rollout controller round them.

    When both come to 0 one pod may be missing; more than all of them cannot be. Source:
    kubernetes/kubernetes, pkg/controller/deployment/util/deployment_util.go;
    argoproj/argo-rollouts (9f8d111d), utils/replicaset/canary.go.
    """
    above = math.ceil(_pods(surge, replicas))
    below = min(math.floor(_pods(unavailable, replicas)), replicas)
    if above == 0 and below == 0:
        below = min(1, replicas)
    return Fenceposts(above, below)


def _pods(portion: Portion, replicas: int) -> Fraction:
    return exact(portion.number) * (replicas if portion.is_share else 1)
