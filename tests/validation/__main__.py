"""Write docs/validation.md; exit status 1 when a row is too far off."""

from __future__ import annotations

import sys
import time

from tests.validation.page import FAR, played, table
from tests.validation.rows import all_rows


def main() -> int:
    """Play everything and write the page."""
    begun = time.monotonic()
    results = played(all_rows())
    print(table(results))
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    return int(any(result.finding.distance > FAR for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
