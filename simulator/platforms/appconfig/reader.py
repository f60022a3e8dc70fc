"""Reading deployments of AppConfig from CloudFormation templates and Terraform plans.

Sources: AWS::AppConfig::DeploymentStrategy, Deployment and Environment in the CloudFormation
template reference (2026); the same resources of the Terraform AWS provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulator.platforms.appconfig import rules
from simulator.words.aws import ALARMS
from simulator.words.brought import Alternative, Draft, Reader, Workload
from simulator.words.documents import Path

if TYPE_CHECKING:
    from simulator.bring.view import View

_STRATEGIES = ("AWS::AppConfig::DeploymentStrategy", "aws_appconfig_deployment_strategy")
_DEPLOYMENTS = ("AWS::AppConfig::Deployment", "aws_appconfig_deployment")
_ENVIRONMENTS = ("AWS::AppConfig::Environment", "aws_appconfig_environment")
_GROWTHS = {"LINEAR": "linear", "EXPONENTIAL": "exponential"}
_INSTANCES = "how many instances ask for the configuration stands in no template"


class _Names(NamedTuple):
    """Where the fields stand."""

    duration: Path
    factor: Path
    growth: Path
    bake: Path
    strategy: Path
    environment: Path
    monitors: Path


_CLOUDFORMATION = _Names(
    ("Properties", "DeploymentDurationInMinutes"),
    ("Properties", "GrowthFactor"),
    ("Properties", "GrowthType"),
    ("Properties", "FinalBakeTimeInMinutes"),
    ("Properties", "DeploymentStrategyId"),
    ("Properties", "EnvironmentId"),
    ("Properties", "Monitors"),
)
_TERRAFORM = _Names(
    ("deployment_duration_in_minutes",),
    ("growth_factor",),
    ("growth_type",),
    ("final_bake_time_in_minutes",),
    ("deployment_strategy_id",),
    ("environment_id",),
    ("monitor",),
)


class _Deployment(NamedTuple):
    """A deployment (or a strategy without one) and the documents around it."""

    view: View
    names: _Names
    strategy: View | None
    environment: View | None
    alarms: list[View]


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The deployments among the documents, and strategies that none of them takes."""
    taken: list[View] = []
    found = []
    for document in documents:
        if document.label in _DEPLOYMENTS:
            names = _names(document)
            strategies = document.at(*names.strategy).linked(documents, *_STRATEGIES)
            taken += strategies
            found.append((document, strategies[0] if strategies else None))
    free = [one for one in documents if one.label in _STRATEGIES and one not in taken]
    for document, strategy in (*found, *((one, one) for one in free)):
        names = _names(document)
        places = document.at(*names.environment).linked(documents, *_ENVIRONMENTS)
        alone = [one for one in documents if one.label in _ENVIRONMENTS]
        places = places or (alone if len(alone) == 1 else [])
        monitors = places[0].at(*names.monitors) if places else document.at(*names.monitors)
        deployment = _Deployment(
            document,
            names,
            strategy,
            places[0] if places else None,
            monitors.linked(documents, *ALARMS),
        )
        around = [view for view in (strategy, deployment.environment) if view is not None]
        yield Workload(
            document.called,
            document.label,
            (document, *(view for view in around if view is not document), *deployment.alarms),
            partial(read, deployment),
            partial(alternatives, deployment),
        )


def _names(document: View) -> _Names:
    return _CLOUDFORMATION if document.label.startswith("AWS::") else _TERRAFORM


def read(deployment: _Deployment, draft: Draft) -> None:
    """Put what a deployment says about its course into the draft."""
    names, strategy = deployment.names, deployment.strategy
    draft.assume("service.instances", 10, 2, 1000, _INSTANCES)
    draft.without_profile()
    if strategy is None:
        _read_predefined(deployment.view.at(*names.strategy), draft)
    else:
        _read_own(strategy, names, draft)
    _read_monitors(deployment, draft)


def _read_predefined(named: View, draft: Draft) -> None:
    """One of the strategies that AppConfig has itself."""
    name = named.text()
    if name not in rules.PREDEFINED:
        raise named.wrong(
            f"{name or 'the strategy'!r} is neither in the files nor predefined; give its "
            f"DeploymentStrategy in the same file, or take one of {', '.join(rules.PREDEFINED)}"
        )
    draft.strategy("appconfig", {"strategy": name}, named)


def _read_own(strategy: View, names: _Names, draft: Draft) -> None:
    """Growth, duration and bake of a strategy of one's own."""
    duration, factor = strategy.at(*names.duration), strategy.at(*names.factor)
    growth, bake = strategy.at(*names.growth), strategy.at(*names.bake)
    for needed in (duration, factor):
        if not needed.exists and not needed.unknown:
            raise needed.wrong("is missing; AppConfig refuses a strategy without it")
    draft.strategy("appconfig", {"strategy": "custom"}, strategy)
    minutes, baked = duration.number(30, 0, 1440), bake.number(0, 0, 1440)
    for key, value, where in (
        ("growth", growth.choice(_GROWTHS, "linear"), growth),
        ("factor", factor.percent(0.2), factor),
        ("duration", minutes * 60, duration),
        ("bake", baked * 60, bake),
    ):
        draft.put(f"strategies.current.{key}", value, where)
    if minutes == 0 and baked == 0:
        draft.remark(
            "Duration and bake are 0: everybody has the change at once, and no alarm has any time."
        )


def _read_monitors(deployment: _Deployment, draft: Draft) -> None:
    """The alarms of the environment, which take a deployment back."""
    names = deployment.names
    place = deployment.environment or deployment.view
    monitors = place.at(*names.monitors)
    if deployment.environment is None:
        usual = [{"watch": "service", "metric": "errors"}]
        draft.assume(
            "detection.alarms", usual, "none", usual, "the environment and its monitors are no part"
        )
        return
    draft.watch(deployment.alarms, monitors)
    for monitor in monitors.items():
        for key in ("AlarmArn", "alarm_arn"):
            monitor.at(key).mark()


def alternatives(deployment: _Deployment) -> Iterator[Alternative]:
    """Other ways to write a deployment's strategy."""
    names, strategy = deployment.names, deployment.strategy
    if strategy is None:
        named = deployment.view.at(*names.strategy)
        for name, course in rules.PREDEFINED.items():
            if course.duration >= 1200:
                aim = f"{course.duration / 60:g} min, baked for {course.bake / 60:g}"
                yield Alternative(name, ((named, name),), aim)
        return
    for name, growth, factor, minutes, bake, why in (
        ("a fifth every 6 minutes", "LINEAR", 20, 30, 30, "AWS recommends it"),
        ("a tenth first", "EXPONENTIAL", 10, 20, 10, "few have it for the first minutes"),
        ("an hour of bake", "LINEAR", 10, 60, 60, "slow defects show before it is over"),
    ):
        changes = (
            (strategy.at(*names.growth), growth),
            (strategy.at(*names.factor), factor),
            (strategy.at(*names.duration), minutes),
            (strategy.at(*names.bake), bake),
        )
        yield Alternative(name, changes, why)


READER = Reader("appconfig", "deployments of AppConfig (CloudFormation, Terraform)", find)
