"""Whether a first step for an audience fits to the steps after it, and to the users there are."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.words.strategy import Step, Strategy


def crowded(strategy: Strategy, users: int) -> Iterator[str]:
    """What is wrong with the audience of a strategy among so many users, and the remedy."""
    steps = [step for step in getattr(strategy, "steps", ()) if isinstance(step, Step)]
    if any(step.audience is not None for step in steps[1:]):
        yield "an audience comes before all others: let it be the first step"
    first = strategy.admits
    share = first.share(users) if first is not None else 0.0
    if share >= 1:
        yield f"the audience is everybody ({users} users): lower it"
    elif first is not None and len(steps) > 1 and share >= steps[1].weight:
        yield (
            f"the audience is {100 * share:.3g}% of the users, and the next step gives the new "
            f"version to {100 * steps[1].weight:.3g}%: raise that weight, or lower the audience"
        )
