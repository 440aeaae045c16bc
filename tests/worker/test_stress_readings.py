"""The robustness stage in the worker: the same readings however seeds are shared out, and enough patience for it."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from services.core.bundle.directory import Bundle
from services.core.bundle.stress import StressReadings
from services.core.settings import SandboxKind, Settings
from services.scorer.scoring import compute_suites, gather
from services.worker.local import LocalRun
from services.worker.measurers import ANSWER_TIMEOUT_S, MeasurerProcess, StressRequest
from services.worker.slots import make_slots
from services.worker.supervisor import RunLimits
from tests.bundles import make_tiny_bundle
from tests.worker.conftest import MEMORY_BYTES, WorkerIn
from tests.worker.test_measurers import ScriptedSandbox, first_answer, well

NOISE = """
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""
HUGE = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    net.weight.data.fill_(1e37)"
IDENTITY = "def unlearning(net, retain_loader, forget_loader, val_loader): ..."
Stressed = Callable[..., LocalRun]


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", robustness=True)


@pytest.fixture(scope="module")
def stressed(robust: Bundle, worker_in: WorkerIn) -> Stressed:
    def run(source: str, *, seeds: int = 6, slots: int = 1) -> LocalRun:
        limits = RunLimits(seeds, 20.0, MEMORY_BYTES, data_hidden=False, robustness=True)
        worker = worker_in(SandboxKind.PROCESS, slots)
        return worker.run(robust, filename="entry.py", data=source.encode(), limits=limits, seed_key=b"k" * 32)

    return run


def test_readings_are_the_same_in_one_shard_or_several(stressed: Stressed) -> None:
    one, several = stressed(NOISE).stress, stressed(NOISE, slots=2).stress
    assert one is not None and several is not None
    for field in fields(StressReadings):
        assert np.array_equal(getattr(one, field.name), getattr(several, field.name)), field.name
    assert one.relearned_seeds.tolist() == [0, 1, 2, 3]  # the first ones, as many as the manifest says


def test_the_measurer_reads_an_anchor_as_the_build_did(stressed: Stressed, robust: Bundle) -> None:
    found, anchor = stressed(IDENTITY, seeds=2).stress, robust.stress_of("original")
    assert found is not None and anchor is not None
    for name in ("forget_margin", "control_margin", "relearned_forget_margin", "distance"):
        np.testing.assert_array_equal(getattr(found, name)[:1], getattr(anchor, name), err_msg=name)


def test_a_hostile_model_is_read_without_nan(stressed: Stressed, robust: Bundle) -> None:
    run = stressed(HUGE, seeds=4)
    assert run.stress is not None
    values = compute_suites(gather(run.measurements, robust, stress=run.stress))["robustness"]
    assert values["models_read"] == 4
    assert all(value is None or np.isfinite(value) for value in values.values())


def test_a_stress_reading_is_waited_for_by_what_it_took_at_the_build(robust: Bundle, tmp_path: Path) -> None:
    (slot,) = make_slots(Settings(worker_slots=1), tmp_path / "work")
    measurer = MeasurerProcess(ScriptedSandbox(well), slot, robust)
    patience = {}
    for relearn in (False, True):
        measurer._asked.clear()
        measurer.ask("t", StressRequest(0, relearn))
        patience[relearn] = measurer._patience_s
    assert ANSWER_TIMEOUT_S < patience[False] < patience[True]


def test_an_answer_without_the_stress_reading_is_none(robust: Bundle, tmp_path: Path) -> None:
    (slot,) = make_slots(Settings(worker_slots=1), tmp_path / "work")
    measurer = MeasurerProcess(ScriptedSandbox(well, well, well), slot, robust)
    measurer.ask("t", StressRequest(0, relearn=True))  # these measurers only give plain readings
    answer = first_answer(measurer)
    assert answer.bad is not None


def test_a_benchmark_without_anchors_asks_for_nothing(bundle: Bundle) -> None:
    assert StressRequest.of(bundle, 0) is None
