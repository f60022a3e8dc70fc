"""Wrong files: one clear message each, with place, reason and remedy, and never a traceback."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

from simulator.words.reading import ScenarioError, load, loads

HEAD = """\
version: 1
profile: bare
service: {instances: 4, capacity: 100 rps}
traffic: {rate: 100 rps, users: 10k}
strategies: {rolling: {}, canary: {}}
"""


class Wrong(NamedTuple):
    """A wrong file, the line and path of its one problem, and what the message must contain."""

    name: str
    text: str
    line: int | None
    path: str
    says: tuple[str, ...]


def added(name: str, text: str, line: int, path: str, *says: str) -> Wrong:
    """The good file with lines added at its end; `line` counts within what is added."""
    return Wrong(name, HEAD + dedent(text), HEAD.count("\n") + line, path, says)


def changed(name: str, old: str, new: str, line: int, path: str, *says: str) -> Wrong:
    """The good file with one piece of text replaced."""
    assert old in HEAD
    return Wrong(name, HEAD.replace(old, new), line, path, says)


def together(name: str, service: str, traffic: str, rest: str, path: str, *says: str) -> Wrong:
    """The good file with more of the service, of the traffic, and at its end: too much at once."""
    old, new = "rate: 100 rps", "daily: {mean: 100 rps, peak: 200 rps, peak_at: 14:00}"
    text = HEAD.replace("capacity: 100 rps", f"capacity: 100 rps, {service}")
    text = text.replace(old, f"{new}, {traffic}" if traffic else new) + rest
    return Wrong(name, text, 4 if path == "traffic" else 6, path, says)


def whole(name: str, text: str, line: int | None, path: str, *says: str) -> Wrong:
    """A file of its own."""
    return Wrong(name, text, line, path, says)


_SCALED, _TIMED = "scaling: {min: 2, max: 20}", "service_time: 100ms"
_PEAKS = "cells: [{name: a, share: 50%, peak_at: 08:00}, {name: b, share: 50%}]"
_QUEUE, _LATE = "queue: true, deadline: 9m", "slo: {latency: 1s}\n"

DOCUMENTS = [
    whole("empty file", "", 1, "", "empty"),
    whole("only comments", "# nothing yet\n", 1, "", "empty"),
    whole("a list at the top", "- version: 1\n", 1, "", "a list", "mapping"),
    whole("a plain value at the top", "hello\n", 1, "", "plain value", "mapping"),
    whole("a tab as indentation", "version: 1\nservice:\n\tinstances: 4\n", 3, "", "tab", "spaces"),
    whole("an open bracket", "version: 1\nservice: {instances: 4\n", 3, "", "not YAML", "bracket"),
    whole("two documents", HEAD + "---\nversion: 1\n", 6, "", "document", "one"),
    whole("a merge key", HEAD + "costs:\n  <<: {currency: EUR}\n", 7, "", "merge", "<<"),
    whole("an alias without anchor", HEAD + "costs: *prices\n", 6, "", "prices", "&"),
    whole("a key given twice", HEAD + "name: a\nname: b\n", 7, "", "name", "twice"),
    whole("a nested key given twice", HEAD + "slo: {window: 7d, window: 30d}\n", 6, "", "twice"),
    whole(
        "a number that is none", HEAD + "costs: {failed_request: .nan}\n", 6, "", ".nan", "finite"
    ),
    whole("an infinite number", HEAD + "costs: {failed_request: .inf}\n", 6, "", ".inf", "finite"),
    whole(
        "an infinite exponent", HEAD + "costs: {failed_request: 1e999}\n", 6, "", "1e999", "finite"
    ),
    whole("five thousand brackets", "version: " + "[" * 5000 + "]" * 5000, 1, "", "64", "flatten"),
    whole(
        "five thousand mappings", "a: " + "{a: " * 5000 + "1" + "}" * 5000, 1, "", "64", "flatten"
    ),
    whole(
        "an alias bomb",
        "a: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(
            f"{x}: &{x} [{', '.join(['*' + y] * 9)}]\n"
            for x, y in zip("bcdefgh", "abcdefg", strict=True)
        ),
        None,
        "",
        "50000",
        "alias",
    ),
    whole(
        "an alias inside itself",
        "version: 1\nservice: &s {instances: 4, again: *s}\n",
        2,
        "",
        "alias",
    ),
    whole("a list as key", HEAD + "? [a, b]\n: 1\n", 6, "", "key", "text"),
    whole("a control character", HEAD + "name: a\x07b\n", 6, "", "character"),
    whole("a tagged value", HEAD + "name: !!python/object:os.system {}\n", 6, "", "tag"),
    whole("over a mebibyte", HEAD + "# " + "x" * 2**20 + "\n", 1, "", "1 MiB"),
]

KEYS = [
    whole(
        "no version", HEAD.removeprefix("version: 1\n"), None, "version", "missing", "version: 1"
    ),
    changed("another version", "version: 1", "version: 2", 1, "version", "2", "1"),
    whole(
        "neither service nor profile",
        "version: 1\ntraffic: {rate: 1 rps}\nstrategies: {canary: {}}\n",
        None,
        "service",
        "missing",
        "profile",
    ),
    whole(
        "no traffic",
        "version: 1\nprofile: bare\nservice: {}\nstrategies: {canary: {}}\n",
        None,
        "traffic",
        "missing",
        "rate",
    ),
    whole(
        "no strategies",
        "version: 1\nprofile: bare\nservice: {}\ntraffic: {rate: 1 rps}\n",
        None,
        "strategies",
        "missing",
        "canary",
    ),
    added(
        "an unknown section", "sevrice: {}\n", 1, "sevrice", "unknown key", "did you mean service?"
    ),
    changed(
        "an unknown key",
        "capacity:",
        "capasity:",
        3,
        "service.capasity",
        "unknown",
        "did you mean capacity?",
    ),
    added("a key with no near one", "slo: {zzz: 1}\n", 1, "slo.zzz", "unknown key", "availability"),
    added("a section that is a list", "slo: [99.9%]\n", 1, "slo", "mapping"),
    added("a section that is text", "costs: cheap\n", 1, "costs", "mapping"),
    added("a section without content", "costs:\n", 1, "costs", "no value", "remove"),
    added(
        "a key without value",
        "slo: {availability: }\n",
        1,
        "slo.availability",
        "no value",
        "remove",
    ),
    added(
        "working hours without hours",
        "calendar: {work: Mon-Fri}\n",
        1,
        "calendar.work",
        "Mon-Fri 09:00-17:00",
    ),
    changed(
        "not available yet: a key",
        "rolling: {}",
        "rolling: {value: 3}",
        5,
        "strategies.rolling.value",
        "not available yet",
    ),
    added(
        "a latency objective without the time of a request",
        "slo: {latency: 300ms}\n",
        1,
        "slo",
        "service: {service_time: 100ms}",
    ),
    together("a scaled group that pulls", _SCALED, _QUEUE, "", "traffic", "service.scaling"),
    together("a scaled group and retries", _SCALED, "retries: 1", "", "traffic", "the tries"),
    together(
        "a scaled group and long connections",
        _SCALED,
        "connections: {mean: 5m}",
        "",
        "traffic",
        "service.scaling",
    ),
    together("a scaled group of several peaks", f"{_SCALED}, {_PEAKS}", "", "", "traffic", "curve"),
    together("answers and messages late", _TIMED, _QUEUE, _LATE, "slo", "traffic.queue"),
    together("late answers that are retried", _TIMED, "retries: 1", _LATE, "slo", "remove one"),
    together(
        "late answers over long connections",
        _TIMED,
        "connections: {mean: 5m}",
        _LATE,
        "slo",
        "traffic.connections",
    ),
    together("late cells of several peaks", f"{_TIMED}, {_PEAKS}", "", _LATE, "slo", "peak_at"),
    together(
        "one queue for several cells",
        f"{_TIMED}, queueing: shared, cells: [{{name: a, share: 50%}}, {{name: b, share: 50%}}]",
        "",
        _LATE,
        "slo",
        "shared between cells",
    ),
    added(
        "a short window above the long one",
        "detection: {burn_rate: [{burn: 6, long: 30m, short: 6h}]}\n",
        1,
        "detection.burn_rate[0]",
        "exchange them",
    ),
    added(
        "a judge that does not say above what",
        "detection: {judge: {test: threshold}}\n",
        1,
        "detection.judge",
        "needs above",
    ),
    added(
        "a judge with a threshold it never uses",
        "detection: {judge: {test: sequential, above: 1%}}\n",
        1,
        "detection.judge",
        "above has no effect",
    ),
    changed(
        "an unknown profile", "bare", "ecs-fargat", 2, "profile", "ecs-fargat", "mean ecs-fargate?"
    ),
]

VALUES = [
    added(
        "a duration without unit", "follow_up: 10\n", 1, "follow_up", "no unit", "10s, 10m or 10h"
    ),
    added("a duration in words", "follow_up: tomorrow\n", 1, "follow_up", "'tomorrow'", "90s"),
    added("a negative duration", "follow_up: -5m\n", 1, "follow_up", "'-5m'", "5"),
    changed(
        "a rate without unit", "rate: 100 rps", "rate: 100", 4, "traffic.rate", "no unit", "100 rps"
    ),
    changed("no traffic at all", "rate: 100 rps", "rate: 0 rps", 4, "traffic.rate", "above 0"),
    added("what a terminal obeys", 'question: "\\x1b[2J"\n', 1, "", "U+001B", "leave it out"),
    added("what turns letters around", 'question: "\\u202e"\n', 1, "", "U+202E", "leave it out"),
    added("what a terminal obeys in a name", '"\\x1b[2J": 1\n', 1, "", "U+001B", "leave it out"),
    added("an endless duration", "follow_up: 1e308d\n", 1, "follow_up", "1e308", "beyond reason"),
    changed("users beyond reason", "users: 10k", "users: 1e999", 4, "", "1e999", "finite"),
    changed(
        "users beyond reason in a text",
        "users: 10k",
        "users: '1e999'",
        4,
        "traffic.users",
        "1e999",
        "beyond reason",
    ),
    changed(
        "a million machines",
        "instances: 4",
        "instances: 2M",
        3,
        "service",
        "at most 1M",
    ),
    added("a share of five", "slo: {availability: 5}\n", 1, "slo.availability", "write 5%"),
    added("a share over all", "slo: {availability: 120%}\n", 1, "slo.availability", "120%", "100%"),
    added("an objective of all", "slo: {availability: 100%}\n", 1, "slo.availability", "99.9%"),
    changed(
        "half an instance", "instances: 4", "instances: 2.5", 3, "service.instances", "whole number"
    ),
    changed("no instance", "instances: 4", "instances: 0", 3, "service.instances", "at least 1"),
    added("a price without hour", "costs: {responder: 120}\n", 1, "costs.responder", "120/h"),
    added("a currency in words", "costs: {currency: dollars}\n", 1, "costs.currency", "USD"),
    added(
        "another currency",
        "costs: {currency: EUR, failed_request: 0.10 USD}\n",
        1,
        "costs.failed_request",
        "USD",
        "EUR",
    ),
    changed(
        "YAML 1.1 truth",
        "users: 10k",
        "users: 10k, sticky: yes",
        4,
        "traffic.sticky",
        "'yes'",
        "true",
        "false",
    ),
    added(
        "a word that is not allowed",
        "response: {automatic: allways}\n",
        1,
        "response.automatic",
        "'allways'",
        "watched",
        "never",
        "did you mean always?",
    ),
    changed(
        "an unknown law",
        "capacity: 100 rps",
        "startup: {gauss: {mean: 60s, sd: 5s}}",
        3,
        "service.startup",
        "gauss",
        "normal",
    ),
    changed(
        "a law without a number",
        "capacity: 100 rps",
        "startup: {lognormal: {median: 60s}}",
        3,
        "service.startup",
        "lognormal",
        "sigma",
    ),
    changed(
        "an interval upside down",
        "capacity: 100 rps",
        "startup: [35s, 25s]",
        3,
        "service.startup",
        "35s",
        "smaller",
    ),
    changed(
        "values in a file that is not there",
        "capacity: 100 rps",
        "startup: {empirical: none-such.csv}",
        3,
        "service.startup",
        "none-such.csv",
        "cannot read",
    ),
    changed(
        "a trace that is not there",
        "rate: 100 rps",
        "trace: {file: none-such.csv, per: 5m}",
        4,
        "traffic",
        "none-such.csv",
        "cannot read",
    ),
    changed(
        "two kinds of traffic",
        "rate: 100 rps",
        "rate: 100 rps, daily: {mean: 5 rps, peak: 8 rps, peak_at: 14:00}",
        4,
        "traffic",
        "one of",
        "rate",
        "daily",
    ),
    changed(
        "no kind of traffic",
        "rate: 100 rps",
        "writes: 5%",
        4,
        "traffic",
        "one of",
        "rate",
        "daily",
        "trace",
    ),
    changed(
        "a peak over twice the mean",
        "rate: 100 rps",
        "daily: {mean: 5 rps, peak: 11 rps, peak_at: 14:00}",
        4,
        "traffic.daily",
        "twice the mean",
        "10",
    ),
    changed(
        "capacity said twice",
        "capacity: 100 rps",
        "capacity: 100 rps, utilisation: 50%",
        3,
        "service",
        "capacity",
        "utilisation",
        "remove one",
    ),
    changed(
        "a limit below the fleet",
        "capacity: 100 rps",
        "limit: 3",
        3,
        "service",
        "limit 3",
        "4 instances",
    ),
    added(
        "two of three turned round",
        "detection: {alarms: [{above: 1%, datapoints: 3 of 2}]}\n",
        1,
        "detection.alarms[0].datapoints",
        "3 of 2",
        "2 of 3",
    ),
    added(
        "alarms that are no list",
        "detection: {alarms: {above: 1%}}\n",
        1,
        "detection.alarms",
        "list",
    ),
    added(
        "two alarms of one name",
        "detection:\n  alarms:\n    - {name: a, above: 1%}\n    - {name: a, above: 2%}\n",
        1,
        "detection",
        "'a'",
        "different names",
    ),
    added("no defects", "change: {defects: []}\n", 1, "change", "defects", "at least one"),
    added(
        "a defect without kind",
        "change: {defects: [{rate: 5%}]}\n",
        1,
        "change.defects[0]",
        "kind",
        "errors",
    ),
    added(
        "a defect of unknown kind",
        "change: {defects: [{kind: error, rate: 5%}]}\n",
        1,
        "change.defects[0].kind",
        "'error'",
        "did you mean errors?",
    ),
    added(
        "a defect with another kind's key",
        "change: {defects: [{kind: crash, rate: 5%}]}\n",
        1,
        "change.defects[0].rate",
        "unknown key",
        "starts",
    ),
]

STRATEGIES = [
    changed("no strategy", "{rolling: {}, canary: {}}", "{}", 5, "strategies", "empty", "canary"),
    changed(
        "strategies as a list",
        "{rolling: {}, canary: {}}",
        "[rolling, canary]",
        5,
        "strategies",
        "mapping",
        "canary: {}",
    ),
    changed(
        "an unknown strategy",
        "canary: {}",
        "canry: {}",
        5,
        "strategies.canry",
        "did you mean canary?",
    ),
    changed(
        "a name without kind",
        "canary: {}",
        "careful one: {steps: []}",
        5,
        "strategies.careful one",
        "kind",
    ),
    changed(
        "an unknown kind",
        "canary: {}",
        "mine: {kind: canaryy}",
        5,
        "strategies.mine.kind",
        "'canaryy'",
        "did you mean canary?",
    ),
    changed(
        "a name that contradicts its kind",
        "canary: {}",
        "canary: {kind: big_bang}",
        5,
        "strategies.canary.kind",
        "big_bang",
        "rename",
    ),
    changed("a strategy without settings", "canary: {}", "canary: ", 5, "strategies.canary", "{}"),
    changed(
        "a strategy that is text",
        "canary: {}",
        "canary: fast",
        5,
        "strategies.canary",
        "mapping",
        "{}",
    ),
    changed(
        "an unknown setting",
        "canary: {}",
        "canary: {step: []}",
        5,
        "strategies.canary.step",
        "unknown",
        "did you mean steps?",
    ),
    changed(
        "an unknown setting of a step",
        "canary: {}",
        "canary: {steps: [{wieght: 5%, bake: 1m}]}",
        5,
        "strategies.canary.steps[0].wieght",
        "did you mean weight?",
    ),
    changed(
        "weights that fall",
        "canary: {}",
        "canary: {steps: [{weight: 50%}, {weight: 5%}]}",
        5,
        "strategies.canary",
        "must rise",
        "5%",
        "50%",
    ),
    changed(
        "a weight over all",
        "canary: {}",
        "canary: {steps: [{weight: 140%}]}",
        5,
        "strategies.canary.steps[0].weight",
        "140%",
        "100%",
    ),
    changed(
        "waves that do not add up",
        "canary: {}",
        "phased: {waves: [10%, 30%]}",
        5,
        "strategies.phased",
        "40%",
        "100%",
    ),
    changed(
        "nothing may be replaced",
        "rolling: {}",
        "rolling: {surge: 0, max_unavailable: 0}",
        5,
        "strategies.rolling",
        "surge",
        "at least one",
    ),
    changed(
        "a pace that stands still",
        "canary: {}",
        "canary: {pace: 0}",
        5,
        "strategies.canary.pace",
        "above 0",
    ),
    changed(
        "a strategy inside a strategy",
        "canary: {}",
        "phased: {within: {kind: rollin}}",
        5,
        "strategies.phased.within.kind",
        "did you mean rolling?",
    ),
    added("a plan that is not there", "planned: canari\n", 1, "planned", "'canari'", "canary"),
    added("objectives as text", "objectives: users_harmed < 5%\n", 1, "objectives", "list"),
    added(
        "an unknown figure",
        "objectives:\n  - user_harmed < 5%\n",
        2,
        "objectives[0]",
        "did you mean users_harmed?",
    ),
    added(
        "an objective without value", "objectives: [users_harmed <]\n", 1, "objectives[0]", "VALUE"
    ),
    added(
        "an objective in the wrong unit",
        "objectives: [time_to_deploy < 5%]\n",
        1,
        "objectives[0]",
        "duration",
        "1h30m",
    ),
    added(
        "an objective for nobody",
        "objectives: [users_harmed < 5% for nobody]\n",
        1,
        "objectives[0]",
        "nobody",
        "canary",
    ),
    added(
        "an objective given nothing known",
        "objectives: [users_harmed < 5% given rain]\n",
        1,
        "objectives[0]",
        "rain",
        "good",
        "defect",
    ),
]


@pytest.mark.parametrize("wrong", [*DOCUMENTS, *KEYS, *VALUES, *STRATEGIES], ids=lambda w: w.name)
def test_a_wrong_file_has_one_clear_message(wrong: Wrong) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(wrong.text, "shop.yaml")
    assert len(caught.value.problems) == 1, str(caught.value)
    problem = caught.value.problems[0]
    assert problem.path == wrong.path
    if wrong.line is not None:
        assert problem.line == wrong.line
        assert problem.column is not None
        assert problem.column >= 1
        assert str(problem).startswith(f"shop.yaml:{problem.line}:{problem.column}: ")
    for words in wrong.says:
        assert words in problem.message


def test_the_good_file_is_good() -> None:
    assert list(loads(HEAD).strategies) == ["rolling", "canary"]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = dedent("""\
        version: 1
        service: {instances: 0, capasity: 1 rps}
        traffic: {rate: 100}
        calendar: {work: Mon-Fri}
        strategies:
          canary: {steps: [{weight: 5}]}
          rolling: {batch: lots}
        planned: nobody
        """)
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    found = [(problem.line, problem.path) for problem in caught.value.problems]
    assert found == [
        (2, "service.instances"),
        (2, "service.capasity"),
        (3, "traffic.rate"),
        (4, "calendar.work"),
        (6, "strategies.canary.steps[0].weight"),
        (7, "strategies.rolling.batch"),
        (8, "planned"),
    ]
    assert str(caught.value).count("\n") == 6


def test_the_column_is_that_of_the_key() -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(HEAD.replace("users: 10k", "users: none"))
    assert str(caught.value).startswith("<text>:4:26: traffic.users: ")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"version: 1\x00", "not a text file"),
        (b"name: caf\xe9\n", "UTF-8"),
        (b"x" * (2**20 + 1), "1 MiB"),
        (b"\xef\xbb\xbf", "empty"),
    ],
)
def test_bytes_that_are_no_scenario(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert len(caught.value.problems) == 1
    assert says in str(caught.value)


def test_a_file_that_is_not_there_names_the_packaged_ones(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "none-such.yaml")
    with pytest.raises(ScenarioError, match="folder"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("item", "path", "says"),
    [
        ("traffic.rate", "traffic.rate", "path=value"),
        ("=5", "=5", "path=value"),
        ("traffic.rate=5", "traffic.rate", "no unit"),
        ("traffic.rat=5 rps", "traffic.rat", "did you mean rate?"),
        ("service.instances=[", "service.instances", "not YAML"),
        ("strategies.canary.steps[7].weight=5%", "strategies.canary.steps[7].weight", "[7]"),
        ("strategies.canary.steps.weight=5%", "strategies.canary.steps.weight", "[0]"),
        ("version.x=1", "version.x", "version"),
    ],
)
def test_a_wrong_set_is_placed_at_the_set(item: str, path: str, says: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(HEAD, sets=[item])
    assert len(caught.value.problems) == 1
    text = str(caught.value)
    assert text.startswith(f"--set {path}") or text.startswith(f"--set: {path}")
    assert says in text
