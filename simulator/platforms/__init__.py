"""What the controllers of real platforms do: a folder each, with its rules and its release."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec

for _platform in pkgutil.iter_modules(__path__):
    if find_spec(f"{__name__}.{_platform.name}.release") is not None:
        importlib.import_module(f"{__name__}.{_platform.name}.release")
