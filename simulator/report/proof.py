"""The validation page as rows: what is known without the engine, beside what it simulates."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_OFF = "off"
_SEPARATOR = {"-", ":"}


class Section(NamedTuple):
    """A part of the validation page: title, columns of its table, and rows of text."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def furthest(self) -> str:
        """The largest distance in it, in standard errors or per cent of the exact value; empty
        where distances are not given."""
        place = self.heads.index(_OFF) if _OFF in self.heads else None
        off = [row[place] for row in self.rows if place is not None and row[place]]
        worst = max(off, key=lambda text: abs(float(text.rstrip("%"))), default="")
        if not worst:
            return ""
        return worst.lstrip("-").replace("%", " %") + ("" if "%" in worst else " standard errors")


def page() -> Path:
    """Where the validation page is: in the wheel, or among the documents of a checkout."""
    here = Path(__file__).resolve().parents[1]
    bundled = here / "_bundle" / "docs" / "validation.md"
    return bundled if bundled.is_file() else here.parent / "docs" / "validation.md"


def sections() -> tuple[Section, ...]:
    """Every part of the validation page that has a table; empty when there is no page."""
    try:
        text = page().read_text("utf-8")
    except OSError:
        return ()
    found = []
    for part in text.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        rows = [_cells(line) for line in lines if line.startswith("|")]
        rows = [row for row in rows if not all(set(cell) <= _SEPARATOR for cell in row)]
        if len(rows) > 1:
            found.append(Section(title.strip(), _named_apart(rows[0]), tuple(rows[1:])))
    return tuple(found)


SUMMARY = ("what", "rows", "furthest off")


def summary(parts: tuple[Section, ...]) -> list[tuple[str, ...]]:
    """A row for each part: its title, its number of rows, and the largest distance."""
    return [(part.title, str(len(part.rows)), part.furthest or "see its table") for part in parts]


def _named_apart(heads: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the same name with a number behind all but the first."""
    return tuple(
        head if head not in heads[:place] else f"{head} {heads[:place].count(head) + 1}"
        for place, head in enumerate(heads)
    )


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip("`") for cell in line.strip().strip("|").split("|"))
