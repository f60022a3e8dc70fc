"""The parts of the page Sensitivity: choices, the map of winners, and the tornado."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from simulator.decide.tornado import MOST, SHOWN, Swing, Tornado, tornado, tornados
from simulator.decide.winners import Axis, Cell, Winners, winners
from simulator.findings.comparison import simulate
from simulator.findings.executors import Executor
from simulator.findings.reconsider import CHANCE, PRICES
from simulator.findings.study import Progress
from simulator.report import tornadoes, wording
from simulator.web import charts, jobs, state, waiting
from simulator.web.legend import legend
from simulator.web.plain import frame, plain
from simulator.web.state import Base, Variant
from simulator.words import settings
from simulator.words.changes import number_at
from simulator.words.figures import FIGURES, MEANINGS, OF_SOME
from simulator.words.objectives import SHARES, STATISTICS, Measure, measure
from simulator.words.problems import ScenarioError
from simulator.words.scenario import Scenario

_NAMES = {
    "time_to_deploy": "time to deploy a good release",
    "users_harmed": "users harmed by a bad release",
    "failed_requests": "failed requests of a bad release",
    "extra_cost": "extra cost of a release",
    "loss": "what a release costs, all in all",
}
_STATISTICS = {
    "mean": "mean",
    "p50": "median",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "cvar95": "mean of the worst 5 %",
    "applicable": "how often there is one",
}
_RELEASES = {"usual": "the usual ones", "all": "all", "good": "good ones", "defect": "bad ones"}
_BEYOND = 1.25  # how far a bar without an end goes, in times of the longest one with an end
_ALWAYS = ("service.instances", "traffic.rate", "traffic.users", "service.utilisation")
_WIDE, _PRICES_WIDE, _BASED_ON = 4.0, 100.0, 200


def tornado_choices(scenario: Scenario) -> tuple[str, Measure]:
    """Draw the choices of the tornado: a strategy, and a statistic of a figure."""
    st.header("What moves")
    offered = [*SHOWN, *(name for name in (*FIGURES, *SHARES) if name not in SHOWN)]
    if scenario.traffic.tenants is None:
        offered = [name for name in offered if name not in OF_SOME]
    figure = st.selectbox(
        "Figure",
        offered,
        index=1,
        key="figure",
        bind="query-params",
        format_func=lambda name: _NAMES.get(name, name.replace("_", " ")),
    )
    with st.container(horizontal=True):
        statistic = st.selectbox(
            "Statistic",
            STATISTICS,
            key="statistic",
            bind="query-params",
            format_func=lambda name: _STATISTICS[name],
            disabled=figure in SHARES,
            help="Shares of releases have none." if figure in SHARES else None,
        )
        releases = st.selectbox(
            "Releases",
            list(_RELEASES),
            key="given",
            bind="query-params",
            format_func=lambda name: _RELEASES[name],
            help="Those that count for it: a time to deploy is usually that of good releases.",
        )
    names = list(scenario.strategies)
    strategy = st.selectbox(
        "of the strategy",
        names,
        index=names.index(scenario.to_check),
        key="strategy",
        bind="query-params",
    )
    return str(strategy), _meant(str(figure), str(statistic), str(releases))


def _meant(figure: str, statistic: str, releases: str) -> Measure:
    """The figure that was chosen, in the words of the command line."""
    given = SHOWN.get(figure) if releases == "usual" else releases
    words = [figure] if figure in SHARES or statistic == "mean" else [figure, statistic]
    return measure(" ".join([*words, *(["given", given] if given not in (None, "all") else [])]))


def _headline(one: Measure) -> bool:
    """Whether it is one of the means that are looked at first."""
    return one.statistic == "mean" and one.figure in SHOWN and SHOWN[one.figure] == one.given


def _called(one: Measure) -> str:
    """What is moved, in words."""
    if _headline(one):
        return _NAMES[one.figure]
    name = one.figure.replace("_", " ")
    if one.statistic != "mean":
        name += f" ({_STATISTICS[one.statistic]})"
    return name + {"good": " of a good release", "defect": " of a bad release"}.get(
        str(one.given), ""
    )


def map_choices(scenario: Scenario) -> tuple[Axis, Axis]:
    """Draw the choices of the map: two settings; gives them with their ranges."""
    st.header("Who wins where")
    offered = _offered(scenario)
    paths = list(offered)
    second = next((p for p in (*PRICES, "response.watch") if p in offered), paths[-1])
    chosen = []
    for label, key, usual in (("Across", "across", CHANCE), ("Up", "down", second)):
        path = st.selectbox(
            label,
            paths,
            index=paths.index(usual),
            key=key,
            bind="query-params",
            format_func=lambda path: settings.label(path, scenario),
            help="Its plausible range, else a quarter of it to four times as much; prices more.",
        )
        chosen.append(offered[str(path)])
    return chosen[0], chosen[1]


@st.cache_data(max_entries=50, show_spinner=False, hash_funcs={Scenario: lambda one: one.sha256})
def _offered(scenario: Scenario) -> dict[str, Axis]:
    """Every numeric setting with a range to look at."""
    known = {row.path: (row.low, row.high) for row in scenario.assumed if row.low is not None}
    found: dict[str, Axis] = {}
    unused = {"service.instances"} if scenario.service.elastic else set[str]()
    for path in dict.fromkeys((CHANCE, *PRICES, *_ALWAYS, *known)):
        if path in unused:
            continue
        try:
            now = float(number_at(scenario, path))
            wide = _PRICES_WIDE if path in PRICES else _WIDE
            ends = (now / wide, min(now * wide, 1.0) if path == CHANCE else now * wide)
            if path in known:
                ends = _numbers(scenario, path, known[path])
        except (ScenarioError, TypeError, ValueError, KeyError, AttributeError):
            continue
        if ends[0] < ends[1]:
            found[path] = Axis(path, *ends)
    return found


def _numbers(scenario: Scenario, path: str, ends: tuple[Any, Any]) -> tuple[float, float]:
    low, high = (float(number_at(scenario.with_(path, end), path)) for end in ends)
    return low, high


def show_map(begun: Base, variant: Variant, across: Axis, down: Axis) -> None:
    """Who wins at every pair of values of two settings."""
    scenario = variant.scenario
    st.subheader("Who wins where")
    if across.path == down.path:
        st.warning("Choose two different settings.")
        return

    def asked(executor: Executor, progress: Progress) -> Iterator[Winners]:
        """The map, ever finer."""
        results = simulate(scenario, _BASED_ON, 1, jobs=executor, fewest=10)
        return winners(results, across, down, executor, progress)

    key = ("winners", scenario.sha256, across, down)
    job = jobs.desk().ask(state.visitor(), "map", key, asked)
    found = waiting.waited(job, "map", "Playing the corners of the map ...")
    if found is None:
        return
    cells = pd.DataFrame([_told(scenario, found, cell) for cell in found.cells])
    if not (cells.winner != "").any():
        st.info("Without objectives or prices of harm nothing is recommended anywhere.")
        return
    st.markdown(plain(_summed(cells)))
    legend(_named(scenario, cells))
    st.altair_chart(
        _map(scenario, found, cells),
        width="stretch",
        alt="Who wins at every pair of values; the table below has all of them",
    )
    st.caption(
        "The colour and the letter are the strategy that would be recommended there. A dashed "
        "frame: too close to tell the best two apart. The cross: the scenario as it is. "
        f"{found.replications} replications for each value, with the same luck everywhere."
    )
    with st.expander("As a table"):
        told = (settings.label(axis.path, scenario) for axis in (across, down))
        heads = (*told, "wins", "")
        st.table(
            frame(cells[["x", "y", "winner", "close"]].to_numpy().tolist(), heads), hide_index=True
        )
    ranges = "".join(
        f" --flips {shlex.quote(f'{axis.path}={_text(scenario, axis, axis.low)}')}"
        f"..{_text(scenario, axis, axis.high)}"
        for axis in (across, down)
    )
    file, options = state.command(begun, variant)
    st.code(f"deploysim compare {file}{ranges}{options}", language=None, wrap_lines=True)


def _text(scenario: Scenario, axis: Axis, value: float) -> str:
    return wording.setting(scenario, axis.path, value)


def _told(scenario: Scenario, found: Winners, cell: Cell) -> dict[str, Any]:
    names = list(scenario.strategies)
    letter = chr(ord("A") + names.index(cell.winner) % 26) if cell.winner else "?"
    return {
        "across": cell.across,
        "down": cell.down,
        "x": _text(scenario, found.across, cell.across),
        "y": _text(scenario, found.down, cell.down),
        "winner": cell.winner,
        "letter": letter,
        "named": f"{letter} {cell.winner}" if cell.winner else "? no answer",
        "close": "too close to call" if cell.close else "",
    }


def _summed(cells: pd.DataFrame) -> str:
    """How much of the map each winner has, in one sentence."""
    counts = cells[cells.winner != ""].winner.value_counts()
    if len(counts) == 1 and counts.iloc[0] == len(cells):
        return f"{counts.index[0]} wins everywhere on this map; other settings may have a border."
    parts = ", ".join(f"{name} in {count}" for name, count in counts.items())
    return f"Of {len(cells)} places: {parts}."


def _named(scenario: Scenario, cells: pd.DataFrame) -> dict[str, str]:
    """Every winner of the map with its letter, and its colour."""
    palette = charts.colours(scenario.strategies)
    named = dict(zip(cells.named, cells.winner, strict=True))
    return {text: palette.get(named[text], "#888888") for text in sorted(named)}


def _dark(colour: str) -> bool:
    """Whether white letters are easier to read on a colour (#RRGGBB) than black ones."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 110


def _map(scenario: Scenario, found: Winners, cells: pd.DataFrame) -> Any:
    inks = _named(scenario, cells)
    scale = alt.Scale(domain=list(inks), range=list(inks.values()))
    flat = alt.Axis(labelAngle=0, labelOverlap="greedy")
    along, up = (settings.label(one.path, scenario) for one in (found.across, found.down))
    x = alt.X("x:O", sort=list(dict.fromkeys(cells.x)), title=along, axis=flat)
    y = alt.Y("y:O", sort=list(dict.fromkeys(cells.y))[::-1], title=up)
    told = (("named", "wins"), ("x", along), ("y", up), ("close", "sure"))
    tooltip = [alt.Tooltip(f"{field}:N", title=title) for field, title in told]
    base = alt.Chart(cells).encode(x=x, y=y, tooltip=tooltip)
    tiles = base.mark_rect(opacity=0.8).encode(color=alt.Color("named:N", scale=scale, legend=None))
    layers = [tiles]
    if (cells.close != "").any():
        layers.append(
            base.transform_filter("datum.close != ''").mark_rect(
                fillOpacity=0, stroke=charts.ink(), strokeDash=[4, 3], strokeWidth=1.5
            )
        )
    dark = alt.FieldOneOfPredicate("named", [name for name, tile in inks.items() if _dark(tile)])
    texts = base.mark_text(fontSize=13, fontWeight="bold").encode(
        text="letter:N", color=alt.condition(dark, alt.value("#FFFFFF"), alt.value("#111111"))
    )
    here = alt.Chart(_here(scenario, found, cells)).mark_point(
        shape="cross", size=260, filled=True, color="#FFFFFF", stroke="#000000", opacity=1
    )
    return alt.layer(*layers, texts, here.encode(x=x, y=y)).properties(height=400)


def _here(scenario: Scenario, found: Winners, cells: pd.DataFrame) -> pd.DataFrame:
    """The cell that the scenario itself is nearest to."""
    place: dict[str, Any] = {}
    rows: list[dict[Any, Any]] = cells.to_dict("records")
    for axis, column, text in ((found.across, "across", "x"), (found.down, "down", "y")):
        now = float(number_at(scenario, axis.path))
        place[text] = min(rows, key=lambda row: abs(row[column] - now))[text]
    return pd.DataFrame([place])


def show_tornado(begun: Base, variant: Variant, strategy: str, one: Measure) -> None:
    """How far each assumption alone moves a figure of a strategy."""
    scenario, called = variant.scenario, _called(one)
    st.subheader(f"What moves {called}")

    def asked(executor: Executor, progress: Progress) -> Iterator[Tornado]:
        """All swings; those of the usual means at once, then again with more replications."""
        results = simulate(scenario, _BASED_ON, 1, [strategy], executor, fewest=10)
        if _headline(one):
            yield from tornado(results, strategy, executor, progress)
        else:
            yield from tornados(results, [strategy], [one], executor, progress)

    key = ("tornado", scenario.sha256, strategy, "" if _headline(one) else one.text)
    job = jobs.desk().ask(state.visitor(), "tornado", key, asked)
    found = waiting.waited(job, "tornado", "Moving one assumption after the other ...")
    if found is None:
        return
    figure = one.figure if _headline(one) else one.text
    moved = found.widest(figure)
    swings = [swing for swing in moved if swing.sure(figure)]
    now = wording.figure(found.now[figure], one.unit, scenario.costs.currency)
    if not _headline(one):
        st.caption(plain(f"{one.figure.replace('_', ' ')}: {MEANINGS[one.figure]}."))
    if not math.isfinite(found.now[figure]):
        st.info(
            f"{called.capitalize()} has no value under {plain(strategy)}: there is none, or it is "
            "beyond what was played. Choose another statistic, or other releases."
        )
        return
    if not swings:
        which = "no assumption" + (" of those that move it most" if found.less(figure) else "")
        st.info(
            f"{called.capitalize()} is {plain(now)} under {plain(strategy)}: "
            f"{which} moves it by more than luck does."
        )
        return
    st.markdown(f"Now it is **{plain(now)}** under **{plain(strategy)}**.")
    data = _ends(found, swings[:MOST], figure, scenario)
    st.altair_chart(
        _bars(data, one.unit), width="stretch", alt="How far each assumption moves the figure"
    )
    st.caption(_caption(found, figure, len(swings), len(moved) - len(swings)))
    _sources(scenario, swings[:MOST], data)
    st.code(_command(begun, variant, strategy, one), language=None, wrap_lines=True)


def _caption(found: Tornado, figure: str, sure: int, luck: int) -> str:
    """What a bar is, with how many replications, and how many assumptions have none."""
    told = (
        "Each bar: the figure when this assumption alone is at its low or high value, "
        f"{_played(found)}, the same luck."
    )
    if sure > MOST:
        told += f" {sure - MOST} more move it less."
    if luck:
        told += f" What {luck} others do to it may be luck (95 %)."
    if found.screen and (less := found.less(figure)):
        told += f" {less} others moved it less in a first look with {_played(found.screen)}."
    return told


def _played(found: Tornado) -> str:
    return f"{found.replications} good and {found.bad} bad replications"


def _command(begun: Base, variant: Variant, strategy: str, one: Measure) -> str:
    """The same in the terminal."""
    given = SHOWN[one.figure] if _headline(one) else None
    asking = shlex.quote(one.text if given is None else f"{one.figure} given {given}")
    only = f"--strategy {shlex.quote(strategy)}"
    file, options = state.command(begun, variant)
    return f"deploysim compare {file} {only} --tornado {asking}{options}"


def _sources(scenario: Scenario, swings: Sequence[Swing], data: pd.DataFrame) -> None:
    """The bars as a table, with where each assumption is from and its path."""
    with st.expander("As a table, with sources"):
        texts = data.groupby("path", sort=False).text.agg(list).to_dict()
        rows = [
            (
                settings.label(s.assumption.path, scenario),
                f"{s.assumption.low} to {s.assumption.high}",
                *texts[s.assumption.path],
                s.assumption.kind,
                s.assumption.source,
                s.assumption.path,
            )
            for s in swings
        ]
        heads = (
            "assumption",
            "plausible",
            "at its low",
            "at its high",
            "kind",
            "source",
            "setting",
        )
        st.table(frame(rows, heads), hide_index=True)


def _ends(found: Tornado, swings: Sequence[Swing], figure: str, scenario: Scenario) -> pd.DataFrame:
    """Two rows for each assumption: the figure at its low and at its high value."""
    now = found.now[figure]
    one = next(one for one in found.asked if one.text == figure)
    bars = [tornadoes.bar(scenario, swing, one) for swing in swings]
    moves = [x for s in swings for x in (s.at_low[figure], s.at_high[figure]) if math.isfinite(x)]
    most = _BEYOND * max(map(abs, moves), default=0.0) or abs(now) or 1.0
    rows = [
        (bar.path, bar.named, end, now, now + max(min(moved, most), -most), text, value)
        for bar, swing in zip(bars, swings, strict=True)
        for end, moved, text, value in (
            ("low", swing.at_low[figure], bar.at_low, bar.low),
            ("high", swing.at_high[figure], bar.at_high, bar.high),
        )
    ]
    return pd.DataFrame(rows, columns=["path", "named", "end", "now", "there", "text", "value"])


def _bars(data: pd.DataFrame, unit: str) -> Any:
    order = list(dict.fromkeys(data.named))
    y = alt.Y("named:N", sort=order, title=None, axis=alt.Axis(labelLimit=320, labelOverlap=False))
    axis = alt.Axis(format="~%") if unit == "share" else alt.Axis(format="~s")
    title = {"s": "seconds", "share": "", "count": "requests", "money": "money"}[unit]
    ends = [*data.there, *data.now]
    room = 0.12 * (max(ends) - min(ends))
    domain = alt.Scale(domain=[min(ends) - room, max(ends) + room], nice=False)
    x = alt.X("now:Q", axis=axis, title=title, scale=domain)
    palette = alt.Scale(domain=["low", "high"], range=["#6BAED6", "#D55E00"])
    legend = alt.Legend(orient="top", title="assumption at its")
    base = alt.Chart(data)
    lane = alt.YOffset("end:N", sort=["low", "high"])
    bars = base.mark_bar().encode(
        y=y,
        yOffset=lane,
        x=x,
        x2="there:Q",
        color=alt.Color("end:N", scale=palette, legend=legend),
        tooltip=[
            alt.Tooltip("named:N", title="assumption"),
            alt.Tooltip("end:N", title="at its"),
            alt.Tooltip("value:N", title="which is"),
            alt.Tooltip("text:N", title="becomes"),
            alt.Tooltip("path:N", title="setting"),
        ],
    )
    texts = base.transform_filter("datum.there != datum.now").encode(
        y=y, yOffset=lane, x="there:Q", text="text:N"
    )
    right = texts.transform_filter("datum.there > datum.now").mark_text(
        align="left", dx=4, fontSize=11, color=charts.ink()
    )
    left = texts.transform_filter("datum.there < datum.now").mark_text(
        align="right", dx=-4, fontSize=11, color=charts.ink()
    )
    return alt.layer(bars, left, right).properties(height=alt.Step(13, **{"for": "offset"}))
