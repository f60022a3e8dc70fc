"""An exam question: what may be chosen in a scenario, and the figure that decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from simulator.words.model import Frozen, Words
from simulator.words.objectives import MeasureField

_FEWEST = 2


class Option(Words):
    """One answer: a strategy with other keys changed, or a value of the deciding figure."""

    text: str = Field(description="The answer as it is offered.")
    strategy: str | None = Field(
        None, description="The strategy it stands for; the planned one when left out."
    )
    changes: Annotated[Mapping[str, Any], AfterValidator(Frozen)] = Field(
        default_factory=Frozen,
        alias="set",
        description="Other keys it changes: path and value, as --set.",
    )
    value: Any = Field(
        None, description="The value it predicts; then the nearest option is the answer."
    )


class Turn(Words):
    """A setting that is moved until another option is the answer."""

    path: str = Field(description="The setting, as a path of --set.")
    low: Any = Field(None, description="The lowest value that is tried.")
    high: Any = Field(None, description="The highest value that is tried.")
    to: Any = Field(None, description="Instead of a range: the one other value that is tried.")

    @model_validator(mode="after")
    def _says_where(self) -> Turn:
        ends = (self.low is not None) + (self.high is not None)
        if (self.to is None) != (ends == 2) or (self.to is not None and ends):
            raise ValueError("needs low and high, or to alone: write the values to be tried")
        return self


class Exam(Words):
    """A question whose answer a run computes: it is nowhere written down.

    Options that cannot be carried out, or miss more of the scenario's objectives, lose first; of
    the others the least deciding figure wins (with `most` the largest).
    """

    decides: MeasureField = Field(description="The figure that decides: FIGURE [stat] [given ...].")
    most: bool = Field(False, description="Whether the largest figure wins, not the least.")
    shows: tuple[MeasureField, ...] = Field((), description="Figures that are shown beside it.")
    options: Annotated[Mapping[str, Option], AfterValidator(Frozen)] = Field(
        description="The answers, by their letters."
    )
    flips: Turn = Field(description="What is moved to see another answer.")

    @property
    def predicts(self) -> bool:
        """Whether the options are values of the figure instead of things to do."""
        return all(option.value is not None for option in self.options.values())

    @model_validator(mode="after")
    def _can_be_answered(self) -> Exam:
        valued = [option.value is not None for option in self.options.values()]
        if len(valued) < _FEWEST:
            raise ValueError(
                "has fewer than two options: write e.g. options: {A: {text: ...}, ...}"
            )
        if any(valued) and not all(valued):
            raise ValueError("some options have a value and some have none: give all one, or none")
        return self
