"""The page Compare in a real browser: quick, shareable, and everything can be taken away."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.words.reading import loads
from tests.browser.conftest import how_slow, served
from tests.browser.tab import Tab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore"),
]
# Seconds on a machine of two idle cores.
COLD, CHANGED, CANCELLED = 5.0, 1.5, 0.5
TRIES = 3  # the best counts: what else the machine does meanwhile is not the page's


@pytest.mark.timed
def test_a_cold_start_answers_within_5_s(browser: Any, tmp_path: Path, slowness: float) -> None:
    took, slower = math.inf, slowness
    for number in range(TRIES):
        with served(tmp_path / f"log {number}") as (url, _, began):
            tab = Tab(browser, url)
            tab.open(until="Recommended")
            took = min(took, time.monotonic() - began)
            # The server asked this question before anybody came; it is the visitor's to stop.
            tab.page.get_by_role("button", name="Cancel", exact=True).click(timeout=20_000)
            tab.page.get_by_text("Stopped: this is what was found").first.wait_for(timeout=20_000)
            tab.page.get_by_role("button", name="Go on").first.wait_for(timeout=20_000)
            tab.close()
        slower = max(slower, how_slow())
        if took < COLD * slower:
            break
    assert took < COLD * slower, f"{took:.1f} s; the machine is {slower:.1f} times slower"


@pytest.mark.timed
def test_a_changed_control_answers_and_cancels_at_once(
    app_url: str, browser: Any, slowness: float
) -> None:
    tab = Tab(browser, app_url).open("?n=5000&set=service.instances%3D22")
    took, stopped, slower = math.inf, math.inf, slowness
    box = tab.filled("Instances", "22")
    for number in range(26, 26 + TRIES):
        box.fill(str(number))
        began = time.monotonic()
        box.press("Enter")
        tab.page.get_by_text(f"Changed: service.instances = {number}").first.wait_for(
            timeout=60_000
        )
        took = min(took, time.monotonic() - began)
        button = tab.page.get_by_role("button", name="Cancel", exact=True)
        button.wait_for(timeout=20_000)
        began = time.monotonic()
        button.click()
        tab.page.get_by_text("Stopped: this is what was found").first.wait_for(timeout=20_000)
        stopped = min(stopped, time.monotonic() - began)
        slower = max(slower, how_slow())  # while nothing is worked at
        tab.page.get_by_role("button", name="Go on").click()
        button.wait_for(timeout=20_000)
        if took < CHANGED * slower and stopped < CANCELLED * slower:
            break
    tab.close()
    assert took < CHANGED * slower
    assert stopped < CANCELLED * slower


def test_the_interval_becomes_narrower_while_one_watches(app_url: str, browser: Any) -> None:
    tab = Tab(browser, app_url).open("?n=150&set=service.instances%3D24")
    chart = tab.page.locator("[aria-label*='ever more replications'][aria-label*='; 150:']").first
    chart.wait_for(timeout=90_000)
    told = str(chart.get_attribute("aria-label"))
    widths = [
        float(high) - float(low)
        for low, high in (
            part.split("(")[1].split(" %")[0].split("–") for part in told.split(";") if "(" in part
        )
    ]
    assert len(widths) == 3
    assert widths[-1] < widths[0] / 1.5
    tab.close()


def test_a_link_leads_back_to_the_same_page(app_url: str, browser: Any) -> None:
    tab = Tab(browser, app_url).open("?n=50&scenario=quiet-api")
    tab.box("Users").fill("7k")
    tab.box("Users").press("Enter")
    tab.page.get_by_text("traffic.users=7k").first.wait_for()
    tab.page.get_by_text("Two variants side by side").click()
    tab.page.get_by_text("Variant B.").first.wait_for(timeout=60_000)
    tab.box("Requests").fill("900 rps")
    tab.box("Requests").press("Enter")
    tab.page.get_by_text("traffic.rate=900 rps").first.wait_for(timeout=60_000)
    tab.settle()
    link, command = tab.page.url, tab.command()
    tab.close()
    other = Tab(browser, app_url).open("?" + link.split("?")[1]).settle()
    assert other.command() == command
    codes = other.page.get_by_test_id("stCode")
    assert "traffic.rate=900 rps" in codes.nth(1).inner_text()
    assert "traffic.rate" not in codes.nth(0).inner_text()
    other.close()


def test_a_change_survives_a_browser_that_lags_behind(app_url: str, browser: Any) -> None:
    """What the server says is held back: the browser goes on asking with the link it knows."""
    tab, lags = Tab(browser, app_url), False
    held: list[Callable[[], None]] = []

    def between(socket: Any) -> None:
        def told(message: Any) -> None:
            if lags:
                held.append(lambda: socket.send(message))
            else:
                socket.send(message)

        socket.connect_to_server().on_message(told)

    tab.page.route_web_socket(lambda url: "_stcore/stream" in url, between)
    tab.open("?n=700&scenario=quiet-api&seed=3")
    tab.page.get_by_role("button", name="Cancel", exact=True).wait_for(timeout=20_000)
    lags = True
    tab.page.get_by_role("slider", name="Defective releases").press("ArrowRight")
    tab.page.wait_for_timeout(1500)
    lags = False
    for tell in held:
        tell()
    tab.page.get_by_text("change.defect_probability=6%").first.wait_for(timeout=30_000)
    tab.page.wait_for_timeout(2000)
    assert "change.defect_probability=6%" in tab.command()
    tab.close()


def test_every_download_opens(app_url: str, browser: Any, tmp_path: Path) -> None:
    import pandas as pd

    tab = Tab(browser, app_url).open("?n=50&scenario=quiet-api&set=service.instances%3D5").settle()
    scenario = loads(tab.download("Scenario (YAML)", tmp_path).read_text("utf-8"))
    assert scenario.service.instances == 5
    figures = pd.read_csv(tab.download("Figures (CSV)", tmp_path))
    assert set(figures.strategy) == set(scenario.strategies)
    rows = pd.read_parquet(tab.download("Replications (parquet)", tmp_path))
    assert len(rows) == len(scenario.strategies) * (50 + 50)
    results = json.loads(tab.download("Results (JSON)", tmp_path).read_text("utf-8"))
    assert set(results["strategies"]) == set(scenario.strategies)
    report = tab.download("Report (HTML)", tmp_path)
    tab.page.goto(report.as_uri())
    assert tab.page.get_by_text("Recommended").count()
    assert tab.hosts == {"127.0.0.1"}
    tab.close()


def test_it_can_be_used_without_a_mouse(app_url: str, browser: Any) -> None:
    tab = Tab(browser, app_url).open("?n=50&scenario=quiet-api")
    slider = tab.page.get_by_role("slider", name="Defective releases")
    slider.focus()
    slider.press("ArrowRight")
    tab.page.get_by_text("change.defect_probability=6%").first.wait_for(timeout=30_000)
    tab.box("Instances").focus()
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.type("25")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_text("service.instances=25").first.wait_for(timeout=30_000)
    assert "change.defect_probability=6%" in tab.command()
    assert "service.instances" in tab.page.url
    tab.close()


def test_a_newcomer_learns_whether_a_canary_is_worth_it(app_url: str, browser: Any) -> None:
    """From the first page, with no other text than what it shows, in less than three minutes."""
    began = time.monotonic()
    tab = Tab(browser, app_url).open("?n=150")
    for label, text in (("Instances", "12"), ("Requests", "300 rps"), ("Users", "20k")):
        box = tab.box(label)
        box.fill(text)
        box.press("Enter")
        tab.page.get_by_text(text.replace(" ", " ")).first.wait_for(timeout=30_000)
    verdict = tab.page.get_by_test_id("stAlert").first.inner_text()
    assert "Recommended: " in verdict
    assert "USD" in verdict
    table = tab.page.locator("[data-testid=stTable]:visible").first
    for name in ("canary", "big_bang", "blue_green"):
        table.get_by_text(name).first.wait_for(timeout=30_000)
    assert time.monotonic() - began < 180
    tab.close()


def test_what_is_typed_counts_when_a_timer_is_due(app_url: str, browser: Any) -> None:
    """A browser that is busy when Enter is pressed sends the look that was due before the change,
    and with it. Here that is so whenever Enter is pressed."""
    from playwright.sync_api import expect

    tab = Tab(browser, app_url).open("?n=5000&scenario=incident-global-rule", "Time against harm")
    tab.page.evaluate(
        """addEventListener("keydown", event => {
            const until = performance.now() + (event.key === "Enter" ? 600 : 0);
            while (performance.now() < until);
        }, true);
        const timeout = setTimeout;
        window.setTimeout = (what, wait, ...more) => timeout(what, wait || 5, ...more);"""
    )
    box = tab.box("Instances")
    for number in (31, 32, 33, 34):
        box.fill(str(number))
        box.press("Enter")
        expect(tab.page).to_have_url(re.compile(f"service.instances%3D{number}"), timeout=30_000)
        expect(box).to_have_value(str(number))
    tab.close()
