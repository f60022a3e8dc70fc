"""The page Import in a real browser: from pasted manifests to a patch, and what is hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from simulator.words.reading import loads
from tests.browser.tab import Tab, give_up
from tests.web.test_imports import BOMB, MINE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore"),
]
BOX, READ = "Manifests", "Read it"


def stopped(tab: Tab) -> None:
    """Have what is under way stopped: enough was seen."""
    idle = 0
    for _ in range(80):
        give_up(tab.page)
        tab.page.wait_for_timeout(250)
        waiting = tab.page.get_by_role("button", name="Cancel", exact=True).count()
        idle = 0 if waiting else idle + 1
        if idle == 8:  # nothing more begins
            break


def pasted(tab: Tab, text: str) -> None:
    """Put a text into the box and read it, by the keyboard alone."""
    tab.box(BOX).fill(text)
    button = tab.page.get_by_role("button", name=READ, exact=True)
    button.focus()
    button.press("Enter")


def test_from_pasted_manifests_to_a_patch(app_url: str, browser: Any, tmp_path: Path) -> None:
    size = {"width": 1300, "height": 900}
    tab = Tab(browser, app_url, viewport=size).open("imports", "Read here")
    pasted(tab, MINE)
    tab.page.get_by_text("Deployment/mine:").first.wait_for(timeout=30_000)
    give_up(tab.page)
    box = tab.box("Requests")
    box.fill("2500 rps")
    box.press("Enter")
    tab.page.get_by_text("assumed was 100 rps").first.wait_for(timeout=30_000)
    give_up(tab.page)
    tab.page.get_by_role("button", name="Compare them").click()
    tab.page.get_by_text("Deployment/mine as it is").first.wait_for(timeout=90_000)
    stopped(tab)
    assert tab.hosts == {"127.0.0.1"}
    assert tab.errors == []
    assert tab.findings() == []
    scenario = loads(tab.download("Scenario (YAML)", tmp_path).read_text("utf-8"))
    assert scenario.traffic.rate == 2500
    assert "## Deployment/mine" in tab.download("Pull request", tmp_path).read_text("utf-8")
    everything = json.loads(tab.download("Everything (JSON)", tmp_path).read_text("utf-8"))
    assert everything["advice"]["alternatives"]
    patch = tab.page.get_by_role("button", name="Patch (text)")
    assert everything["advice"]["best"] is None or patch.is_enabled()
    tab.page.set_viewport_size({"width": 390, "height": 800})
    tab.page.wait_for_timeout(500)
    assert not tab.scrolls_sideways()
    link = tab.page.url.split("?")[1]
    tab.close()
    again = Tab(browser, app_url, viewport=size, color_scheme="dark")
    again.open(f"imports?{link}", "assumed was 100")
    again.page.get_by_text("Deployment/mine as it is").first.wait_for(timeout=90_000)
    stopped(again)
    command = "deploysim import pasted.yaml --set 'traffic.rate=2500 rps' --compare"
    assert again.page.get_by_test_id("stCode").last.inner_text().strip() == command
    assert again.findings() == []
    again.page.get_by_role("button", name="Open in Compare").click()
    again.page.get_by_text("How should a release go out?").first.wait_for(timeout=90_000)
    again.page.get_by_text("Deployment/mine").first.wait_for(timeout=30_000)
    again.close()


def test_what_is_being_typed_stays_when_an_answer_comes(app_url: str, browser: Any) -> None:
    tab = Tab(browser, app_url).open("imports", "Read here")
    pasted(tab, MINE)
    tab.page.get_by_role("button", name="Cancel", exact=True).first.wait_for(timeout=30_000)
    box = tab.filled("Requests", "100 rps")
    box.fill("2500 rps")
    tab.page.get_by_text("of what matters most here").first.wait_for(timeout=60_000)
    stopped(tab)
    expect(box).to_have_value("2500 rps")
    box.press("Enter")
    tab.page.get_by_text("assumed was 100 rps").first.wait_for(timeout=30_000)
    tab.close()


def test_what_is_hostile_is_told_and_does_no_harm(
    app_url: str, browser: Any, tmp_path: Path
) -> None:
    tab = Tab(browser, app_url).open("imports", "Read here")
    tab.page.on("dialog", lambda dialog: tab.errors.append(dialog.message))
    for text in (BOMB, "kind: [\n", '{"a": ' * 90, MINE.replace("6", "{{ .Values.n }}")):
        pasted(tab, text)
        tab.page.get_by_text("What is wrong, and what to do about it").wait_for(timeout=30_000)
        expect(tab.box(BOX)).to_have_value(text)
        tab.page.get_by_role("button", name="Start over").click()
        tab.page.get_by_text("What is wrong, and what to do").wait_for(state="detached")
    name = "<img src=http://example.invalid/x.png onerror=alert(1)><script>alert(2)</script>"
    pasted(tab, MINE.replace("name: mine", f"name: '{name}'"))
    tab.page.get_by_text(f"Deployment/{name}: ").first.wait_for(timeout=30_000)
    give_up(tab.page)
    assert tab.hosts == {"127.0.0.1"}
    assert tab.errors == []
    tab.close()


def test_a_file_of_100_mb_is_refused_and_what_was_pasted_stays(
    app_url: str, browser: Any, tmp_path: Path
) -> None:
    tab = Tab(browser, app_url).open("imports", "Read here")
    tab.box(BOX).fill(MINE)
    large, small = tmp_path / "large.yaml", tmp_path / "small.yaml"
    with large.open("wb") as file:
        file.truncate(100_000_000)
    tab.page.locator("input[type=file]").set_input_files(str(large))
    tab.page.get_by_text("File must be 1.0MB or smaller").first.wait_for(timeout=30_000)
    small.write_text(MINE.replace("mine", "small"), "utf-8")
    tab.page.locator("input[type=file]").set_input_files(str(small))
    tab.page.get_by_text("Opened: small.yaml").wait_for(timeout=30_000)
    tab.page.get_by_role("button", name=READ, exact=True).click()
    tab.page.get_by_text("Which of the 2 workloads?").first.wait_for(timeout=30_000)
    areas = tab.page.locator("textarea")
    expect(areas).to_have_count(1, timeout=60_000)  # while it is drawn anew there are two
    box = areas.input_value()
    assert box.startswith(MINE.rstrip())
    assert "# file: small.yaml" in box
    assert tab.page.get_by_test_id("stException").count() == 0
    tab.close()
