"""Documents that are no scenarios: what is read, what is refused, and where."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from simulator.bring.documents import ManifestError, decoded, load, short_tag
from simulator.words.documents import plain

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in zip("abcdef", "bcdefg", strict=True)
)


def test_several_documents_each_with_its_places() -> None:
    found = decoded(b"a: 1\n---\nb: [x, y]\n", "m.yaml")
    assert [document.data for document in found.documents] == [{"a": 1}, {"b": ["x", "y"]}]
    assert found.documents[1].places["b", 1] == (3, 8)


def test_json_is_read_with_its_places() -> None:
    found = decoded(b'{"a": {"b":\t"\\u00e9"}}', "m.json").documents[0]
    assert found.data == {"a": {"b": "\u00e9"}}
    assert found.places["a", "b"] == (1, 8)


def test_short_tags_are_their_long_forms() -> None:
    text = b"a: !Ref 010\nb: !Select [0, !Split [',', 'x,y']]\nc: !Condition Yes\n"
    assert decoded(text, "t.yaml").documents[0].data == {
        "a": {"Ref": "010"},
        "b": {"Fn::Select": [0, {"Fn::Split": [",", "x,y"]}]},
        "c": {"Condition": "Yes"},
    }
    assert short_tag("!Foo") is None
    assert short_tag("!!python/object") is None


@pytest.mark.parametrize(
    ("content", "reason", "place"),
    [
        (BOMB.encode(), "more than 50000 values", None),
        (b"a: " + b"[" * 100 + b"]" * 100, "nested deeper than 64", "1:67"),
        (b"a: !Ref " * 1 + b"x" * 2**20, "larger than 1 MiB", "1:1"),
        (b"a: 1\na: 2\n", "stands twice", "2:1"),
        (b"a: !Foo x\n", "the tag !Foo is not read", "1:4"),
        (b"a: !!python/object/apply:os.system [x]\n", "is not read", "1:4"),
        (b"[1, 2", "not YAML here", None),
        (b"\x00\x01", "not a text file", "1:1"),
        (b"\xff\xfe\x00", "not a text file", "1:1"),
        (b"", "is empty", "1:1"),
        (b"# nothing\n", "is empty", "1:1"),
        (b"a: &a [*a]\n", "an alias stands inside", None),
        (b"a: *b\n", "undefined alias", "1:4"),
    ],
)
def test_what_cannot_be_read_is_one_message(content: bytes, reason: str, place: str | None) -> None:
    with pytest.raises(ManifestError, match=reason) as caught:
        decoded(content, "t.yaml")
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"t.yaml:{place or ''}")
    assert caught.value.what == "invalid manifest"


def test_standard_input_and_what_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a: 1")))
    assert load("-").name == "<stdin>"
    with pytest.raises(ManifestError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(ManifestError, match=r"cannot be read .*; check the path"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ManifestError, match="cannot be read"):
        load("a\x00b")
    (tmp_path / "web.template").write_text("a: 1", "utf-8")
    assert load("web", tmp_path).documents[0].data == {"a": 1}


def test_what_steers_a_terminal_is_replaced() -> None:
    assert plain("a\x1b[31m\nb") == "a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b"
