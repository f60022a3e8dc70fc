"""Reading stack policies.

Source: AWS CloudFormation user guide, "Defining a stack policy" (2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from simulator.bring.documents import Manifest, ManifestError, load
from simulator.bring.templates import packaged_templates
from simulator.platforms.cloudformation.policies import ACTIONS, Policy, Statement, matches
from simulator.words.documents import Path
from simulator.words.problems import Problem

_KEYS = frozenset(
    (
        *("Sid", "Effect", "Action", "NotAction", "Principal", "Resource", "NotResource"),
        *("Condition",),
    )
)
_MOST = 1000


def policy(where: str | FilePath) -> Policy:
    """The stack policy in a file, on standard input for "-", or of a packaged name.

    Raises ManifestError with everything that is wrong.
    """
    manifest = load(where, packaged_templates())
    data = manifest.documents[0].data
    if not isinstance(data, Mapping) or "Statement" not in data:
        message = 'not a stack policy: no Statement; write {"Statement": [...]}'
        raise ManifestError([manifest.problem((), message)])
    stated = data["Statement"]
    listed = stated if isinstance(stated, list) else [stated]
    reader = _Reader(manifest)
    if len(listed) > _MOST:
        reader.wrong(("Statement",), f"more than {_MOST} statements; join some")
    found = [
        reader.statement(
            entry, ("Statement", number) if isinstance(stated, list) else ("Statement",)
        )
        for number, entry in enumerate(listed[:_MOST])
    ]
    if reader.problems:
        raise ManifestError(reader.problems[:20])
    return tuple(item for item in found if item is not None)


class _Reader:
    """Reads statements; `problems` grows with what is wrong with them."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.problems: list[Problem] = []

    def wrong(self, path: Path, message: str) -> None:
        """Note a problem."""
        self.problems.append(self.manifest.problem(path, message))

    def statement(self, entry: Any, path: Path) -> Statement | None:
        """One statement, or None if it cannot be read."""
        if not isinstance(entry, Mapping):
            self.wrong(path, "is not a mapping; write Effect, Action, Principal and Resource")
            return None
        for key in entry:
            if key not in _KEYS:
                self.wrong((*path, key), f"is no part of a statement; allowed: {_listed(_KEYS)}")
        if entry.get("Effect") not in ("Allow", "Deny"):
            self.wrong((*path, "Effect"), "is neither; write Allow or Deny")
        if entry.get("Principal", "*") not in ("*", ["*"], {"AWS": "*"}):
            self.wrong((*path, "Principal"), 'takes everyone only; write "*"')
        actions, but_actions = self._one_of(entry, "Action", path)
        resources, but_resources = self._one_of(entry, "Resource", path)
        for pattern in actions:
            if not any(matches(pattern, action) for action in ACTIONS):
                self.wrong(
                    path, f"{pattern[:40]!r} is no update; allowed: {_listed(ACTIONS)}, Update:*"
                )
        for pattern in resources:
            if not pattern.startswith(("LogicalResourceId/", "*")):
                remedy = "write LogicalResourceId/NAME or *"
                self.wrong(path, f"{pattern[:40]!r} is no resource; {remedy}")
        types, exact = self._types(entry.get("Condition"), (*path, "Condition"))
        allows = entry.get("Effect") == "Allow"
        return Statement(allows, actions, but_actions, resources, but_resources, types, exact)

    def _one_of(
        self, entry: Mapping[str, Any], key: str, path: Path
    ) -> tuple[tuple[str, ...], bool]:
        """The patterns under a key or its opposite, and whether it is the opposite."""
        there = [name for name in (key, f"Not{key}") if name in entry]
        if len(there) != 1:
            self.wrong(path, f"has {key} or Not{key}, one of the two; write one")
            return (), False
        return self._texts(entry[there[0]], (*path, there[0])), there[0] != key

    def _texts(self, value: Any, path: Path) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else [value]
        if not listed or not all(isinstance(item, str) for item in listed):
            self.wrong(path, 'is not text; write "*" or a list of texts')
            return ()
        return tuple(listed)

    def _types(self, condition: Any, path: Path) -> tuple[tuple[str, ...] | None, bool]:
        if condition is None:
            return None, False
        if isinstance(condition, Mapping) and len(condition) == 1:
            form, inner = next(iter(condition.items()))
            single = isinstance(inner, Mapping) and set(inner) == {"ResourceType"}
            if form in ("StringEquals", "StringLike") and single:
                return self._texts(inner["ResourceType"], (*path, form)), form == "StringEquals"
        message = 'takes types only; write {"StringEquals": {"ResourceType": [...]}}'
        self.wrong(path, message)
        return None, False


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
