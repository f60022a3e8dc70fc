"""The eight questions of `new`, and the scenario their answers make."""

from __future__ import annotations

import typer

from simulator.words import profiles

_QUESTIONS = (
    ("name", "What is the service called?", "My service"),
    ("profile", "Where does it run (ecs-fargate, ec2-ami, k8s-spare)?", "ecs-fargate"),
    ("instances", "How many instances serve it?", "12"),
    ("utilisation", "How busy are they in the busiest hour?", "55%"),
    ("rate", "How many requests arrive?", "400 rps"),
    ("users", "How many users send them?", "30k"),
    ("chance", "How many releases turn out to be defective?", "5%"),
    ("harm", "What does one failed request cost (0 if you cannot say)?", "0"),
)

_TEMPLATE = """\
version: 1
name: {name}
question: How should {name} be released?
profile: {profile}          # its values: deploysim defaults {profile}
service:
  instances: {instances}
  utilisation: {utilisation}        # of the busiest hour; or capacity: 60 rps (of one instance)
traffic:
  rate: {rate}          # or daily: {{mean:, peak:, peak_at:}}, or trace: {{file:, per: 5m}}
  users: {users}
change:
  defect_probability: {chance}  # your change failure rate
costs:
  failed_request: {harm}
strategies:              # a name of your own -> settings; deploysim schema lists all of them
  big_bang: {{in_place: false}}
  rolling: {{batch: 25%, surge: 25%}}
  canary: {{steps: [{{weight: 5%, bake: 10m}}, {{weight: 50%, bake: 10m}}]}}
  blue_green: {{}}
planned: canary
objectives:
  - users_harmed p95 < 10% given defect
  - time_to_deploy p95 < 4h given good
"""


def ask(profile: str | None, interactive: bool) -> dict[str, str]:
    """The answers: asked on a terminal, the defaults otherwise. Raises a usage error."""
    if profile is not None and profile not in profiles.names():
        raise typer.BadParameter(
            f"no profile {profile!r}; there are {', '.join(profiles.names())}",
            param_hint="--profile",
        )
    answers = {}
    for key, question, default in _QUESTIONS:
        if key == "profile" and profile is not None:
            answers[key] = profile
        elif interactive:
            answers[key] = str(typer.prompt(question, default=default, err=True))
        else:
            answers[key] = default
    return answers


def written(answers: dict[str, str]) -> str:
    """The scenario as text."""
    safe = {key: value.replace("\n", " ").strip() for key, value in answers.items()}
    safe["name"] = safe["name"].replace(":", " ").replace("#", " ").strip() or "My service"
    return _TEMPLATE.format(**safe)
