"""Swings and flips as people and machines read them: one set of rows behind every door."""

from __future__ import annotations

import csv
import io
from functools import cache

import pytest

from simulator.cli.tables import comparison_table
from simulator.decide.advice import Comparison, Options, compare
from simulator.decide.flip import Flip, search
from simulator.decide.tornado import asked
from simulator.report import flips, tornadoes
from simulator.report.export import HEADER, csv_text, document
from simulator.report.markdown import markdown
from simulator.report.page import page
from simulator.words.reading import loads
from tests.report.pages import Page

TEXT = """
version: 1
profile: bare
service: {instances: 4, startup: 30s}
traffic: {rate: 20 rps, users: 2k}
change: {defects: [{kind: errors}]}
detection:
  alarms: [{watch: new, metric: errors, above: 1%, period: 1m, datapoints: 2 of 3}]
costs: {failed_request: 0.01, delay: 3/h}
strategies: {big_bang: {in_place: false}, canary: {}}
"""
FIGURES = ("users_harmed p95 given errors", "loss")


@cache
def found() -> Comparison:
    scenario = loads(TEXT)
    searched = [
        search(scenario, "detection.alarms[0].above", "0.5%", "50%"),
        search(scenario, "costs.failed_request", 0.005, 0.02),
    ]
    options = Options(
        *(1, (1.0,)),
        assumptions=False,
        gates=False,
        flips=searched,
        tornado=asked(scenario, FIGURES),
    )
    return compare(scenario, 20, 1, (), options)


def test_every_door_has_the_same_rows() -> None:
    comparison = found()
    every = tornadoes.moves(comparison)
    assert {one.figure for one in every} == set(FIGURES)
    text, marked, html = (
        comparison_table(comparison, False),
        markdown(comparison),
        page(comparison, ""),
    )
    told = document(comparison)["tornado"]
    table = list(csv.DictReader(io.StringIO(csv_text(comparison))))
    assert list(table[0]) == [*HEADER, *tornadoes.COLUMNS]
    for one, data in zip(every, told, strict=True):
        assert one.shown
        assert [row["path"] for row in data["rows"] if row["effect"] == "yes"] == [
            bar.path for bar in one.bars if bar.effect == "yes"
        ]
        assert f"What moves {one.figure} under {one.strategy}" in text
        for bar in one.shown:
            (line,) = (x for x in marked.splitlines() if _row(x, bar) and _head(x, one, marked))
            assert bar.at_low in line
            assert f'<td class="one">{bar.at_high}</td>' in html
        mine = [r for r in table if r["setting"] and (r["strategy"], r["figure"]) == _of(one)]
        assert [r["setting"] for r in mine] == [r["path"] for r in data["rows"] for _ in "lh"]
        assert [float(r["value"]) for r in mine] == [
            row[f"at_{end}"]["value"] for row in data["rows"] for end in ("low", "high")
        ]


def _of(one: tornadoes.Moves) -> tuple[str, str]:
    return one.strategy, one.figure.split()[0]


def _row(line: str, bar: tornadoes.Bar) -> bool:
    return line.replace("\\", "").startswith(f"| {bar.path} | {bar.low} | {bar.at_low} |")


def _head(line: str, one: tornadoes.Moves, whole: str) -> bool:
    """Whether a line of a table stands under the title of this figure and strategy."""
    before = whole[: whole.index(line)].replace("\\", "")
    return before.rindex("What moves") == before.rindex(f"What moves {one.figure} under")


def test_a_sentence_names_nothing_that_may_be_luck() -> None:
    """Where no assumption has more than luck to it, none is what moves the figure most."""
    one = tornadoes.moves(found())[0]
    luck = [bar._replace(effect=tornadoes.NOISE) for bar in one.bars]
    assert one.shown
    assert one.shown[0].named in tornadoes.takeaway(one)
    assert tornadoes.takeaway(one._replace(bars=tuple(luck))).endswith("more than luck does.")


def test_the_terminal_keeps_to_its_width() -> None:
    text = comparison_table(found(), False)
    assert max(map(len, text.splitlines())) <= 100
    assert "more than luck" in text


def test_pictures_are_told_and_have_their_table() -> None:
    read = Page(page(found(), ""))
    assert read.faults == []
    assert len(read.ids()) == len(set(read.ids()))
    regions = [div["aria-label"] for div in read.all("div") if "aria-label" in div]
    for one in tornadoes.moves(found()):
        assert f"What moves {one.figure} under {one.strategy}" in regions
        assert tornadoes.takeaway(one) in read.texts["title"]
        assert tornadoes.takeaway(one) in read.texts["figcaption"]


def test_bars_of_characters_end_where_the_values_are() -> None:
    one = next(m for m in tornadoes.moves(found()) if m.shown)
    drawn = tornadoes.lanes(one, 21)
    known = [one.number, *(x for bar in one.shown for x in bar.ends)]
    for bar in one.shown:
        line = drawn[bar.path]
        now = line.index("|")
        for mark, end in zip("-#", bar.ends, strict=True):
            place = round(20 * (end - min(known)) / (max(known) - min(known)))
            if abs(place - now) > 0 and mark in line:
                assert line.index(mark) == place or line.rindex(mark) == place


@pytest.mark.parametrize("place", [0, 1])
def test_every_setting_that_was_searched_has_its_line(place: int) -> None:
    comparison = found()
    rows = flips.turns(comparison)
    path = comparison.searched[place].path
    mine = [row for row in rows if row.path == path]
    assert mine
    lines = [x for x in comparison_table(comparison, False).splitlines() if x.startswith(path)]
    assert len(lines) == len(mine)
    for row, line in zip(mine, lines, strict=True):
        assert row.now in line
        assert (f"{row.there:<15} {row.to}" if row.there else flips.STILL) in line
    html = page(comparison, "")
    assert html.count(flips.STILL) == sum(not row.there for row in rows)


def test_a_question_mark_in_a_name_is_no_doubt() -> None:
    """Doubt is told where fresh replications do not confirm a flip, whatever the names are."""
    scenario = loads(TEXT.replace("canary: {}", '"go?": {kind: canary}'))
    path = "costs.failed_request"
    options = Options(*(1, (1.0,)), assumptions=False, gates=False)
    base = compare(scenario, 20, 1, (), options)
    best = base.recommendation
    assert best is not None
    sure, unsure = (Flip(path, 0.01, 0.015, "go?", (0.005, 0.02), x) for x in (True, False))
    looked_for = (search(scenario, path, 0.005, 0.02),)
    for flip, to in ((sure, "go?"), (unsure, "go? ?")):
        one = base._replace(
            flips=(flip,), searched=looked_for, recommendation=best._replace(confirmed=True)
        )
        (row,) = flips.turns(one)
        assert (row.to, row.sure) == (to, flip.verified)
        for text in (comparison_table(one, False), markdown(one), page(one, "")):
            assert (flips.UNSURE in text) is not flip.verified
