"""Releases of Flagger: a canary beside its primary, checked tick by tick, then promoted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from simulator.platforms.flagger import rules
from simulator.words.detection import Judge
from simulator.words.distributions import RandomDuration
from simulator.words.model import Words
from simulator.words.strategy import Strategy
from simulator.words.units import (
    Portion,
    PortionField,
    PositiveDuration,
    PositiveShare,
    Rate,
    Share,
    exact,
)

if TYPE_CHECKING:
    from simulator.play.rollout import Rollout
    from simulator.words.scenario import Scenario

FAILED_CHECKS = "failed checks"
_QUARTER = Portion.parse("25%")
_USUAL_STEP, _LEAST = 0.1, 0.01
_MOST = 1000
_CHECKED = ("interval", "threshold", "metrics", "no_data", "load_test", "load_test_shows")
_COUNTS = Judge(above=1.0, period=86_400.0)


class FlaggerMetric(Words):
    """A metric of the analysis: too many bad requests of the canary fail a check."""

    metric: Literal["errors", "late", "bad"] = Field(
        "errors", description="errors (failed or rejected), late, or bad (either)."
    )
    above: Share = Field(0.01, description="A check fails when the bad share is above this.")
    window: PositiveDuration = Field(
        rules.USUAL_WINDOW, description="How far each check looks back, in whole intervals."
    )


class FlaggerAnalysis(Strategy):
    """The settings of a Canary's analysis, as its documents have them."""

    interval: PositiveDuration = Field(
        rules.USUAL_INTERVAL, description="Time between two ticks; below 10 s it is 10 s."
    )
    threshold: int = Field(
        1,
        ge=1,
        le=_MOST,
        description="Failed checks that are too many; a good one does not reset them.",
    )
    max_weight: PositiveShare = Field(1.0, description="Weight at which it is promoted.")
    step_weight: Share | None = Field(
        None, description="Added at each good check; step_weights, or else 10%, when left out."
    )
    step_weights: tuple[Share, ...] = Field(
        (), description="The weights one after the other; the last wins over max_weight."
    )
    step_weight_promotion: Share = Field(
        0.0, description="Steps in which traffic goes back to the primary; 0%: all at once."
    )
    iterations: int = Field(
        0,
        ge=0,
        le=_MOST,
        description="Checks without steps: an A/B test with match, else blue/green.",
    )
    match: PositiveShare | None = Field(
        None, description="Share of the users whose requests match, for an A/B test."
    )
    mirror: Share = Field(
        0.0, description="Share of the requests that is copied beforehand; 0%: none."
    )
    metrics: tuple[FlaggerMetric, ...] = Field(
        (FlaggerMetric(),), description="What each check looks at; any of them can fail it."
    )
    no_data: Literal["fail", "pass"] = Field(
        "fail", description="What a metric without any requests comes to."
    )
    load_test: Rate | None = Field(
        None, description="Requests/s that a hook sends to the canary: they are checked, too."
    )
    load_test_shows: Share = Field(
        1.0, description="Chance that those requests show what is wrong; else they are all good."
    )
    provider: Literal["mesh", "kubernetes"] = Field(
        "mesh", description="kubernetes cannot shift traffic: 10 iterations of blue/green."
    )

    @property
    def analysis(self) -> rules.Analysis:
        """The same for the rules."""
        step = self.step_weight
        if step is None:
            step = 0.0 if self.step_weights else _USUAL_STEP
        return rules.Analysis(
            self.threshold,
            exact(self.max_weight),
            exact(step),
            tuple(exact(weight) for weight in self.step_weights),
            exact(self.step_weight_promotion),
            self.iterations,
            self.match is not None,
            self.mirror > 0,
            self.provider == "mesh",
        )

    @model_validator(mode="after")
    def _moves(self) -> FlaggerAnalysis:
        if self.match is not None and not self.iterations:
            raise ValueError("match is for an A/B test: say how long with iterations, e.g. 10")
        if any(0 < weight < _LEAST for weight in (self.step_weight or 0.0, *self.step_weights)):
            raise ValueError("steps are whole per cent: write at least 1%")
        if not rules.stages(self.analysis):
            raise ValueError(
                "no tick would ever change the weight: step_weights have to rise from above 0%, "
                "or write step_weight: 10%"
            )
        return self


class Flagger(FlaggerAnalysis):
    """A Canary of Flagger: pods of the new version beside the primary get more traffic each tick.

    A tick whose checks fail holds the weight; too many of them, found by the next tick, bring all
    traffic back to the primary. After the last good one the primary gets the canary's template: a
    rolling update, behind which all traffic returns to it. Source: flagger v1beta1, scheduler.go;
    the step of 10 % is judgement, the metric of 1 % errors the documentation's example.
    """

    kind: Literal["flagger"] = "flagger"
    skip_analysis: bool = Field(False, description="Whether it is promoted without any check.")
    progress_deadline: PositiveDuration = Field(
        600.0, description="A canary that has not started by then is given up."
    )
    pre_rollout: Share = Field(
        0.0, description="Chance that hooks before the first traffic find what is wrong."
    )
    confirm_rollout: RandomDuration | None = Field(
        None, description="How long a person takes to let it begin; nobody is asked if left out."
    )
    confirm_promotion: RandomDuration | None = Field(
        None, description="How long a person takes to let it be promoted, checks going on."
    )
    session_affinity: bool = Field(False, description="Whether a cookie keeps users on the canary.")
    max_surge: PortionField = Field(_QUARTER, description="Pods above the primary's, at its update")
    max_unavailable: PortionField = Field(
        _QUARTER, description="Pods that may be missing at the primary's update."
    )

    @property
    def always_sticky(self) -> bool:
        return self.match is not None or self.session_affinity

    @property
    def moves_all(self) -> bool:
        return True

    def judges(self, usual: Judge | None) -> tuple[Judge, ...]:
        return (_COUNTS,)

    def undoes(self, by: str) -> bool:
        return by != "health"

    def looks_at(self, weight: float, seconds: float) -> Strategy | None:
        if not weight or not self.metrics:
            return None
        checks = max(round(seconds / rules.interval(self.interval) / self.pace), 1)
        kept = {name: getattr(self, name) for name in ("kind", "pace", *_CHECKED)}
        return Flagger(**kept, iterations=min(checks, _MOST), match=weight)

    def unsuitable(self, scenario: Scenario) -> tuple[str, ...]:
        """Checks that can never find a value."""
        stages = rules.stages(self.analysis)
        blind = any(not stage.weight and not stage.mirrored for stage in stages)
        if not blind or self.load_test or not self.metrics or self.no_data == "pass":
            return ()
        return ("blue/green sends its canary 0 requests: no metric has values, every check fails",)

    def release(self, rollout: Rollout) -> Iterator[Any]:
        every = rules.interval(self.interval)
        yield from rollout.approve(self.confirm_rollout)
        yield from rollout.provision_within(1, self.progress_deadline, every)
        yield from rollout.next_tick(every)
        if self.skip_analysis:
            yield from rollout.skip_canaries(self.max_surge, self.max_unavailable)
            return
        yield from self._analyse(rollout, every)
        yield from rollout.roll_primary(self.max_surge, self.max_unavailable)
        for _ in range(rules.ticks_back(self.analysis)):
            yield from rollout.next_tick(every)
        yield from rollout.shift(1)
        yield from rollout.next_tick(every)
        yield from rollout.retire_canaries()

    def _analyse(self, rollout: Rollout, every: float) -> Iterator[Any]:
        """All stages of the analysis, and the answer of whoever confirms the promotion."""
        if rollout.finds_defect(self.pre_rollout):
            for _ in range(self.threshold):
                yield from rollout.next_tick(every)
            yield from rollout.give_up(FAILED_CHECKS)
        checks, weight, tests = rules.Checks(), 0.0, self.load_test or 0.0
        shown = rollout.shows_in_copies(self.load_test_shows)
        tested, good = (tests / rollout.plan.rate, 0.0) if shown else (0.0, tests)
        for stage in rules.stages(self.analysis):
            weight = float(stage.weight) * (self.match or 1.0)
            yield from rollout.copy(tested + self.mirror * stage.mirrored)
            for _ in range(stage.checks):
                checks = yield from self._check(rollout, every, checks, weight, good)
        yield from rollout.ask(self.confirm_promotion)
        while not rollout.answered:
            checks = yield from self._check(rollout, every, checks, weight, good)
        yield from rollout.copy(0)

    def _check(
        self, rollout: Rollout, every: float, checks: rules.Checks, weight: float, tested: float
    ) -> Generator[Any, Any, rules.Checks]:
        """Ticks at a weight until one has good checks; too many bad ones end the release.

        So many requests/s are `tested` and good, whatever users meet.
        """
        turn = every * rollout.pace
        limits = tuple(
            rules.Limit(m.metric, exact(m.above), rules.window_ticks(m.window, turn))
            for m in self.metrics
        )
        good = False
        while not good:
            seen = yield from rollout.next_tick(every, _COUNTS, weight)
            checks = checks.after(seen, limits, self.no_data == "fail", round(tested * turn))
            good = checks.good
            if checks.failed >= self.threshold:
                yield from rollout.next_tick(every)
                yield from rollout.give_up(FAILED_CHECKS)
        return checks

    def roll_back(self, rollout: Rollout) -> Iterator[Any]:
        yield from rollout.undo_canaries(self.max_surge, self.max_unavailable)
