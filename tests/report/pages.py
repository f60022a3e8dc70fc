"""Reading a page strictly: every element closed, and what it refers to."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_VOID = {"meta", "br", "wbr", "img", "link", "hr", "input", "col"}
_LOADING = ("src", "srcset", "data", "poster", "action", "background", "xlink:href", "href")


class Page(HTMLParser):
    """The elements of a page with their attributes; `faults` holds what is not well-formed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"{tag} is closed but was not the last opened")

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.setdefault(self._open[-1], []).append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self) -> list[str]:
        """Every id in the page."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def outside(self) -> list[str]:
        """What a browser would ask for from elsewhere when it shows the page."""
        found = []
        for tag, attributes in self.elements:
            for key in _LOADING:
                value = attributes.get(key, "#")
                if not (value.startswith("#") or (tag == "a" and key == "href")):
                    found.append(f"{tag} {key}={value}")
            found += re.findall(r"url\((?!#)[^)]*\)", attributes.get("style", ""))
        styles = " ".join(self.texts.get("style", []))
        return found + re.findall(r"@import[^;]*|url\((?!#)[^)]*\)", styles)
