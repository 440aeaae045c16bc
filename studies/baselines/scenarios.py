"""The scenarios of the SSD paper: every baseline in the real sandbox and measured by the real scorer, but on no board.

The paper judges the forgetting of a class, or of random clean examples, model by model, by accuracies. It does not
compare the distribution of many models with that of retrained ones. Such a benchmark may be unfit for a competition,
and `publish` refuses it, so these runs are those of `lethe evaluate`. Measurements are kept by the digests of benchmark
and source.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.benchmarks.cutting import cut
from services.benchmarks.definitions import Definition
from services.benchmarks.scenarios import Class, Subclass
from services.core.bundle.directory import Bundle
from services.core.bundle.measurements import Measurements
from services.core.models import Device
from services.core.settings import Settings
from services.core.submission.source import Rejected
from services.scorer.metrics import SUITES
from services.scorer.scoring import gather
from services.worker.failures import RunFailed
from services.worker.local import local_worker
from services.worker.supervisor import RunLimits
from studies.baselines.entries import Entry
from studies.baselines.tables import ScenarioRow, Spread

__all__ = ["ORACLE", "ORIGINAL", "Ran", "Store", "forgotten_in_test", "reference_rows", "row_of"]

ORIGINAL, ORACLE = "original", "oracle"
TIMEOUT_S = 120.0
SEED_KEY = b"the baselines' scenarios"  # runs are the same every time, up to rounding


@dataclass(frozen=True, slots=True)
class Ran:
    """The result of one entry: measurements and seconds, or a failure."""

    measurements: Measurements | None = None
    run_s: float | None = None
    failure: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """Runs each entry once, and keeps the results in a directory."""

    settings: Settings
    directory: Path
    device: Device = Device.CPU

    def run(self, bundle: Bundle, entry: Entry, runs: int, on_seed: Callable[[], None] = lambda: None) -> Ran:
        """Run an entry, unless it has run before. Only a failure of the platform is tried again."""
        place = self.place(bundle, entry, runs)
        if place.is_file():
            return _read(place)
        limits = RunLimits(runs, TIMEOUT_S, self.settings.slot_memory_bytes, data_hidden=False)
        try:
            with local_worker(self.settings, self.device) as worker:
                done = worker.run(
                    bundle,
                    filename=f"{entry.name}.py",
                    data=entry.source,
                    limits=limits,
                    seed_key=SEED_KEY,
                    on_seed=on_seed,
                )
        except (RunFailed, Rejected) as failure:
            kind = failure.kind.value if isinstance(failure, RunFailed) else "rejected"
            ran = Ran(failure=kind, message=failure.message)
        else:
            ran = Ran(done.measurements, done.run_s)
        if ran.failure != "platform":
            _write(place, ran)
        return ran

    def place(self, bundle: Bundle, entry: Entry, runs: int) -> Path:
        """Return the path of the record of an entry's run."""
        manifest = bundle.manifest
        return (
            self.directory / f"{manifest.name}-{manifest.digest[:16]}" / f"{entry.name}-{entry.digest[:16]}-{runs}.json"
        )


def forgotten_in_test(definition: Definition, bundle: Bundle, *, cache: Path) -> NDArray[np.bool_] | None:
    """Find the test images of the forgotten class or subclass, [T]; None if a scenario forgets neither.

    A bundle's test labels are those that models learn. The dataset is cut again, as the build did, for the finer ones.
    """
    scenario = definition.scenario
    if not isinstance(scenario, Class | Subclass) or scenario.label is None:
        return None
    fine = cut(replace(definition, scenario=Class(scenario.label)), definition.read(None, cache=cache)).splits.test
    stored = bundle.arrays("hidden/test.safetensors")["image"]
    if not np.array_equal(np.asarray(fine.images), stored):
        raise ValueError(f"{definition.name} is cut otherwise than its definition says: build it anew.")
    return np.asarray(fine.labels == scenario.label)


def row_of(name: str, ran: Ran, bundle: Bundle, forgotten: NDArray[np.bool_] | None) -> ScenarioRow:
    """Compute the columns of the suite `ssd` for each model, then the mean and deviation over models."""
    if ran.measurements is None:
        return ScenarioRow(entry=name, failure=ran.failure, message=ran.message)
    models = [_only(ran.measurements, position) for position in range(len(ran.measurements))]
    found = [SUITES["ssd"](gather(model, bundle)) for model in models]
    hits = ran.measurements.test_class == bundle.test_labels()
    kept = np.ones(hits.shape[1], dtype=bool) if forgotten is None else ~forgotten
    return ScenarioRow(
        entry=name,
        test_retained=_spread(hits[:, kept].mean(axis=1)),
        test_forgotten=None if forgotten is None else _spread(hits[:, forgotten].mean(axis=1)),
        retain=_spread([one["retain_accuracy"] for one in found]),
        forget=_spread([one["forget_accuracy"] for one in found]),
        mia=_spread([one["mia"] for one in found]),
        zrf=_spread([one["zrf"] for one in found]),
        run_s=ran.run_s,
    )


def reference_rows(bundle: Bundle, runs: int, forgotten: NDArray[np.bool_] | None) -> list[ScenarioRow]:
    """Measure the original model, and equally many retrained models of the oracle."""
    original = bundle.measurements_of("original")
    models = {ORIGINAL: original, ORACLE: bundle.oracle().first(runs)}
    return [row_of(name, Ran(found), bundle, forgotten) for name, found in models.items() if found is not None]


def _only(measurements: Measurements, position: int) -> Measurements:
    chosen = slice(position, position + 1)
    return Measurements(**{field.name: getattr(measurements, field.name)[chosen] for field in fields(Measurements)})


def _spread(values: Any) -> Spread | None:
    if any(value is None for value in values):
        return None
    array = np.asarray(values, dtype=np.float64)
    return Spread(float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else None)


def _read(place: Path) -> Ran:
    kept = json.loads(place.read_text())
    if kept["failure"] is not None:
        return Ran(failure=kept["failure"], message=kept["message"])
    return Ran(Measurements.from_file(place.with_suffix(".safetensors")), kept["run_s"])


def _write(place: Path, ran: Ran) -> None:
    """Write measurements first, because an entry counts as done once its JSON exists."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if ran.measurements is not None:
        place.with_suffix(".safetensors").write_bytes(ran.measurements.to_bytes())
    words = json.dumps({"run_s": ran.run_s, "failure": ran.failure, "message": ran.message})
    half_written = place.with_suffix(".part")
    half_written.write_text(words)
    half_written.rename(place)
