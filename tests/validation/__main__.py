"""Write docs/validation.md; the exit status is 1 when anything is off."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.validation.page import page

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"


def main() -> int:
    """Play everything, write the page, and name what failed."""
    text, failures = page()
    PAGE.write_text(text, "utf-8")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
