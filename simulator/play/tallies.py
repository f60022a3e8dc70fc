"""What controllers keep count of: instances on their way, starts that have failed."""

from __future__ import annotations

from simpy import Event


class Coming:
    """Instances that were started and do not serve yet; `all_here` happens when none is left."""

    __slots__ = ("all_here", "count", "ever_missing")

    def __init__(self) -> None:
        self.count, self.ever_missing = 0, False
        self.all_here: Event | None = None

    def arrive(self) -> None:
        """One of them serves from now on."""
        self.count -= 1
        if not self.count and self.all_here is not None:
            self.all_here.succeed()


class Breaker:
    """Failed starts so far against the number at which a deployment has failed."""

    __slots__ = ("count", "failures", "reset")

    def __init__(self, failures: int, reset: bool) -> None:
        self.failures, self.reset = failures, reset
        self.count = 0

    def forget(self) -> None:
        """An instance is in service: count anew."""
        self.count = 0
