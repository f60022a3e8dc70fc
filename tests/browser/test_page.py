"""The page in a real browser: it answers, stays at home, and fits a phone."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore")]
_READY = {"timeout": 90_000}


def opened(browser: Any, url: str, **options: Any) -> tuple[Any, set[str], list[str]]:
    """The page once its script has run, the hosts it asked, and the console's errors."""
    from playwright.sync_api import expect

    page = browser.new_context(**options).new_page()
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda r: hosts.add(r.url.split("/")[2]) if "://" in r.url else None)
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{url}/?n=50")
    app = page.get_by_test_id("stApp")
    expect(app).to_have_attribute("data-test-script-state", "notRunning", **_READY)
    expect(page.get_by_text("Recommended").first).to_be_visible(**_READY)
    return page, hosts, errors


def test_it_answers_and_asks_no_other_host(app_url: str, browser: Any) -> None:
    page, hosts, errors = opened(browser, app_url, viewport={"width": 1300, "height": 900})
    assert {host.split(":")[0] for host in hosts} == {"127.0.0.1"}
    assert errors == []
    assert page.get_by_text("Time against harm").count() == 1


def test_a_phone_does_not_scroll_sideways(app_url: str, browser: Any) -> None:
    page, _, _ = opened(browser, app_url, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_dark_mode_follows_the_system(app_url: str, browser: Any) -> None:
    page, _, _ = opened(browser, app_url, color_scheme="dark")
    colour = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert sum(int(part) for part in colour[4:-1].split(",")[:3]) < 200
