"""Controllers of real platforms: a package each, its strategy kinds found by walking this one.

`rules` holds what a controller works out, exactly and without an engine; `release` its kinds.
"""

from __future__ import annotations

import importlib
import pkgutil

for _package in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_package.name}.release")
