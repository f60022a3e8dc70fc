"""The link of a tab: what a page wrote last holds, whatever link a lagging browser repeats."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from simulator import web
from simulator.web import link, state

testing = pytest.importorskip("streamlit.testing.v1")
KEYS = ("set", "b", "two")


def _page() -> None:
    import streamlit as st

    from simulator.web import link

    def written(key: str) -> None:
        link.write(key, *filter(None, [st.session_state[f"box {key}"]]))

    for key in ("set", "b", "two"):
        st.text_input(key, key=f"box {key}", on_change=written, args=(key,))
        st.text(" ".join(link.values(key)))


def said(page: Any) -> list[str]:
    return [text.value for text in page.text]


def repeats(page: Any, **said: str) -> None:
    """The browser asks for the page once more, with this link."""
    for key in KEYS:
        page.query_params.pop(key, None)
    for key, value in said.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception


def test_whatever_was_said_before_is_not_believed_again() -> None:
    page = testing.AppTest.from_function(_page)
    page.run()
    for number in range(30):
        page.text_input(key="box set").set_value(f"a={number}")
        page.run()
    for before in ({}, {"set": "a=0"}, {"set": "a=28"}):
        repeats(page, **before)
        assert said(page) == ["a=29", "", ""]
    repeats(page, set="a=nobody said so")
    assert said(page) == ["a=nobody said so", "", ""]


def test_nor_is_what_lay_between_while_it_was_said_again() -> None:
    page = testing.AppTest.from_function(_page)
    page.run()
    for key in reversed(KEYS):
        page.text_input(key=f"box {key}").set_value(f"{key}=1")
        page.run()
    whole = {key: f"{key}=1" for key in KEYS}
    repeats(page)
    assert said(page) == list(whole.values())
    for count in (1, 2):
        repeats(page, **dict(list(whole.items())[:count]))
        assert said(page) == list(whole.values())


def test_no_key_is_one_that_a_widget_writes_by_itself() -> None:
    """Streamlit refuses to set a parameter that is bound to a widget, and the page would end."""
    bound = set()
    for path in Path(web.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = {k.arg: k.value for k in call.keywords} if isinstance(call, ast.Call) else {}
            if "bind" in named and isinstance(named.get("key"), ast.Constant):
                bound.add(named["key"].value)
    assert link.SCENARIO in bound
    assert len(bound) > 10
    assert bound.isdisjoint(link.KEYS)


def test_the_framework_still_has_what_going_back_needs() -> None:
    """Nothing of this is promised; without it, Back would lead to another scenario."""
    from streamlit.runtime.state.query_params import QueryParams

    for name in ("populate_from_query_string", "set_initial_query_params", "_send_query_param_msg"):
        assert callable(getattr(QueryParams, name))


def test_a_step_of_the_history_that_nobody_looked_at_is_completed() -> None:
    """The framework takes out of a link what is bound to it when pages change, not the rest."""
    before = state._Carried(
        "gates", {"scenario": "quiet-api", "n": "50"}, {"set": ["traffic.users=9k"]}
    )
    whole = {"scenario": ["quiet-api"], "n": ["50"], "set": ["traffic.users=9k"]}
    assert state._completed({}, before) == whole
    assert state._completed({"set": ["traffic.users=8k"]}, before) == {
        **whole,
        "set": ["traffic.users=8k"],
    }
    other = {"scenario": ["textbook"]}
    assert state._completed({**other, "set": ["a=1"]}, before) == {**other, "set": ["a=1"]}
    assert state._completed(other, before) == other


def test_what_was_looked_at_is_known_by_what_pages_share() -> None:
    said = {"set": ["traffic.users=9k"], "strategy": ["canary"]}
    assert state._mark("gates", said) == state._mark("gates", {"set": ["traffic.users=9k"]})
    assert state._mark("gates", said) != state._mark("", said)
    assert state._mark("gates", said) != state._mark("gates", {**said, "scenario": ["quiet-api"]})
