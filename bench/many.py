"""Fifty services in one batch: how long it takes, what a replication costs, and whether memory
stays flat (`make many`).

Times depend on the machine and on who else uses it. What does not is the processor time of a
replication, its share of the reports included, as a multiple of sixty bare SimPy timeouts that are
measured while the batch runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from scipy.stats import qmc

from bench.bench import bare_timeouts
from simulator.play import compiled

SERVICES, REPLICATIONS, GROUPS, STRATEGIES = 50, 1000, 2, 5
LOOK = 2.0
SERVICE = """version: 1
name: service {number}
profile: {profile}
service: {{instances: {instances}, utilisation: {load}%}}
traffic: {{rate: {rate} rps, users: {users}}}
change: {{defect_probability: {chance}%}}
costs: {{failed_request: 0.01, delay: 5/h}}
strategies:
  {{big_bang: {{in_place: false}}, rolling: {{}}, phased: {{}}, canary: {{}}, blue_green: {{}}}}
planned: canary
"""


def write(folder: Path) -> None:
    """Services of all sizes, one file each."""
    profiles = ("ecs-fargate", "ec2-ami", "k8s-spare")
    low, high = [0.6, 40, 1.0, 3.0, 0.3], [2.0, 70, 3.5, 6.0, 1.3]
    design = qmc.scale(qmc.LatinHypercube(5, rng=1).random(SERVICES), low, high)
    for number, (size, load, rate, users, chance) in enumerate(design.tolist()):
        text = SERVICE.format(
            number=number,
            profile=profiles[number % len(profiles)],
            instances=round(10**size),
            load=round(load),
            rate=round(10**rate),
            users=round(10**users),
            chance=round(10**chance, 1),
        )
        (folder / f"service-{number:02}.yaml").write_text(text, "utf-8")


class Use(NamedTuple):
    """What a process uses: bytes that no other shares with it, and seconds of a processor."""

    memory: int
    seconds: float


def uses(pid: int) -> dict[int, Use]:
    """What a process and its children use, by their numbers."""
    found = {}
    try:
        for part in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in part.read_text().split():
                found.update(uses(int(child)))
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        shares = int(dict(line.split(":", 1) for line in lines)["Pss"].split()[0])
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        found[pid] = Use(1024 * shares, sum(map(int, times)) / os.sysconf("SC_CLK_TCK"))
    except OSError:  # it has just ended
        pass
    return found


def bare(times: int = 20) -> float:
    """Seconds of a processor that sixty bare SimPy timeouts take."""
    began = time.process_time()
    for _ in range(times):
        bare_timeouts()
    return (time.process_time() - began) / times


def main() -> None:
    """Run the batch once and print what it took."""
    with tempfile.TemporaryDirectory() as place:
        services, out = Path(place) / "services", Path(place) / "runs"
        services.mkdir()
        write(services)
        command = [sys.executable, "-m", "simulator", "report", str(services), "-o", str(out)]
        command += ["-n", str(REPLICATIONS), "--pace", "1", "--no-gates", "--quiet"]
        began, seen, bares, seconds = time.monotonic(), list[int](), list[float](), {}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                time.sleep(LOOK)
                bares.append(bare())
                now = uses(process.pid)
                seen.append(sum(use.memory for use in now.values()))
                seconds.update({pid: use.seconds for pid, use in now.items()})
        took, played = time.monotonic() - began, SERVICES * REPLICATIONS * GROUPS * STRATEGIES
        reports = len(list(out.glob("*/report.html")))
    part = max(len(seen) // 4, 1)
    early, late = (max(some) / 1e6 for some in (seen[part : 2 * part], seen[-part:]))
    whole, one = sum(seconds.values()), sum(bares) / len(bares)
    engine = "machine code" if compiled.used() else "Python"
    print(f"{reports} reports in {took:.0f} s, {played / took:,.0f} replications/s ({engine})")
    print(
        f"processor: {whole:.0f} s, {1000 * whole / played:.2f} ms a replication; "
        f"{whole / played / one:.1f} times sixty bare SimPy timeouts ({1e6 * one:.0f} us here)"
    )
    print(
        f"memory: at most {max(seen) / 1e6:.0f} MB; second quarter {early:.0f}, last {late:.0f} MB"
    )


if __name__ == "__main__":
    main()
