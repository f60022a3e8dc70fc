"""Results for machines: one JSON document and one flat table, with stable names."""

from __future__ import annotations

import csv
import io
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from simulator import __version__
from simulator.decide.flip import nearest
from simulator.findings.means import NOTHING
from simulator.findings.terms import terms
from simulator.report import tornadoes, yearly
from simulator.words.figures import CHANCES, FIGURES, OUTCOMES

if TYPE_CHECKING:
    from simulator.decide.advice import Comparison
    from simulator.decide.flip import Flip
    from simulator.findings.estimates import Estimates
    from simulator.findings.means import Interval
    from simulator.findings.power import Sight
    from simulator.findings.results import Given, StrategyRisk

SCHEMA_VERSION = 1
_PARTS = (
    "failed_requests",
    "corrupt_writes",
    "outage",
    "sla_credit",
    "responders",
    "extra_cost",
    "release",
    "delay",
)


_NESTING = {dict, list}
_encoded = json.JSONEncoder(allow_nan=False).encode
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_OF_ANY = ("overloaded", "budget_exhausted")


def _interval(interval: Interval) -> dict[str, float | None]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def estimate(figure: str, found: Estimates) -> dict[str, Any]:
    """The statistics of a figure as plain data."""
    result: dict[str, Any] = {"unit": FIGURES[figure].unit, "n": found.n}
    for name in ("applicable", "censored", "mean", "p50", "p95", "p99", "cvar95"):
        result[name] = _interval(getattr(found, name))
    result["restricted"] = found.restricted
    return result


def _figures(given: Given) -> dict[str, Any]:
    return {figure: estimate(figure, found) for figure, found in given.estimates().items()}


def _terms(risk: StrategyRisk) -> dict[str, Any]:
    """Probability x exposure x severity = total, failed requests a release by bad ones."""
    found = terms(risk)
    return {
        "probability": found.probability,
        "exposure": _interval(found.exposure),
        "severity": _interval(found.severity),
        "total": _interval(found.total),
    }


def _strategy(risk: StrategyRisk) -> dict[str, Any]:
    bad = risk.given_defect
    return {
        "kind": risk.kind,
        "suitable": risk.suitable,
        "reasons": list(risk.reasons),
        "outcomes": {name: _interval(risk.all.proportion("outcome", name)) for name in OUTCOMES},
        "figures": _figures(risk.all),
        "given_defect": _figures(bad),
        "given_good": _figures(risk.given_good),
        "given": {label: _figures(given) for label, given in risk.given.items()},
        "caught": {
            "by": {key: _interval(p) for key, p in bad.shares("caught_by").items()},
            "at": {key: _interval(p) for key, p in bad.shares("caught_at").items()},
        },
        "risk": _terms(risk),
        "loss_parts": {part: _interval(risk.all.estimate(f"loss_{part}").mean) for part in _PARTS},
        **{chance: _interval(_condition(risk, chance).chance(chance)) for chance in CHANCES},
    }


def _condition(risk: StrategyRisk, chance: str) -> Given:
    """The releases of which a share is told: bad ones, or all where it can be true of any."""
    return risk.all if chance in _OF_ANY else risk.given_defect


def _unplayed(comparison: Comparison, name: str) -> dict[str, Any]:
    """A strategy of which nothing could be played: why, and no figure."""
    return {
        "kind": comparison.scenario.strategies[name].kind,
        "suitable": False,
        "reasons": list(comparison.results.reasons[name]),
        "outcomes": dict.fromkeys(OUTCOMES, _interval(NOTHING)),
        "figures": {},
        "given_defect": {},
        "given_good": {},
        "given": {},
        "caught": {"by": {}, "at": {}},
        "risk": None,
        "loss_parts": {},
        **{chance: _interval(NOTHING) for chance in CHANCES},
        "uncertainty": {},
    }


def _uncertainty(comparison: Comparison, name: str) -> dict[str, Any]:
    """Both uncertainties of the headline means; empty when the assumptions were not varied."""
    return {
        row.figure: {
            "simulation": list(row.simulation),
            "assumptions": list(row.assumptions),
            "largest": list(row.largest),
        }
        for row in comparison.uncertainty.get(name, ())
    }


def _pace(comparison: Comparison) -> dict[str, Any]:
    return {
        name: [
            {
                "pace": point.pace,
                "time_to_deploy": _interval(point.time_to_deploy),
                "users_harmed": _interval(point.users_harmed),
            }
            for point in points
        ]
        for name, points in comparison.pace.items()
    }


def _differences(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "figure": row.figure,
            "a": row.a,
            "b": row.b,
            "mean": _interval(row.pair.mean),
            "a_better": _interval(row.pair.a_better),
            "correlation": row.pair.correlation,
        }
        for row in comparison.differences
    ]


def _flip(flip: Flip | None) -> dict[str, Any] | None:
    return None if flip is None else {**flip._asdict(), "searched": list(flip.searched)}


def _recommendation(comparison: Comparison) -> dict[str, Any] | None:
    found = comparison.recommendation
    if found is None:
        return None
    return {**found._asdict(), "flips_when": _flip(nearest(comparison.flips))}


def sight(found: Sight) -> dict[str, Any]:
    """What one detector sees at one gate as plain data."""
    gate = found.gate
    return {
        "gate": gate.phase,
        "detector": found.detector,
        "weight": gate.weight,
        "duration": gate.duration,
        "requests": gate.requests,
        "power": _interval(found.power),
        "given": {kind: _interval(p) for kind, p in found.given.items()},
        "false_alarm": _interval(found.false_alarm),
        "time_to_detect": {"p50": found.median, "p95": found.p95},
        "bake_for_90": found.bake,
        "bakes_for_90": found.bakes,
        "longest_bake_tried": found.longest,
    }


def document(comparison: Comparison) -> dict[str, Any]:
    """The whole comparison as plain data; missing values are None."""
    results, scenario = comparison.results, comparison.scenario
    return {
        "schema_version": SCHEMA_VERSION,
        "engine_version": __version__,
        "seed": results.seed,
        "replications": results.replications,
        "interrupted": results.stopped,
        "missing": list(results.missing),
        "scenario": {"name": scenario.name, "sha256": scenario.sha256},
        "defect_probability": scenario.change.defect_probability,
        "strategies": {
            name: {**_strategy(risk), "uncertainty": _uncertainty(comparison, name)}
            for name, risk in comparison.risk.items()
        }
        | {name: _unplayed(comparison, name) for name in results.unplayed},
        "pace": _pace(comparison),
        "differences": _differences(comparison),
        "gates": {name: [sight(s) for s in rows] for name, rows in comparison.gates.items()},
        "front": list(comparison.front),
        "dominance": [dict(row._asdict()) for row in comparison.dominance],
        "recommendation": _recommendation(comparison),
        "flips": [_flip(flip) for flip in comparison.flips],
        "searched": [dict(one._asdict()) for one in comparison.searched],
        "tornado": tornadoes.document(comparison),
        "thresholds": [
            {
                "expression": t.expression,
                "strategy": t.strategy,
                "value": _interval(t.value),
                "passed": t.passed,
                "decided": t.decided,
            }
            for t in comparison.thresholds
        ],
        "year": yearly.document(comparison.year) if comparison.year else None,
        "assumed": [dict(row._asdict()) for row in scenario.assumed],
        "notes": list(scenario.notes),
    }


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    return _encoded(key)


def text(value: Any, start: str = "\n") -> str:
    """Plain data as JSON, with a line for whatever holds no further lists or mappings."""
    inner = f"{start} "
    if isinstance(value, dict) and not _NESTING.isdisjoint(map(type, value.values())):
        parts = (f"{inner}{_key(str(key))}: {text(one, inner)}" for key, one in value.items())
        return f"{{{','.join(parts)}{start}}}"
    if isinstance(value, list) and not _NESTING.isdisjoint(map(type, value)):
        return f"[{','.join(inner + text(one, inner) for one in value)}{start}]"
    return _encoded(value)


HEADER = ("strategy", "condition", "figure", "unit", "statistic", "value", "low", "high", "n")


def rows(comparison: Comparison) -> list[tuple[Any, ...]]:
    """The same figures as a flat table: a row per strategy, condition, figure and statistic.

    A strategy that cannot be carried out has a row `unsuitable` with the reasons as its statistic.
    """
    found: list[tuple[Any, ...]] = []
    for name, risk in comparison.risk.items():
        conditions = {"all": risk.all, "good": risk.given_good, "defect": risk.given_defect}
        conditions.update(risk.given)
        for condition, given in conditions.items():
            for figure in given.figures:
                known = given.estimate(figure)
                unit = FIGURES[figure].unit
                for statistic in ("mean", "p50", "p95", "p99", "cvar95", "applicable", "censored"):
                    p = getattr(known, statistic)
                    found.append((name, condition, figure, unit, statistic, *p, known.n))
    for name, reasons in comparison.results.reasons.items():
        if reasons:
            found.append((name, "all", "unsuitable", "", "; ".join(reasons), *NOTHING, 0))
    return found


def csv_text(comparison: Comparison) -> str:
    """The flat table as CSV. A name that a spreadsheet would run as a formula gets a quote.

    With swings of assumptions there are columns for the setting, its value, and the effect.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    swings = tornadoes.rows(comparison)
    more = tornadoes.COLUMNS if comparison.tornados else ()
    writer.writerow((*HEADER, *more))
    plain = ((*row, *[""] * len(more)) for row in rows(comparison))
    writer.writerows([safe(value) for value in row] for row in (*plain, *swings))
    return table.getvalue()


def safe(value: Any) -> Any:
    """A cell of a CSV file: nothing for None, and no text that a spreadsheet runs as a formula."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value
