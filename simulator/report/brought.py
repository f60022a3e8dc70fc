"""What people read of a rollout that was brought: assumptions, notes, advice, and its scenario."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.decide.brought import SEEN, SHOWN, Advice, Miss
from simulator.report import wording
from simulator.report.markdown import table
from simulator.words import settings
from simulator.words.brought import NAME, Alternative, Assumed, Note
from simulator.words.documents import plain
from simulator.words.writing import annotated

if TYPE_CHECKING:
    from simulator.bring.importing import Imported
    from simulator.decide.tornado import Swing
    from simulator.findings.means import Interval
    from simulator.findings.results import StrategyRisk
    from simulator.words.profiles import Assumption

TITLES = {
    "ignored": "Not carried over, though it might matter",
    "approximated": "Carried over in another form",
    "assumed": "Left open by the manifest, assumed",
    "no_effect": "Without effect on the course of a rollout",
}
NOTED = ("place", "field", "why", "what follows")
USED = ("place", "field of the manifest", "value", "what it became")
_SEEN_SECONDS = 0.05  # less is not worth a word
# What no manifest says and only its owner knows.
ALWAYS = (
    *("traffic.rate", "traffic.users", "change.defect_probability"),
    *("costs.failed_request", "costs.delay"),
)


def scenario(imported: Imported) -> str:
    """The scenario as YAML; every value says whether it is the manifest's, assumed or a default."""
    assumed = {row.path: row for row in imported.assumed}
    defaults = {row.path: row for row in imported.scenario.assumed}

    def said(path: str) -> str:
        """Where a value comes from."""
        if path in assumed:
            row = assumed[path]
            return f"assumed ({row.low} to {row.high}): {row.source}"
        if path in imported.origins:
            return plain("; ".join(imported.origins[path]))
        if path in defaults:
            base = defaults[path]
            wide = "" if base.low is None else f" ({base.low} to {base.high})"
            return plain(f"default{wide}: {base.kind}, {base.source}")
        section = "." not in path or (path.startswith("strategies.") and path.count(".") == 1)
        return "" if section else _below(path, defaults)

    files = ", ".join(dict.fromkeys(manifest.name for manifest in imported.manifests))
    head = f"# {plain(imported.workload.called)}, read from {plain(files)}.\n"
    head += "# Behind every value stands where it comes from.\n"
    return head + annotated(imported.scenario, said)


def _below(path: str, defaults: Mapping[str, Any]) -> str:
    """What to say of a value whose parts have defaults of their own."""
    parts = [row for key, row in defaults.items() if key.startswith((f"{path}.", f"{path}["))]
    return f"defaults: {parts[0].kind}, {plain(parts[0].source)}" if parts else "default"


def summary(imported: Imported) -> str:
    """What was read, in a sentence with counts."""
    counts = {kind: imported.count(kind) for kind in ("used", *TITLES)}
    told = [f"{counts['used']} fields used"]
    for kind, text in (
        ("approximated", "carried over in another form"),
        ("assumed", "assumed"),
        ("no_effect", "without effect"),
        ("ignored", "not carried over"),
    ):
        if counts[kind]:
            told.append(f"{counts[kind]} {text}")
    others = f"; also here: {', '.join(imported.others)}" if imported.others else ""
    return plain(f"{imported.workload.called}: {', '.join(told)}{others}.")


def matters(swings: Sequence[Swing]) -> list[str]:
    """The assumptions that matter most, each with its range, its effect, and how to set it."""
    lines = []
    for swing in [one for one in swings if effect(one)][:SHOWN]:
        row = swing.assumption
        how = f"--set {shlex.quote(f'{row.path}={settings.flow(row.value)}')}"
        lines.append(f"{row.path} = {_value(row.value)} ({_wide(row)}): {effect(swing)}; {how}")
    return lines


def effect(swing: Swing) -> str:
    """What an assumption alone moves between both ends of its range; empty for next to nothing."""
    figure = "users_harmed" if swing.width("users_harmed") >= SEEN else "time_to_deploy"
    if figure == "time_to_deploy" and swing.width(figure) < _SEEN_SECONDS:
        return ""
    ends = sorted((swing.at_low[figure], swing.at_high[figure], 0.0))
    if figure == "users_harmed":
        return f"users harmed by a bad release {_signed(ends[0])} to {_signed(ends[-1])} points"
    return f"moves the time to deploy by {wording.length(ends[-1] - ends[0])}"


def _wide(row: Assumed | Assumption) -> str:
    return f"{_value(row.low)} to {_value(row.high)}"


class Question(NamedTuple):
    """Something that the manifests leave open: a path of the scenario, its plausible range, what it
    moves within that (empty while unknown), its place among those that matter most (from 1; 0 for
    others), and on what the assumed value rests.
    """

    path: str
    plausible: str
    moves: str
    place: int
    source: str


def questions(imported: Imported, swings: Sequence[Swing]) -> list[Question]:
    """What to answer first: what nobody else can know, then the assumptions that matter most."""
    own = [row for row in imported.assumed if row.low != row.high]
    rows: dict[str, Assumed | Assumption] = {row.path: row for row in imported.scenario.assumed}
    rows |= {row.path: row for row in own}
    moved = {swing.assumption.path: swing for swing in swings if effect(swing)}
    most = list(moved)[:SHOWN]
    first = [*ALWAYS, *(row.path for row in own), *most]
    money = f" in {imported.scenario.costs.currency}"
    return [
        Question(
            path,
            _wide(rows[path]) + (money if path.startswith("costs.") else ""),
            effect(moved[path]) if path in moved else "",
            most.index(path) + 1 if path in most else 0,
            plain(rows[path].source),
        )
        for path in dict.fromkeys(first)
        if path in rows and rows[path].low is not None
    ]


def used(imported: Imported) -> list[tuple[str, str, str, str]]:
    """Where every used field went: its place, itself, its value, and the keys of the scenario.

    At the end what is not set in the manifest, where the controller has a default of its own.
    """
    went: dict[str, list[str]] = {}
    for path, origins in imported.origins.items():
        for origin in origins:
            went.setdefault(origin, []).append(
                f"{path} = {_value(settings.at(imported.scenario, path))}"
            )
    rows, found = [], set()
    for note in imported.notes:
        if note.kind == "used":
            of = [origin for origin in went if _stands_in(note, origin)]
            found.update(of)
            keys = dict.fromkeys(key for origin in of for key in went[origin])
            rows.append((f"{note.file}:{note.line}", note.path, note.value, "; ".join(keys)))
    rows += [("", origin, "", "; ".join(went[origin])) for origin in went if origin not in found]
    return rows


def _stands_in(note: Note, origin: str) -> bool:
    """Whether a field is what an origin names, or a part of it."""
    where, _, path = origin.partition(" ")
    if where == f"{note.file}:{note.line}" and path == note.path:
        return True
    whole = note.path.startswith((f"{path}.", f"{path}["))
    return bool(path) and whole and where.rpartition(":")[0] == note.file


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _value(value: Any) -> str:
    text = settings.flow(value) if isinstance(value, bool | dict | list) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def grouped(notes: Iterable[Note]) -> dict[str, list[Note]]:
    """Notes worth reading by the kind of what became of the field, in the order of `TITLES`."""
    found: dict[str, list[Note]] = {kind: [] for kind in TITLES}
    for note in notes:
        if note.kind in found:
            found[note.kind].append(note)
    return {kind: rows for kind, rows in found.items() if rows}


def told(note: Note) -> tuple[str, str, str, str]:
    """A note as a row of a table with the heads `NOTED`."""
    field = f"{note.path} = {note.value}" if note.value else note.path
    return (f"{note.file}:{note.line}", field, note.why, note.consequence)


def noted(note: Note) -> str:
    """A note in a line: the field with its place and value, why, and what follows."""
    value = f" = {note.value}" if note.value else ""
    follows = f"; {note.consequence}" if note.consequence not in ("", "none") else ""
    return f"{note.file}:{note.line}: {note.path}{value}: {note.why}{follows}"


def verdict(advice: Advice) -> str:
    """The imported rollout in figures: time, harm of a bad release, what is caught before full."""
    called = plain(advice.imported.workload.called)
    if NAME not in advice.comparison.risk:
        reasons = "; ".join(advice.comparison.results.reasons[NAME])
        return f"{called} as it is cannot be carried out: {plain(reasons)}."
    return f"{called} as it is: {_headline(advice.comparison.risk[NAME])}."


def _headline(risk: StrategyRisk) -> str:
    good, bad = risk.given_good, risk.given_defect
    time = good.time_to_deploy.mean
    caught = bad.chance("caught_before_full")
    harmed = _told(bad.users_harmed.p95, "share").replace(">99.9 %", "100 %")  # "at most" holds
    return (
        f"deploys in {_told(time, 's')}, notices {_told(caught, 'share')} of bad releases before "
        f"they are everywhere, harms at most {harmed} of the users in 95 of 100 bad ones"
    )


def _told(interval: Interval, unit: str) -> str:
    """A value with its 95 % interval."""
    between, value = wording.between(interval, unit), wording.figure(interval.value, unit)
    return value + (f" ({between})" if between not in ("", value) else "")


def missing(miss: Miss) -> str:
    """What the manifest would miss: what its first gate sees, and how often it notices."""
    if miss.stopped.value is None:
        return ""
    rate = wording.share(miss.rate)
    stopped = _of_hundred(miss.stopped.value)
    if miss.gate is None:
        return (
            "No step waits and watches before the new version is everywhere: a defect that fails "
            f"{rate} of the requests is noticed on the way in {stopped} of 100 cases."
        )
    gate = miss.gate
    return (
        f"Its {wording.share(gate.weight)} x {wording.length(gate.duration)} step sees "
        f"{wording.count(gate.requests)} requests; it notices a defect that fails {rate} of them "
        f"in {_of_hundred(miss.noticed.value)} of 100 cases, the whole rollout before it is "
        f"everywhere in {stopped}."
    )


def _of_hundred(value: float | None) -> str:
    return "no one knows how many" if value is None else f"{100 * value:.0f}"


def patch(alternative: Alternative) -> list[str]:
    """The fields to change, a line each: file, path, old value, new value."""
    lines = []
    for view, value in alternative.changes:
        old = _value(view.data) if view.exists else view.told or "not set"
        new = "remove" if value is None else _value(value)
        lines.append(plain(f"{view.manifest.name}: {view.place}: {old} -> {new}"))
    return lines


def cost(advice: Advice) -> str:
    """What the recommended patch gains and costs, in figures against the manifest as it is."""
    if advice.best is None:
        return ""
    new = advice.comparison.risk[advice.best.name]
    if advice.gains is None:
        return f"With it: {_headline(new)}."
    old = advice.comparison.risk[NAME]
    time, saved = advice.gains
    currency = advice.comparison.scenario.costs.currency
    alarms = [r.given_good.proportion("outcome", "false_alarm") for r in (old, new)]
    told = ", takes back " + " instead of ".join(_told(one, "share") for one in reversed(alarms))
    told += " of good releases"
    if alarms[0].value == alarms[1].value:
        told = ""
    money = _apart(saved, lambda value: wording.money(value, currency))
    return f"{_longer(time)}; saves {money} of expected loss a release: {_headline(new)}{told}."


def _longer(time: Interval) -> str:
    seconds = time.value or 0.0
    if abs(seconds) < 1:
        return "As long to deploy"
    way = "longer" if seconds > 0 else "less"
    sign = 1 if seconds > 0 else -1
    ends = sorted((one for one in time[1:] if one is not None), key=lambda one: sign * one)
    told = wording.length(abs(seconds))
    if len(ends) == 2 and _lasting(ends[0]) != _lasting(ends[1]):
        told += f" ({_lasting(sign * ends[0])} to {_lasting(sign * ends[1])})"
    return f"{told} {way} to deploy"


def _lasting(seconds: float) -> str:
    return f"-{wording.length(-seconds)}" if seconds < 0 else wording.length(seconds)


def _apart(interval: Interval, say: Callable[[float], str]) -> str:
    """A difference with its 95 % interval, which may reach below nothing."""
    value = say(interval.value or 0.0)
    if interval.low is None or interval.high is None:
        return value
    low, high = say(interval.low), say(interval.high)
    return value if low == high else f"{value} ({low} to {high})"


def recommended(advice: Advice) -> str:
    """Which of the other ways to write the manifest is recommended, if any is."""
    if advice.best is not None:
        told = f"Recommended patch, {advice.best.name} ({advice.best.aim})"
        saved = advice.gains[1].low if advice.gains is not None else None
        luck = saved is not None and saved <= 0
        return f"{told}{'; what it saves may be luck, more with -n' if luck else ''}:"
    tried = len(advice.alternatives)
    found, risk = advice.comparison.recommendation, advice.comparison.risk
    if found is None or found.runner_up is None or NAME not in risk:
        return f"None of the {tried} other ways to write it that were tried loses less."
    losses = [risk[name].all.loss.mean.value or 0.0 for name in (found.runner_up, found.strategy)]
    more = wording.money(losses[0] - losses[1], advice.comparison.scenario.costs.currency)
    return (
        f"None of the {tried} other ways to write it that were tried loses less; the next, "
        f"{found.runner_up}, loses {more} more a release."
    )


def advised(advice: Advice) -> list[str]:
    """The advice in at most a dozen lines: verdict, miss, patch with its cost, two assumptions."""
    lines = [line for line in (verdict(advice), missing(advice.miss)) if line]
    lines.append(recommended(advice))
    if advice.best is not None:
        fields = patch(advice.best)
        lines += [f"  {line}" for line in fields[:4]]
        if len(fields) > 4:
            lines.append(f"  and {len(fields) - 4} fields more (--json shows all)")
        lines.append(cost(advice))
    lines += [f"Check first: {line}" for line in matters(advice.matter)[:2]]
    return lines


def markdown(imported: Imported, lines: Sequence[str]) -> str:
    """What was read, what was said, and every note as tables."""
    text = [f"## {plain(imported.workload.called)}", "", summary(imported), ""]
    text += [f"- {line}" for line in (*lines, *imported.remarks)]
    for kind, rows in grouped(imported.notes).items():
        text += ["", f"### {TITLES[kind]}", ""]
        text += table(NOTED, map(told, rows))
    return "\n".join(text) + "\n"


def document(
    imported: Imported, swings: Sequence[Swing], advice: Advice | None = None
) -> dict[str, Any]:
    """Everything as plain data for JSON."""
    found: dict[str, Any] = {
        "workload": imported.workload.called,
        "platform": imported.platform,
        "others": list(imported.others),
        "scenario": imported.scenario.resolved(),
        "origins": {path: list(where) for path, where in imported.origins.items()},
        "assumed": [row._asdict() for row in imported.assumed],
        "matter": [
            {"path": s.assumption.path, "at_low": dict(s.at_low), "at_high": dict(s.at_high)}
            for s in swings[:SHOWN]
        ],
        "remarks": list(imported.remarks),
        "fields": {kind: imported.count(kind) for kind in ("used", *TITLES, "outside")},
        "notes": [note._asdict() for note in imported.notes if note.kind not in ("outside",)],
    }
    if advice is not None:
        miss = advice.miss
        found["advice"] = {
            "lines": advised(advice),
            "miss": {
                "rate": miss.rate,
                "gate": None if miss.gate is None else miss.gate._asdict(),
                "noticed": miss.noticed._asdict(),
                "stopped": miss.stopped._asdict(),
            },
            "best": None if advice.best is None else advice.best.name,
            "alternatives": {
                name: {"aim": one.aim, "changes": patch(one)}
                for name, one in advice.alternatives.items()
            },
        }
    return found
