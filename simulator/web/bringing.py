"""The parts of the page Import: what was read, assumed and left out, and what to change."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from simulator.decide.advice import reconsidered
from simulator.decide.brought import Advice
from simulator.decide.tornado import Swing
from simulator.report import brought as told
from simulator.report import headlines
from simulator.web import answers, brought, choose, controls, jobs, state, waiting
from simulator.web.brought import Reading
from simulator.web.plain import frame, plain
from simulator.words import profiles
from simulator.words.documents import MOST_BYTES
from simulator.words.problems import Problem
from simulator.words.settings import at, setting
from simulator.words.writing import stated

REPLICATIONS, SEED = 300, 1  # as `deploysim import --compare` without options
_MATTER, _MISS = "matter", "miss"
_AT_ONCE, _FIRST, _ACROSS = 0.2, 3.0, 3
_MOST_ROWS, _FEW, _LONGEST = 100, 12, 1000
_AS_SUGGESTED = "as the platform suggests"


def editor(in_use: str | None) -> DeltaGenerator:
    """Draw where manifests are pasted, opened, tried, and read; gives the place for what is wrong,
    right below the buttons.
    """
    st.text_area(
        "Manifests",
        key=brought.DRAFT,
        height=260,
        max_chars=MOST_BYTES,
        persist_state="session",
        placeholder="apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n"
        "  replicas: 10\n  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}",
        help="YAML or JSON, up to 1 MiB. Several files stand one below the other, each behind a "
        "line “# file: its name”.",
    )
    row = st.container(horizontal=True)
    row.button("**Read it**", key="read", on_click=brought.use_draft)
    first, *others = brought.examples()
    told_here = st.container()
    row.button(
        f"Try the example: {first}",
        key="example",
        on_click=_try,
        args=(first,),
        help="A shop's front end on Kubernetes, rolled with the defaults.",
    )
    opened = brought.opened()
    if in_use is not None or opened:
        row.button("Start over", key="forget", on_click=_start_over)
    _sources(others)
    if opened:
        names = ", ".join(opened)
        told_here.info(f"Opened: {plain(names)}. Press **Read it** to go on.")
    if message := brought.unread():
        told_here.warning(plain(message))
    return told_here


def _sources(others: Sequence[str]) -> None:
    """Where manifests may come from beside the box: files, and other packaged examples."""
    left, right = st.columns(2) if others else (st.container(), None)
    count = st.session_state.setdefault("uploads", 0)
    left.file_uploader(
        "Or open files: YAML, JSON or templates, each up to 1 MiB",
        ["yaml", "yml", "json", "config", "template"],
        key=f"files {count}",
        accept_multiple_files=True,
        on_change=_opened,
        args=(f"files {count}",),
        max_upload_size=1,
        help="They are read together with what stands in the box.",
    )
    if right is not None:
        right.selectbox(
            "Or another example",
            others,
            index=None,
            key="other",
            placeholder="Choose one",
            on_change=_try_other,
        )


def _try(name: str) -> None:
    brought.use(brought.example(name))


def _try_other() -> None:
    if name := st.session_state.other:
        _try(str(name))
        st.session_state.other = None


def _start_over() -> None:
    brought.forget()
    st.session_state[brought.DRAFT] = ""


def _opened(key: str) -> None:
    """Take the files over, and let go of them."""
    brought.take_files(st.session_state[key] or ())
    st.session_state.uploads += 1


def wrong(problems: Sequence[Problem], text: str, what: str) -> None:
    """What cannot be read, where, and what to do about it."""
    st.error(f"This {what} cannot be read. What is wrong, and what to do about it:")
    st.table(frame(brought.wrong(problems, text)[:_MOST_ROWS], brought.WRONG), hide_index=True)
    st.caption("Everything that you pasted is still in the box: change it and read it again.")


def choices(reading: Reading) -> None:
    """Draw the choice of the workload, if there are several."""
    if len(reading.workloads) == 1:
        return
    key = "chosen workload"
    st.session_state[key] = reading.read.workload.called
    st.selectbox(
        f"Which of the {len(reading.workloads)} workloads?",
        reading.workloads,
        key=key,
        on_change=brought.choose,
        args=(brought.WORKLOAD, key),
        help="Each of them is rolled out by itself; one at a time is looked at here.",
    )


def summary(reading: Reading) -> None:
    """What was read, in a sentence, and what its author should know."""
    st.info(_short(told.summary(reading.read)))
    if remarks := reading.read.remarks:
        listed = "\n".join(f"- {_short(remark[:1].upper() + remark[1:])}" for remark in remarks)
        st.warning(f"**What its author should know**\n\n{listed}")


def name_of(reading: Reading) -> str:
    """The workload's name, as Markdown shows it."""
    return _short(reading.read.workload.called)


def _short(text: str) -> str:
    """A text as Markdown shows it; what a name of somebody's makes endless is cut."""
    return plain(text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ...")


def used(reading: Reading) -> None:
    """Where every used field went."""
    rows = told.used(reading.read)
    with st.expander(f"{len(rows)} settings and where they are from", expanded=len(rows) <= _FEW):
        _table(rows, told.USED)
        st.caption("The rest of the scenario are defaults, each with its source in the YAML below.")


def _table(rows: Sequence[tuple[str, ...]], heads: Sequence[str]) -> None:
    """The first rows of a table, and where the others are."""
    st.table(frame(rows[:_MOST_ROWS], heads), hide_index=True)
    if len(rows) > _MOST_ROWS:
        st.caption(f"{len(rows) - _MOST_ROWS} more are in the JSON below.")


def assumptions(reading: Reading) -> tuple[Swing, ...]:
    """Draw what is assumed, to be changed in place; gives what matters most as far as known."""
    visitor, found = state.visitor(), None
    try:
        job = jobs.mattering(visitor, reading.played, SEED)
    except jobs.BusyError as error:
        st.warning(str(error))
    else:
        found = job.wait(_AT_ONCE)
        if job.error:
            st.error(f"What matters most cannot be worked out:\n\n{plain(job.error)}")
        waiting.progress(
            {_MATTER: job},
            lambda _: "Moving one assumption after the other, to see which matter most.",
        )
        jobs.drawn(visitor, (_MATTER,))
    swings = found or ()
    for row in choose.rows(told.questions(reading.read, swings), _ACROSS):
        for column, question in zip(st.columns(_ACROSS), row, strict=False):
            with column.container(border=True, height="stretch", gap="xsmall"):
                _question(reading, question)
    _profile(reading)
    if reading.variant.changes:
        answers.take_back(state.BROUGHT)
    return swings


def _question(reading: Reading, question: told.Question) -> None:
    """One assumption: its value to be changed, its range, what it moves, and its source."""
    variant = reading.variant
    shown = setting(variant.scenario, question.path)
    label = controls.named(question.path, variant.scenario)
    controls.text(reading.begun, variant, shown, label, "open ")
    before = at(reading.begun.scenario, question.path)
    lines = [f"Plausible: **{plain(question.plausible)}**"]
    if question.path in variant.changes:
        lines.insert(0, f"**Yours**; assumed was {plain(before)}")
    if question.moves:
        lines.append(f"Within that: {plain(question.moves)}")
    if question.place:
        lines.append(f"**No. {question.place}** of what matters most here")
    st.caption("  \n".join([*lines, f"Source: {plain(question.source)}"]))


def _profile(reading: Reading) -> None:
    """Draw the choice of the defaults of another kind of machine."""
    key = "chosen profile"
    st.session_state[key] = reading.profile or _AS_SUGGESTED
    suggested = reading.read.scenario.source.get("profile")
    st.selectbox(
        "Defaults of which kind of machine",
        [_AS_SUGGESTED, *profiles.names()],
        key=key,
        on_change=_choose_profile,
        args=(key,),
        format_func=lambda name: (
            f"{name}: {suggested}" if name == _AS_SUGGESTED and not reading.profile else name
        ),
        help="Start-up, prices, health checks and people, as far as the manifests leave them open.",
    )


def _choose_profile(key: str) -> None:
    if st.session_state[key] == _AS_SUGGESTED:
        st.session_state[key] = None
    brought.choose(brought.PROFILE, key)


def notes(reading: Reading) -> None:
    """What was not carried over, or not as it is, and what follows; what may matter first."""
    groups = told.grouped(reading.read.notes)
    if outside := reading.read.count("outside"):
        st.caption(
            f"{outside} fields that say nothing about a rollout (names, labels, images and the "
            "like) are not listed."
        )
    if not groups:
        st.success("Every field that says something about the rollout was carried over as it is.")
    for kind, rows in groups.items():
        title = f"{told.TITLES[kind]}: {len(rows)}"
        with st.expander(title, expanded=kind == "ignored" or len(rows) <= _FEW):
            _table([told.told(note) for note in rows], told.NOTED)


def advice(reading: Reading, swings: tuple[Swing, ...]) -> Advice | None:
    """Draw the comparison with the platform's other ways, as far as it is known."""
    visitor = state.visitor()
    try:
        asked = {
            state.BROUGHT: jobs.compared(
                visitor, state.BROUGHT, reading.variant.played, REPLICATIONS, SEED
            ),
        }
        missing = jobs.missing(visitor, reading.played.scenario, SEED)
    except jobs.BusyError as error:
        st.warning(str(error))
        return None
    status = st.container()
    with st.spinner("Playing the first replications ..."):
        comparison, miss = asked[state.BROUGHT].wait(_FIRST), missing.wait(_AT_ONCE)
    with status:
        for job in (asked[state.BROUGHT], missing):
            if job.error:
                st.error(f"This cannot be simulated:\n\n{plain(job.error)}")
        waiting.progress({**asked, _MISS: missing}, lambda _: _DOING)
    if comparison is None or miss is None:
        return None
    comparison = reconsidered(comparison, reading.variant.scenario)
    found = Advice(reading.found, comparison, reading.alternatives, miss, swings)
    _advised(found)
    jobs.drawn(visitor, (state.BROUGHT, _MISS))
    return found


_DOING = (
    f"Playing up to {REPLICATIONS} releases of each kind under every way to write it; "
    "what stands below becomes more precise."
)


def _advised(found: Advice) -> None:
    """The advice in words, with the patch to copy, and the picture and table behind it."""
    st.info(f"{_short(told.verdict(found))} {_short(told.missing(found.miss))}")
    st.markdown(f"**{plain(told.recommended(found))}**")
    if found.best is not None:
        st.code("\n".join(told.patch(found.best)), language=None, wrap_lines=True)
        st.markdown(plain(told.cost(found)))
    st.caption(plain(headlines.verdict(found.comparison, in_words=True)))
    from simulator.web import evidence

    shown = {state.BROUGHT: found.comparison}
    evidence.plane(shown)
    evidence.table(shown)
    with st.expander("Every other way that was tried, field by field"):
        rows = [
            (name, one.aim, "; ".join(told.patch(one))) for name, one in found.alternatives.items()
        ]
        st.table(frame(rows, ("way", "what for", "fields to change")), hide_index=True)


def as_scenario(reading: Reading) -> str:
    """The scenario with every alternative as a strategy of its own, for the page Compare."""
    return stated(reading.variant.scenario)


def take_away(reading: Reading, swings: tuple[Swing, ...], found: Advice | None) -> None:
    """The command that gives the same, and the files."""
    st.code(_command(reading, found is not None), language=None, wrap_lines=True)
    lines = told.advised(found) if found is not None else told.matters(swings)
    best = found.best if found is not None else None
    offered: tuple[tuple[str, Callable[[], str], str], ...] = (
        ("Scenario (YAML)", lambda: told.scenario(reading.found), "yaml"),
        ("Patch (text)", lambda: "\n".join(told.patch(best)) + "\n" if best else "", "txt"),
        ("Pull request (Markdown)", lambda: told.markdown(reading.found, lines), "md"),
        ("Everything (JSON)", lambda: _json(reading, swings, found), "json"),
    )
    for column, (title, content, ending) in zip(st.columns(4), offered, strict=True):
        column.download_button(
            title,
            content,
            f"{_stem(reading)}.{ending}",
            on_click="ignore",
            width="stretch",
            key=f"take {ending}",
            disabled=ending == "txt" and best is None,
        )
    st.caption(
        "The YAML says behind every value where it comes from. The patch is there once it was "
        "compared and something is better."
    )


def _json(reading: Reading, swings: tuple[Swing, ...], found: Advice | None) -> str:
    return json.dumps(told.document(reading.found, swings, found), indent=1, default=str)


def _stem(reading: Reading) -> str:
    from simulator.report.wording import slug

    return slug(reading.read.workload.name) or "rollout"


def _command(reading: Reading, with_advice: bool) -> str:
    """What gives the same on a terminal, with the files saved under their names."""
    names = dict.fromkeys(manifest.name for manifest in reading.read.manifests)
    text = "deploysim import " + " ".join(shlex.quote(name) for name in names)
    if len(reading.workloads) > 1:
        text += f" --workload {shlex.quote(reading.read.workload.called)}"
    if reading.profile:
        text += f" --profile {reading.profile}"
    return text + reading.variant.options + (" --compare" if with_advice else "")
