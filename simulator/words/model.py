"""The base of every section of a scenario: frozen, and closed to unknown keys."""

from __future__ import annotations

import math
from typing import Any, NoReturn, Self

from pydantic import BaseModel, ConfigDict, model_validator


class Words(BaseModel):
    """A part of what the user says: immutable, complete, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _is_finite(self) -> Self:
        for key, value in self:
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{key} is too large: write a smaller number")
        return self


class Frozen(dict[str, Any]):
    """A mapping that keeps its order and cannot be changed; it can be hashed and pickled."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a scenario cannot be changed: use scenario.with_(path, value)")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse
    __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
