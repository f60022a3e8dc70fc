"""Reading the webhooks of a Canary's analysis. Source: flagger docs/gitbook/usage/webhooks.md."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from simulator.words.brought import NAME, Draft
from simulator.words.units import format_share

if TYPE_CHECKING:
    from simulator.bring.view import View

_TOOL = re.compile(r"\b(hey|wrk|ghz|k6|vegeta|fortio|bombardier|oha|locust)\b")
_OPTION = re.compile(r"\s-(q|c|n|z)\s*=?\s*(\S+)")
_WORKERS, _REQUESTS = 50.0, 200.0  # of hey, where nothing is said
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_PERSON = {"lognormal": {"median": "30m", "p95": "4h"}}
_SILENT = ("event", "post-rollout")
_MOST, _RATE = 1e6, 100.0


def read(analysis: View, draft: Draft, every: float, first: float) -> None:
    """Put what the webhooks do to a rollout into the draft; what they call is not known.

    `first` is the first weight of the canary.
    """
    rate = 0.0
    for hook in analysis.at("webhooks").items():
        kind = hook.at("type")
        what = kind.text("rollout")
        command = hook.at("metadata", "cmd")
        if what == "rollout" and _TOOL.search(command.name()):
            rate += _load(command, every)
        elif what == "pre-rollout":
            _tests_before(hook, draft)
        elif what in ("confirm-rollout", "confirm-promotion"):
            _asks(hook, what, draft)
        elif what in _SILENT:
            kind.say("no_effect", "it is told, and decides nothing")
        elif what == "rollout":
            kind.say(
                "ignored",
                "what it tests at each tick is not known",
                "releases that it would stop pass here",
            )
        else:
            kind.say(
                "ignored",
                "a hook of this kind is not simulated",
                "nobody holds or rolls back by it here",
            )
    if 0 < rate <= _MOST:
        _tested(analysis, rate, draft, first)


def _load(command: View, every: float) -> float:
    """Requests/s of a load test, 0 if it does not say; hey's -q is for each of its -c workers."""
    text = command.name()
    if not re.search(r"\bhey\b", text):
        command.say(
            "ignored",
            "only hey says how many requests/s it sends",
            "the canary is not tested here: set strategies.current.load_test",
        )
        return 0.0
    options = {name: _number(value) for name, value in _OPTION.findall(text)}
    lasts, most = options.get("z", 0.0), math.inf
    if "q" in options:
        most = options["q"] * options.get("c", _WORKERS)
    elif lasts:
        command.say("ignored", "it sends as many requests as it can", "it is not simulated")
        return 0.0
    command.mark()
    if lasts:
        return most * min(lasts / every, 1.0)
    return min(options.get("n", _REQUESTS) / every, most)


def _number(text: str) -> float:
    """A number, or a length of time in seconds; 0 for anything else."""
    found = _SPAN.fullmatch(text)
    return min(float(found[1]) * _SECONDS[found[2]], _MOST) if found else 0.0


def _tested(analysis: View, rate: float, draft: Draft, first: float) -> None:
    """A load test is checked as users are, but may not show what they meet."""
    draft.put(f"strategies.{NAME}.load_test", f"{rate:.6g} rps", analysis.at("webhooks"))
    draft.assume(
        f"strategies.{NAME}.load_test_shows",
        "50%",
        "0%",
        "100%",
        "judgement: it sends the same request again and again",
    )
    draft.remark(
        f"The load test sends the canary {rate:.3g} rps, and its answers are checked with "
        f"those of users: of {_RATE:g} rps in all a first weight of {format_share(first)} sends it "
        f"{_RATE * first:g}, so that {100 * rate / (rate + _RATE * first):.0f} % of what the "
        "metrics see is the test's. What only users meet is hidden by so much."
    )


def _tests_before(hook: View, draft: Draft) -> None:
    hook.at("type").say(
        "assumed", "it finds a share of what is wrong", "see strategies.current.pre_rollout"
    )
    told = "judgement: as a smoke test, 20 to 80 %; not more than what its command looks at"
    draft.assume(f"strategies.{NAME}.pre_rollout", "30%", "5%", "80%", told)


def _asks(hook: View, what: str, draft: Draft) -> None:
    """A gate that a person opens, unless it is always open."""
    if hook.name("url").endswith("/gate/approve"):
        hook.at("type").say("no_effect", "this gate is always open")
        return
    hook.at("type").say("assumed", "a person opens it", "see how long that takes")
    key = what.replace("-", "_")
    draft.assume(f"strategies.{NAME}.{key}", _PERSON, "5m", "8h", "judgement: a person approves")
