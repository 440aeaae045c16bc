"""The second table of docs/baselines.md: runs that are kept, and columns of single models."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from services.benchmarks.catalogue import DEFINITIONS
from services.benchmarks.cutting import cut
from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from studies.baselines.entries import Entry
from studies.baselines.scenarios import Ran, Store, forgotten_in_test, reference_rows, row_of
from tests.bundles import make_tiny_bundle

HALVE = b"""
import torch


def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(torch.rand(()))
"""
BROKEN = b"def unlearning(net, retain_loader, forget_loader, val_loader):\n    raise ValueError('no')\n"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_tiny_bundle(tmp_path / "tiny", oracle_seeds=8)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    settings = Settings(data_dir=tmp_path / "var", sandbox=SandboxKind.PROCESS, worker_slots=1)
    return Store(settings, tmp_path / "kept")


def test_an_entry_runs_once_and_its_columns_are_means_over_models(
    bundle: Bundle, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry("halve", HALVE)
    ran = store.run(bundle, entry, 3)
    monkeypatch.setattr("studies.baselines.scenarios.local_worker", None)
    again = store.run(bundle, entry, 3)

    row = row_of("halve", ran, bundle, None)
    assert again.run_s == ran.run_s
    assert row_of("halve", again, bundle, None) == row
    assert ran.measurements is not None
    hits = (ran.measurements.test_class == bundle.test_labels()).mean(axis=1)
    assert row.test_retained is not None
    assert row.test_retained.mean == pytest.approx(hits.mean())
    assert row.test_retained.deviation == pytest.approx(hits.std(ddof=1))
    assert row.test_forgotten is None
    assert row.zrf is None  # this benchmark keeps no untrained models


def test_a_failure_is_kept_with_its_reason(bundle: Bundle, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry("broken", BROKEN)
    ran = store.run(bundle, entry, 2)
    monkeypatch.setattr("studies.baselines.scenarios.local_worker", None)

    assert store.run(bundle, entry, 2) == ran
    row = row_of("broken", ran, bundle, None)
    assert (row.failure, "no" in row.message) == ("exception", True)


def test_test_images_are_divided_into_forgotten_and_others(bundle: Bundle) -> None:
    forgotten = np.arange(bundle.manifest.counts.test) < 4
    original, oracle = reference_rows(bundle, 5, forgotten)

    found = bundle.oracle().first(5).test_class == bundle.test_labels()
    assert (original.entry, oracle.entry) == ("original", "oracle")
    assert oracle.test_forgotten is not None
    assert oracle.test_retained is not None
    assert oracle.test_forgotten.mean == pytest.approx(found[:, :4].mean())
    assert oracle.test_retained.mean == pytest.approx(found[:, 4:].mean())
    assert row_of("none", Ran(failure="timeout"), bundle, forgotten).failure == "timeout"


def test_forgotten_subclass_is_found_among_the_test_images(bundle: Bundle, tmp_path: Path) -> None:
    definition = DEFINITIONS["digits-pairs-subclass"]
    dataset = definition.read(None, cache=tmp_path)
    test = cut(definition, dataset).splits.test
    save_file({"image": test.images, "label": test.labels}, bundle.hidden / "test.safetensors")

    forgotten = forgotten_in_test(definition, bundle, cache=tmp_path)

    assert forgotten is not None
    assert set(test.labels[forgotten]) == {1}  # the digit 3 is one of the pair 2 and 3
    assert 0 < forgotten.sum() < (test.labels == 1).sum()
    assert forgotten_in_test(DEFINITIONS["digits-pairs-random"], bundle, cache=tmp_path) is None
    save_file({"image": test.images[::-1].copy(), "label": test.labels}, bundle.hidden / "test.safetensors")
    with pytest.raises(ValueError, match="build it anew"):
        forgotten_in_test(definition, bundle, cache=tmp_path)
