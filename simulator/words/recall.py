"""Versions that run with the users, who install them in their own time and keep them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from simulator.words.profiles import usual
from simulator.words.service import Service
from simulator.words.units import Duration, duration
from simulator.words.waves import InWaves

if TYPE_CHECKING:
    from simulator.words.scenario import Scenario


class Installed(InWaves):
    """What a rollout in waves says of users who install what they are offered."""

    recall: Literal["none"] | None = Field(
        None,
        description="none: nothing takes the new version back from users who have installed it; "
        "rolling back ends its growth, and a repaired version (response.fix) replaces it.",
    )
    adoption: Duration | None = Field(
        None,
        description="With recall: none, mean time in which users install what they are offered, "
        "this version and then the repaired one, which is offered to all at once (exponential); "
        "an assumption when left out (deploysim defaults).",
    )

    @model_validator(mode="after")
    def _is_installed(self) -> Installed:
        if self.recall is None and self.adoption is not None:
            raise ValueError("adoption needs recall: none; add it, or remove adoption")
        if self.recall is not None and self.by != "users":
            raise ValueError("recall: none has waves of users, who install it: remove by")
        return self

    @property
    def unrecalled(self) -> float | None:
        """Mean seconds of the adoption, where nothing takes the version back."""
        if self.recall is None:
            return None
        if self.adoption is None:
            return duration(usual("recall", "adoption"))
        return self.adoption

    def misfits(self, service: Service) -> Iterator[str]:
        """Cells and zones that are not there; instances, where none runs the version."""
        yield from super().misfits(service)
        if self.recall is not None and not service.elastic:
            yield (
                "recall: none: the version runs on the users' devices, not on instances: write "
                "service: {elastic: true}"
            )

    def notes(self, scenario: Scenario) -> tuple[str, ...]:
        """That a rollback does not take the version back."""
        if self.recall is None:
            return ()
        return (
            "nothing takes this version back: a rollback ends its growth, and whoever has it keeps "
            "it until response.fix and the adoption of the repaired version",
        )
