"""What every figure means and what is assumed, as tables of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.words import profiles
from simulator.words.figures import FIGURES

if TYPE_CHECKING:
    import pandas as pd

FIGURE = ("figure", "what it is")
_UNITS = {"s": "time", "share": "share", "count": "count", "money": "money"}
_COLUMNS = ("path", "value", "low", "high", "kind", "source")


def figures() -> list[tuple[str, ...]]:
    """Every figure: its name and its meaning with its unit."""
    return [(name, f"{figure.meaning} ({_UNITS[figure.unit]})") for name, figure in FIGURES.items()]


def more_is_better() -> str:
    """The figures of which more is better, as text."""
    return ", ".join(name for name, figure in FIGURES.items() if not figure.smaller)


def defaults(profile: str | None = None) -> pd.DataFrame:
    """Every default as text, with a profile's values; raises KeyError for an unknown one."""
    import pandas as pd

    rows = [[text(getattr(row, column)) for column in _COLUMNS] for row in profiles.rows(profile)]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def text(value: Any) -> str:
    """A value as a file would say it in one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {text(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(text(one) for one in value)}]"
    return str(value)


def end(value: Any) -> str:
    """An end of a plausible range; of a law its median or mean."""
    if isinstance(value, dict) and len(value) == 1:
        law, given = next(iter(value.items()))
        for key in ("median", "mean"):
            if isinstance(given, dict) and key in given:
                return f"{key} {given[key]}"
        return str(law)
    return text(value)
