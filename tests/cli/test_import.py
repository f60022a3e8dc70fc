"""import: manifests in, a scenario, notes and advice out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, cast

import pytest

from simulator.bring.importing import Imported, gather, imported, values_of
from simulator.decide import brought
from simulator.decide.tornado import Swing
from simulator.report import brought as told
from simulator.words.changes import split
from simulator.words.profiles import Assumption
from simulator.words.reading import loads
from simulator.words.settings import at
from tests.cli import test_cli

QUICK = ("-n", "20", "--jobs", "1")


ADVICE: dict[tuple[object, ...], brought.Advice] = {}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Assumptions are screened by a quarter of the replications; advice is asked for once."""
    monkeypatch.setattr(brought, "SCREENED", 4)
    monkeypatch.setattr(brought, "SCREENED_KIND", 1)
    advise = brought.advise

    def once(found: Imported, count: int, seed: int, *how: Any) -> brought.Advice:
        key = (found.scenario.sha256, count, seed)
        if key not in ADVICE:
            ADVICE[key] = advise(found, count, seed, *how)
        return ADVICE[key]

    monkeypatch.setattr(brought, "advise", once)


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = test_cli.call(*arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_written_scenario_is_the_same_and_says_where_values_come_from() -> None:
    found = imported(gather(["shop-deployment"]))
    text = told.scenario(found)
    assert loads(text).sha256 == found.scenario.sha256
    again = told.scenario(found._replace(scenario=loads(text)))
    assert loads(again).canonical() == found.scenario.canonical()
    settings = [line for line in text.splitlines() if line.startswith("  ") and ": " in line]
    tops = [line for line in settings if not line.startswith(("   ", "  -")) or "current" in line]
    assert all("  # " in line for line in tops if not line.endswith(":"))
    assert "instances: 10  # shop-deployment:7 spec.replicas" in text
    assert "assumed (1 rps to 10000 rps)" in text


def test_import_prints_the_scenario_and_says_what_matters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(capsys, "import", "shop-deployment", "--jobs", "1")
    assert code == 0
    assert loads(out).service.instances == 10
    assert err.count("--set ") >= 5
    assert "fields used" in err


def test_compare_answers_in_at_most_twelve_lines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = str(tmp_path / "shop.yaml")
    code, out, _ = call(capsys, "import", "shop-deployment", "--compare", *QUICK, "-o", file)
    assert code == 0
    assert 5 <= len(out.splitlines()) <= 12
    assert "of 100 cases" in out
    assert "Check first" in out
    assert loads(Path(file).read_text()).strategies["current"].kind == "kubernetes_rolling"


STUCK = """\
Resources:
  Shop:
    Type: AWS::ECS::Service
    Properties:
      DesiredCount: 8
      DeploymentConfiguration: {MinimumHealthyPercent: 100, MaximumPercent: 100}
"""


@pytest.mark.parametrize("more", [(), ("--compare",)])
def test_a_rollout_that_cannot_be_carried_out_is_told_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    file = tmp_path / "stack.yaml"
    file.write_text(STUCK)
    code, out, err = call(capsys, "import", str(file), *more, *QUICK)
    assert code == 0
    assert "cannot be carried out: stuck: of 8 tasks 8 have to run and 8 may" in out + err
    assert ("MaximumPercent" in out and "-> 200" in out) == bool(more)


def test_every_assumption_is_told_as_an_option_to_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    found = imported(gather(["shop-deployment"]))
    rows = [*found.assumed, *found.scenario.assumed]
    nothing = {"users_harmed": 0.0, "time_to_deploy": 0.0}
    moved = {"users_harmed": -0.1, "time_to_deploy": 0.0}
    monkeypatch.setattr(told, "SHOWN", len(rows))
    swings = [Swing(cast(Assumption, row), moved, nothing) for row in rows]
    options = [shlex.split(line.rpartition("; ")[2]) for line in told.matters(swings)]
    assert {option for option, _ in options} == {"--set"}
    for _, change in options:
        path, value = split(change)
        again = found.scenario.with_(path, value)
        assert at(again, path) == at(found.scenario, path), change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("x=1", "--set x: unknown key"),
        ("traffic.rate=5", "--set traffic.rate: 5 has no unit"),
        ("traffic.rate=", "--set traffic.rate: has no value"),
        ("traffic", "--set traffic: is not path=value"),
    ],
)
def test_changes_are_as_strict_as_elsewhere(
    capsys: pytest.CaptureFixture[str], change: str, message: str
) -> None:
    code, out, err = call(capsys, "import", "shop-deployment", "--set", change, *QUICK)
    assert (code, out) == (3, "")
    assert message in err


def test_everything_is_there_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "import", "shop-deployment", "--compare", "--json", *QUICK)
    found = json.loads(out)
    assert code == 0
    assert found["workload"] == "Deployment/shop"
    assert set(found["fields"]) >= {"used", "ignored", "outside"}
    assert found["origins"]["service.instances"] == ["shop-deployment:7 spec.replicas"]
    assert len(found["advice"]["lines"]) <= 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Deployment\n\tname: x\n", "tab"),
        ("replicas: {{ .Values.replicas }}\n", "render it first"),
        ("{% if x %}\nreplicas: 1\n{% endif %}\n", "render it first"),
        ("apiVersion: v1\nkind: Secret\n", "nothing here is rolled out"),
        ("- 1\n", "nothing here is rolled out"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    code, out, err = call(capsys, "import", str(file))
    assert (code, out) == (3, "")
    assert message in err
    assert "bad.yaml" in err


def test_several_workloads_are_listed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {0}}}\nspec: {{replicas: 3}}\n"
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text(text.format(name))
    code, _, err = call(capsys, "import", str(tmp_path))
    assert code == 3
    assert "Deployment/a, Deployment/b" in err
    found = imported(gather([tmp_path]), "b")
    assert (found.workload.called, found.others) == ("Deployment/b", ("Deployment/a",))


def test_nothing_outside_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\n")
    folder = tmp_path / "k8s"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "a.yaml").write_text("apiVersion: v1\nkind: Service\n")
    assert [Path(manifest.name).name for manifest in gather([folder])] == ["a.yaml"]


def test_import_takes_parameters_of_templates(capsys: pytest.CaptureFixture[str]) -> None:
    assert values_of(["Size=7", "Tag=a=b", "Empty="]) == {"Size": "7", "Tag": "a=b", "Empty": ""}
    code, _, err = call(capsys, "import", "shop-deployment", "--parameter", "Size")
    assert (code, "is not NAME=VALUE" in err) == (3, True)
    code, _, err = call(capsys, "import", "shop-deployment", "--parameter", "Size=7")
    assert (code, "no template has a parameter" in err) == (3, True)
