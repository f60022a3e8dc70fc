"""What the user says: scenarios, their sections, units, laws, profiles, reading and writing."""

from __future__ import annotations

from simulator.words.change import (
    Change,
    Crash,
    Defect,
    Errors,
    Leak,
    MixedVersions,
    Slow,
    WrongData,
)
from simulator.words.costs import Costs, Slo
from simulator.words.detection import Alarm, Audit, Detection, Judge, Noticed, People
from simulator.words.distributions import Distribution
from simulator.words.figures import FIGURES, Figure
from simulator.words.objectives import Objective
from simulator.words.problems import Problem, ScenarioError
from simulator.words.profiles import Assumption
from simulator.words.reading import load, loads, packaged
from simulator.words.response import Page, Response
from simulator.words.router import Router
from simulator.words.scenario import Scenario
from simulator.words.service import BaselineErrors, Incidents, Service, StartFailure, WarmUp
from simulator.words.strategy import AnyStrategy, Step, Strategy
from simulator.words.traffic import Daily, Spike, Trace, Traffic
from simulator.words.units import Portion
from simulator.words.writing import dump

__all__ = [
    "FIGURES",
    "Alarm",
    "AnyStrategy",
    "Assumption",
    "Audit",
    "BaselineErrors",
    "Change",
    "Costs",
    "Crash",
    "Daily",
    "Defect",
    "Detection",
    "Distribution",
    "Errors",
    "Figure",
    "Incidents",
    "Judge",
    "Leak",
    "MixedVersions",
    "Noticed",
    "Objective",
    "Page",
    "People",
    "Portion",
    "Problem",
    "Response",
    "Router",
    "Scenario",
    "ScenarioError",
    "Service",
    "Slo",
    "Slow",
    "Spike",
    "StartFailure",
    "Step",
    "Strategy",
    "Trace",
    "Traffic",
    "WarmUp",
    "WrongData",
    "dump",
    "load",
    "loads",
    "packaged",
]
