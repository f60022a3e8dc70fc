"""A tab of a real browser that remembers what it asked for and what went wrong."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

_PATIENCE = 90_000
_LOOKED_FOR = ("/_stcore/health", "/_stcore/host-config")
# Findings of the browser's audit that are the framework's own, in its own elements.
UPSTREAM = {
    "color-contrast": ("stSlider", "stTooltip", "stToolbar", "stAppDeployButton"),
    "aria-allowed-attr": ("stSlider", "stSelectSlider"),
}


def give_up(page: Any) -> None:
    """Press every Cancel of a page, so that nobody works for a tab that is closed."""
    for _ in range(3):
        buttons = page.get_by_role("button", name="Cancel", exact=True)
        if not buttons.count():
            return
        with suppress(Exception):  # it may have ended meanwhile
            buttons.first.click(timeout=2_000)
        page.wait_for_timeout(300)


class Tab:
    """One page of the app: hosts that were asked, errors of the console, findings of the audit."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.url = url
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("console", self._said)
        self.page.on("response", self._answered)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _asked(self, request: Any) -> None:
        if request.url.startswith(("http", "ws")):
            self.hosts.add(request.url.split("/")[2].split(":")[0])

    def _said(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def _answered(self, response: Any) -> None:
        """A page that is opened by its own address looks for the server below it first."""
        if response.status >= 400 and not response.url.endswith(_LOOKED_FOR):
            self.errors.append(f"{response.status} {response.url}")

    def open(self, path: str = "", until: str = "Take it with you") -> Tab:
        """Open a page and wait for a text that stands at its end."""
        self.page.goto(f"{self.url}/{path}")
        self.page.get_by_text(until).first.wait_for(timeout=_PATIENCE)
        return self

    def settle(self, patience: float = _PATIENCE) -> Tab:
        """Wait until nothing is worked out any more, at most `patience` milliseconds each time."""
        app = self.page.get_by_test_id("stApp")
        for _ in range(3):
            self.page.wait_for_function(
                """() => document.querySelector('[data-testid=stApp]')
                    ?.getAttribute('data-test-script-state') === 'notRunning'
                    && ![...document.querySelectorAll('button')]
                        .some(b => b.innerText.trim() === 'Cancel')""",
                timeout=patience,
            )
            self.page.wait_for_timeout(250)
        assert app.count() == 1
        return self

    def command(self) -> str:
        """The first command line that the page shows."""
        return str(self.page.get_by_test_id("stCode").first.inner_text()).strip()

    def box(self, label: str) -> Any:
        """A text box by its label."""
        return self.page.get_by_role("textbox", name=label, exact=True)

    def filled(self, label: str, text: str) -> Any:
        """A text box once it shows what the link says: until then the framework would write over
        what is filled in.
        """
        from playwright.sync_api import expect

        box = self.box(label)
        expect(box).to_have_value(text, timeout=_PATIENCE)
        return box

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth")
        return wide > int(self.page.viewport_size["width"])

    def findings(self) -> list[str]:
        """What the accessibility audit finds (WCAG 2 A and AA) that is not the framework's own."""
        from axe_playwright_python.sync_playwright import Axe

        options = {"runOnly": ["wcag2a", "wcag2aa"]}
        found = Axe().run(self.page, options=options).response["violations"]
        told = []
        for violation in found:
            known = UPSTREAM.get(violation["id"], ())
            nodes = [n for n in violation["nodes"] if not self._inside(n["target"][0], known)]
            told += [f"{violation['id']}: {n['target'][0]}: {n['html'][:160]}" for n in nodes]
        return told

    def _inside(self, selector: Any, places: tuple[str, ...]) -> bool:
        """Whether an element stands inside one of the framework's own."""
        if not isinstance(selector, str):
            return False
        script = """([selector, places]) => {
            const node = document.querySelector(selector);
            return places.some(p => node && node.closest(`[data-testid^=${p}]`));
        }"""
        return bool(self.page.evaluate(script, [selector, list(places)]))

    def download(self, name: str, folder: Path) -> Path:
        """Press a button of a download and keep the file."""
        with self.page.expect_download(timeout=_PATIENCE) as waiting:
            self.page.get_by_role("button", name=re.compile(re.escape(name))).first.click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path

    def close(self) -> None:
        """Close the tab; what it is still waiting for is given up."""
        give_up(self.page)
        self.context.close()
