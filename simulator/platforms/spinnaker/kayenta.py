"""Reading Kayenta's canary configs and the analysis of a canary stage.

Source: kayenta's docs/canary-config.md, orca-kayenta's KayentaCanaryContext, and the start values
of the stage's form (2023).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.platforms.spinnaker import rules
from simulator.words import units

if TYPE_CHECKING:
    from simulator.bring.view import View

_ERRORS = re.compile(r"error|fail|5xx|50\d|exception|unavailab|success|availab", re.I)
_LATE = re.compile(r"latenc|duration|response.?time|\bp\d\d\b|percentile|elapsed|slow", re.I)
_SAME_JUDGE = ("NetflixACAJudge-v1.0", "dredd-v1.0")
_MOST_VALUES = 1440
_EXPRESSION = "an expression that only a run of the pipeline works out"


class Analysis(NamedTuple):
    """Settings of a canary analysis, and those of them that nobody has stated."""

    settings: dict[str, Any]
    open: tuple[str, ...]


def is_config(data: Any) -> bool:
    """Whether a document is a canary config."""
    return (
        isinstance(data, Mapping)
        and isinstance(data.get("metrics"), list)
        and any(isinstance(data.get(key), Mapping) for key in ("classifier", "judge"))
    )


def stated(view: View, default: Any) -> bool:
    """Whether a plain value stands here; an expression is noted as assumed to be `default`."""
    if view.exists and "${" in str(view.data):
        view.say("assumed", _EXPRESSION, f"{default} is taken instead")
        return False
    return view.exists and view.data != ""


def analysis(stage: View, config: View | None) -> Analysis:
    """What a canary stage says about its runs, with the metrics of its config."""
    words = stage.at("canaryConfig").mapping()
    open_ = list[str]()
    found: dict[str, Any] = {}
    for key, name in (
        ("delay", "beginCanaryAnalysisAfterMins"),
        ("interval", "canaryAnalysisIntervalMins"),
        ("lookback", "lookbackMins"),
    ):
        value = words.at(name)
        if stated(value, "the default"):
            found[key] = rules.MINUTE * value.integer(0, 0, 100_000)
    lifetime, hours = words.at("lifetimeDuration"), words.at("lifetimeHours")
    if stated(lifetime, "3 hours"):
        found["lifetime"] = _iso(lifetime)
    elif stated(hours, "3 hours"):
        found["lifetime"] = 3600.0 * hours.integer(3, 1, 10_000)
    else:
        open_.append("lifetime")
    found.setdefault("lifetime", rules.LIFETIME)
    found["interval"] = rules.interval_of(found["lifetime"], found.get("interval", 0.0))
    scopes = words.at("scopes")
    step = scopes.at(0, "step")
    length = float(step.integer(60, 1, 86_400)) if stated(step, "60 seconds") else rules.STEP
    found["step"] = length
    if found["lifetime"] / length > _MOST_VALUES:
        found["step"] = rules.MINUTE * -(-found["lifetime"] // (_MOST_VALUES * rules.MINUTE))
        step.say("approximated", f"more than {_MOST_VALUES} values", f"{found['step']:g} s a value")
    open_ += _thresholds(words.at("scoreThresholds"), found)
    found |= metrics(config) if config is not None else {}
    if config is None:
        open_.append("metrics")
    return Analysis(found, tuple(open_))


def of_config(config: View) -> Analysis:
    """A canary config alone: its metrics and thresholds, with the stage's start values."""
    found = {"lifetime": rules.LIFETIME, "interval": rules.INTERVAL, **metrics(config)}
    missing = _thresholds(config.at("classifier").mapping().at("scoreThresholds"), found)
    return Analysis(found, ("lifetime", "interval", *missing))


def _thresholds(view: View, found: dict[str, Any]) -> Iterator[str]:
    for key, name, usual in (
        ("passing", "pass", rules.PASSING),
        ("marginal", "marginal", rules.MARGINAL),
    ):
        value = view.mapping().at(name)
        if stated(value, f"{100 * usual:g}"):
            found[key] = value.percent()
        else:
            yield key


def _iso(view: View) -> float:
    try:
        found = units.duration(view.data)
    except ValueError as error:
        raise view.wrong(str(error)) from None
    view.mark()
    return found


def metrics(config: View) -> dict[str, Any]:
    """The metrics of a canary config that a defect can move, and what the others carry."""
    judge = config.at("judge").mapping().at("name")
    if judge.exists:
        same = judge.text() in _SAME_JUDGE
        judge.say(
            "no_effect" if same else "approximated",
            "it is the judge that is simulated" if same else "NetflixACAJudge-v1.0 judges instead",
        )
    weights = config.at("classifier").mapping().at("groupWeights").mapping()
    given = {view.key: view.number(0, 0, 100) for view in weights.items()}
    heard = [metric for metric in config.at("metrics").items() if not _muted(metric.mapping())]
    own = [_groups(metric) for metric in heard]
    parts = rules.weights(own, given)
    found, unseen = list[dict[str, Any]](), 0.0
    whole = sum(parts) or 1.0
    for metric, part in zip(heard, parts, strict=True):
        what = counts(metric)
        if what is None or part <= 0:
            unseen += max(part, 0.0) / whole
        else:
            found.append({"metric": what, "weight": part / whole, **_rule(metric)})
    _tell(config, weights, found)
    if not found:
        return {"unseen": 1.0}
    return {"metrics": found, "unseen": min(unseen, 1.0)}


def _tell(config: View, weights: View, found: list[dict[str, Any]]) -> None:
    """Note weights that make no difference: with one group, or with nothing that can fail."""
    groups = {name for metric in config.at("metrics").items() for name in _groups(metric)}
    if len(groups) == 1 or not found:
        for weight in weights.items():
            weight.say("no_effect", "no other group that can fail shares the score")


def _groups(metric: View) -> tuple[str, ...]:
    return tuple(group.text() for group in metric.at("groups").items()) or ("(none)",)


def _muted(metric: View) -> bool:
    muted = metric.at("analysisConfigurations").mapping().at("canary").mapping().at("muted").flag()
    if muted:
        metric.say("no_effect", "a muted metric is left out of the score")
    return muted


def counts(metric: View) -> str | None:
    """What a metric counts of the requests, by its name and query; None for something else."""
    query = metric.at("query")
    told = " ".join(str(value) for _, value in [*metric.at("name").leaves(), *query.leaves()])
    what = "late" if _LATE.search(told) else "errors" if _ERRORS.search(told) else None
    direction = metric.peek("analysisConfigurations", "canary", "direction")
    falls = re.search(r"success|availab", told, re.I)
    if what and direction in ("increase", "decrease") and (direction == "decrease") != bool(falls):
        metric.at("analysisConfigurations").say("approximated", "a defect moves it the other way")
        what = None
    if what is None:
        why = "no defect here moves it: it passes, and carries its weight"
        metric.say("approximated", why, "chance cannot fail it either")
        return None
    for part in (metric.at("name"), query, metric.at("groups")):
        part.say("approximated", f"counted as the share of requests that are {_TOLD[what]}")
    metric.at("analysisConfigurations", "canary", "direction").say(
        "no_effect", "more of them is worse, whatever else is asked"
    )
    return what


_TOLD = {"late": "late", "errors": "errors"}


def _rule(metric: View) -> dict[str, Any]:
    words = metric.at("analysisConfigurations", "canary").mapping()
    size, found = words.at("effectSize").mapping(), dict[str, Any]()
    if words.at("critical").exists:
        found["critical"] = words.at("critical").flag()
    if words.at("mustHaveData").exists:
        found["must_have_data"] = words.at("mustHaveData").flag()
    for key, name in (
        ("allowed_increase", "allowedIncrease"),
        ("critical_increase", "criticalIncrease"),
    ):
        if size.at(name).exists:
            found[key] = size.at(name).number(1.0, 0.001, 1e6)
    return found
