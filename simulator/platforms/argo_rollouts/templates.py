"""Reading AnalysisTemplates: what their metrics measure, as far as requests can say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from simulator.platforms.argo_rollouts import conditions
from simulator.platforms.argo_rollouts.conditions import Meaning
from simulator.words.brought import Assumed, Draft

if TYPE_CHECKING:
    from simulator.bring.view import View

_MOST_NESTED = 3
_VERDICTS = {"job": "a Job's verdict", "kayenta": "Kayenta's verdict", "plugin": "a plugin's value"}
_ASSUMED_LIMIT = "5%"


class Templates:
    """The AnalysisTemplates and ClusterAnalysisTemplates beside a Rollout, by kind and name."""

    def __init__(self, documents: Sequence[View]) -> None:
        self.known = {
            (document.label, document.name("metadata", "name")): document
            for document in documents
            if document.label.endswith("AnalysisTemplate")
        }
        self._used = set[tuple[str, str]]()
        self.missing: list[str] = []

    def measured(self, analysis: View, path: str, draft: Draft) -> list[dict[str, Any]]:
        """The metrics of an analysis as a scenario says them; `path` is where they will stand."""
        found: list[dict[str, Any]] = []
        silent = {row.name("metricName") for row in analysis.at("dryRun").items()}
        values = _values(analysis)
        for template in self._referred(analysis, draft, 0):
            defaults = _values(template.at("spec"))
            filled = {name: values.get(name, value) for name, value in defaults.items()} | values
            silent |= {row.name("metricName") for row in template.at("spec", "dryRun").items()}
            for metric in template.at("spec", "metrics").items():
                if {metric.name("name"), ".*"} & silent:
                    metric.say("no_effect", "a dry run: its result changes nothing")
                    continue
                place = f"{path}[{len(found)}]"
                words = _metric(metric.mapping(), _filled(filled), place, draft)
                if words is not None:
                    found.append(words)
                    draft.origins[place] = (metric.origin,)
        return found

    def _referred(self, holder: View, draft: Draft, depth: int) -> Iterator[View]:
        """The templates that an analysis or a template names."""
        for row in holder.at("templates").items():
            name, wide = row.at("templateName"), row.at("clusterScope")
            kind = "ClusterAnalysisTemplate" if wide.flag() else "AnalysisTemplate"
            key = (kind, name.text())
            document = self.known.get(key)
            if document is None or depth >= _MOST_NESTED:
                row.say(
                    "assumed",
                    "its template is not among the documents",
                    "what it measures cannot be judged; it is taken to pass at once",
                )
                self.missing.append(name.text())
                continue
            self._used.add(key)
            yield document
            yield from self._referred(document.at("spec"), draft, depth + 1)

    def intervals(self, analysis: View) -> Iterator[View]:
        """The intervals of all metrics of the templates that an analysis names itself."""
        for row in analysis.at("templates").items():
            document = self.known.get(("AnalysisTemplate", row.name("templateName")))
            for metric in document.at("spec", "metrics").items() if document else ():
                if metric.at("interval").exists:
                    yield metric.at("interval")

    def say_unused(self, draft: Draft) -> None:
        """Say what of the templates the Rollout does not use, and what of them is missing."""
        unused = [key for key in self.known if key not in self._used]
        for key in unused:
            self.known[key].at("spec").say("no_effect", "no analysis of the Rollout names it")
        if unused and not self._used and not self.missing:
            names = ", ".join(name for _, name in unused)
            draft.remark(
                f"The template {names} is here, but the Rollout has no analysis that names it: "
                "nothing measures the new version."
            )
        if self.missing:
            names = ", ".join(dict.fromkeys(self.missing))
            draft.remark(
                f"The analysis {names} is not among the documents: it is taken to pass at once. "
                "Name the file of its template, too."
            )

    @property
    def unused(self) -> list[str]:
        """Names of namespaced templates beside the Rollout."""
        return [name for kind, name in self.known if kind == "AnalysisTemplate"]


def _values(holder: View) -> dict[str, View]:
    """The arguments of an analysis or a template that have plain values."""
    found: dict[str, View] = {}
    for row in holder.at("args").items():
        if row.name("name") and row.at("value").exists:
            found[row.name("name")] = row.at("value")
    return found


def _filled(values: dict[str, View]) -> dict[str, View]:
    return {name: view for name, view in values.items() if isinstance(view.data, str | int | float)}


def _text(view: View, values: dict[str, View]) -> str:
    """A text with its arguments filled in, which then are read, too."""
    text = view.text()
    for name in conditions.arguments(text) & values.keys():
        values[name].mark()
    return conditions.filled(text, {name: str(view.data) for name, view in values.items()})


def _metric(
    metric: View, values: dict[str, View], path: str, draft: Draft
) -> dict[str, Any] | None:
    """One metric as a scenario says it; None where a verdict is not about requests."""
    provider = metric.at("provider").mapping()
    for key, what in _VERDICTS.items():
        if provider.at(key).exists:
            metric.say("ignored", f"{what} is not simulated", "it never fails a release here")
            return None
    name = metric.name("name") or "analysis"
    query, where = _query(provider)
    success, failure = metric.at("successCondition"), metric.at("failureCondition")
    meaning = conditions.understand(name, _text(success, values), _text(failure, values), query)
    if meaning is None:
        for view in (success, failure):
            view.say(
                "assumed",
                "what it says of requests is not understood",
                f"{_ASSUMED_LIMIT} failed are too many",
            )
        draft.assumed.append(
            Assumed(
                f"{path}.above",
                _ASSUMED_LIMIT,
                "1%",
                "20%",
                f"the condition of {name} is not understood: judgement",
            )
        )
        words: dict[str, Any] = {"metric": "errors", "above": _ASSUMED_LIMIT}
    else:
        words = _understood(meaning, success, failure)
    words["name"] = f"analysis {name}"
    if where is not None:
        where.say("approximated", "taken to count the new version's requests in its range")
        window = conditions.window(query)
        if window:
            words["window"] = window
    _read_numbers(metric, words)
    return words


def _understood(meaning: Meaning, success: View, failure: View) -> dict[str, Any]:
    words: dict[str, Any] = {"metric": meaning.bad, "above": f"{100 * meaning.above:.9g}%"}
    if meaning.no_data != "error":
        words["no_data"] = meaning.no_data
    if not meaning.exact:
        for view in (success, failure):
            view.say(
                "approximated",
                f"more than {words['above']} of the requests later than the service's objective",
            )
    elif meaning.gap:
        success.say(
            "approximated",
            "between the two conditions a measurement is inconclusive and the rollout pauses",
            "here it has passed",
        )
    return words


def _query(provider: View) -> tuple[str, View | None]:
    """The query of a metric's provider, and where it stands."""
    for kind in provider.items():
        kind.mapping()
        for key in ("query", "profile"):
            view = kind.at(key)
            if isinstance(view.data, str):
                return view.data, view
    return "", None


def _read_numbers(metric: View, words: dict[str, Any]) -> None:
    """How often it is measured, and how many measurements may fail."""
    interval, delay = metric.at("interval"), metric.at("initialDelay")
    if interval.exists:
        words["interval"] = interval.seconds()
    if delay.exists:
        words["initial_delay"] = delay.seconds()
    count, failures = metric.at("count"), metric.at("failureLimit")
    if count.exists and count.integer(0):
        words["count"] = count.integer(0)
    if failures.exists:
        words["failure_limit"] = failures.integer(0, -1)
    errors = metric.at("consecutiveErrorLimit")
    if errors.exists:
        words["error_limit"] = errors.integer(4)


__all__ = ["Templates"]
