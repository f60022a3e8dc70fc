"""What a manifest says about a rollout in the words of a scenario, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from simulator.bring.view import View

Kind = Literal["used", "approximated", "assumed", "no_effect", "ignored", "outside"]
NAME = "current"  # of the strategy that a manifest describes


class Note(NamedTuple):
    """What became of a field: where it stands, its value, and if it was not used as it is why, and
    what follows from that.

    `used` fields went into the scenario; `approximated` ones in a form of their own; `assumed` is
    what the manifest leaves open; `no_effect` fields cannot change the course of a rollout,
    `ignored` ones might; those `outside` say nothing about the rollout at all.
    """

    file: str
    line: int
    path: str
    value: str
    kind: Kind
    why: str = ""
    consequence: str = ""


class Assumed(NamedTuple):
    """A value that the manifest leaves open: a path of the scenario, its range, and on what it
    rests.
    """

    path: str
    value: Any
    low: Any
    high: Any
    source: str


class Alternative(NamedTuple):
    """Another way to write the manifest: the fields that change, by their path, and what for.

    A value of None takes the field out.
    """

    name: str
    changes: tuple[tuple[View, Any], ...]
    aim: str


class Draft:
    """A scenario as it grows out of a manifest: its keys, and where each comes from.

    `alarms` and `balancers` are documents around the rollout that several platforms have alike:
    the alarms that stop it, and what stands before its instances; `grace` is how long (seconds) an
    instance's failed checks are not counted, and where that stands.
    """

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.origins: dict[str, tuple[str, ...]] = {}
        self.assumed: list[Assumed] = []
        self.remarks: list[str] = []
        self.alarms: list[View] = []
        self.balancers: list[View] = []
        self.grace: tuple[float, View] | None = None

    def put(self, path: str, value: Any, *origins: View | str) -> None:
        """Set a key of the scenario, as a file would say it; views and texts say where it is from.

        Texts need their units ("10m"); seconds, shares and counts may be given as numbers.
        """
        self.keys[path] = value
        told = (one if isinstance(one, str) else one.origin for one in origins)
        self.origins[path] = tuple(dict.fromkeys(told))

    def assume(
        self, path: str, value: Any, low: Any, high: Any, source: str, *origins: View
    ) -> None:
        """Set a key that the manifest leaves open to a value with a plausible range; what it says
        of it all the same stands at the views.
        """
        self.keys[path] = value
        if origins:
            self.origins[path] = tuple(one.origin for one in origins)
        self.assumed.append(Assumed(path, value, low, high, source))

    def strategy(self, kind: str, settings: Mapping[str, Any], *origins: View | str) -> None:
        """Set the strategy that the manifest describes; None settings are left to its defaults."""
        self.put(f"strategies.{NAME}.kind", kind, *origins)
        for key, value in settings.items():
            if value is not None:
                self.put(f"strategies.{NAME}.{key}", value, *origins)

    def watch(self, alarms: Sequence[View], named: View) -> None:
        """The alarms that stop the rollout; without any, nothing but people finds a bad release.

        `named` is where the manifest names them. Those that are not among the documents read are
        assumed to be alarms on failed requests.
        """
        self.alarms.extend(alarms)
        if alarms:
            return
        if any(True for _ in named.leaves()) or named.unknown:
            usual = [{"watch": "service", "metric": "errors"}]
            self.assume(
                "detection.alarms", usual, "none", usual, "the alarms named are in no file read"
            )
            named.say(
                "assumed", "these alarms are in no file read", "one on failed requests is assumed"
            )
        else:
            self.unwatched(
                named, "No alarm stops this rollout: a bad release goes on until people report it."
            )

    def unwatched(self, origin: View | str, remark: str) -> None:
        """No alarm stops the rollout; the remark says what is left."""
        self.put("detection.alarms", "none", origin)
        self.remark(remark)

    def undone_by_itself(self, origin: View | str) -> None:
        """The controller goes back by itself, at once, for what it finds while it watches."""
        self.put("response.automatic", "watched", origin)
        self.put("response.decide", "0s", origin)

    def undone_by_people(self, *origins: View | str) -> None:
        """Whatever is noticed calls a person, who takes the release back."""
        self.put("response.automatic", "never", *origins)

    def without_profile(self) -> None:
        """Assume what a profile would bring where none fits: people who report."""
        source = "judgement: users of a public service"
        self.assume("detection.people.report_rate", "0.1%", "0.02%", "1%", source)

    def remark(self, text: str) -> None:
        """Say something that a reader of the manifest should know, in a sentence with numbers."""
        self.remarks.append(text)


class Workload(NamedTuple):
    """Something that is rolled out: its name and what it is, the documents that describe it (its
    own first), how to read them, other ways to write them, and the names of those it moves itself.

    A `plain` one moves all at once without anything that could be set; it counts only where there
    is nothing else.
    """

    name: str
    what: str
    documents: tuple[View, ...]
    read: Callable[[Draft], None]
    alternatives: Callable[[], Iterable[Alternative]] = tuple
    moves: tuple[str, ...] = ()
    plain: bool = False

    @property
    def called(self) -> str:
        """What it is and its name, as in Deployment/shop; addresses say both."""
        if f"{self.what}." in self.name:
            return self.name
        return f"{self.what}/{self.name}"


class Reader(NamedTuple):
    """How the manifests of a platform are read: what its documents are called (as in messages),
    and the workloads among all documents given.
    """

    platform: str
    reads: str
    find: Callable[[Sequence[View]], Iterable[Workload]]
