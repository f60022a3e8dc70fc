"""The report and the index in a real browser: alone, without errors, accessible, and on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.report.index import entry, html
from simulator.report.page import page
from tests.browser.tab import Tab
from tests.report.comparing import hostile
from tests.report.test_index import ALL

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("report")
    texts = {
        "report": page(hostile(), "deploysim compare mine.yaml -n 40 --seed 1"),
        "index": html([*ALL, entry("hostile", hostile())]),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in texts}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "index"])
def test_it_asks_for_nothing_and_is_accessible(
    files: dict[str, str], browser: Any, name: str, theme: str
) -> None:
    tab = Tab(browser, files[name], viewport={"width": 1100, "height": 900}, color_scheme=theme)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.goto(files[name])
    assert asked == [files[name]]
    assert tab.hosts == set()
    assert tab.errors == []
    script = "getComputedStyle(document.body).backgroundColor"
    colour = [int(part) for part in tab.page.evaluate(script)[4:-1].split(",")[:3]]
    assert (sum(colour) < 200) == (theme == "dark")
    assert tab.findings() == []
    tab.close()


@pytest.mark.parametrize("name", ["report", "index"])
def test_a_phone_does_not_scroll_sideways(files: dict[str, str], browser: Any, name: str) -> None:
    tab = Tab(browser, files[name], viewport={"width": 390, "height": 800})
    tab.page.goto(files[name])
    assert not tab.scrolls_sideways()
    assert tab.findings() == []
    tab.close()


def test_texts_in_pictures_do_not_cover_each_other(files: dict[str, str], browser: Any) -> None:
    """Labels that share more than a quarter of the smaller one's area are unreadable."""
    tab = Tab(browser, files["report"], viewport={"width": 1100, "height": 900})
    tab.page.goto(files["report"])
    script = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
        const boxes = [...svg.querySelectorAll('text')].map(t => [t.textContent,
            t.getBoundingClientRect()]);
        return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) => {
            const w = Math.min(p.right, q.right) - Math.max(p.left, q.left);
            const h = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
            const least = Math.min(p.width * p.height, q.width * q.height);
            return w > 0 && h > 0 && w * h > least / 4;
        }).map(([b]) => `${svg.querySelector('title').textContent}: ${a} / ${b}`));
    })"""
    assert tab.page.evaluate(script) == []
    tab.close()


def test_on_paper_it_is_light_and_has_pages(files: dict[str, str], browser: Any) -> None:
    tab = Tab(browser, files["report"], color_scheme="dark")
    tab.page.goto(files["report"])
    tab.page.emulate_media(media="print")
    script = "getComputedStyle(document.body).backgroundColor"
    assert tab.page.evaluate(script) == "rgb(255, 255, 255)"
    assert tab.page.locator("nav").is_hidden()
    printed = tab.page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type/Page/") >= 3
    tab.close()
