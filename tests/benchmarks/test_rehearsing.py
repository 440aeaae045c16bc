"""A dry run is the size of the build that it stands for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from services.benchmarks.build import build_benchmark
from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.datasets.registry import divide
from services.benchmarks.disk import NoRoom
from services.benchmarks.order import Order
from services.benchmarks.rehearsing import rehearse
from services.benchmarks.stand_ins import STAND_INS, StandIn, stand_in_for
from services.core.errors import BadInput
from services.scorer.scoring import forgetting_quality_of
from tests.definitions import placebo_of, recipe_of

DIGITS = DEFINITIONS["digits"]
SHORT = replace(DIGITS, recipe=replace(recipe_of(DIGITS), epochs=3), placebo=replace(placebo_of(DIGITS), starts=1))
ORDER = Order(
    definition=SHORT,
    dataset=DIGITS.read(None, cache=Path()),
    seeds=16,
    quality=forgetting_quality_of,
    min_placebo_ratio=0.0,
    originals=2,
)


def test_it_writes_the_bytes_of_a_build_and_counts_its_models(tmp_path: Path) -> None:
    (tmp_path / "rehearsal").mkdir()
    found = rehearse(ORDER, tmp_path / "rehearsal")
    built = build_benchmark(ORDER, tmp_path / "built")
    whole = sum(path.stat().st_size for path in built.root.rglob("*") if path.is_file())
    assert found.bundle_bytes == pytest.approx(whole, rel=0.01)
    assert found.counts == built.manifest.counts.model_dump()
    assert built.manifest.disk is not None
    assert found.disk.bundle == built.manifest.disk.bundle_bytes
    assert (found.models, found.runs) == (16 + 16 + 2 + 2, 16 * (1 + 1))  # two originals, and a placebo for each
    assert found.memory_bytes > found.parent_bytes > 0


def test_twice_the_seeds_take_about_twice_as_long(tmp_path: Path) -> None:
    """Of the same speed: time is proportional to models."""
    (tmp_path / "rehearsal").mkdir()
    found = rehearse(ORDER, tmp_path / "rehearsal")
    steps = 3 * 18  # 1140 images in batches of 64
    model_s = steps * found.step_s + found.measure_s
    assert found.models_per_s == pytest.approx(found.processes / model_s, rel=1e-6)
    assert found.build_s * found.processes > found.models * model_s


def test_a_disk_without_room_is_told_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    seen: list[object] = []
    with pytest.raises(NoRoom):
        rehearse(ORDER, tmp_path, progress=lambda *done: seen.append(done))
    assert seen == []
    with pytest.raises(NoRoom, match=r"0\.25 GB.*TMPDIR"):
        STAND_INS["casia-surf"].write(tmp_path / "data", lambda *_: None)
    assert list(tmp_path.iterdir()) == []


def test_a_stand_in_is_read_and_divided_as_the_dataset(tmp_path: Path) -> None:
    stand_in = StandIn(subjects=20, images_per_subject=5)
    stand_in.write(tmp_path / "data", lambda *_: None)
    parts = divide("casia-surf", tmp_path / "data")
    assert sum(len(paths) for paths in parts.values()) == stand_in.images == 100
    sizes = [path.stat().st_size for path in (tmp_path / "data").rglob("*.jpg")]
    assert max(sizes) <= stand_in.image_bytes


def test_only_casia_surf_has_a_stand_in() -> None:
    assert stand_in_for("casia-surf").images == 30_000
    with pytest.raises(BadInput, match="--data"):
        stand_in_for("cifar10")
