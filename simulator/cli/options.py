"""Options that several commands share, and how progress is shown."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulator.findings.executors import Workers

Scenario = Annotated[
    str,
    typer.Argument(metavar="SCENARIO", help="A file, -, or a packaged name."),
]
Replications = Annotated[
    int,
    typer.Option(
        "-n",
        "--replications",
        min=1,
        max=1_000_000,
        help="Good, and bad, replications.",
    ),
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", metavar="5%", help="Go on until headline means are this precise."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")]
Names = Annotated[
    list[str] | None, typer.Option("--strategy", help="Only this strategy (repeatable).")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a key (repeatable).")
]
Pace = Annotated[
    str, typer.Option("--pace", help="Paces of the curves of time against harm; 1 for none.")
]
PACES = "0.25,0.5,1,2,4"
Flips = Annotated[
    list[str] | None,
    typer.Option(
        "--flips",
        metavar="PATH=LOW..HIGH",
        help="Where the recommendation changes; `all` for every assumption (repeatable).",
    ),
]
Tornado = Annotated[
    list[str] | None,
    typer.Option(
        "--tornado",
        metavar="FIGURE",
        help="What every assumption does to it: FIGURE [STAT] [given ...] (repeatable).",
    ),
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=0, help="Worker processes; 0 means one per core.")
]
Executor = Annotated[
    str, typer.Option("--executor", help="serial, local, dask:local, dask:ADDRESS or ray.")
]
Format = Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")]
FORMATS = ("table", "json", "csv", "markdown")
ShortFormat = Annotated[str, typer.Option("--format", help="table, json or markdown.")]
SHORT_FORMATS = ("table", "json", "markdown")
Json = Annotated[bool, typer.Option("--json", help="JSON, and errors as JSON too.")]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write there, not to stdout."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no notes.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="Plain text.")]


def workers(jobs: int, executor: str) -> Workers:
    """The workers for these options; raises a usage error for what is unknown or out of reach."""
    if executor in ("serial", "local"):
        return 1 if executor == "serial" else jobs or os.cpu_count() or 1
    from simulator.findings import clusters

    try:
        return clusters.executor(executor, jobs)
    except clusters.ExecutorError as error:
        raise typer.BadParameter(str(error), param_hint="--executor") from None


def paces(text: str) -> tuple[float, ...]:
    """The paces in a text; raises a usage error."""
    try:
        found = tuple(float(item) for item in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(0 < pace <= 1000 for pace in found):
        raise typer.BadParameter(
            f"{text!r} is no list of paces above 0, e.g. 0.5,1,2", param_hint="--pace"
        )
    return found


def relative(precision: str | None) -> float | None:
    """The relative precision asked for; raises a usage error."""
    if precision is None:
        return None
    from simulator.words.units import share

    try:
        number = share(precision)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--precision") from None
    if number <= 0:
        raise typer.BadParameter("must be above 0, e.g. 5%", param_hint="--precision")
    return number


def chosen_format(name: str, as_json: bool, allowed: tuple[str, ...]) -> str:
    """The output format; raises a usage error for an unknown one."""
    if name not in allowed:
        raise typer.BadParameter(
            f"{name!r} is not one of {', '.join(allowed)}", param_hint="--format"
        )
    return "json" if as_json else name


def colour(no_color: bool, output: str | None) -> bool:
    """Whether a text may be marked for a terminal: not in a file, and not where it is unwanted."""
    return not no_color and output in (None, "-")


def emit(text: str, output: str | None) -> None:
    """Write data to the file or to standard output, with one newline at its end."""
    text = text if text.endswith("\n") else text + "\n"
    if output is None or output == "-":
        sys.stdout.write(text)
        return
    put(text.encode(), output)


def put(content: bytes, output: str) -> None:
    """Write a file whole, or leave what was there; raises OSError with the file's name.

    A device, a pipe, and a file in a folder that takes no other one are written in place.
    """
    path = Path(output)
    if path.exists() and not _replaceable(path):
        try:
            with path.open("wb") as file:
                file.write(content)
        except OSError as error:
            error.filename = output
            raise
        return
    from simulator.findings.runs import write

    write(path.resolve(), content, stat.S_IMODE(path.stat().st_mode) if path.exists() else None)


def _replaceable(path: Path) -> bool:
    """Whether a file that is there may be replaced by another one: nobody else means the same."""
    own = path.is_file() and path.stat().st_nlink == 1
    in_use = str(path).startswith(("/dev/", "/proc/"))
    return own and not in_use and os.access(path.resolve().parent, os.W_OK)


def can_write(output: str | None, hint: str = "-o") -> None:
    """Refuse a file that cannot be written before anything is simulated; raises a usage error."""
    if output in (None, "-"):
        return
    path = Path(str(output))
    try:
        path = path if path.exists() else path.resolve()
        if path.is_symlink() and not path.exists():  # Python 3.13 resolves such a link to itself
            why = "it is a link that leads to itself; name another file"
        elif path.is_dir():
            why = "it is a folder; name a file in it"
        elif not path.parent.is_dir():
            why = f"its folder is not there; make {str(path.parent)!r} first, or name another file"
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            read_only = "it is" if path.exists() else "its folder is"
            why = f"{read_only} read-only; name another file"
        else:
            return
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        why = f"{getattr(error, 'strerror', error)}; name another file"
    raise typer.BadParameter(f"cannot write {output!r}: {why}", param_hint=hint)


def can_fill(folder: str | None, hint: str) -> None:
    """Make a folder, and refuse one that cannot be written; raises a usage error."""
    if folder is None:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK) else "it is read-only"
    except OSError as error:
        why = str(error.strerror)
    if why:
        raise typer.BadParameter(
            f"cannot write into {folder!r}: {why}; name another folder", param_hint=hint
        )


def note(text: str, quiet: bool = False) -> None:
    """A remark for people, on standard error."""
    if not quiet:
        print(text, file=sys.stderr)


def progress(quiet: bool) -> Callable[[int, int], None] | None:
    """A progress line on standard error, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        return None
    began = ended = time.monotonic()
    before = 0

    def show(done: int, total: int) -> None:
        """Draw the line anew; what begins at the front again is another study."""
        nonlocal began, before, ended
        if done < before:
            began = ended
        before, ended = done, time.monotonic()
        spent = max(ended - began, 1e-6)
        rate = done / spent
        left = (total - done) / rate if rate else 0.0
        end = "\n" if done >= total else ""
        line = f"\r{done:,} of {total:,} replications, {rate:,.0f}/s, {left:.0f} s left  "
        print(line, end=end, file=sys.stderr, flush=True)

    return show
