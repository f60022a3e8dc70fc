"""What each picture of a comparison shows, in one sentence: its caption and text alternative."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.report import headlines, series, wording
from simulator.report.wording import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.decide.advice import Comparison

_LOOKED_AT = 0.1


def plane(comparison: Comparison) -> str:
    """Time against harm: who is first, who harms least, and who is not beaten."""
    points = series.points(comparison)
    if not points:
        return "No strategy deploys a good release here."
    quick = min(points, key=lambda point: point.time)
    mild = min(points, key=lambda point: point.harm)
    text = f"Fastest: {named(quick.strategy)}, {wording.length(quick.time)}. Least harm: "
    text += f"{named(mild.strategy)}, {wording.share(mild.harm)} of users in a bad release. "
    if len(comparison.front) == len(comparison.risk):
        return text + "None is beaten in time, harm and cost at once."
    front = ", ".join(map(named, comparison.front))
    return text + f"Not beaten in time, harm and cost together: {front}."


def exceedance(comparison: Comparison) -> str:
    """Exceedance: how often a bad release harms more than a tenth of the users."""
    chances = dict.fromkeys(comparison.risk, 1.0)
    for row in series.exceedances(comparison):
        if row.x <= _LOOKED_AT:
            chances[row.strategy] = row.share
    least, most = _ends(chances)
    return (
        f"More than {wording.share(_LOOKED_AT)} of users are harmed by "
        f"{wording.share(chances[least])} of bad releases under {named(least)}, and by "
        f"{wording.share(chances[most])} under {named(most)}."
    )


def detected(comparison: Comparison) -> str:
    """Detection: who catches most and fewest bad releases before everyone has them."""
    before = {row.strategy: row.share for row in series.stages(comparison) if not row.order}
    least, most = _ends(before)
    return (
        f"Before everyone has the new version, {named(most)} catches "
        f"{wording.share(before[most])} of bad releases and {named(least)} "
        f"{wording.share(before[least])}."
    )


def bill(comparison: Comparison) -> str:
    """The bill: the cheapest and the dearest strategy."""
    totals = {total.strategy: total for total in series.totals(comparison)}
    if not totals:
        return "Nothing here has a price."
    least, most = _ends({name: total.amount for name, total in totals.items()})
    return (
        f"One release costs {totals[least].text} on average under {named(least)}, and "
        f"{totals[most].text} under {named(most)}."
    )


def _ends(values: Mapping[str, float]) -> tuple[str, str]:
    """The names with the least and the most."""
    return min(values, key=values.__getitem__), max(values, key=values.__getitem__)


def missed(comparison: Comparison, name: str) -> str:
    """What a strategy would miss: bad releases found late or never, and of which kinds."""
    risk = comparison.risk[name]
    shares = {row.order: row.share for row in series.stages(comparison) if row.strategy == name}
    before, _, late, never = (wording.share(shares[order]) for order in sorted(shares))
    text = f"Of all bad releases {named(name)} catches {before} before everyone has the new "
    text += f"version, {late} only after it was watched, and {never} never."
    unseen = {
        kind: given.shares("caught_at")["never"].value or 0.0
        for kind, given in risk.given.items()
        if "never" in given.shares("caught_at")
    }
    worst = sorted(unseen, key=lambda kind: -unseen[kind])[:3]
    if worst:
        listed = ", ".join(f"{kind} ({wording.share(unseen[kind])})" for kind in worst)
        text += f" Never found most often: {listed}."
    if risk.suitable and (blind := headlines.blindest_gate(comparison)):
        text += f" {blind}"
    return text
