"""The place of a submission's runs, and their results: types that kinds, supervisors and attempts share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.core.bundle.directory import Bundle
from services.worker.measurers import MeasurerProcess, Measurers
from services.worker.sandbox.base import Sandbox
from services.worker.slots import Slot

__all__ = ["OWN", "PAUSE_S", "BesideTime", "Paused", "Place", "SeedResult", "SeedTime", "Station", "Stopped", "Traces"]


PAUSE_S = 3.0  # without a look at a sandbox, from which on we were away


class Stopped(Exception):
    """The caller asked to stop: a cancel, a lost lease, or the worker's end."""


class Paused(Stopped):
    """This machine stood still during a run, so nobody knows how long the run took."""


@dataclass(frozen=True, slots=True)
class Place:
    """The environment in which participants' code runs; models are always measured in the worker's own."""

    image_id: str = ""  # of another image than the sandbox's own
    told: Mapping[str, str] = field(default_factory=dict)  # for the provenance


OWN = Place()


class BesideTime(NamedTuple):
    """How long one run of the platform's own code took, beside a run of an entry."""

    run_s: float
    cpu_s: float | None


class SeedTime(NamedTuple):
    """How long one run took, and beside it a run of the platform's trainer and one that does nothing."""

    run_s: float
    cpu_s: float | None
    trainer: BesideTime | None
    empty: BesideTime | None = None


@dataclass(frozen=True, slots=True)
class SeedResult:
    """One measured model."""

    index: int
    run_s: float
    blob: bytes
    checkpoint_sha256: str
    peak_memory_bytes: int  # of the largest process of the run
    stress: bytes = b""  # a stress reading, if the phase asks for it
    placebo: bytes = b""  # the reading of its placebo run, if it has one
    cpu_s: float | None = None  # processor time of all its processes; None on a GPU, or if nobody counts it
    trainer: BesideTime | None = None  # of the run of the platform's trainer beside it, if it has one
    empty: BesideTime | None = None  # of the run that does nothing, likewise

    @property
    def time(self) -> SeedTime:
        """Return its times."""
        return SeedTime(self.run_s, self.cpu_s, self.trainer, self.empty)


@dataclass(frozen=True, slots=True)
class Station:
    """A slot with a benchmark and a sandbox backend, for as long as one submission runs there."""

    sandbox: Sandbox
    measurers: Measurers
    slot: Slot
    bundle: Bundle
    label: str  # of its sandboxes, so that orphans can be told from live ones
    stopped: Callable[[], bool]
    place: Place = OWN

    @property
    def model_bytes(self) -> int:
        """Size of one model of the benchmark in full precision."""
        return self.bundle.root.joinpath("public/original.safetensors").stat().st_size

    def provenance(self) -> dict[str, str]:
        """Describe sandbox and environment for the provenance of a result."""
        return self.sandbox.provenance() | dict(self.place.told)

    def measurer(self) -> MeasurerProcess:
        """Return the slot's measurer for the benchmark, started if there is none."""
        return self.measurers.of(self.slot, self.bundle)

    def raise_if_stopped(self) -> None:
        """Raise Stopped if the caller asked to stop."""
        if self.stopped():
            raise Stopped


@dataclass(slots=True)
class Traces:
    """Everything that a run leaves besides readings, filled while it goes on and kept if it fails."""

    on_written: Callable[[int], None] = lambda _: None  # called with the number of checkpoints of a notebook
    on_log: Callable[[bytes], None] | None = None  # called with a notebook's printed output, as it comes
    printed: str = ""  # the end of the printed output of all runs of a module
    executed: bytes | None = None  # a notebook with its outputs
    unlearned: bool = True  # whether a notebook has left checkpoints
    ended_early: bool = False  # a rehearsal was ended once it had made its checkpoints
    run_s: float = 0.0  # of a whole notebook
    peak_memory_bytes: int = 0  # of a notebook's kernel, or of the largest process that the kernel started
