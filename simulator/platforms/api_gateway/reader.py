"""Reading canaries of API Gateway stages from CloudFormation (and SAM) templates and Terraform.

Sources: AWS::ApiGateway::Stage and Deployment, AWS::Serverless::Api (CloudFormation and SAM, 2026);
aws_api_gateway_stage and _deployment of the Terraform AWS provider; the developer guide of 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from simulator.words.brought import Alternative, Assumed, Draft, Reader, Workload

if TYPE_CHECKING:
    from simulator.bring.view import View

_STAGES: dict[str, tuple[tuple[str | int, ...], str]] = {
    "AWS::ApiGateway::Stage": (("Properties", "CanarySetting"), "PercentTraffic"),
    "AWS::Serverless::Api": (("Properties", "CanarySetting"), "PercentTraffic"),
    "AWS::ApiGateway::Deployment": (("Properties", "DeploymentCanarySettings"), "PercentTraffic"),
    "aws_api_gateway_stage": (("canary_settings", 0), "percent_traffic"),
    "aws_api_gateway_deployment": (("canary_settings", 0), "percent_traffic"),
}
_DEPLOYMENTS = ("AWS::ApiGateway::Deployment", "aws_api_gateway_deployment")
_DESCRIBED = ("Properties", "StageDescription", "CanarySetting")
_BAKED = "until a person promotes the canary, which nothing in the template does: judgement"


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The stages among the documents; those without a canary move all at once."""
    for document in documents:
        if document.label in _STAGES:
            canary = _canary(document)
            if not canary.exists and document.label in _DEPLOYMENTS:
                continue
            yield Workload(
                document.called,
                document.label,
                (document,),
                partial(read, document),
                partial(alternatives, document),
                plain=not canary.exists,
            )


def _canary(document: View) -> View:
    """Where the canary's settings stand, or might."""
    path, _ = _STAGES[document.label]
    described = document.at(*_DESCRIBED)
    return described if described.exists and not document.at(*path).exists else document.at(*path)


def read(document: View, draft: Draft) -> None:
    """Put what a stage says about its deployments into the draft."""
    canary = _canary(document).mapping()
    draft.put("service.elastic", True, "a stage of API Gateway")
    draft.without_profile()
    draft.put("detection.alarms", "none", "a stage has no alarms")
    if not canary.exists:
        draft.strategy("big_bang", {"in_place": False}, canary)
        draft.remark(
            "The stage has no canary: a deployment reaches every request at once, and nothing "
            "takes it back by itself."
        )
        return
    percent = canary.at(_STAGES[document.label][1])
    share = percent.percent(0.0)
    if share == 0:
        raise percent.wrong("is 0 (its default): no request reaches the canary; write e.g. 5")
    draft.strategy("canary", {"steps": [{"weight": share, "bake": "1h"}]}, percent)
    path = "strategies.current.steps[0].bake"
    draft.assumed.append(Assumed(path, "1h", "10m", "1d", _BAKED))
    draft.remark(
        "No alarm is attached to a stage's canary: who looks at its own log group takes it back."
    )


def alternatives(document: View) -> Iterator[Alternative]:
    """Other shares of the traffic for a stage's canary."""
    canary, key = _canary(document), _STAGES[document.label][1]
    for percent in (1, 5, 20):
        aim = f"{percent} of 100 requests see a deployment before all do"
        yield Alternative(f"canary of {percent}%", ((canary.at(key), percent),), aim)


READER = Reader("api_gateway", "stages of API Gateway (CloudFormation, SAM, Terraform)", find)
