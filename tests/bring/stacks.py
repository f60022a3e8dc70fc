"""Templates and policies written in a test, read as from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.bring.documents import decoded
from simulator.bring.preview import Preview, preview
from simulator.bring.templates import of
from simulator.platforms.cloudformation.changes import Change, change_set
from simulator.platforms.cloudformation.stack import Template

TEMPLATES = Path(__file__).with_name("templates")


def read(text: str) -> Template:
    """The template of a text."""
    return of(decoded(text.encode(), "stack.yaml"))


def changes(old: str, new: str) -> dict[str, Change]:
    """What changes between two texts, by the name of the resource."""
    return {change.name: change for change in change_set(read(old), read(new))}


def previewed(folder: Path, old: str, new: str, policy: str | None = None) -> Preview:
    """The preview of two texts, and of a policy's."""
    for name, text in (("old.yaml", old), ("new.yaml", new), ("policy.json", policy)):
        if text is not None:
            (folder / name).write_text(text, "utf-8")
    rules = None if policy is None else folder / "policy.json"
    return preview(folder / "old.yaml", folder / "new.yaml", rules)


def one(kind: str, **properties: Any) -> str:
    """A template with one resource, X, as JSON, which is YAML too."""
    import json

    return json.dumps({"Resources": {"X": {"Type": kind, "Properties": properties}}})
