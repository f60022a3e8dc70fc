"""Every manifest at hand: read whole, written back the same, each value with its origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from simulator.bring.documents import ManifestError
from simulator.bring.importing import Imported, gather, imported, packaged_manifests, workloads
from simulator.play.rehearsal import rehearse
from simulator.report import brought as told
from simulator.words.brought import NAME
from simulator.words.reading import loads
from tests.bring.coverage import counted, ignored

SAMPLES = sorted(
    file
    for folder in (packaged_manifests(), Path(__file__).parent / "samples")
    for file in folder.iterdir()
)


def every(file: Path) -> Iterator[Imported]:
    manifests = gather([file])
    for workload in workloads(manifests):
        yield imported(manifests, workload.called)


def check(found: Imported) -> None:
    text = told.scenario(found)
    assert loads(text).canonical() == found.scenario.canonical()
    lines = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    settings = [line for line in lines if line[0].isalpha() and ": " in line]
    assert settings
    named = ("every", "lasts", "errors", "kind", "share", "watch", "users", "rate", "weight")
    bare = [
        line
        for line in settings
        if "  # " not in line and line.split(":")[0] not in (*named, NAME) and "{" not in line
    ]
    assert not [line for line in bare if text.count(f"\n  {line}\n")]
    assert rehearse(found.scenario, NAME).journal or found.scenario.service.elastic
    for note in found.notes:
        assert note.kind in ("used", "outside") or note.why, note


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name)
def test_a_sample_is_read_whole(file: Path) -> None:
    manifests = gather([file])
    for workload in workloads(manifests):
        with suppress(ManifestError):  # some are there to be refused, or need another file
            check(imported(manifests, workload.called))


def test_every_real_manifest_is_read_whole(manifests: Path) -> None:
    whole: Counter[str] = Counter()
    files = sorted(
        file for file in manifests.rglob("*") if file.is_file() and file.suffix != ".csv"
    )
    assert len(files) == 20
    for file in files:
        for found in every(file):
            check(found)
            assert ignored(found) <= 0.2, (file, counted(found))
            whole += Counter({str(kind): count for kind, count in counted(found).items()})
    assert whole["ignored"] <= 0.2 * whole.total()
    assert whole["used"] > 0.3 * whole.total()
