"""An audience that has the new version before all others, where nobody else is sticky."""

from __future__ import annotations

from simulator.play.users import Pair, Users


class Audience(Users):
    """The share of users harmed where a first part of them keeps to the new version.

    Of a weight w the audience, a share s of the users, has min(w / s, 1) and every request of the
    others is on the new version with probability (w - s) / (1 - s).
    """

    __slots__ = ("_share",)

    def __init__(self, share: float, reach: float, reporting: bool = True) -> None:
        super().__init__(False, reach, reporting)
        self._share = share
        self._split(share)

    def _like(self) -> Users:
        return Audience(self._share, self.reach, self.reporting)

    def add(self, span: Pair, weight: float, old: Pair, new: Pair, excused: bool) -> None:
        """Add hazards (common, segment) for users on old and on new over span = (from, to)."""
        first = min(weight / self._share, 1.0)
        rest = max(weight - self._share, 0.0) / max(1.0 - self._share, 1e-300)
        rows = []
        for row, on_new in zip(self.classes, (first, rest), strict=False):
            common = (1 - on_new) * old[0] + on_new * new[0]
            segment = (1 - on_new) * old[1] + on_new * new[1]
            if common or segment:
                rows.append((row, common, segment))
        if rows:
            self._gather(span, rows, excused)
