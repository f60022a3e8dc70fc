"""Pages without a browser: `APP` is what Streamlit runs for every visitor."""

import time
from pathlib import Path
from typing import Any

APP = str(Path(__file__).parents[2] / "simulator" / "web" / "entry" / "script.py")


def settled(page: Any, seconds: float = 90) -> Any:
    """The page as it is when nothing more is worked out."""
    until = time.monotonic() + seconds
    while any(str(button.key).startswith("cancel") for button in page.button):
        assert time.monotonic() < until, "it goes on and on"
        time.sleep(0.2)
        page.run()
    assert not page.exception
    return page
