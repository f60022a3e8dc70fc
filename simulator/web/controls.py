"""Controls drawn from the settings' own fields: what people change, and everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import streamlit as st

from simulator.web import state
from simulator.web.plain import plain
from simulator.web.state import Base, Variant
from simulator.words.change import Change
from simulator.words.scenario import Scenario
from simulator.words.settings import SECTIONS, Setting, new_strategy, settings, stated
from simulator.words.settings import label as label_of
from simulator.words.shape import dotted
from simulator.words.strategy import kinds

CHANCE = "change.defect_probability"
_USUAL = (
    *("service.instances", "service.concurrency", "traffic.rate", "traffic.users"),
    *(
        "service.utilisation",
        "service.capacity",
        "response.watch",
        "costs.failed_request",
        "costs.delay",
    ),
)
_NAMES = {
    CHANCE: "Defective releases",
    "service.instances": "Instances",
    "service.concurrency": "Requests in flight, at most",
    "traffic.rate": "Requests",
    "traffic.users": "Users",
    "service.utilisation": "Busiest-hour load of the fleet",
    "service.capacity": "One instance carries",
    "response.watch": "Watched after the rollout for",
    "costs.failed_request": "A failed request costs",
    "costs.delay": "An hour of delay costs",
}
_PLATFORMS = {
    "appconfig": "AppConfig",
    "beanstalk": "Elastic Beanstalk",
    "cloudformation": "CloudFormation",
    "codedeploy": "CodeDeploy",
    "ecs": "ECS",
    "kubernetes": "Kubernetes",
    "opsworks": "OpsWorks",
    "systems_manager": "Systems Manager",
}
_STEPS = (*(0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100),)
_LONG = 60
Value = TypeVar("Value")
_MIX = (0, 1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100)


def usual(begun: Base, variant: Variant) -> None:
    """What people change first: the probability of a defect, the fleet, the traffic, the prices."""
    _chance(begun, variant)
    found = {
        s.path: s
        for name in ("service", "traffic", "response", "costs")
        for s in settings(variant.scenario, name)
    }
    if variant.scenario.service.elastic:
        found.pop("service.instances")
    shown = [found[p] for p in _USUAL if p in found and found[p].value != "none"]
    for setting in shown:
        text(begun, variant, setting, _NAMES[setting.path])


def mix(begun: Base, variant: Variant) -> None:
    """The mix of defects, as weights that are made to sum to 100 %."""
    change: Change = variant.scenario.change
    st.caption(
        "How often each kind is what is wrong, against the others. Answers at once: the same "
        "replications, weighted anew."
    )
    for number, (label, share) in enumerate(zip(change.labels, change.shares, strict=True)):
        path = f"change.defects[{number}].share"
        stands = 100 * change.defects[number].share
        steps = sorted({*_MIX, round(stands, 3)})
        key = _key(variant.label, path)
        st.select_slider(
            f"{label.replace('_', ' ')}: {100 * share:.3g} %",
            steps,
            _shown(key, round(stands, 3)),
            key=key,
            format_func=lambda value: f"{value:g}",
            on_change=_percent,
            args=(begun, variant.label, path, key),
        )


def more(begun: Base, variant: Variant) -> None:
    """Every setting there is, one section at a time, each with its meaning and where it is from."""
    named = {name: name for name in SECTIONS}
    named |= {_strategy(name): name for name in variant.scenario.strategies}
    section = st.selectbox(
        "Section",
        list(named),
        key=f"section {variant.label}",
        format_func=lambda path: named.get(path, path),
        persist_state="session",
    )
    for setting in settings(variant.scenario, section if section in named else SECTIONS[0]):
        text(begun, variant, setting, setting.label, "every ")


def strategies(begun: Base, variant: Variant) -> None:
    """Add, copy and remove strategies."""
    names = list(variant.scenario.strategies)
    name = st.selectbox("Strategy", names, key=f"strategy {variant.label}")
    left, right = st.columns(2)
    left.button(
        "Copy",
        key=_key(variant.label, "copy"),
        on_click=_copy,
        args=(begun, variant, name),
        width="stretch",
        help="A second one of the same settings, to be changed under “Every setting”.",
    )
    right.button(
        "Remove",
        key=_key(variant.label, "remove"),
        on_click=_remove,
        args=(begun, variant, name),
        disabled=len(names) < 2,
        width="stretch",
    )
    kind = st.selectbox(
        "Another one",
        offered(),
        index=None,
        key=f"kind {variant.label}",
        placeholder="Choose a kind",
        format_func=kind_named,
        help="The textbook's first, then those of platforms.",
    )
    if kind is None:
        return
    st.caption(_about(kind))
    st.button(
        "Add it",
        key=_key(variant.label, "add"),
        on_click=_add,
        args=(begun, variant),
        width="stretch",
        help="With all its defaults; change them under “Every setting”.",
    )


def offered() -> list[str]:
    """Every kind of strategy: the textbook's first, then those of platforms, by name."""
    return sorted(kinds(), key=lambda kind: (_platform(kind), kind))


def kind_named(kind: str) -> str:
    """A kind in words, after its platform if it has one."""
    platform = _platform(kind)
    if not platform:
        return kind.replace("_", " ")
    title = _PLATFORMS.get(platform, platform.replace("_", " "))
    rest = kind.removeprefix(platform).strip("_").replace("_", " ")
    return f"{title}: {rest}" if rest else title


def _platform(kind: str) -> str:
    """The package of the platform that a kind belongs to; empty for the textbook's."""
    _, _, rest = kinds()[kind].__module__.partition("platforms.")
    return rest.split(".")[0]


def _about(kind: str) -> str:
    """What a kind does, in a sentence."""
    return " ".join((kinds()[kind].__doc__ or "").split("\n\n")[0].split())


def _chance(begun: Base, variant: Variant) -> None:
    change = variant.scenario.change
    stands = round(100 * change.defect_probability, 6)
    if change.changes is not None:
        st.caption(f"Defective releases: {stands:.3g} %, as follows from their changes and tests.")
        return
    key = _key(variant.label, CHANCE)
    st.select_slider(
        _NAMES[CHANCE],
        sorted({*_STEPS, stands}),
        _shown(key, stands),
        key=key,
        format_func=lambda value: f"{value:g} %",
        on_change=_percent,
        args=(begun, variant.label, CHANCE, key),
        help="Your change failure rate: the share of releases that are bad. Answers at once: the "
        "same replications, weighted anew.",
    )


def named(path: str, scenario: Scenario) -> str:
    """A setting's name for people."""
    return _NAMES.get(path) or label_of(path, scenario)


def text(begun: Base, variant: Variant, setting: Setting, label: str, place: str = "") -> None:
    """One setting as a box or a choice; what cannot be read stays in it, with the reason."""
    key, wrong = _key(variant.label, place + setting.path), variant.wrong.get(setting.path)
    shown = wrong.value if wrong else setting.value
    told, args = _told(setting), (begun, variant.label, setting.path, key)
    label = label[:1].upper() + label[1:]
    first = _shown(key, shown)
    if setting.choices and shown in setting.choices:
        number = setting.choices.index(first or setting.choices[0])
        st.selectbox(
            label, setting.choices, number, key=key, help=told, on_change=_typed, args=args
        )
    else:
        box = st.text_area if len(setting.value) > _LONG else st.text_input
        box(label, first or "", key=key, help=told, on_change=_typed, args=args)
    if wrong:
        st.error(plain(wrong.message))


def _shown(key: str, value: Value) -> Value | None:
    """Have a control show a value; gives it if the control may be declared with it.

    One that shows it is left alone, so that nobody's typing is lost. A browser that skips a drawing
    on a busy machine begins with the value as it was declared.
    """
    if st.session_state.get(key, value) == value:
        return value
    st.session_state[key] = value
    return None


def _told(setting: Setting) -> str:
    """What a setting means, examples, and what an assumed value rests on."""
    told = plain(setting.meaning)
    if setting.examples:
        told += f" For example {plain(', '.join(setting.examples))}."
    if setting.assumed:
        told += f" Assumed: {plain(setting.assumed)}."
    return f"{told}\n\n`{setting.path}`"


def _typed(begun: Base, label: str, path: str, key: str) -> None:
    state.change(begun, label, path, str(st.session_state[key]) or "none")


def _percent(begun: Base, label: str, path: str, key: str) -> None:
    state.change(begun, label, path, f"{st.session_state[key]:g}%")


def _add(begun: Base, variant: Variant) -> None:
    key = f"kind {variant.label}"
    kind = st.session_state[key]
    if kind is not None:
        name = _unused(kind, list(variant.scenario.strategies))
        state.change(begun, variant.label, _strategy(name), new_strategy(kind))
        st.session_state[key] = None


def _copy(begun: Base, variant: Variant, name: str) -> None:
    copied = _unused(name, list(variant.scenario.strategies))
    text = stated(variant.scenario.strategies[name])
    state.change(begun, variant.label, _strategy(copied), text)


def _remove(begun: Base, variant: Variant, name: str) -> None:
    """Take a strategy away, its own changes with it; another one is planned if it was that."""
    left = [other for other in variant.scenario.strategies if other != name]
    state.drop(variant.label, _strategy(name))
    if variant.scenario.planned == name and left:
        state.change(begun, variant.label, "planned", left[0])
    if name in begun.scenario.strategies:
        state.change(begun, variant.label, _strategy(name), "none")


def _strategy(name: str) -> str:
    """The path of a strategy."""
    return dotted(("strategies", name))


def _unused(name: str, names: Sequence[str]) -> str:
    number = 2
    while f"{name} {number}" in names:
        number += 1
    return name if name not in names else f"{name} {number}"


def _key(label: str, path: str) -> str:
    return f"{label} {path}"
