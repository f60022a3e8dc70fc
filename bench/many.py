"""Fifty services in one batch: how long it takes, and whether memory stays flat (`make many`)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scipy.stats import qmc

from simulator.words.profiles import names

SERVICES, REPLICATIONS, GROUPS, STRATEGIES = 50, 1000, 2, 5
LOOK = 0.5
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
    profiles = [name for name in names() if name != "bare"]
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


def memory(pid: int) -> int:
    """Bytes of a process and its children that no other process shares with them."""
    try:
        children = Path(f"/proc/{pid}/task").glob("*/children")
        found = sum(memory(int(child)) for part in children for child in part.read_text().split())
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        return found + 1024 * int(dict(line.split(":", 1) for line in lines)["Pss"].split()[0])
    except OSError:  # it has just ended
        return 0


def main() -> None:
    """Run the batch once and print what it took."""
    with tempfile.TemporaryDirectory() as place:
        services, out = Path(place) / "services", Path(place) / "runs"
        services.mkdir()
        write(services)
        command = [sys.executable, "-m", "simulator", "report", str(services), "-o", str(out)]
        command += ["-n", str(REPLICATIONS), "--pace", "1", "--no-gates", "--quiet"]
        began, seen = time.monotonic(), []
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                time.sleep(LOOK)
                seen.append(memory(process.pid))
        took, played = time.monotonic() - began, SERVICES * REPLICATIONS * GROUPS * STRATEGIES
        reports = len(list(out.glob("*/report.html")))
    part = max(len(seen) // 4, 1)
    early, late = (max(some) / 1e6 for some in (seen[part : 2 * part], seen[-part:]))
    print(f"{reports} reports in {took:.0f} s, {played / took:,.0f} replications/s")
    print(
        f"memory: at most {max(seen) / 1e6:.0f} MB; second quarter {early:.0f}, last {late:.0f} MB"
    )


if __name__ == "__main__":
    main()
