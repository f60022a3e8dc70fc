"""Risk as its terms: their product is the total, for every strategy."""

from __future__ import annotations

import pytest

from simulator.decide.advice import conclude
from simulator.findings.comparison import simulate
from simulator.findings.terms import terms
from simulator.report import export, headlines, markdown
from simulator.words.reading import load, loads

TEXT = """
version: 1
profile: bare
service: {instances: 10, startup: 60s}
traffic: {rate: 1000 rps, users: 1M}
change: {defect_probability: 5%, defects: [{kind: errors, rate: 20%}]}
detection: {noticed: {after: 300s}}
response: {page: {decide: 60s}}
strategies: {switch: {kind: big_bang, in_place: false}, stop: {kind: big_bang}}
"""


@pytest.mark.parametrize("name", ["textbook", "web-shop", "payroll-cutover", "coupled-services"])
def test_the_product_of_the_terms_is_the_total(name: str) -> None:
    """p E[failed | bad], exactly; the total is what the study says of bad releases. Only where both
    run side by side is nobody exposed."""
    for risk in simulate(load(name), 12, seed=1, fewest=4).risk().values():
        found = terms(risk)
        if not found.exposure.value:
            assert risk.kind == "parallel_adoption"
            continue
        assert found.severity.value is not None
        product = found.probability * found.exposure.value * found.severity.value
        assert product == pytest.approx(found.total.value, rel=1e-12)
        failed = risk.given_defect.mean("failed_requests") or 0.0
        assert found.total.value == pytest.approx(found.probability * failed, rel=1e-12)


def test_the_terms_of_a_switch() -> None:
    """5 % x 1000 rps (300 + 60 + 60 s) x 20 %; severity within 4 standard errors of its counts."""
    found = terms(simulate(loads(TEXT), 100, seed=1).risk()["switch"])
    assert found.probability == 0.05
    assert found.exposure.value == pytest.approx(420_000)
    assert found.severity.value == pytest.approx(0.2, abs=4 * (0.2 / 420_000 / 100) ** 0.5)
    low, high = found.severity[1:]
    assert low is not None
    assert high is not None
    assert low < 0.2 < high


def test_without_exposure_there_is_a_total_and_no_severity() -> None:
    """A crash of everything serves nobody: what fails is the outage."""
    crash = loads(TEXT).with_("change.defects", "[{kind: crash}]").with_("service.install", "60s")
    found = terms(simulate(crash, 20, seed=1, fewest=5).risk()["stop"])
    assert found.exposure.value == 0
    assert found.severity.value is None
    assert found.total.value
    assert found.total.value > 0


def test_it_is_told_wherever_a_comparison_is() -> None:
    found = conclude(simulate(loads(TEXT), 30, seed=1, fewest=5), confirm=False)
    for name, one in export.document(found)["strategies"].items():
        parts = one["risk"]
        product = parts["probability"]
        product *= parts["exposure"]["value"] * parts["severity"]["value"]
        assert product == pytest.approx(parts["total"]["value"], rel=1e-12), name
    text = markdown.markdown(found)
    assert "| risk of a bad release | probability of a defect | × exposure requests" in text
    assert [row.strategy for row in headlines.terms(found)] == list(found.risk)
