"""Machine code of the modules that count requests: the same numbers, never of other sources."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.play import compiled

PLAYS = """
import hashlib
from simulator.findings.study import Batch, play
from simulator.play import compiled
from simulator.words.reading import load, packaged

whole = hashlib.sha256()
for name in packaged():
    scenario = load(name)
    for strategy in scenario.strategies:
        for stratum in range(len(scenario.change.defects) + 1):
            found = play(scenario, name, 1, Batch(strategy, stratum, 0, 1))
            whole.update(repr(found).encode())
print(compiled.used(), whole.hexdigest())
"""

INTERRUPTED = """
import signal
from simulator.findings.study import Batch, play
from simulator.play import compiled
from simulator.play.luck import Luck
from simulator.words.reading import load

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
luck, scenario, heard = Luck(7), load("textbook"), 0
name = next(iter(scenario.strategies))
doings = (lambda: luck.uniform(3, 5), lambda: luck.uniforms(3, 5, 12), lambda: luck.rekey(9),
          lambda: play(scenario, "textbook", 1, Batch(name, 1, 0, 1)))
for number in range(400):
    try:
        signal.setitimer(signal.ITIMER_REAL, 2e-4 + number * 2e-6)
        while True:
            doings[number % len(doings)]()
    except KeyboardInterrupt:
        heard += 1
print(compiled.used(), heard)
"""


def played(switch: str) -> list[str]:
    """Whether machine code was used, and a digest of a replication of every packaged strategy."""
    found = subprocess.run(
        [sys.executable, "-c", PLAYS],
        env={**os.environ, "DEPLOYSIM_COMPILED": switch},
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.split()


def test_every_packaged_strategy_comes_to_the_same_numbers() -> None:
    if not compiled.folder().is_dir():
        assert not os.environ.get("E2E"), "make fast has not been run"
        pytest.skip("nothing is compiled: make fast")
    (plain, expected), (used, found) = played("0"), played("1")
    assert (plain, used) == ("False", "True")
    assert found == expected


@pytest.mark.skipif(os.name != "posix", reason="needs timers of POSIX")
def test_an_interrupt_at_any_moment_is_an_exception() -> None:
    """The product of whole numbers of more than 62 bits asks for signals, and mypyc aborts then."""
    found = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.split() == [str(compiled.used()), "400"]
    assert compiled.used() or not os.environ.get("E2E"), "make fast has not been run"


def test_no_class_has_its_base_on_the_other_side() -> None:
    """A class of Python cannot be derived from a compiled one, nor the other way round."""
    base: dict[str, bool] = {}
    derived: list[tuple[str, str, bool]] = []
    for path in sorted(compiled._HERE.glob("*.py")):
        inside = path.stem in compiled._MODULES
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                base[node.name] = inside
                named = [one.id for one in node.bases if isinstance(one, ast.Name)]
                derived += [(node.name, name, inside) for name in named]
    assert [one for one in derived if base.get(one[1], one[2]) != one[2]] == []


def test_changed_sources_have_no_machine_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "simulator" / "play"
    shutil.copytree(compiled._HERE, package, ignore=shutil.ignore_patterns("__*__"))
    monkeypatch.setattr(compiled, "_HERE", package)
    monkeypatch.setattr(compiled, "_PACKAGE", tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("DEPLOYSIM_COMPILED", raising=False)
    assert compiled.place() == []
    there = compiled.folder()
    there.mkdir(parents=True)
    assert compiled.place() == [str(there / "simulator" / "play")]
    assert compiled.used()
    (package / "state.py").write_text("# changed\n")
    assert compiled.folder() != there
    assert compiled.place() == []


def test_what_cannot_be_compiled_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "simulator" / "play"
    package.mkdir(parents=True)
    (package / "state.py").write_text("one: int = 'two'\n")
    monkeypatch.setattr(compiled, "_HERE", package)
    monkeypatch.setattr(compiled, "_PACKAGE", tmp_path)
    monkeypatch.setattr(compiled, "_MODULES", ("state",))
    with pytest.raises(compiled.CompilerError, match=r"int(?s:.*)this needs mypyc .* and a C comp"):
        compiled.build()
    assert not compiled.folder().exists()
