"""Every page in a real browser: at home, without errors, accessible, in both themes, on a phone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from simulator.web import state
from tests.browser.tab import Tab
from tests.web.test_gates import OWN

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore"),
]
SMALL = f"scenario={state.OWN}&own={state.packed(OWN)}"  # soon worked out to the end
# Each page by its link, and a text that stands near its end.
PAGES = {
    "compare": ("?n=50&scenario=quiet-api", "Take it with you"),
    "imports": ("imports", "Read here"),
    "replay": ("replay?scenario=quiet-api", "Take it with you"),
    "gates": (f"gates?{SMALL}", "Take it with you"),
    "sensitivity": (f"sensitivity?{SMALL}", "What moves users harmed"),
    "scenarios": ("scenarios", "Your own"),
    "how": ("how", "The limits"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_it_stays_at_home_without_errors_is_accessible_and_fits_a_phone(
    app_url: str, browser: Any, name: str, theme: str
) -> None:
    size = {"width": 1300, "height": 900}
    tab = Tab(browser, app_url, viewport=size, color_scheme=theme)
    tab.open(*PAGES[name]).settle()
    assert tab.hosts == {"127.0.0.1"}
    assert tab.errors == []
    assert tab.page.get_by_test_id("stException").count() == 0
    script = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    colour = [int(part) for part in tab.page.evaluate(script)[4:-1].split(",")[:3]]
    assert (sum(colour) < 200) == (theme == "dark")
    assert tab.findings() == []
    tab.page.set_viewport_size({"width": 390, "height": 800})
    tab.page.wait_for_timeout(500)
    assert not tab.scrolls_sideways()
    tab.close()


def test_pages_keep_the_scenario_and_its_changes(app_url: str, browser: Any) -> None:
    tab = Tab(browser, app_url).open("?n=50&scenario=incident-global-rule&set=traffic.users%3D9k")
    for title, text in (("Gates", "What each gate can see"), ("Compare", "Time against harm")):
        tab.page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
        tab.page.get_by_text(text).first.wait_for(timeout=60_000)
        tab.page.get_by_text("traffic.users").first.wait_for(timeout=60_000)
        expect(tab.page).to_have_url(re.compile("incident-global-rule"), timeout=10_000)
    tab.close()


def test_what_a_link_says_holds_on_the_next_page_however_soon_it_is_asked_for(
    app_url: str, browser: Any
) -> None:
    """The framework forgets what is bound to the link of a page that it has drawn only once."""
    chosen = "?n=50&scenario=incident-global-rule&seed=7&set=traffic.users%3D9k"
    tab = Tab(browser, app_url)
    tab.page.goto(f"{app_url}/{chosen}")
    expect(tab.page.get_by_label("Seed", exact=True)).to_have_value("7", timeout=60_000)
    for title, command in (("Gates", "rehearse"), ("Compare", "compare")):
        tab.page.get_by_test_id("stTopNavLink").filter(has_text=title).click()
        for what in ("scenario=incident-global-rule", "seed=7", "set=traffic.users%3D9k"):
            expect(tab.page).to_have_url(re.compile(re.escape(what)), timeout=60_000)
        expect(tab.page.get_by_label("Seed", exact=True)).to_have_value("7", timeout=60_000)
        text = f"deploysim {command} incident-global-rule"
        tab.page.get_by_text(text).first.wait_for(timeout=60_000)
    expect(tab.page).to_have_url(re.compile("n=50"), timeout=60_000)
    seen = []
    for _ in range(3):  # the framework makes two or three steps of a change of pages
        tab.page.go_back()
        tab.settle()
        expect(tab.page).to_have_url(re.compile("scenario=incident-global-rule"), timeout=60_000)
        expect(tab.page.get_by_label("Seed", exact=True)).to_have_value("7", timeout=60_000)
        assert "incident-global-rule" in tab.page.get_by_test_id("stCode").last.inner_text()
        assert "--set traffic.users=9k" in tab.page.get_by_test_id("stCode").last.inner_text()
        seen.append("/gates?" in tab.page.url)
    assert any(seen)
    tab.close()


def test_a_file_of_100_mb_is_refused_where_it_was_chosen(
    app_url: str, browser: Any, tmp_path: Path
) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    tab = Tab(browser, app_url).open("scenarios", "Your own")
    tab.page.locator("input[type=file]").set_input_files(str(large))
    tab.page.get_by_text("File must be 1.0MB or smaller").first.wait_for(timeout=30_000)
    assert tab.page.get_by_test_id("stException").count() == 0
    small = tmp_path / "small.yaml"
    small.write_text("version: 1\nname: small one\n", "utf-8")
    tab.page.locator("input[type=file]").set_input_files(str(small))
    expect(tab.box("The scenario")).to_have_value(re.compile("small one"), timeout=30_000)
    tab.close()


def test_a_link_of_somebody_hostile_asks_for_nothing_outside(app_url: str, browser: Any) -> None:
    own = state.packed('"![x](http://example.invalid/p.png)": 1')
    tab = Tab(browser, app_url).open(f"?n=50&scenario=quiet-api&own={own}")
    tab.page.get_by_text("cannot be read").first.wait_for(timeout=30_000)
    assert tab.hosts == {"127.0.0.1"}
    tab.close()


def test_a_click_counts_however_slow_the_connection(app_url: str, browser: Any) -> None:
    """What the server says before it hears of a click starts timers of the page that is left."""
    tab = Tab(browser, app_url)
    held: list[Any] = []
    holds = {"now": False}

    def connect(route: Any) -> None:
        server = route.connect_to_server()

        def told(message: Any) -> None:
            if holds["now"]:
                held.append((route, message))
            else:
                route.send(message)

        server.on_message(told)

    def let_go() -> None:
        while held:
            route, message = held.pop(0)
            route.send(message)

    tab.page.route_web_socket(re.compile("_stcore/stream"), connect)
    tab.page.goto(f"{app_url}/?n=5000&scenario=incident-global-rule&seed=7")
    tab.page.get_by_role("button", name="Cancel").first.wait_for(timeout=60_000)
    holds["now"] = True
    tab.page.wait_for_timeout(1000)
    tab.page.get_by_test_id("stTopNavLink").filter(has_text="Gates").click()
    let_go()
    tab.page.wait_for_timeout(1000)
    holds["now"] = False
    let_go()
    text = "deploysim rehearse incident-global-rule"
    tab.page.get_by_text(text).first.wait_for(timeout=60_000)
    expect(tab.page).to_have_url(re.compile("/gates.*scenario=incident-global-rule"))
    tab.close()
