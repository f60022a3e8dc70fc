"""The page Scenarios without a browser: cards, the editor, and what is wrong at which line."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.words.reading import packaged
from tests.web import APP

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")
GOOD = """version: 1
name: mine
profile: ecs-fargate
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
strategies: {rolling: {}, canary: {}}
"""
BAD = GOOD.replace("30k", "lots").replace("canary: {}", "canray: {}")


@pytest.fixture
def page() -> Any:
    page = testing.AppTest.from_file(APP, default_timeout=60)
    page.switch_page("../pages/scenarios.py").run()
    assert not page.exception
    return page


def texts(page: Any) -> str:
    return " ".join(str(part.value) for part in [*page.markdown, *page.success, *page.caption])


def test_every_packaged_scenario_has_a_card_with_its_question(page: Any) -> None:
    links = [link.proto.label for link in page.get("page_link")]
    assert sum(label.startswith("Compare") for label in links) == len(packaged())
    assert "How should the checkout team release a risky pricing change?" in texts(page)


def test_a_copy_comes_into_the_editor_and_is_used(page: Any) -> None:
    page.selectbox(key="copied").set_value("quiet-api")
    page.button[0].click().run()
    assert "name: Quiet API" in page.text_area(key="draft").value
    page.button[1].click().run()
    assert "In use as" in page.success[0].value
    assert "Quiet API" in page.success[0].value


def test_every_problem_is_told_at_its_line(page: Any) -> None:
    page.text_area(key="draft").set_value(BAD)
    page.button[1].click().run()
    assert not page.success
    found = page.table[0].value
    assert list(found.line) == ["5", "6"]
    assert "did you mean" in found.iloc[1, 3]
    assert "lots" in found.iloc[0, 4]


def test_what_was_wrong_is_mended_and_used(page: Any) -> None:
    page.text_area(key="draft").set_value(BAD)
    page.button[1].click().run()
    page.text_area(key="draft").set_value(GOOD)
    page.button[1].click().run()
    assert "mine" in page.success[0].value
    page.text_area(key="draft").set_value(GOOD + "# more")
    page.run()
    assert "not in use yet" in page.success[0].value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("a: [", "not YAML here"),
        ("version: 1\nx: &a [*a]", ""),
        (GOOD.replace("rate: 400 rps", "trace: {file: /etc/passwd}"), "opens none"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: " + "[" * 90 + "*b" + "]" * 90, ""),
    ],
)
def test_what_is_no_scenario_gets_a_message(page: Any, text: str, told: str) -> None:
    page.text_area(key="draft").set_value(text)
    page.button[1].click().run()
    assert not page.exception
    assert not page.success
    assert len(page.table[0].value) >= 1
    assert told in " ".join(page.table[0].value.iloc[:, 3]).replace("\\", "")


def test_an_uploaded_file_comes_into_the_editor(page: Any) -> None:
    page.file_uploader(key="file").set_value(("mine.yaml", GOOD.encode(), "text/yaml")).run()
    assert page.text_area(key="draft").value == GOOD
    page.file_uploader(key="file").set_value(("mine.yaml", b"\xff\xfe\x00x", "text/yaml")).run()
    assert page.error
    assert page.text_area(key="draft").value == GOOD
