"""Controllers of real platforms: a package each, its strategy kinds found by walking this one.

`rules` holds what a controller works out, exactly and without an engine; `release`, where there is
one, its kinds.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

for _package in pkgutil.iter_modules(__path__):
    _release = f"{__name__}.{_package.name}.release"
    if importlib.util.find_spec(_release) is not None:
        importlib.import_module(_release)
