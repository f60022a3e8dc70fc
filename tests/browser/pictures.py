"""Every page as a picture in docs/images: light, dark, and as wide as a phone (`make pictures`)."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROME, ROOT, served
from tests.browser.tab import Tab

FOLDER = ROOT / "docs" / "images"
COLOURS, PHONE, PATIENCE = 160, 390, 300_000
WIDE, TALL = 1280, 940
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": WIDE, "height": TALL}, "color_scheme": "light"},
    "dark": {"viewport": {"width": WIDE, "height": TALL}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": PHONE, "height": 844}, "color_scheme": "light"},
}
_ADVICE = "Other ways to write it"
# Each page: its link, a text at its end, and the heading that the picture begins with.
PAGES = {
    "compare": ("", "Take it with you", ""),
    "imports": ("imports?example=shop-deployment&compared=1", "Take it with you", _ADVICE),
    "replay": ("replay?defect=errors&t=330", "Take it with you", "Moment by moment"),
    "gates": ("gates", "Take it with you", ""),
    "sensitivity": ("sensitivity?scenario=web-shop", "As a table, with sources", ""),
    "scenarios": ("scenarios", "Your own", ""),
    "how": ("how", "The limits", "One bad release"),
}


def take(tab: Tab, name: str, look: str) -> None:
    """One picture, in few colours so that it is small."""
    link, until, begins = PAGES[name]
    tab.open(link, until).settle(PATIENCE)
    if begins:
        tab.page.get_by_role("heading", name=begins, exact=True).evaluate(
            "node => node.scrollIntoView({block: 'start'})"
        )
    tab.page.mouse.move(0, 0)
    tab.page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(tab.page.screenshot())).convert("RGB")
    small = picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}-{look}.png", optimize=True)


def main() -> None:
    """Draw them all anew."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "log") as (url, _, _),
        sync_playwright() as started,
    ):
        browser = started.chromium.launch(executable_path=CHROME, args=ARGUMENTS)
        for look, options in LOOKS.items():
            for name in PAGES:
                tab = Tab(browser, url, **options)
                take(tab, name, look)
                tab.close()
        browser.close()


if __name__ == "__main__":
    main()
