"""A scenario of one's own without a browser: taken into use, changed, taken away, and by a link."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.web import own, state
from simulator.web.link import KEYS
from simulator.words.reading import loads
from simulator.words.writing import dump
from tests.web import APP, settled
from tests.web.test_gates import OWN

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")
OTHER = OWN.replace("name: small", "name: other").replace("instances: 4", "instances: 6")
CHANGE = "service.instances=9"
LINK = {"scenario": state.OWN, "own": state.packed(OWN), "n": "150", "seed": "3", "set": CHANGE}


def opened(page: str = "compare", **link: str) -> Any:
    found = testing.AppTest.from_file(APP, default_timeout=120)
    for key, value in link.items():
        found.query_params[key] = value
    found.switch_page(f"../pages/{page}.py").run()
    assert not found.exception
    return found


def goes_to(page: Any, name: str, **link: str) -> Any:
    """The visitor chooses another page; the framework forgets what is bound to this one's link."""
    for key in KEYS:
        page.query_params.pop(key, None)
    page.query_params.update(link)
    page.switch_page(f"../pages/{name}.py").run()
    assert not page.exception
    return page


def texts(page: Any) -> str:
    kinds = (page.caption, page.code, page.success)
    return " ".join(str(part.value) for kind in kinds for part in kind).replace("\\", "")


def changes(page: Any) -> list[str]:
    return [key for key in ("set", "b", "two") if key in page.query_params]


def take(page: Any, where: str, text: str) -> Any:
    """Take a text into use on the page Import or Scenarios, and go to Compare."""
    goes_to(page, where)
    if where == "imports":
        page.text_area(key="manifests").set_value(text)
        page.button(key="read").click().run()
    else:
        page.text_area(key="draft").set_value(text)
        page.button[1].click().run()
        goes_to(page, "compare", scenario=state.OWN)
    assert not page.exception
    return page


@pytest.mark.parametrize("where", ["imports", "scenarios"])
def test_another_scenario_of_ones_own_begins_without_the_changes_to_the_one_before(
    where: str,
) -> None:
    page = opened(**LINK, two="1", b="service.instances=8")
    assert "Changed of variant B: service.instances = 8" in texts(page)
    take(page, where, OTHER)
    assert page.title[0].value == "other"
    assert "Changed" not in texts(page)
    assert not changes(page)
    assert "-n 150 --seed 3" in page.code[0].value
    goes_to(page, "gates")
    assert "With the changes" not in texts(page)


def test_the_same_scenario_taken_again_keeps_its_changes() -> None:
    page = take(opened(**LINK), "scenarios", OWN)
    assert "Changed: service.instances = 9" in texts(page)


def test_the_editor_begins_with_the_scenario_in_use_until_something_is_typed() -> None:
    page = goes_to(opened(**LINK), "scenarios")
    assert page.text_area(key="draft").value == OWN
    assert "not in use yet" not in texts(page)
    page.text_area(key="draft").set_value("").run()
    assert page.text_area(key="draft").value == ""
    take(page, "imports", OTHER)
    assert goes_to(page, "scenarios").text_area(key="draft").value == OTHER
    page.text_area(key="draft").set_value("typed").run()
    take(page, "imports", OWN)
    assert goes_to(page, "scenarios").text_area(key="draft").value == "typed"
    assert "not in use yet" in texts(page)


@pytest.mark.parametrize("name", [state.OWN, "no-such-thing"])
def test_changes_of_a_link_whose_scenario_is_not_here_are_not_made_to_another(name: str) -> None:
    page = opened(scenario=name, set=CHANGE, two="1", b=CHANGE, n="50")
    told = "too long for a link" if name == state.OWN else "no scenario no-such-thing here"
    assert told in page.main.warning[0].value
    page.run()
    assert told in page.main.warning[0].value
    assert "textbook" in page.code[0].value
    assert "service.instances" not in texts(page)
    assert not changes(page)
    goes_to(page, "scenarios", scenario="textbook")
    goes_to(page, "compare", scenario="textbook")
    assert "service.instances" not in texts(page)
    page.selectbox(key="scenario").set_value("quiet-api").run()
    assert not page.main.warning


def commands(page: Any) -> list[str]:
    return [str(code.value) for code in page.code]


def test_commands_name_the_file_that_is_downloaded_and_no_changes_beside_it() -> None:
    page = opened(**{**LINK, "n": "50"})
    assert commands(page) == ["deploysim compare my-own.yaml -n 50 --seed 3"]
    assert "my-own.yaml is the download “Scenario (YAML)” below" in texts(page)
    changed = own.read(OWN).with_("service.instances", "9")
    assert loads(dump(changed)).sha256 == changed.sha256
    page = opened(**{**LINK, "n": "50"}, two="1", b="service.instances=8")
    for label, command in zip("ab", commands(page), strict=True):
        assert command == f"deploysim compare my-own-{label}.yaml -n 50 --seed 3"
        assert any(d.proto.label == "Scenario (YAML)" for d in page.get("download_button"))
    goes_to(page, "gates")
    assert commands(page) == ["deploysim rehearse my-own-a.yaml canary"]
    assert "my-own-a.yaml is what Compare offers" in texts(page)


@pytest.mark.parametrize("where", ["gates", "replay", "sensitivity"])
def test_other_pages_say_once_where_the_file_of_their_commands_comes_from(where: str) -> None:
    page = settled(opened(where, **LINK))
    assert commands(page)
    assert all(" my-own.yaml " in one and "--set" not in one for one in commands(page))
    assert all(code.proto.wrap_lines for code in page.code)
    assert texts(page).count("is what Compare offers as “Scenario (YAML)”") == 1
    if where == "gates":
        assert "plays replications of its own" in texts(page)
        page = opened(where, scenario="quiet-api", set="service.instances=9")
        assert "quiet-api --set service.instances=9" in commands(page)[0]
        assert "Compare offers" not in texts(page)
