"""The page Import without a browser: reading, assumptions, notes, other ways, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.decide.advice import conclude
from simulator.decide.tornado import SHOWN, Swing
from simulator.findings.comparison import simulate
from simulator.web import brought, jobs, state
from simulator.words.profiles import Assumption
from simulator.words.reading import loads
from simulator.words.scenario import Scenario
from tests.web import APP, settled

testing = pytest.importorskip("streamlit.testing.v1")
pytestmark = pytest.mark.filterwarnings("ignore")
MINE = """apiVersion: apps/v1
kind: Deployment
metadata: {name: mine}
spec:
  replicas: 6
  minReadySeconds: 5
  revisionHistoryLimit: 2
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template: {spec: {containers: [{name: it, image: "it:1"}]}}
"""
OTHER = MINE.replace("mine", "other").replace("replicas: 6", "replicas: 9")
SCENARIO = """version: 1
name: a scenario
profile: ecs-fargate
service: {instances: 12, utilisation: 55%}
traffic: {rate: 400 rps, users: 30k}
strategies: {rolling: {}, canary: {}}
"""
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


def swing(path: str, harm: float) -> Swing:
    nothing = dict.fromkeys(SHOWN, 0.0)
    row = Assumption(path, "1", "1", "2", "judgement", "a guess")
    return Swing(row, {**nothing, "users_harmed": -harm}, {**nothing, "users_harmed": harm})


def compared_once(scenario: Scenario, _: int, seed: int, options: Any, *__: Any) -> Iterator[Any]:
    """A first look and nothing after it."""
    yield conclude(simulate(scenario, 6, seed, (), options.jobs, None, 1), confirm=False)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What matters is told without playing, and little is played."""
    told = (swing("service.drain", 0.2), swing("service.warm_up.capacity", 0.1))
    monkeypatch.setattr("simulator.decide.brought.matter", lambda *_: told)
    monkeypatch.setattr(jobs, "_MISSED", (10,))
    monkeypatch.setattr(jobs, "refined", compared_once)


def opened(**link: str | list[str]) -> Any:
    page = testing.AppTest.from_file(APP, default_timeout=60)
    for key, value in link.items():
        page.query_params[key] = value
    page.switch_page("../pages/imports.py").run()
    assert not page.exception
    return page


def read(text: str, page: Any = None) -> Any:
    page = page or opened()
    page.text_area(key="manifests").set_value(text)
    page.button(key="read").click().run()
    assert not page.exception
    return page


def texts(page: Any) -> str:
    kinds = (page.markdown, page.info, page.warning, page.error, page.success, page.caption)
    return " ".join(str(part.value) for kind in kinds for part in kind).replace("\\", "")


def cells(page: Any) -> str:
    tables = [table.value.to_string() for table in page.table]
    return " ".join(tables).replace("\\", "")


def test_the_first_screen_says_for_whom_and_an_example_is_one_click_away() -> None:
    page = opened()
    assert "For everybody who ships a service" in texts(page)
    assert "of Kubernetes (apps/v1)" in texts(page)
    assert not page.table
    page.button(key="example").click().run()
    assert not page.exception
    assert re.search(r"Deployment/shop: \d+ fields used", texts(page))
    assert "service.instances = 10" in cells(page)
    assert page.text_area(key="manifests").value.startswith("# file: shop-deployment\n")
    assert "deploysim import shop-deployment" in page.code[-1].value
    page.button(key="forget").click().run()
    assert "For everybody who ships a service" in texts(page)
    assert not page.table
    assert "m" not in page.query_params


def test_what_matters_most_can_be_changed_in_place_and_stands_in_the_link() -> None:
    page = settled(read(MINE))
    labels = [box.label for box in page.text_input]
    assert {"Requests", "Users", "Defective releases", "A failed request costs"} <= set(labels)
    assert "No. 2** of what matters most" in texts(page)
    assert "Plausible: **1 rps to 10000 rps**" in texts(page)
    page.text_input(key="brought open traffic.rate").set_value("2500 rps").run()
    assert page.query_params["fix"] == "traffic.rate=2500 rps"
    assert "Yours**; assumed was 100 rps" in texts(page)
    assert "--set 'traffic.rate=2500 rps'" in page.code[-1].value
    page.button(key="back").click().run()
    assert not page.query_params.get("fix")
    assert page.text_input(key="brought open traffic.rate").value == "100 rps"


def test_a_value_that_cannot_be_read_stays_in_its_box_with_the_reason() -> None:
    page = read(MINE)
    page.text_input(key="brought open traffic.rate").set_value("lots").run()
    assert not page.exception
    assert page.text_input(key="brought open traffic.rate").value == "lots"
    assert "Left out: traffic.rate = lots" in texts(page)


def test_another_kind_of_machine_can_be_chosen() -> None:
    page = read(MINE)
    page.selectbox(key="chosen profile").set_value("ecs-fargate").run()
    assert not page.exception
    assert page.query_params["profile"] == "ecs-fargate"
    assert "--profile ecs-fargate" in page.code[-1].value
    assert "profile = ecs-fargate" in cells(page)


def test_what_was_not_carried_over_says_why_and_what_follows() -> None:
    page = read(MINE)
    assert "Without effect on the course of a rollout: 1" in [box.label for box in page.expander]
    assert "how many old ReplicaSets are kept" in cells(page)
    assert "fields that say nothing about a rollout" in texts(page)


def test_one_of_several_workloads_is_chosen() -> None:
    page = read(f"{MINE}---\n{OTHER}")
    assert page.selectbox(key="chosen workload").options == ["Deployment/mine", "Deployment/other"]
    assert "service.instances = 6" in cells(page)
    page.text_input(key="brought open traffic.rate").set_value("9 rps").run()
    page.selectbox(key="chosen workload").set_value("Deployment/other").run()
    assert not page.exception
    assert "service.instances = 9" in cells(page)
    assert not page.query_params.get("fix")
    assert "--workload Deployment/other" in page.code[-1].value


@pytest.mark.parametrize(
    ("text", "line", "told", "shown"),
    [
        ("a: [", "", "not YAML here", ""),
        (MINE.replace("replicas: 6", "replicas: many"), "5", "", "replicas: many"),
        (MINE.replace("6", "{{ .Values.n }}"), "5", "helm template", "replicas: {{ .Values.n }}"),
        ("apiVersion: v1\nkind: ConfigMap\n", "", "found: ConfigMap", ""),
        ("just words", "", "nothing here is rolled out", ""),
        (BOMB, "", "", ""),
        (MINE + "x: " + "[" * 90 + "]" * 90, "10", "nested deeper", ""),
        (f"# file: a.yaml\n{MINE}\n# file: b.yaml\nkind: [\n", "", "", ""),
    ],
)
def test_what_cannot_be_read_is_told_at_its_line_and_stays(
    text: str, line: str, told: str, shown: str
) -> None:
    page = read(text)
    rows = page.table[0].value.replace(r"\\(.)", r"\1", regex=True)
    assert told in " ".join(rows.iloc[:, 3])
    assert line in ("", rows.line[0])
    assert shown in rows.iloc[0, 4]
    assert page.text_area(key="manifests").value == text
    assert "still in the box" in texts(page)
    assert re.search(r"Deployment/mine: \d+ fields used", texts(read(MINE, page)))


def test_nothing_to_read_is_told() -> None:
    assert "nothing to read yet" in texts(read("  \n"))


def test_what_was_changed_and_not_read_yet_is_told() -> None:
    page = read(MINE)
    page.text_area(key="manifests").set_value(OTHER).run()
    assert "are not read yet" in texts(page)
    assert "Deployment/mine" in texts(page)
    page.button(key="read").click().run()
    assert "Deployment/other" in texts(page)


def test_names_are_shown_as_they_are() -> None:
    name = "<img src=x onerror=alert(1)> **bold** [x](http://example.invalid) $x$"
    page = read(MINE.replace("{name: mine}", f'{{name: "{name}"}}'))
    assert all("\\<img" in one.value for one in page.info)
    for part in [*page.markdown, *page.caption]:
        assert not re.search(r"(?<!\\)\]\(http", str(part.value))
    assert len(texts(read(MINE.replace("mine", "m" * 500_000)))) < 20_000


def test_files_come_into_the_box_and_keep_their_names() -> None:
    page = opened()
    files = [("a.yaml", MINE.encode(), "text/yaml"), ("b.json", b"\xff\xfe\x00", "text/yaml")]
    page.file_uploader(key="files 0").set_value(files).run()
    assert "b.json: not a text file" in texts(page)
    assert "Opened: a.yaml. Press **Read it**" in texts(page)
    page.button(key="read").click().run()
    assert page.text_area(key="manifests").value == f"# file: a.yaml\n{MINE}"
    page.file_uploader(key="files 1").set_value([("c.yml", OTHER.encode(), "text/yaml")]).run()
    assert "are not read yet" in texts(page)
    page.button(key="read").click().run()
    assert "a.yaml:5" in cells(page)
    page.selectbox(key="chosen workload").set_value("Deployment/other").run()
    assert "c.yml:5" in cells(page)


def test_a_scenario_is_opened_in_compare_and_a_wrong_one_told() -> None:
    page = read(SCENARIO)
    assert "a scenario" in " ".join(str(part.value) for part in page.title)
    assert page.session_state[state.OWN_TEXT] == SCENARIO
    page = read(SCENARIO.replace("30k", "lots"))
    assert "This scenario cannot be read" in texts(page)
    assert page.table[0].value.line[0] == "5"


def test_other_ways_are_compared_and_go_to_compare() -> None:
    page = read(MINE)
    assert "other ways to write Deployment/mine" in texts(page)
    page.button(key="compare").click().run()
    page = settled(page)
    assert page.query_params["compared"] == "1"
    assert "Deployment/mine as it is: deploys in" in texts(page)
    assert "Recommended patch" in texts(page) or "None of the" in texts(page)
    assert page.get("vega_lite_chart")
    assert page.code[-1].value == "deploysim import pasted.yaml --compare"
    page.text_input(key="brought open traffic.users").set_value("77k").run()
    page.button(key="open in compare").click().run()
    assert not page.exception
    scenario = loads(page.session_state[state.OWN_TEXT])
    assert scenario.traffic.users == 77_000
    assert "current" in scenario.strategies
    assert len(scenario.strategies) > 1
    assert any(row.path == "service.warm_up.capacity" for row in scenario.assumed)
    assert page.selectbox(key="scenario").value == state.OWN


def test_a_link_leads_back_and_a_broken_one_is_told() -> None:
    fix = ["traffic.users=77k"]
    page = opened(m=state.packed(MINE), fix=fix)
    assert "Deployment/mine" in texts(page)
    assert page.text_input(key="brought open traffic.users").value == "77k"
    assert page.text_area(key="manifests").value == MINE
    for link in ("A" * 30_000, state.packed("x" * (3 << 20)), "%%"):
        assert "cannot be read" in texts(opened(m=link))
    assert "too long for a link" in texts(opened(m="too-long"))
    assert "not among those" in texts(opened(example="../../etc/passwd"))


def test_going_to_another_page_and_back_loses_nothing() -> None:
    page = read(MINE)
    page.text_input(key="brought open traffic.users").set_value("77k").run()
    page.switch_page("../pages/scenarios.py").run()
    for key in ("m", "fix"):
        page.query_params.pop(key, None)
    page.switch_page("../pages/imports.py").run()
    assert not page.exception
    assert page.text_input(key="brought open traffic.users").value == "77k"
    assert page.query_params["m"] == state.packed(MINE)


def test_a_text_is_the_files_it_was_made_of() -> None:
    text = brought.added(brought.added(MINE, "b.json", "{}"), "c/d.config", "x: 1\n")
    assert brought.files(text) == [
        (brought.PASTED, MINE),
        ("b.json", "{}\n"),
        ("c/d.config", "x: 1\n"),
    ]
    again = brought.added(text, "b.json", '{"y": 2}')
    assert dict(brought.files(again))["b.json"] == '{"y": 2}\n'
    assert len(brought.files(again)) == 3
    assert brought.files("") == [(brought.PASTED, "")]


def test_a_long_text_is_not_put_into_the_link() -> None:
    import random

    noise = "".join(random.Random(1).choices("abcdefghijklmnop", k=30_000))
    page = read(MINE + f"  paused: false\n# {noise}\n")
    assert page.query_params["m"] == "too-long"
    assert "too long for a link" in texts(page)
