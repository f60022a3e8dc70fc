"""Whether intervals cover as they say: many small studies of which the truth is known exactly."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from joblib import Parallel, delayed

from simulator.findings.comparison import differences, simulate, simulate_until
from simulator.findings.means import Interval
from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from tests.answers import oracles

STUDIES = 500
SMALL = 200
PRECISION = 0.07
FIRST_SEED = 10_000
_CHUNK = 10

_RATE, _DETECT, _WATCH = 10.0, 600.0, 900.0
_CHANCE = 0.2
_KINDS = ((0.7, 0.2), (0.3, 0.02))
_WEIGHT, _BAKE = 0.1, 600.0
_MEDIAN, _SIGMA = 600.0, 1.0
_SEVERE = ((0.7, 0.04), (0.3, 0.005))
_DAY, _USERS = 86_400.0, 1_000_000

_TEXT = """
version: 1
profile: bare
service: {{instances: 10}}
traffic: {{rate: 10 rps, users: 1M}}
change:
  defect_probability: 20%
  defects: [{{kind: errors, share: 70%, rate: 20%}}, {{kind: errors, share: 30%, rate: 2%}}]
detection: {{noticed: {{after: {after}}}}}
response: {{automatic: watched, watch: 900s}}
strategies: {{{strategies}}}
"""
_SEVERITIES = """
version: 1
profile: bare
service: {instances: 10}
traffic: {rate: 10 rps, users: 1M}
change:
  defect_probability: 20%
  defects:
    - {kind: errors, share: 70%, rate: {exponential: {mean: 4%}}}
    - {kind: errors, share: 30%, rate: {exponential: {mean: 0.5%}}}
follow_up: 24h
strategies: {switch: {kind: big_bang, in_place: false}}
"""
_SWITCH = "switch: {kind: big_bang, in_place: false}"
_CANARY = "canary: {steps: [{weight: 10%, bake: 600s}]}"


class Claim(NamedTuple):
    """An interval that is claimed to hold `truth` in 95 % of studies."""

    what: str
    truth: float


class Coverage(NamedTuple):
    """How many of the `studies` had the truth below, inside or above their interval; in `open`
    of them the interval had no upper bound, because the data could not give one.
    """

    claim: Claim
    studies: int
    below: int
    above: int
    open: int

    @property
    def share(self) -> float:
        """Share of the studies whose interval held the truth."""
        return 1 - (self.below + self.above) / self.studies

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of that share."""
        from scipy import stats

        inside = self.studies - self.below - self.above
        found = stats.binomtest(inside, self.studies).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)


def scenario(after: str, *strategies: str) -> Scenario:
    """A bare service, two kinds of defects, noticed after some time."""
    return loads(_TEXT.format(after=after, strategies=", ".join(strategies)))


def exponential_study(seed: int) -> Iterator[tuple[Claim, Interval]]:
    """Failures of a switch are mixtures of geometric laws; a canary's differ by a known mean."""
    after = f"{{exponential: {{mean: {_DETECT:g}s}}}}"
    results = simulate(scenario(after, _SWITCH, _CANARY), SMALL, seed)
    means = [(weight, _RATE * share * _DETECT) for weight, share in _KINDS]
    every = [(_CHANCE * weight, mean) for weight, mean in means]
    risk = results.risk()["switch"]
    for given, under, law in (
        ("given a defect", risk.given_defect, means),
        ("of all releases", risk.all, every),
        ("given one kind", risk.given["errors"], [(1.0, means[0][1])]),
    ):
        found = under.failed_requests
        truth = math.fsum(weight * mean for weight, mean in law)
        yield Claim(f"mean of failed_requests {given}", truth), found.mean
        for name, p, interval in (("p95", 0.95, found.p95), ("p99", 0.99, found.p99)):
            exact = oracles.mixed_geometric_quantile(law, p)
            yield Claim(f"{name} of failed_requests {given}", exact), interval
        worst = oracles.mixed_geometric_worst(law, 0.95)
        yield Claim(f"CVaR95 of failed_requests {given}", worst), found.cvar95
    escapes = oracles.escapes(_WATCH, _DETECT)
    yield (
        Claim("escaped given a defect", escapes),
        risk.given_defect.proportion("outcome", "escaped"),
    )
    yield (
        Claim("escaped of all releases", _CHANCE * escapes),
        risk.all.proportion("outcome", "escaped"),
    )
    one = risk.given["errors 2"].proportion("outcome", "escaped")
    yield Claim("escaped given one kind", escapes), one
    caught = results.risk()["canary"].given_defect.chance("caught_before_full")
    yield Claim("caught before full", 1 - oracles.escapes(_BAKE, _DETECT)), caught
    apart = _DETECT - oracles.step_then_all(_WEIGHT, _BAKE, _DETECT)
    truth = math.fsum(weight * _RATE * share * apart for weight, share in _KINDS)
    (pair,) = (d.pair for d in differences(results) if d.figure == "failed_requests")
    yield Claim("paired difference of failed_requests, switch - canary", truth), pair.mean


def lognormal_study(seed: int) -> Iterator[tuple[Claim, Interval]]:
    """Times of a long-tailed law, known in closed form."""
    after = f"{{lognormal: {{median: {_MEDIAN:g}s, sigma: {_SIGMA:g}}}}}"
    risk = simulate(scenario(after, _SWITCH), SMALL, seed).risk()["switch"].given_defect
    found = risk.time_to_detect
    mean = _MEDIAN * math.exp(_SIGMA**2 / 2)
    yield Claim("mean of time_to_detect, log-normal", mean), found.mean
    for name, p, interval in (
        ("p50", 0.5, found.p50),
        ("p95", 0.95, found.p95),
        ("p99", 0.99, found.p99),
    ):
        exact = oracles.lognormal_quantile(_MEDIAN, _SIGMA, p)
        yield Claim(f"{name} of time_to_detect, log-normal", exact), interval
    worst = oracles.lognormal_worst(_MEDIAN, _SIGMA, 0.95)
    yield Claim("CVaR95 of time_to_detect, log-normal", worst), found.cvar95


def precise_study(seed: int) -> Iterator[tuple[Claim, Interval]]:
    """A study that goes on until its means are precise: the stopping rule looks at the data.

    Nobody notices anything for a day; what varies is how bad the defect is, exponentially, so
    that failures are mixtures of geometric laws again.
    """
    results = simulate_until(loads(_SEVERITIES), PRECISION, seed)
    risk = results.risk()["switch"].given_defect
    means = [(weight, _RATE * share * _DAY) for weight, share in _SEVERE]
    truth = math.fsum(weight * mean for weight, mean in means)
    said = f"--precision {PRECISION:.0%}"
    yield Claim(f"mean of failed_requests, {said}", truth), risk.failed_requests.mean
    exact = oracles.mixed_geometric_quantile(means, 0.95)
    yield Claim(f"p95 of failed_requests, {said}", exact), risk.failed_requests.p95
    harmed = math.fsum(
        weight * oracles.harmed_by_exponential(_RATE * _DAY / _USERS, share)
        for weight, share in _SEVERE
    )
    yield Claim(f"mean of users_harmed, {said}", harmed), risk.users_harmed.mean


def _outcomes(kind: str, seeds: Sequence[int]) -> list[tuple[Claim, int, int, bool]]:
    study = {
        "exponential": exponential_study,
        "log-normal": lognormal_study,
        "precise": precise_study,
    }
    return [
        (
            claim,
            int(low is not None and claim.truth < low),
            int(high is not None and claim.truth > high),
            high is None,
        )
        for seed in seeds
        for claim, (_, low, high) in study[kind](seed)
    ]


def experiment(studies: int = STUDIES, jobs: int = 2) -> list[Coverage]:
    """Run the small studies, each with luck of its own, and count."""
    calls = [
        (kind, range(start, min(start + _CHUNK, FIRST_SEED + studies)))
        for kind in ("precise", "exponential", "log-normal")
        for start in range(FIRST_SEED, FIRST_SEED + studies, _CHUNK)
    ]
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
    totals: dict[Claim, list[int]] = {}
    for number, found in enumerate(work(delayed(_outcomes)(*call) for call in calls), 1):
        if number % 10 == 0:
            print(f"coverage: {number} of {len(calls)} parts", file=sys.stderr)
        for claim, *counts in found:
            total = totals.setdefault(claim, [0, 0, 0, 0])
            for place, count in enumerate((1, *counts)):
                total[place] += count
    return [Coverage(claim, *total) for claim, total in totals.items()]
