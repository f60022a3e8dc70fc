"""What the page Compare shows first and last: progress, verdict, tiles, downloads."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from simulator.decide.advice import Comparison, reconsidered
from simulator.report import flips, headlines, wording
from simulator.report.export import csv_text, document, text
from simulator.report.page import page as report_page
from simulator.web import jobs, state, waiting
from simulator.web.jobs import Job
from simulator.web.plain import frame, plain
from simulator.web.state import Base, Variant
from simulator.words.writing import dump

_SIZES = (50, 150, 500, 1000, 2000, jobs.MOST_REPLICATIONS)
_TILES = (
    ("deploys in", 0, "s"),
    ("caught before full", 1, "share"),
    ("users harmed, p95", 2, "share"),
    ("false alarms", 5, "share"),
)
_MEANING = (
    "Mean time until the new version carries all traffic, given a good release.",
    "Share of bad releases that are detected before they carry all traffic.",
    "Users harmed by a bad release: 95 of 100 bad releases harm fewer.",
    "Good releases that are rolled back.",
)


def which_variant() -> str:
    """Draw the switch for two variants, and give the label of the one the controls are for."""
    on = st.toggle(
        "Two variants side by side",
        value=state.two(),
        key="two variants",
        on_change=lambda: state.show_two(bool(st.session_state["two variants"])),
        help="B begins as a copy of A; change it, and both answers stand beside each other.",
    )
    if not on:
        return state.FIRST_VARIANT
    label = st.segmented_control(
        "The controls below change",
        [state.FIRST_VARIANT, state.SECOND_VARIANT],
        default=state.SECOND_VARIANT,
        required=True,
        format_func=lambda name: f"Variant {name}",
        key="edited",
        persist_state="session",
    )
    return str(label or state.SECOND_VARIANT)


def precision() -> tuple[int, int]:
    """Draw how precise the answer shall become; the replications and the seed."""
    most = st.select_slider(
        "Replications",
        _SIZES,
        jobs.USUAL_REPLICATIONS,
        key="n",
        bind="query-params",
        help="Of good and of bad releases, for each strategy. A first answer comes after 20; more "
        "follow in the background and make the intervals narrower.",
    )
    seed = st.number_input(
        "Seed",
        0,
        2**31,
        jobs.USUAL_SEED,
        key="seed",
        bind="query-params",
        help="Same seed, same figures. Another one is other luck.",
    )
    return int(most), int(seed)


def take_back(label: str) -> None:
    """Offer to take all changes of a variant back."""
    st.button(
        "Take all changes back", key="back", on_click=state.drop, args=(label,), width="stretch"
    )


def complain(label: str, variant: Variant) -> None:
    """Tell what was left out of a variant, and why."""
    for path, wrong in variant.wrong.items():
        of = f" of variant {label}" if state.two() else ""
        st.error(
            f"Left out{of}: {plain(path)} = {plain(wrong.value)}: {plain(wrong.message)}. "
            "Everything else is answered below."
        )


def found(variants: Mapping[str, Variant], most: int, seed: int) -> dict[str, Comparison]:
    """The answers that are there for the variants; draws progress, and errors of those without.

    Raises BusyError when too many are under way.
    """
    visitor = state.visitor()
    status = st.container()
    asked = {
        label: jobs.compared(visitor, label, variant.played, most, seed)
        for label, variant in variants.items()
    }
    if state.SECOND_VARIANT not in variants:
        jobs.leave(visitor, state.SECOND_VARIANT)
    answers: dict[str, Comparison] = {}
    with st.spinner("Playing the first replications ..."):
        for label, job in asked.items():
            if (answer := job.wait(waiting.PATIENCE)) is not None:
                answers[label] = reconsidered(answer, variants[label].scenario)
    with status:
        for job in asked.values():
            if job.error:
                st.error(f"This cannot be simulated:\n\n{plain(job.error)}")
        waiting.progress(asked, lambda going: _doing(going, most))
    return answers if len(answers) == len(variants) else {}


def _doing(going: Sequence[Job[Comparison]], most: int) -> str:
    """What refines the answers at the moment."""
    first = going[0]
    counts = first.found.results.replications["good"] if first.found else 0
    doing = "playing more, so that the intervals become narrower"
    if counts >= most:
        doing = "working out curves of pace, gates, and where the advice would change"
    return f"{counts:,} of {most:,} replications so far; {doing}."


def changed(variants: Mapping[str, Variant]) -> None:
    """What was changed of the scenario."""
    for label, variant in variants.items():
        if variant.changes:
            of = f" of variant {label}" if len(variants) > 1 else ""
            told = " · ".join(f"{path} = {value}" for path, value in variant.changes.items())
            st.caption(f"Changed{of}: {plain(told)}")


def verdicts(found: Mapping[str, Comparison]) -> None:
    """One sentence of verdict for every variant, and the blindest gate."""
    columns = st.columns(len(found))
    for column, (label, one) in zip(columns, found.items(), strict=True):
        title = f"**Variant {label}.** " if len(found) > 1 else ""
        column.info(title + plain(headlines.verdict(one, in_words=True)))
        if blind := headlines.blindest_gate(one):
            column.caption(plain(blind))


def named(found: Comparison) -> str:
    """The strategy that is recommended, else the first."""
    return found.recommendation.strategy if found.recommendation else next(iter(found.risk))


def tiles(found: Mapping[str, Comparison]) -> None:
    """Four figures of the recommended strategy; of a second variant, beside the first's."""
    for label, one in found.items():
        best = named(one)
        figures = headlines.headline(one.risk[best])
        of = f" (variant {label})" if len(found) > 1 else ""
        st.markdown(f"**{plain(best)}**{of} in four figures")
        for tile, (name, index, unit), meaning in zip(st.columns(4), _TILES, _MEANING, strict=True):
            interval = figures[index]
            tile.metric(
                name,
                wording.figure(interval.value, unit),
                delta=f"95 %: {wording.between(interval, unit)}"
                if interval.value is not None
                else None,
                delta_color="off",
                delta_arrow="off",
                help=meaning,
                border=True,
            )


def assumptions(found: Mapping[str, Comparison]) -> None:
    """In every variant where another strategy takes over, what is assumed, and what was done to
    the data.
    """
    for label, one in found.items():
        of = f" in variant {label}" if len(found) > 1 else ""
        if turns := flips.turns(one):
            with st.expander(f"What would change the answer{of}"):
                path, *heads = flips.HEADS
                rows = [(row.named, *row[1:5], row.path) for row in turns]
                st.table(frame(rows, ("where", *heads, path)), hide_index=True)
                if doubt := flips.unsure(turns):
                    st.caption(plain(doubt))
        with st.expander(f"What is assumed{of}"):
            for text in headlines.assumptions(one, 12, in_words=True):
                st.markdown(f"- {plain(text)}")
            for text in one.scenario.notes:
                st.markdown(f"- {plain(text)}")


def take_away(
    begun: Base,
    variants: Mapping[str, Variant],
    found: Mapping[str, Comparison],
    most: int,
    seed: int,
) -> None:
    """The command that gives the same, and the files."""
    st.subheader("Take it with you")
    if all(one.results.replications["good"] >= most or not one.risk for one in found.values()):
        told = "exactly this. On a terminal the same figures come from:"
    else:
        told = (
            "this question. On a terminal this gives the finished answer, from more replications "
            "than are shown so far:"
        )
    st.caption(f"The address of this page leads back to {told}")
    for label, one in found.items():
        file, options = state.command(begun, variants[label])
        command = f"deploysim compare {file} -n {most} --seed {seed}{options}"
        st.code(command, language=None, wrap_lines=True)
        if begun.name == state.OWN:
            st.caption(f"{file} is the download “Scenario (YAML)” below, changes included.")
        _downloads(one, command, state.stem(begun, label))


def _downloads(found: Comparison, command: str, stem: str) -> None:
    offered: tuple[tuple[str, Callable[[], str | bytes], str], ...] = (
        ("Scenario (YAML)", lambda: dump(found.scenario), "yaml"),
        ("Figures (CSV)", lambda: csv_text(found), "csv"),
        ("Replications (parquet)", lambda: _parquet(found), "parquet"),
        ("Results (JSON)", lambda: text(document(found)), "json"),
        ("Report (HTML)", lambda: report_page(found, command), "html"),
    )
    for column, (title, content, ending) in zip(st.columns(5), offered, strict=True):
        column.download_button(
            title,
            content,
            f"{stem}.{ending}",
            on_click="ignore",
            width="stretch",
            key=f"{title} {stem}",
        )


def _parquet(found: Comparison) -> bytes:
    out = io.BytesIO()
    found.results.frame.to_parquet(out, index=False)
    return out.getvalue()
