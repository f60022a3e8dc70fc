"""Reading pipelines of Spinnaker, and Kayenta's canary configs. Source: orca's stages, 2025."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from simulator.platforms.spinnaker import graph, kayenta
from simulator.platforms.spinnaker.alternatives import careful, of_pipeline
from simulator.platforms.spinnaker.kayenta import stated
from simulator.words import pods
from simulator.words.brought import NAME, Assumed, Draft, Reader, Workload

if TYPE_CHECKING:
    from simulator.bring.view import View

_PROFILES = {"kubernetes": "k8s-spare", "ecs": "ecs-fargate"}
_CONFIG, _PIPELINE = "CanaryConfig", "Pipeline"
_FAILED = re.compile(r"TERMINAL|FAIL|STOPPED|CANCELED|!=\s*['\"]?SUCCEEDED|==\s*false|!\s*#", re.I)
_DEPLOYS = ("deployManifest", "deploy", "cloneServerGroup")
_REMOVES = ("deleteManifest", "destroyServerGroup", "disableManifest", "disableServerGroup")
_UNDOES = (*_REMOVES, "undoRolloutManifest", "rollbackCluster", "rollbackServerGroup")
_BEFORE = ("bakeManifest", "bake", "findImage", "findImageFromTags", "findArtifactsFromResource",
           "findArtifactFromExecution", "resolveTargetReferences", "evaluateVariables",
           "findBaseline")  # fmt: skip
_ROLLOUTS = {
    "redblack": "red_black",
    "bluegreen": "red_black",
    "rollingredblack": "rolling_red_black",
    "highlander": "highlander",
    "none": "none",
}
_JUDGING = ("15m", "2m", "4h", "judgement: until somebody has judged by hand")


def find(documents: Sequence[View]) -> Iterator[Workload]:
    """The pipelines among the documents, and canary configs that none of them uses."""
    configs = [one.rooted(_CONFIG) for one in documents if not one.label and _is_config(one)]
    for document in documents:
        if document.label or not isinstance(document.data, Mapping):
            continue
        if _is_pipeline(document.data) or _is_pipeline(document.data.get("pipeline")):
            pipeline = Pipeline(document.rooted(_PIPELINE), configs, documents)
            yield Workload(
                document.name("name") or document.name("id") or "unnamed",
                _PIPELINE,
                (pipeline.document, *pipeline.used, *pipeline.objects),
                pipeline.read,
                partial(of_pipeline, pipeline.root, pipeline.stages, pipeline.used),
                tuple(pipeline.moved()),
            )
    for config in configs:
        yield Workload(
            _name(config),
            _CONFIG,
            (config,),
            lambda draft, config=config: read_config(config, draft),  # type: ignore[misc]
            lambda config=config: careful(config),  # type: ignore[misc]
        )


def _name(config: View) -> str:
    return config.name("name") or "unnamed"


def _is_config(document: View) -> bool:
    return kayenta.is_config(document.data)


def _is_pipeline(data: Any) -> bool:
    stages = data.get("stages") if isinstance(data, Mapping) else None
    return isinstance(stages, list) and any(
        isinstance(stage, Mapping) and isinstance(stage.get("type"), str) and "refId" in stage
        for stage in stages
    )


def read_config(config: View, draft: Draft) -> None:
    """Put a canary config into the draft: a stage that uses it with the form's start values."""
    draft.put("profile", _PROFILES["kubernetes"], "assumed: pods on a cluster with spare room")
    found = kayenta.of_config(config)
    stages = [
        {"kind": "deploy_canary"},
        {"kind": "canary_analysis", **found.settings},
        {"kind": "delete_canary"},
        {"kind": "deploy"},
    ]
    draft.strategy("spinnaker", {"stages": stages}, config)
    _watch(draft, config)
    _assume(draft, 0, ("instances",))
    _assume(draft, 1, found.open)
    _remark(draft, found.settings, config)


def _watch(draft: Draft, document: View) -> None:
    """A pipeline stops for what its own stages find, and for nothing else."""
    draft.unwatched(
        document,
        "No alarm stops a pipeline, and none is known to call anybody: beside its analysis only "
        "users' reports are left (--set detection.alarms=...).",
    )


_OPEN: Mapping[str, tuple[Any, Any, Any, str]] = {
    "instances": (1, 1, 10, "judgement: one instance of the canary"),
    "lifetime": ("3h", "30m", "1d", "the start value of the stage's form (2023)"),
    "interval": ("1h", "5m", "3h", "the start value of the stage's form (2023)"),
    "passing": ("95%", "75%", "100%", "the start value of the stage's form (2023)"),
    "marginal": ("75%", "0%", "95%", "the start value of the stage's form (2023)"),
    "takes": _JUDGING,
    "keep_old": ("1h", "0s", "1d", "judgement: until disabled instances are removed"),
}


def _assume(draft: Draft, place: int, keys: Sequence[str]) -> None:
    for key in keys:
        if key in _OPEN:
            path = f"strategies.{NAME}.stages[{place}].{key}"
            draft.assumed.append(Assumed(path, *_OPEN[key]))


def _remark(draft: Draft, found: Mapping[str, Any], config: View | None) -> None:
    """Say what an analysis cannot see, and where it has few values."""
    if config is None:
        draft.remark("The canary config is not among the files: one metric, of errors, is assumed.")
    elif found.get("unseen") == 1:
        count = len(list(config.at("metrics").items()))
        draft.remark(
            f"None of the canary config's {count} metrics counts errors or latency: no defect here "
            "can fail this canary."
        )
    elif found.get("unseen", 0) >= found.get("passing", 0.95):
        draft.remark(
            f"Metrics of errors and latency carry {1 - found['unseen']:.0%} of the score: "
            "they cannot fail this canary."
        )
    values = int(found["lifetime"] / found.get("step", 60.0))
    if values < 50:
        draft.remark(f"The last run compares {values} values a side; Spinnaker's advice is 50.")


class Pipeline:
    """A pipeline: its stages in an order that keeps what they wait for, with the configs used, and
    the manifests beside it that it deploys where they do not stand in it.
    """

    def __init__(
        self, document: View, configs: Sequence[View], documents: Sequence[View] = ()
    ) -> None:
        self.document = document
        inner = document.at("pipeline")
        self.root = inner if _is_pipeline(inner.data) else document
        self.stages = graph.ordered(list(self.root.at("stages").items()))
        analysed = [stage for stage in self.stages if stage.peek("type") == "kayentaCanary"]
        self.used = tuple(configs[:1]) if analysed and len(configs) == 1 else ()
        self._built: list[dict[str, Any]] = []
        self._cleans = self._canary = self._goes_on = self._baseline = False
        self._size: View | None = None
        self.objects = tuple(self._beside(documents))

    def _beside(self, documents: Sequence[View]) -> Iterator[View]:
        """One manifest of production, and of the canary, among the documents."""
        deploys = [one for one in self.stages if one.peek("type") == "deployManifest"]
        if not any(not graph.inline(stage).exists for stage in deploys):
            return
        named = [(one, graph.side(one.name("metadata", "name"))) for one in documents
                 if one.label in ("Deployment", "ReplicaSet")]  # fmt: skip
        for side in ("", "canary"):
            fitting = [one for one, own in named if own == side]
            if len(fitting) == 1:
                yield fitting[0]

    def moved(self) -> Iterator[str]:
        """What the pipeline moves itself, as other readers call it."""
        yield from (f"{_CONFIG}/{_name(config)}" for config in self.used)
        yield from (f"{one.label}/{one.name('metadata', 'name')}" for one in self.objects)

    def _manifest(self, stage: View | None, side: str = "") -> View:
        """The manifest that a stage deploys: in it, or beside it; else nothing."""
        inside = graph.inline(stage or self.root)
        beside = (one for one in self.objects if graph.side(one.name("metadata", "name")) == side)
        return inside if inside.exists else next(beside, inside)

    def read(self, draft: Draft) -> None:
        """Put the pipeline into the draft."""
        clouds = [str(stage.peek("cloudProvider")) for stage in self.stages]
        cloud = next((one for one in clouds if one != "None"), "kubernetes")
        draft.put("profile", _PROFILES.get(cloud, "ec2-ami"), f"assumed of {cloud}")
        self._built, self._cleans, self._canary, self._goes_on = [], False, False, False
        self._size, self._baseline = None, False
        for stage in self.stages:
            self._add(stage, draft)
        if not any(one["kind"] == "deploy" for one in self._built):
            kind = "none" if cloud == "kubernetes" else "red_black"
            built: dict[str, Any] = {"kind": "deploy", "rollout": kind}
            self._read_manifest(None, built, draft)
            self._built.append(built)
            draft.remark(
                "The pipeline deploys nothing to production: what follows its last stage is "
                f"assumed, {'a rolling update' if kind == 'none' else 'red/black'}."
            )
        if self._size is not None:
            draft.put("service.instances", self._size.integer(1, 1), self._size)
        settings: dict[str, Any] = {"stages": self._built}
        if self._cleans:
            settings["on_failure"] = "clean_up"
        elif self._canary:
            draft.remark(
                "No stage cleans up when one fails: the canary keeps its share of the requests "
                "until a person deletes it."
            )
        draft.strategy("spinnaker", settings, self.document)
        _watch(draft, self.document)

    def _add(self, stage: View, draft: Draft) -> None:
        """Add a stage; what it says that is not used is noted."""
        kind, failed = stage.mapping().at("type").text(), _only_after_failure(stage)
        if failed and kind in _UNDOES:
            self._cleans = True
            stage.say("approximated", "it runs when a stage before it has failed, and undoes all")
        elif failed:
            stage.say("no_effect", "it runs only when a stage before it has failed")
        elif kind in _DEPLOYS:
            self._deploy(stage, draft)
        elif kind == "wait":
            time = stage.at("waitTime")
            length = time.seconds(30) if stated(time, "30 seconds") else 30.0
            self._put(draft, stage, {"kind": "wait", "duration": length})
        elif kind == "manualJudgment":
            self._put(draft, stage, {"kind": "manual_judgment"}, ("takes",))
            draft.remark("A person judges by hand and, here, always lets the pipeline go on.")
        elif kind == "kayentaCanary":
            self._analyse(stage, draft)
        elif kind in _REMOVES and self._has("deploy_canary") and graph.side(graph.told(stage)):
            self._delete(stage, draft)
        elif kind in _BEFORE:
            stage.say("outside", "it prepares what is deployed")
        else:
            stage.say("approximated", "it takes no time here, and succeeds")

    def _has(self, kind: str) -> bool:
        """Whether there is such a stage since the last canary was deleted."""
        kinds = [one["kind"] for one in self._built]
        since = len(kinds) - kinds[::-1].index("delete_canary") if "delete_canary" in kinds else 0
        return kind in kinds[since:]

    def _put(
        self, draft: Draft, stage: View, built: dict[str, Any], assumed: Sequence[str] = ()
    ) -> None:
        place = len(self._built)
        self._built.append(built)
        draft.origins[f"strategies.{NAME}.stages[{place}]"] = (stage.origin,)
        _assume(draft, place, assumed)

    def _delete(self, stage: View, draft: Draft) -> None:
        if self._goes_on and not stage.at("stageEnabled").exists:
            self._cleans = True
        if self._has("deploy"):
            stage.say("no_effect", "the canary has become a part of what was deployed")
            return
        stage.say("approximated", "what it deletes is told by its name", "the canary is deleted")
        self._put(draft, stage, {"kind": "delete_canary"})

    def _deploy(self, stage: View, draft: Draft) -> None:
        told = graph.told(stage)
        if graph.side(told) == "baseline":
            stage.say("approximated", "it is as large as the canary, and starts with it")
            for one in self._built:
                if one["kind"] == "deploy_canary":
                    one["baseline"] = True
            self._baseline = True
        elif graph.side(told) == "canary" and not self._has("deploy"):
            self._canary_of(stage, draft)
        elif self._has("deploy"):
            stage.say("approximated", "one service is simulated: this is deployed with the first")
            draft.remark(f"{stage.place} deploys something else too; one service is simulated.")
        else:
            self._production(stage, draft)

    def _canary_of(self, stage: View, draft: Draft) -> None:
        if self._has("deploy_canary"):
            stage.say("approximated", "one service is simulated: this canary goes with the first")
            draft.remark(
                f"{stage.place} deploys a second canary; one service with one is simulated."
            )
            return
        self._canary = True
        stage.at("type").say("approximated", "its name tells that it is a canary")
        built: dict[str, Any] = {"kind": "deploy_canary", "baseline": self._baseline}
        desired = stage.at("clusters", 0, "capacity", "desired")
        manifest = self._manifest(stage, "canary")
        if manifest in self.objects:
            for key in ("strategy", "template"):
                manifest.at("spec", key).say("approximated", "a canary starts as production's pods")
        replicas = desired if desired.exists else manifest.at("spec", "replicas")
        if stated(replicas, 1):
            built["instances"] = replicas.integer(1, 1, 100_000)
        self._put(draft, stage, built, () if "instances" in built else ("instances",))

    def _production(self, stage: View, draft: Draft) -> None:
        built: dict[str, Any] = {"kind": "deploy"}
        cluster = stage.at("clusters", 0)
        assumed: tuple[str, ...] = ()
        desired = cluster.at("capacity", "desired")
        if stated(desired, "the default"):
            self._size = desired
        if stage.peek("type") == "deployManifest":
            traffic = stage.at("trafficManagement").mapping()
            strategy = traffic.at("options").mapping().at("strategy")
            managed = traffic.at("enabled").flag() and strategy.exists
            built["rollout"] = strategy.choice(_ROLLOUTS, "none") if managed else "none"
            self._read_manifest(stage, built, draft)
        else:
            strategy = cluster.at("strategy")
            known = {**_ROLLOUTS, "": "none"}
            if strategy.exists and strategy.data not in known:
                strategy.say("approximated", "a strategy of its own", "red/black is taken instead")
                built["rollout"] = "red_black"
            else:
                built["rollout"] = strategy.choice(known, "none")
            if built["rollout"] == "none":
                strategy.say("approximated", "old server groups stay", "red/black is taken instead")
                built["rollout"] = "red_black"
            self._groups(cluster, built)
        if built["rollout"] in ("red_black", "rolling_red_black") and "keep_old" not in built:
            assumed = ("keep_old",)
        self._put(draft, stage, built, assumed)

    def _read_manifest(self, stage: View | None, built: dict[str, Any], draft: Draft) -> None:
        """Size, limits and pods of what a stage deploys to production."""
        spec = self._manifest(stage).at("spec").mapping()
        replicas, template = spec.at("replicas"), spec.at("template").mapping().at("spec")
        if stated(replicas, "the default"):
            self._size = replicas
        rolling = spec.at("strategy").mapping().at("rollingUpdate").mapping()
        for key, name in (("max_surge", "maxSurge"), ("max_unavailable", "maxUnavailable")):
            if built["rollout"] == "none" and stated(rolling.at(name), "25%"):
                built[key] = rolling.at(name).portion("25%")
        if template.exists:
            pods.read(template.mapping(), draft)

    def _groups(self, cluster: View, built: dict[str, Any]) -> None:
        """What a red/black of server groups says about its old ones."""
        if cluster.at("rollback", "onFailure").flag():
            self._cleans = True
        down = cluster.at("delayBeforeScaleDownSec")
        if cluster.at("scaleDown").flag() and built["rollout"] == "red_black":
            built["keep_old"] = down.seconds(0)
        if built["rollout"] == "rolling_red_black":
            steps = [view.percent() for view in cluster.at("targetPercentages").items()]
            built["steps"] = [*(step for step in steps if step < 1), 1.0]
            wait = cluster.at("delayBeforeCleanup")
            if stated(wait, "no wait"):
                built["wait"] = wait.seconds(0)

    def _analyse(self, stage: View, draft: Draft) -> None:
        retro = stage.peek("analysisType") == "retrospective"
        if retro:
            stage.say("approximated", "it looks at the past only", "it is left out")
            return
        if stage.at("deployments").exists and not self._has("deploy_canary"):
            self._cleans = self._canary = True
            stage.at("deployments").say("approximated", "a canary and its baseline, cleaned up")
            self._put(draft, stage, {"kind": "deploy_canary"}, ("instances",))
        elif not self._has("deploy_canary"):
            self._canary = True
            self._put(draft, stage, {"kind": "deploy_canary"}, ("instances",))
            draft.remark("The pipeline deploys no canary that a name tells: one is assumed.")
        config = self.used[0] if self.used else None
        found = kayenta.analysis(stage, config)
        stage.at("analysisType").say("no_effect", "it is watched while it is there")
        self._goes_on = stage.at("continuePipeline").flag() and not stage.at("failPipeline").flag(
            True
        )
        if self._goes_on and not self._conditional(stage):
            self._put(draft, stage, {"kind": "wait", "duration": found.settings["lifetime"]})
            draft.remark(
                f"{stage.place} may fail without stopping the pipeline, and no later stage asks "
                "whether it has: the analysis has no effect."
            )
            return
        self._put(draft, stage, {"kind": "canary_analysis", **found.settings}, found.open)
        _remark(draft, found.settings, config)

    def _conditional(self, stage: View) -> bool:
        """Whether a later stage asks whether those before it have succeeded."""
        later = self.stages[self.stages.index(stage) + 1 :]
        return any(
            one.at("stageEnabled", "expression").exists or one.peek("type") == "checkPreconditions"
            for one in later
        )


def _only_after_failure(stage: View) -> bool:
    expression = stage.at("stageEnabled", "expression")
    told = str(expression.data) if expression.exists else ""
    if told:
        expression.say("approximated", "taken by the words in it", "see what became of its stage")
    return bool(_FAILED.search(told))


READER = Reader(
    "spinnaker", "pipelines of Spinnaker (JSON) and canary configs of Kayenta (JSON)", find
)
