"""Write docs/pipelines.md's example anew: python -m tests.cli.pipelines."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from simulator.cli.app import run

PAGE = Path(__file__).parents[2] / "docs" / "pipelines.md"
COMMAND = "deploysim compare quiet-api -n 100 --pace 1 --no-assumptions --format markdown"
_EXAMPLE = re.compile(r"(<!-- example -->\n).*?(<!-- end of example -->)", re.DOTALL)


def example() -> str:
    """What the command of the example prints now."""
    out = io.StringIO()
    arguments = [*COMMAND.split()[1:], "--quiet"]
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        run(arguments)
    return out.getvalue()


def page(text: str, shown: str) -> str:
    """The page with the example in its place."""
    return _EXAMPLE.sub(lambda found: f"{found[1]}\n{shown}\n{found[2]}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8"), example()), "utf-8")
