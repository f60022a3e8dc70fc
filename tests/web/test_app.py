"""The page without a browser: it opens, answers, and explains what it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

testing = pytest.importorskip("streamlit.testing.v1")

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture(scope="module")
def page():  # type: ignore[no-untyped-def]
    page = testing.AppTest.from_file(APP, default_timeout=120)
    page.query_params["scenario"] = "textbook"
    page.query_params["n"] = "50"
    return page.run()


@pytest.mark.filterwarnings("ignore")
def test_it_opens_with_an_answer(page) -> None:  # type: ignore[no-untyped-def]
    assert not page.exception
    assert page.title[0].value == "The textbook's strategies"
    assert page.info[0].value.startswith("Recommended")
    assert len(page.metric) == 4
    assert "deploysim compare textbook -n 50" in page.code[0].value


@pytest.mark.filterwarnings("ignore")
def test_the_defect_probability_answers_without_simulating(  # type: ignore[no-untyped-def]
    page, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = page.info[0].value

    def never(*_: object, **__: object) -> None:
        raise AssertionError("simulated again")

    monkeypatch.setattr("simulator.findings.study.run", never)
    page.slider(key="defective").set_value(20.0).run()
    assert not page.exception
    assert page.info[0].value != before
    assert "change.defect_probability" in page.code[0].value
