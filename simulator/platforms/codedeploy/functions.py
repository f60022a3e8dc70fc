"""Reading functions of AWS Lambda: SAM's deployment preferences, and weights of aliases.

Sources: AWS SAM developer guide, DeploymentPreference and Globals (2023) with its translator
(commit 013ec109); Lambda developer guide, aliases (2023); Terraform AWS provider, aws_lambda_alias.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulator.platforms.codedeploy import names as fields
from simulator.platforms.codedeploy import rules
from simulator.platforms.codedeploy.groups import own_shift, read_hook
from simulator.words import aws
from simulator.words.brought import Alternative, Assumed, Draft, Reader, Workload

if TYPE_CHECKING:
    from simulator.bring.view import View

FUNCTION = "AWS::Serverless::Function"
_ALIASES = ("AWS::Lambda::Alias", "aws_lambda_alias")
_LAMBDA, _PREFIX = "Lambda", "CodeDeployDefault."
_TYPES = tuple(name.removeprefix(_LAMBDA) for name in rules.SHIFTS if name.startswith(_LAMBDA))
_NO_CANARY = "no weight is sent to another version: an alias moves all at once"


class _Function(NamedTuple):
    """A function, what its template says for all functions, and the documents around it."""

    view: View
    shared: View | None
    configs: list[View]
    alarms: list[View]

    def at(self, *keys: str) -> View:
        """A property of the function, or of all functions where it has none itself."""
        own = self.view.at("Properties", *keys)
        if own.exists or own.unknown or self.shared is None:
            return own
        common = self.shared.at("Function", *keys)
        return common if common.exists or common.unknown else own

    @property
    def gradual(self) -> bool:
        """Whether it has a deployment preference that is on; refuses other values."""
        preference = self.at("DeploymentPreference")
        on = self.at("DeploymentPreference", "Enabled")
        return preference.exists and (not on.exists or str(on.data).lower() != "false")


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The functions and aliases among the documents that get new versions."""
    for document in documents:
        if document.label == FUNCTION:
            function = _function(document, documents)
            if function.gradual or function.at("AutoPublishAlias").exists:
                around = [*function.configs, *function.alarms]
                if function.shared is not None:
                    around.append(function.shared)
                yield Workload(
                    document.called,
                    FUNCTION,
                    (document, *around),
                    partial(read, function),
                    partial(alternatives, function),
                    plain=not function.gradual,
                )
        elif document.label in _ALIASES:
            weight = _weight(document)
            yield Workload(
                document.called,
                document.label,
                (document,),
                partial(read_alias, document),
                plain=weight is None,
            )


def _function(document: View, documents: Sequence[View]) -> _Function:
    shared = [
        one for one in documents if one.label == "Globals" and one.manifest is document.manifest
    ]
    function = _Function(document, shared[0] if shared else None, [], [])
    kind, alarms = (function.at("DeploymentPreference", key) for key in ("Type", "Alarms"))
    configs = kind.linked(documents, fields.CONFIGS[0])
    return function._replace(configs=configs, alarms=alarms.linked(documents, *aws.ALARMS))


def read(function: _Function, draft: Draft) -> None:
    """Put what a function says about its deployments into the draft."""
    _read_elastic(function.at("ReservedConcurrentExecutions"), draft)
    alias = function.at("AutoPublishAlias")
    preference = function.at("DeploymentPreference")
    on = function.at("DeploymentPreference", "Enabled")
    if not (preference.exists and on.flag(True)):
        draft.strategy("big_bang", {"in_place": False}, on if on.exists else alias)
        draft.unwatched(
            preference,
            "No deployment preference: the alias is pointed at the new version at once, and "
            "nothing takes it back.",
        )
        hooks = function.at("DeploymentPreference", "Hooks")
        for view in (*function.alarms, *function.configs, hooks):
            if view.exists:
                view.say("no_effect", "the deployment preference is off")
        return
    if not alias.exists and not alias.unknown:
        raise preference.wrong("needs AutoPublishAlias: SAM refuses it; add e.g. live")
    draft.strategy("codedeploy", {}, preference)
    kind = function.at("DeploymentPreference", "Type")
    if not kind.exists and not kind.unknown:
        raise preference.wrong("is missing Type: SAM refuses it; add e.g. Canary10Percent5Minutes")
    if function.configs:
        draft.put(
            "strategies.current.config",
            *own_shift(function.configs[0], fields.CLOUDFORMATION, _LAMBDA),
        )
    else:
        draft.put("strategies.current.config", _published(kind), kind)
    read_hook(function.at("DeploymentPreference", "Hooks", "PreTraffic"), draft)
    draft.put("strategies.current.rollback", True, "SAM's groups roll back what fails")
    named = function.at("DeploymentPreference", "Alarms")
    draft.watch(function.alarms, named)
    named.mark()
    if kind.name().removeprefix(_PREFIX) in ("AllAtOnce", f"{_LAMBDA}AllAtOnce"):
        draft.remark("AllAtOnce leaves alarms no time to see anything before everybody has it.")


def _published(kind: View) -> str:
    """The name of a published configuration, from SAM's short form."""
    text = kind.text("AllAtOnce").removeprefix(_PREFIX).removeprefix(_LAMBDA)
    if text in _TYPES:
        return f"{_LAMBDA}{text}"
    near = difflib.get_close_matches(text, _TYPES, 1)
    hint = f"did you mean {near[0]}?" if near else f"published are {', '.join(_TYPES)}"
    raise kind.wrong(
        f"{text!r} is no published configuration ({hint}); one of your own has to be an "
        "AWS::CodeDeploy::DeploymentConfig in the same file"
    )


def _read_elastic(concurrency: View, draft: Draft) -> None:
    """A function has no instances; it runs as often at a time as is reserved for it."""
    draft.put("service.elastic", True, "functions of AWS Lambda")
    if concurrency.exists:
        draft.put("service.concurrency", concurrency.integer(1000, 1), concurrency)
    draft.without_profile()


def _weight(alias: View) -> View | None:
    """Where the weight of an alias' second version stands."""
    blocks = (
        alias.at("Properties", "RoutingConfig", "AdditionalVersionWeights"),
        alias.at("routing_config", 0, "additional_version_weights"),
    )
    for block in blocks:
        for entry in block.items() if block.exists else ():
            return entry.at("FunctionWeight") if entry.at("FunctionWeight").exists else entry
    return None


def read_alias(alias: View, draft: Draft) -> None:
    """Put the weight of an alias into the draft: a canary that a person promotes."""
    draft.put("service.elastic", True, "functions of AWS Lambda")
    draft.without_profile()
    draft.put("detection.alarms", "none", "an alias has no alarms")
    weight = _weight(alias)
    if weight is None:
        draft.strategy("big_bang", {"in_place": False}, _NO_CANARY)
        return
    share = weight.number(0.0, 0.0, 1.0)
    step = {"weight": share, "bake": "1h"}
    draft.strategy("canary", {"steps": [step]}, weight)
    path = "strategies.current.steps[0].bake"
    source = "until a person changes the weights: judgement"
    draft.assumed.append(Assumed(path, "1h", "10m", "1d", source))


def alternatives(function: _Function) -> Iterator[Alternative]:
    """Other ways to write a function's deployment preference."""
    kind = function.at("DeploymentPreference", "Type")
    alias = function.at("AutoPublishAlias")
    extra = () if alias.exists else ((alias, "live"),)
    on = function.at("DeploymentPreference", "Enabled")
    if on.exists and str(on.data).lower() == "false":
        extra = (*extra, (on, True))
    for name, aim in (
        ("Canary10Percent30Minutes", "a tenth of the calls for half an hour first"),
        ("Linear10PercentEvery10Minutes", "ten steps, ten minutes to look at each"),
        ("AllAtOnce", "the shortest deployment, without a look at it"),
    ):
        if kind.peek() != name:
            yield Alternative(name, ((kind, name), *extra), aim)


READER = Reader("codedeploy", "functions of AWS SAM and aliases of AWS Lambda with weights", find)
