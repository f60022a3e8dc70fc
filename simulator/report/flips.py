"""Where the recommendation changes, setting by setting, as rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from simulator.report import glossary, wording
from simulator.words.changes import number_at
from simulator.words.settings import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.decide.advice import Comparison
    from simulator.decide.flip import Flip, Search

HEADS = ("setting", "now", "low to high", "flips at", "to")
STILL = "does not flip between low and high"
UNSURE = "? fresh replications do not confirm it."


class Turn(NamedTuple):
    """A setting that was looked at: its path, its value now, the range, where it flips, and which
    strategy takes over there; both empty where it does not flip; its name in words, and whether
    the flip is `sure`: one that fresh replications do not confirm has a question mark after `to`.
    """

    path: str
    now: str
    searched: str
    there: str
    to: str
    named: str
    sure: bool


def searched(comparison: Comparison) -> list[Turn]:
    """The turns of a comparison that settings were searched for; empty when none were."""
    return turns(comparison) if comparison.searched else []


def unsure(found: Sequence[Turn]) -> str:
    """What the question marks mean; empty where there is none."""
    return "" if all(one.sure for one in found) else UNSURE


def turns(comparison: Comparison) -> list[Turn]:
    """Every flip, those in settings that were searched first, then those in prices and odds; then
    every setting that was searched and does not flip.
    """
    ranges = {one.path: one for one in comparison.searched}
    found = [_turn(comparison, one, ranges.get(one.path)) for one in comparison.flips]
    flipping = {one.path for one in comparison.flips if _within(comparison, one)}
    still = [one for one in comparison.searched if one.path not in flipping]
    return [*found, *(_still(comparison, one) for one in still)]


def _within(comparison: Comparison, found: Flip) -> bool:
    """Whether a flip is one of those that were searched for, not of a wider range of prices."""
    for one in comparison.searched:
        if one.path == found.path:
            scenario = comparison.scenario
            ends = [number_at(scenario.with_(one.path, x), one.path) for x in (one.low, one.high)]
            return tuple(ends) == found.searched
    return False


def _turn(comparison: Comparison, found: Flip, searched: Search | None) -> Turn:
    scenario = comparison.scenario
    now, there = (wording.setting(scenario, found.path, x) for x in (found.now, found.flips_at))
    if searched is not None and _within(comparison, found):
        span = _span(searched)
    else:
        low, high = (wording.setting(scenario, found.path, x) for x in found.searched)
        span = f"{low} to {high}"
    side = "above" if found.flips_at > found.now else "below"
    certain = sure(comparison, found)
    to = found.to if certain else f"{found.to} ?"
    return Turn(found.path, now, span, f"{side} {there}", to, label(found.path, scenario), certain)


def _still(comparison: Comparison, one: Search) -> Turn:
    now = wording.setting(comparison.scenario, one.path, number_at(comparison.scenario, one.path))
    return Turn(one.path, now, _span(one), "", "", label(one.path, comparison.scenario), True)


def _span(one: Search) -> str:
    low, high = glossary.end(one.low), glossary.end(one.high)
    word, _, number = high.partition(" ")
    return f"{low} to {number if number and low.startswith(f'{word} ') else high}"


def sure(comparison: Comparison, found: Flip) -> bool:
    """Whether fresh replications agree, or the recommendation is a close call as a whole."""
    return (
        found.verified or not comparison.recommendation or not comparison.recommendation.confirmed
    )
