"""The study: strata of good and bad releases, played by every strategy with the same luck."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from simulator.findings.columns import Columns, Packed, columns, joined, packed, unpacked
from simulator.findings.executors import Shared, Workers, each
from simulator.findings.runs import Kept
from simulator.play.luck import Luck
from simulator.play.rehearsal import prepare
from simulator.play.replication import replicate

if TYPE_CHECKING:
    from simulator.play.outcome import Outcome
    from simulator.play.plan import Plan
    from simulator.words.scenario import Scenario

FEWEST_PER_STRATUM = 50
_CHUNK, _MANY, _LEFT_BEHIND = 200, 20_000, 20_000
GOOD_RELEASE = "good"
Progress = Callable[[int, int], None]


class Stratum(NamedTuple):
    """Releases of one kind: their label, number, probability among all releases, and count."""

    label: str
    number: int
    probability: float
    replications: int


class Interrupted(KeyboardInterrupt):
    """Work that was stopped: `columns` holds, for each job, the strategies with some of every
    stratum.
    """

    def __init__(self, columns: Sequence[dict[str, dict[int, Columns]]]) -> None:
        super().__init__("interrupted")
        self.columns = columns


class Batch(NamedTuple):
    """A run of replications of one stratum and strategy: first number and end."""

    strategy: str
    stratum: int
    start: int
    stop: int


def strata(
    scenario: Scenario, replications: int, fewest: int = FEWEST_PER_STRATUM
) -> tuple[Stratum, ...]:
    """Good releases and one stratum for each kind of defect.

    Good releases get `replications`; kinds share as many by largest remainder, each at least
    `fewest`, so rare kinds are as precise as common ones. Probabilities sum to 1.
    """
    change = scenario.change
    chance = change.defect_probability
    wanted = [share * replications for share in change.shares]
    counts = [int(number) for number in wanted]
    rest = sorted(range(len(wanted)), key=lambda k: counts[k] - wanted[k])
    for k in rest[: replications - sum(counts)]:
        counts[k] += 1
    result = [Stratum(GOOD_RELEASE, 0, 1 - chance, max(replications, fewest))]
    for number, (label, share, count) in enumerate(
        zip(change.labels, change.shares, counts, strict=True), 1
    ):
        result.append(Stratum(label, number, chance * share, max(count, fewest)))
    return tuple(result)


def weighed(scenario: Scenario, groups: Sequence[Stratum]) -> tuple[Stratum, ...]:
    """The same strata with the probabilities that this scenario gives them."""
    change = scenario.change
    chances = [1 - change.defect_probability]
    chances += [change.defect_probability * share for share in change.shares]
    return tuple(group._replace(probability=chances[group.number]) for group in groups)


@lru_cache(maxsize=64)
def _prepared(digest: str, name: str, keep: _Kept) -> Plan:
    return prepare(keep.scenario, name)


class _Kept:
    """A scenario beside its hash, so that a plan is prepared once per process."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept)


def play(scenario: Scenario, digest: str, seed: int, batch: Batch) -> Columns:
    """Play one batch; the columns are the outcome's fields, one value per replication.

    A replication's address is (seed, stratum, number): every strategy meets the same luck, and
    neither the number of workers nor the rivals change a byte.
    """
    plan = _prepared(digest, batch.strategy, _Kept(scenario))
    change = scenario.change
    defect = change.defects[batch.stratum - 1] if batch.stratum else None
    label = change.labels[batch.stratum - 1] if batch.stratum else GOOD_RELEASE
    luck = Luck(seed)
    rows: list[Outcome] = []
    with rarely_collected():
        for number in range(batch.start, batch.stop):
            luck.rekey((batch.stratum << 40) + number)
            rows.append(replicate(plan, luck, defect, label))
    return columns(rows)


@contextmanager
def rarely_collected() -> Iterator[None]:
    """What a replication, or a report, leaves behind is collected with that of others, not several
    times.
    """
    often, *rest = gc.get_threshold()
    gc.set_threshold(often and max(often, _LEFT_BEHIND), *rest)
    try:
        yield
    finally:
        gc.set_threshold(often, *rest)


def batches(
    names: Iterable[str], groups: Sequence[Stratum], done: Sequence[int] = (), most: int = _CHUNK
) -> Iterator[Batch]:
    """All batches of a study, the strata of a strategy interleaved, beyond those `done` of each.

    They have at most `most` replications, in large studies (above 20 000 of some stratum) five
    times as many.
    """
    many = max((group.replications for group in groups), default=0) > _MANY
    size = 5 * most if many else most
    for name in names:
        pieces = []
        for group in groups:
            first = done[group.number] if done else 0
            for start in range(first, group.replications, size):
                stop = min(start + size, group.replications)
                pieces.append((start, group.number, stop))
        for start, number, stop in sorted(pieces):
            yield Batch(name, number, start, stop)


class Job(NamedTuple):
    """Strata to be played by some strategies of a scenario, beyond those `done` of each."""

    scenario: Scenario
    names: Sequence[str]
    groups: Sequence[Stratum]
    done: Sequence[int] = ()


def run(
    work: Sequence[Job],
    seed: int,
    workers: Workers = 1,
    progress: Progress | None = None,
) -> list[dict[str, dict[int, Columns]]]:
    """Play every job; for each, by strategy, the columns of each stratum.

    The result is the same for any number of worker processes. `Kept` workers play only what their
    store does not have, and write every batch as it is finished; an executor that says `most` gets
    batches of at most so many replications. `progress` counts what is played.
    A keyboard interrupt raises `Interrupted` with what was finished of each job.
    """
    most = getattr(workers, "most", _CHUNK)
    items = [
        (number, batch)
        for number, job in enumerate(work)
        for batch in batches(job.names, job.groups, job.done, most)
    ]
    found: list[dict[Batch, Columns]] = [{} for _ in work]
    try:
        missing = []
        for number, batch, part in _kept(work, seed, items, workers):
            if part is None:
                missing.append((number, batch))
            else:
                found[number][batch] = part
        total, done = sum(batch.stop - batch.start for _, batch in missing), 0
        for number, batch, part in _played(work, seed, missing, workers):
            found[number][batch] = part
            done += batch.stop - batch.start
            if progress is not None:
                progress(done, total)
    except KeyboardInterrupt:
        kept = zip(work, found, strict=True)
        raise Interrupted(
            [_complete(_gathered(*one, most), one[0].groups) for one in kept]
        ) from None
    return [_gathered(job, parts, most) for job, parts in zip(work, found, strict=True)]


def _complete(
    columns: dict[str, dict[int, Columns]], groups: Sequence[Stratum]
) -> dict[str, dict[int, Columns]]:
    wanted = {group.number for group in groups}
    return {name: parts for name, parts in columns.items() if set(parts) == wanted}


def _kept(
    work: Sequence[Job], seed: int, items: Sequence[tuple[int, Batch]], workers: Workers
) -> Iterator[tuple[int, Batch, Columns | None]]:
    """Every batch with its columns from the store of the workers, None for what is not there."""
    digests = [job.scenario.sha256 for job in work] if isinstance(workers, Kept) else []
    for number, batch in items:
        known = isinstance(workers, Kept) and workers.store.find(digests[number], seed, batch)
        yield number, batch, known or None


def _played(
    work: Sequence[Job], seed: int, items: Sequence[tuple[int, Batch]], workers: Workers
) -> Iterator[tuple[int, Batch, Columns]]:
    """Every batch with its columns as they come, written to the store of the workers first."""
    digests = [job.scenario.sha256 for job in work]
    scenarios = [Shared(job.scenario) for job in work]
    calls = [(number, scenarios[number], digests[number], seed, batch) for number, batch in items]
    inner = workers.workers if isinstance(workers, Kept) else workers
    with closing(each(_numbered, calls, inner, _at_once(items))) as results:
        for number, batch, found in results:
            if isinstance(workers, Kept):
                workers.store.keep(digests[number], seed, batch, found)
            yield number, batch, unpacked(found)


def _at_once(items: Sequence[tuple[int, Batch]]) -> int:
    """Batches that a worker takes at once: more when they are small."""
    mean = sum(batch.stop - batch.start for _, batch in items) / max(len(items), 1)
    return max(int(_CHUNK / 2 / max(mean, 1)), 1)


def _numbered(
    number: int, scenario: Shared[Scenario], digest: str, seed: int, batch: Batch
) -> tuple[int, Batch, Packed]:
    return number, batch, packed(play(scenario.value, digest, seed, batch))


def _gathered(job: Job, found: dict[Batch, Columns], most: int) -> dict[str, dict[int, Columns]]:
    """Join the batches of each strategy and stratum in the order of their replications.

    What lies beyond a batch that is missing is left out: rivals are paired by their place.
    """
    parts: dict[str, dict[int, list[Columns]]] = {}
    reached: dict[tuple[str, int], int] = {}
    for batch in batches(job.names, job.groups, job.done, most):
        place = (batch.strategy, batch.stratum)
        if batch in found and reached.get(place, batch.start) == batch.start:
            parts.setdefault(batch.strategy, {}).setdefault(batch.stratum, []).append(found[batch])
            reached[place] = batch.stop
        else:
            reached[place] = -1
    return {
        name: {stratum: joined(pieces) for stratum, pieces in sorted(by_stratum.items())}
        for name, by_stratum in parts.items()
    }
