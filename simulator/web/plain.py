"""Texts of scenarios and results on a page: shown as they are, never read as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SPECIAL = re.compile(r"([\\`*_~$\[\]<>#:|!])")
_LIST = re.compile(r"^([-+]|\d+\.)(\s|$)")


def plain(text: str) -> str:
    """A text with everything escaped that Markdown would read as more than a character."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _LIST.sub(r"\\\1\2", escaped)


def frame(rows: Iterable[Sequence[str]], columns: Sequence[str]) -> pd.DataFrame:
    """A table of texts for `st.table`."""
    import pandas as pd

    cells = [[plain(cell) for cell in row] for row in rows]
    return pd.DataFrame(cells, columns=list(columns))
