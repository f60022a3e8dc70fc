"""How fast the engine is, as ratios measured in one run on one core (workers: on two).

Absolute times depend on the machine; what matters are the ratios: to sixty bare SimPy timeouts,
to a model in which every request is a process, and from small to huge services.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Callable

import numpy as np
import simpy

from simulator.findings.comparison import simulate
from simulator.findings.executors import Workers, each
from simulator.findings.runs import Kept, Store
from simulator.findings.study import strata
from simulator.play import compiled
from simulator.play.luck import Luck
from simulator.play.plan import Plan
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate
from simulator.words.reading import load, loads
from simulator.words.scenario import Scenario

FIVE_STEPS = """
version: 1
profile: ec2-ami
service:
  instances: {instances}
  utilisation: 50%
  errors: {{mean: 0.02%, cv: 1, for: 5m}}
traffic: {{rate: {rate} rps, users: 250k, sticky: true}}
strategies:
  canary:
    steps:
      - {{weight: 5%, bake: 24m}}
      - {{weight: 10%, bake: 24m}}
      - {{weight: 25%, bake: 24m}}
      - {{weight: 50%, bake: 24m}}
      - {{weight: 75%, bake: 24m}}
  blue_green: {{}}
  big_bang: {{}}
  immutable: {{}}
  batches: {{kind: rolling, mode: batch}}
"""
REST = """{
  parallel_adoption: {overlap: 14d},
  shadow: {},
  feature_flag: {},
  rate_controlled: {},
  by dns: {kind: blue_green, cutover: {dns: {ttl: 60s}}},
}"""


_CORES = 2


def best_of(call: Callable[[], None], times: int = 3) -> float:
    """The shortest of a few timings of a call, seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        found.append(time.perf_counter() - began)
    return min(found)


def bare_timeouts(count: int = 60) -> None:
    """A SimPy process that waits `count` times and does nothing else."""
    env = simpy.Environment()

    def process() -> simpy.events.ProcessGenerator:
        for _ in range(count):
            yield env.timeout(1)

    env.process(process())
    env.run()


def requests_as_processes(rate: float, seconds: float) -> None:
    """A canary at 5 % in which every request is a process that may fail."""
    env = simpy.Environment()
    generator = np.random.default_rng(1)
    failed = [0, 0]

    def request() -> simpy.events.ProcessGenerator:
        new = generator.random() < 0.05
        yield env.timeout(0.05)
        if generator.random() < (0.2 if new else 0.001):
            failed[new] += 1

    def arrivals() -> simpy.events.ProcessGenerator:
        while True:
            yield env.timeout(generator.exponential(1 / rate))
            env.process(request())

    env.process(arrivals())
    env.run(until=seconds)


def per_second(plan: Plan, scenario: Scenario, kind: str, count: int) -> float:
    """Replications per second of a prepared strategy for one stratum ("bad" is the whole mix)."""
    change = scenario.change
    luck = Luck(1)
    if kind == "good":
        order = [None] * count
    else:
        order = [
            defect
            for defect, share in zip(change.defects, change.shares, strict=True)
            for _ in range(max(round(share * count), 1))
        ]

    def play() -> None:
        for number, defect in enumerate(order):
            luck.rekey(number)
            replicate(plan, luck, defect, kind)

    play()
    return len(order) / best_of(play)


def five_steps(rate: float, instances: int) -> Scenario:
    """Five steps watched each minute for two hours, at this size."""
    return loads(FIVE_STEPS.format(rate=f"{rate:g}", instances=instances))


def cost_of_scale(scenario: Scenario) -> None:
    """Print what more requests and more instances cost."""
    print("\ncost of scale (goal: within 1.2)")
    for name in scenario.strategies:
        rows = []
        for rate, instances in ((100, 100), (1e6, 100), (100_000, 100_000)):
            # with starts that fail, large fleets are rolled back more often: other events
            other = five_steps(rate, instances).with_("service.start_failure.probability", "0%")
            rows.append(per_second(prepare(other, name), other, "good", 300))
        print(
            f"  {name:<11} 100 -> 1 000 000 rps: {rows[0] / rows[1]:.2f}x   "
            f"100 -> 100 000 instances (and 100 000 rps): {rows[0] / rows[2]:.2f}x"
        )


def cost_of_workers() -> None:
    """Print what a second worker process gains, and what keeping and carrying batches costs."""
    scenario, few, many = load("textbook"), 400, 12_000

    def size(count: int) -> int:
        """Replications of a study of so many a group."""
        return sum(g.replications for g in strata(scenario, count)) * len(scenario.strategies)

    def study(jobs: Workers, count: int) -> tuple[float, float]:
        """Seconds of the whole study, and of the first process's own work in it."""
        began, own = time.perf_counter(), time.process_time()
        simulate(scenario, count, jobs=jobs)
        return time.perf_counter() - began, time.process_time() - own

    simulate(scenario, 20, jobs=2)  # the processes are there and have everything imported
    alone, both = study(1, many), study(2, many)
    print(f"\ntwo workers against one ({size(many):,} replications, {alone[0]:.0f} s alone)")
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    remark = f"; others were at work: load {busy:.1f}" if busy > _CORES + 0.5 else ""
    print(f"  {alone[0] / both[0]:.2f}x (goal on two idle cores: 1.7{remark})")
    print(f"  own work of the first process: {both[1] / alone[1]:.1%} of what the workers do")
    with tempfile.TemporaryDirectory() as folder:
        _, own = study(Kept(2, Store(folder)), few)
        again, _ = study(Kept(2, Store(folder)), few)
    mean = alone[1] / size(many) * size(few)
    print(f"  with batches kept: {own / mean:.1%}; all of them there already: {again:.2f} s")
    calls = [(k, 1) for k in range(2000)]
    carried = 1000 * best_of(lambda: list(each(pow, calls, 2)) and None) / len(calls)
    print(f"  a call that does nothing, to a worker and back: {carried:.1f} ms")


def main() -> None:
    """Print everything."""
    bare = best_of(lambda: [bare_timeouts() for _ in range(200)] and None) / 200
    print(f"sixty bare SimPy timeouts: {1e6 * bare:.0f} us")
    print(f"the engine: {'machine code' if compiled.used() else 'Python (make fast compiles it)'}")

    print("\nweb-shop, replications per second (noise, alarms and people on):")
    shop = load("web-shop")
    for name in shop.strategies:
        plan = prepare(shop, name)
        good = per_second(plan, shop, "good", 200)
        bad = per_second(plan, shop, "bad", 100)
        print(f"  {name:<18} good {good:7.0f}   bad {bad:7.0f}")

    scenario = five_steps(3000, 40)
    plan = prepare(scenario, "canary")
    good = per_second(plan, scenario, "good", 600)
    print(f"\nfive steps watched each minute for two hours: {good:.0f} a second (goal: 3 000)")
    print(f"  ratio to sixty bare timeouts: {1 / good / bare:.1f} (goal: within 10)")
    short = 20.0
    slow = best_of(lambda: requests_as_processes(1000, short), 1) * 7200 / short
    print(f"  ratio to a process per request, 2 h at 1 000 rps: {slow * good:,.0f} (goal: 10 000)")

    print("\nthe same service, milliseconds a replication (goal for a fortnight in parallel: 3)")
    rest = scenario.with_("strategies", REST)
    for name in rest.strategies:
        plan_of = prepare(rest, name)
        good, bad = (1000 / per_second(plan_of, rest, which, 100) for which in ("good", "bad"))
        print(f"  {name:<18} good {good:6.2f}   bad {bad:6.2f}")

    cost_of_scale(scenario)
    cost_of_workers()

    print("\nwhere the time goes (good canary, profiler self time)")
    profile = cProfile.Profile()
    profile.enable()
    per_second(plan, scenario, "good", 300)
    profile.disable()
    shares: dict[str, float] = {}
    stats = pstats.Stats(profile)
    for (file, _, _), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]
        place = _place(file)
        shares[place] = shares.get(place, 0.0) + own
    total = sum(shares.values())
    for place, own in sorted(shares.items(), key=lambda item: -item[1])[:9]:
        print(f"  {place:<16} {100 * own / total:4.0f} %")


def _place(file: str) -> str:
    if "/play/" in file or "/strategies/" in file or "/words/" in file:
        return file.rsplit("/", 2)[-2] + "/" + file.rsplit("/", 1)[-1].removesuffix(".py")
    for name in ("simpy", "numpy"):
        if name in file:
            return name
    return "Python built-ins" if file == "~" else "other"


if __name__ == "__main__":
    main()
