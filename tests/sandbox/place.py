"""A place to attack: a sandbox with three slots and warm measurers, kept from one submission to the next as a worker's.

One submission carries many attacks. It prints what they found, and the place reads it.
"""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from services.core.bundle.directory import Bundle
from services.core.settings import Settings
from services.core.submission.file import unpack
from services.worker.backends import make_sandbox
from services.worker.failures import RunFailed
from services.worker.kinds import Module
from services.worker.measurers import Measurers
from services.worker.sandbox.base import Sandbox
from services.worker.seeds import derive_seeds
from services.worker.slots import Slot, make_slots, stage_code
from services.worker.station import Station, Traces
from services.worker.supervisor import RunLimits
from services.worker.workplace import workplace
from tests.sandbox.kept import KeptLaunchers

__all__ = ["PLACES", "Ending", "Place", "open_place"]

PLACES = ("docker", "gvisor", "process")
FOUND = "Found: "  # before JSON in what a submission prints
KEPT = 2  # the slot of kept launchers, whose directories are mounted as long as they run
MEMORY_BYTES = 600 * 2**20
SEED_KEY = b"k" * 32
TOOLS = Path(__file__).with_name("tools.py")
HONEST = """
import torch

def unlearning(net, *loaders):
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""


@dataclass(frozen=True)
class Ending:
    """How a submission ended: `scored`, or the kind of its failure."""

    kind: str
    message: str
    models: tuple[str, ...]  # the digests of its checkpoints
    printed: str

    @property
    def found(self) -> dict[str, str]:
        """What the attacks of the submission found, by name."""
        lines = [line.removeprefix(FOUND) for line in self.printed.splitlines() if line.startswith(FOUND)]
        assert lines, self
        return {name: str(what) for line in lines for name, what in json.loads(line).items()}


class Place:
    """Runs submissions, one after another or two side by side."""

    def __init__(self, name: str, sandbox: Sandbox, slots: list[Slot], bundle: Bundle) -> None:
        self.name = name
        self._sandbox, self._slots, self._bundle = sandbox, slots, bundle
        self._measurers = Measurers(sandbox)
        self._kept = KeptLaunchers(sandbox)
        self.honest = self.run_honest()

    def run(
        self,
        files: Mapping[str, str],
        *,
        seeds: int = 1,
        timeout_s: float = 60.0,
        hidden: bool = False,
        slot: int = 0,
        kept: bool = False,
    ) -> Ending:
        """Run a submission of these files, with our tools for attacks beside them; with `kept`, in a kept launcher."""
        place = self._slots[KEPT if kept else slot]
        if kept:
            _empty(place)
        else:
            place.clear()
        unpack("entry.zip", _archive(files), place.submission)
        module = Module(RunLimits(seeds, timeout_s, MEMORY_BYTES, hidden), derive_seeds(SEED_KEY, range(seeds)))
        sandbox = cast(Sandbox, self._kept) if kept else self._sandbox
        station = Station(sandbox, self._measurers, place, self._bundle, f"attack-{place.number}", lambda: False)
        traces, models = Traces(), []
        try:
            with closing(module.run(station, traces)) as results:
                models = [result.checkpoint_sha256 for result in results]
        except RunFailed as failure:
            return Ending(failure.kind.value, failure.message, tuple(models), traces.printed)
        return Ending("scored", "", tuple(models), traces.printed)

    def run_honest(self, *, kept: bool = False) -> Ending:
        """Run honest code, whose models are the same every time."""
        return self.run({"submission.py": HONEST}, seeds=3, kept=kept)

    def run_both(self, files: Mapping[str, str]) -> list[Ending]:
        """Run a submission in both slots at once."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda slot: self.run(files, slot=slot), range(2)))

    def close(self) -> None:
        """End the launchers and the measurers."""
        self._kept.close()
        self._measurers.close()


@contextmanager
def open_place(
    name: str,
    settings: Settings,
    bundle: Bundle,
    weaken: Callable[[Path], None] = lambda _: None,
    make: Callable[[Settings, Path, Path], Sandbox] = make_sandbox,
) -> Iterator[Place]:
    """Open a place; `weaken` may change the staged code of the launcher first, and `make` makes its sandbox."""
    with workplace(settings.data_dir, "attacks") as work:
        code = stage_code(work)
        weaken(code)
        slots = make_slots(settings.model_copy(update={"worker_slots": 3}), work)
        with (
            closing(make(settings, work, code)) as sandbox,
            closing(Place(name, sandbox, slots, bundle)) as place,
        ):
            yield place


def _empty(slot: Slot) -> None:
    """Remove the files that we laid out there, and what was left to measure; the directories stay."""
    for path in [*slot.submission.iterdir(), *slot.checkpoints.iterdir()]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _archive(files: Mapping[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in ({"tools.py": TOOLS.read_text()} | dict(files)).items():
            archive.writestr(name, text)
    return data.getvalue()
