"""A served app and a headless browser; without a browser tests skip, except in CI."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.browser.tab import give_up

CHROME = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
ROOT = Path(__file__).parents[2]
# Seconds that a machine takes on which the stated times hold; slower or busy ones get as much more.
_IMPORTS = 0.9
_MOST_SHOWN = 3000


@contextmanager
def served(log: Path) -> Iterator[tuple[str, int, float]]:
    """A server of its own: its address, process, and the moment at which it was begun."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"),
                *("--server.headless=true", "--server.fileWatcherType=none"),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                pytest.fail("the app did not start")
            yield url, process.pid, began
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("app") / "log") as (url, _, _):
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not CHROME:
        if os.environ.get("E2E"):
            pytest.fail("no Chromium: install it, or set CHROME")
        pytest.skip("no Chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROME, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def slowness() -> float:
    """How many times slower this machine is now than the one the stated times are for."""
    return how_slow()


def how_slow() -> float:
    """The same, measured once more: the speed of a shared machine changes from second to second."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import altair, pandas"], check=True)
    return max((time.monotonic() - began) / _IMPORTS, 1.0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails says what stood on the pages that it left open."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if report.failed and browser and call.when == "call":
        for page in (page for context in browser.contexts for page in context.pages):
            with suppress(Exception):
                report.sections.append((page.url, page.inner_text("body")[:_MOST_SHOWN]))
    return report


@pytest.fixture(autouse=True)
def _no_tab_stays_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing that a test asked for is still worked at when the next one begins."""
    yield
    if "browser" in request.fixturenames:
        for context in request.getfixturevalue("browser").contexts:
            for page in context.pages:
                give_up(page)
            context.close()
