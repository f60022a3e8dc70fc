"""The router in front of the service."""

from __future__ import annotations

from pydantic import Field

from simulator.words.model import Words
from simulator.words.units import Duration


class Router(Words):
    """How a published weight comes into effect."""

    propagation: Duration = Field(
        description="Time from publishing a weight until it is in effect everywhere."
    )
