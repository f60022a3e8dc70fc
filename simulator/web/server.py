"""The server: makes everything ready before the first visitor comes."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "entry" / "script.py"
_HOUSE, _PATIENCE = "house", 20.0


def _get_ready() -> None:
    """Start the workers, ask the first page's question, then import what pages draw with."""
    from simulator.web import pool

    pool.warm_up()
    from simulator.web import jobs, state
    from simulator.words.reading import load

    first = load(state.FIRST)
    job = jobs.compared(_HOUSE, _HOUSE, first, jobs.USUAL_REPLICATIONS, jobs.USUAL_SEED)
    job.wait(_PATIENCE)
    jobs.desk().let_go(_HOUSE, _HOUSE)
    from simulator.web import evidence  # noqa: F401


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """What happens when the server starts: nobody waits for it."""
    threading.Thread(target=_get_ready, daemon=True, name="deploysim ready").start()
    yield
