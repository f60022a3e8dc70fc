"""The engine's fingerprint: equal fingerprints mean equal numbers for equal scenarios and seeds."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path

from simulator import __version__

_DECIDING = ("words", "strategies", "platforms", "play")
_STUDY = ("findings/study.py", "findings/columns.py")
_KINDS = ("*.py", "*.yaml")
_PACKAGES = ("numpy", "scipy", "simpy")


@cache
def engine() -> str:
    """A digest of everything but scenario and seed that decides what a replication comes to.

    It covers the source of the floors below findings and of the study, the versions of the
    packages that draw and compute, Python's, and the kind of machine.
    """
    from importlib import metadata

    whole = hashlib.sha256()
    for part in (
        __version__,
        platform.python_version(),
        platform.machine(),
        *(f"{name} {metadata.version(name)}" for name in _PACKAGES),
    ):
        whole.update(f"{part}\n".encode())
    whole.update(sources(Path(__file__).resolve().parents[1]).encode())
    return whole.hexdigest()


def sources(package: Path) -> str:
    """A digest of the files of a package that decide a number: their names and their bytes."""
    files = {package / name for name in _STUDY}
    for floor in _DECIDING:
        for kind in _KINDS:
            files.update((package / floor).rglob(kind))
    whole = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        name = path.relative_to(package).as_posix()
        whole.update(f"{name} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()
