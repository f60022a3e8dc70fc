"""Many visitors at once, and hostile ones: bounded, kept apart, and the app stays up."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.web import state
from tests.browser.conftest import served
from tests.browser.visitor import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore"),
]
ANSWERED, MEMORY = 5.0, 1.5e9
OWN = """version: 1
name: a secret of number {k}
profile: ecs-fargate
service: {{instances: {size}, utilisation: 55%}}
traffic: {{rate: 400 rps, users: 30k}}
costs: {{failed_request: 0.01}}
strategies: {{rolling: {{}}, canary: {{}}, blue_green: {{}}}}
"""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    with served(tmp_path_factory.mktemp("crowd") / "log") as (url, pid, _):
        first = Visitor(url)
        first.ask()
        first.until(lambda text: "Take it with you" in text, 90)
        first.close()
        yield url, pid


def memory(pid: int) -> int:
    """Bytes of a process and all its children that no other process shares with them."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = sum(memory(int(child)) for part in children for child in part.read_text().split())
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    lines = dict(line.split(":", 1) for line in rollup.splitlines()[1:])
    return found + 1024 * int(lines["Pss"].split()[0])


def answered(visitor: Visitor, seconds: float) -> float:
    """Ask, and wait for the verdict."""
    visitor.ask()
    return visitor.until(lambda text: "Recommended" in text, seconds)


@pytest.mark.timed
def test_ten_at_once_are_answered_and_kept_apart(crowded: tuple[str, int], slowness: float) -> None:
    url, pid = crowded
    texts = [OWN.format(k=k, size=20 + k) for k in range(10)]
    visitors = [
        Visitor(url, scenario=state.OWN, own=state.packed(text), n="1000") for text in texts
    ]
    took = [0.0] * 10

    def ask(k: int) -> None:
        took[k] = answered(visitors[k], 120)

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, visitor in enumerate(visitors):
        visitor.until(lambda text: "my-own.yaml" in text, 60)
        seen = "".join(visitor.texts)
        assert f"a secret of number {k}" in seen
        others = [j for j in range(10) if j != k and f"a secret of number {j}" in seen]
        assert not others
    assert memory(pid) < MEMORY
    assert 0 < max(took) < ANSWERED * slowness, f"{max(took):.1f} s"
    for visitor in visitors:
        visitor.close()


BOMB = "version: 1\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ({"scenario": state.OWN, "own": state.packed(BOMB)}, "cannot be read"),
        ({"scenario": state.OWN, "own": "A" * 30_000}, "cannot be read"),
        ({"scenario": state.OWN, "own": state.packed("x" * (3 << 20))}, "larger than 1 MiB"),
        ({"n": "1000000000"}, "Recommended"),
        ({"set": "service.instances=1000000000"}, "Left out"),
        ({"set": "follow_up=-5d"}, "Left out"),
        ({"set": "x" * 60_000}, "Left out"),
        ({"set": ["a=b"] * 500}, "Left out"),
        ({"scenario": "../../etc/passwd", "seed": "NaN", "two": "<b>"}, "Recommended"),
        ({"set": 'strategies["=cmd()"]={kind: canary}'}, "Recommended"),
        ({"set": 'strategies["$\\\\frac{1}{0}$ **x** <script>"]={kind: canary}'}, "Recommended"),
    ],
)
def test_a_hostile_link_gets_a_message_and_others_their_answer(
    crowded: tuple[str, int], link: dict[str, str], told: str
) -> None:
    url, _ = crowded
    hostile = Visitor(url, **{"n": "50", **link})
    hostile.ask()
    assert hostile.until(lambda text: told in text, 60) < 60
    hostile.close()
    assert "Traceback" not in "".join(hostile.texts)
    other = Visitor(url, n="50")
    assert answered(other, 60) < 60
    other.close()


def test_a_file_of_100_mb_is_not_taken(crowded: tuple[str, int]) -> None:
    url, pid = crowded
    before = memory(pid)
    request = urllib.request.Request(
        f"{url}/_stcore/upload_file/nobody/nothing", data=b"x" * 100_000_000, method="PUT"
    )
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(request, timeout=60)
    assert memory(pid) < before + 250e6
    other = Visitor(url, n="50")
    assert answered(other, 60) < 60
    other.close()
