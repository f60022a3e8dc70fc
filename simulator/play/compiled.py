"""The data plane as machine code, where somebody has had it compiled; the numbers are the same.

mypyc compiles the modules that count requests from the very sources that Python otherwise runs.
What comes of it lies beside them, in a folder named after their content: as soon as one of them
changes, they are run as they stand until they are compiled anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PACKAGE = _HERE.parents[1]
_SWITCH = "DEPLOYSIM_COMPILED"
_MODULES = (
    *("alarm", "analyses", "analysing", "audience", "backlog", "bill", "burn", "calm", "canaries"),
    *("cells", "controllers", "counts", "course", "cutovers", "drawing", "drawn", "fates"),
    *("fault", "flags", "fleet", "holders", "installing", "judging", "kept", "lead", "leak"),
    *("load", "luck", "noise", "pacing", "plan", "pool", "pressure", "quiet", "reconnecting"),
    *("rehearsal", "replicas", "replication", "respond", "rollout", "router", "shares"),
    *("situation", "solo", "state", "store", "stretch", "tallies", "trouble", "users", "verbs"),
    *("visits", "waits", "watch"),
)
# What mypyc makes of them is compiled file by file, as many at once as there are processors.
_SETUP = """
import sys
from concurrent.futures import ThreadPoolExecutor
from mypyc.build import mypycify
from setuptools import setup
from setuptools.command.build_ext import build_ext

class SideBySide(build_ext):
    def build_extension(self, ext):
        def compiled(source):
            return self.compiler.compile([source], self.build_temp, None, ext.include_dirs,
                                         extra_postargs=ext.extra_compile_args)[0]
        with ThreadPoolExecutor() as pool:
            ext.extra_objects, ext.sources = list(pool.map(compiled, ext.sources)), []
        super().build_extension(ext)

files = mypycify(sys.argv[1:], opt_level="2", debug_level="0", multi_file=True)
setup(name="play", ext_modules=files, cmdclass={"build_ext": SideBySide},
      script_args=["build_ext", "--inplace"])
"""
# Types from elsewhere are left to run time, as in Python; only those of arrays are looked up.
_TYPES = """[mypy]
follow_imports = skip
ignore_missing_imports = True
[mypy-numpy.*]
follow_imports = silent
"""


class CompilerError(Exception):
    """Nothing could be compiled; the text says why, and what to do."""


def folder() -> Path:
    """Where machine code of exactly these sources lies, for this Python on this machine."""
    whole = hashlib.sha256(f"{sys.implementation.cache_tag} {platform.machine()}\n".encode())
    for name in _MODULES:
        whole.update(f"{name}\n".encode() + (_HERE / f"{name}.py").read_bytes())
    return _HERE / "__mypyc__" / whole.hexdigest()[:16]


def used() -> bool:
    """Whether this process runs machine code."""
    return str(folder()) in sys.path


def place() -> list[str]:
    """Where Python shall look for modules of this package first; nowhere without machine code.

    DEPLOYSIM_COMPILED=0 leaves it out.
    """
    found = folder()
    if os.environ.get(_SWITCH) == "0" or not found.is_dir():
        return []
    sys.path.append(str(found))  # what the modules share
    return [str(found / _HERE.relative_to(_PACKAGE))]


def build() -> Path:
    """Compile, unless it has been done, and forget what other sources came to.

    Raises CompilerError without mypyc or a C compiler.
    """
    wanted = folder()
    if wanted.is_dir():
        return wanted
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        inside = where / _HERE.relative_to(_PACKAGE)
        inside.mkdir(parents=True)
        for package in (inside.parent, inside):
            (package / "__init__.py").touch()
        for module in _MODULES:
            shutil.copy(_HERE / f"{module}.py", inside)
        (where / "mypy.ini").write_text(_TYPES)
        sources = [str(path.relative_to(where)) for path in sorted(inside.glob("[!_]*.py"))]
        done = subprocess.run(
            [sys.executable, "-c", _SETUP, *sources],
            cwd=where,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            why = "\n".join(done.stdout.splitlines()[-80:])
            raise CompilerError(f"{why}\nthis needs mypyc (make setup) and a C compiler (cc)")
        shutil.rmtree(wanted.parent, ignore_errors=True)
        _keep(where, wanted)
    return wanted


def _keep(built: Path, wanted: Path) -> None:
    """Put what was built where it is looked for, all at once."""
    wanted.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent) as name:
        ready = Path(name) / "whole"
        for file in [*built.glob("*.so"), *built.glob("simulator/**/*.so")]:
            target = ready / file.relative_to(built)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        ready.rename(wanted)


def main() -> None:
    """Compile, or say in one line why that cannot be."""
    try:
        print(f"compiled: {build()}")
    except CompilerError as error:
        sys.exit(str(error))
