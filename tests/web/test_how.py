"""The page How it works without a browser: pictures, figures, defaults, and the proof."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.report import proof
from simulator.words import profiles
from simulator.words.figures import FIGURES
from tests.web import APP

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def page() -> Any:
    page = testing.AppTest.from_file(APP, default_timeout=60)
    page.switch_page("../pages/how.py").run()
    assert not page.exception
    return page


def test_it_shows_pictures_and_every_figure(page: Any) -> None:
    drawn = [str(part.proto.body) for part in page.get("html")]
    assert sum("data:image/svg+xml" in text and "min-width" in text for text in drawn) == 3
    shown = [text.replace("\\", "") for text in page.table[0].value.iloc[:, 0]]
    assert set(FIGURES) <= set(shown)


def test_defaults_follow_the_profile(page: Any) -> None:
    before = page.dataframe[0].value
    for name in profiles.names():
        page.selectbox(key="platform").set_value(name)
        page.run()
        assert not page.exception
        assert len(page.dataframe[0].value) >= len(before) / 2
    assert not page.dataframe[0].value.equals(before)


def test_every_row_of_the_validation_can_be_read(page: Any) -> None:
    parts = proof.sections()
    assert len(parts) > 10
    assert sum(len(part.rows) for part in parts) > 300
    assert len(page.table[1].value) == len(parts)
    page.session_state["every row"] = True
    page.run()
    for part in parts:
        page.selectbox(key="part").set_value(part.title)
        page.run()
        assert not page.exception
        assert len(page.table[2].value) == len(part.rows)


def test_the_furthest_is_what_the_rows_say() -> None:
    for part in proof.sections():
        if part.furthest.endswith("errors"):
            place = part.heads.index("off")
            off = [float(row[place]) for row in part.rows if row[place]]
            assert float(part.furthest.split()[0]) == max(map(abs, off)) <= 4
