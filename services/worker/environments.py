"""Examines the image of an environment before any submission runs in it, and finds the one that a phase names."""

import queue
import re
import time
from collections.abc import Collection

from services.core import environments
from services.core.device import Device
from services.core.environments import default_for
from services.core.models import EnvironmentRow, Phase
from services.core.store.database import Database, ReadSession, utc_now
from services.worker.answers import parsed
from services.worker.sandbox.base import MAX_LINE_BYTES, Limits, OutputLine, Sandbox, SandboxUnavailable, Spec
from services.worker.slots import Slot
from services.worker.station import Place

__all__ = ["environments_here", "examine", "place_in", "place_of", "tell_own"]

TIMEOUT_S = 120.0
MEMORY_BYTES = 1024**3
NEEDED = ("torch", "torchvision", "numpy")
NAME = re.compile(r"[A-Za-z0-9._+-]{1,100}")
MOST = 5000  # packages or modules


def examine(sandbox: Sandbox, slot: Slot, *, name: str, device: Device) -> EnvironmentRow:
    """List what code finds in a sandbox's own image. Raises SandboxUnavailable if it lacks what every entry needs."""
    process = sandbox.start(
        Spec(
            module="services.worker.runner.inventory",
            arguments=[],
            mounts=[],
            limits=Limits(memory_bytes=MEMORY_BYTES, cpus=1, file_bytes=1024**2),
            label=f"inventory-{slot.number}",
            scratch=slot.root / "inventory",
        )
    )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        output = None
        while not isinstance(output, OutputLine):
            if time.monotonic() > deadline or output is not None:
                raise SandboxUnavailable(f"The image cannot be examined: {process.log_tail()[-1000:] or 'no answer'}")
            try:
                output = process.outputs.get(timeout=1.0)
            except queue.Empty:
                process.check()
        found = parsed(output.text, limit=MAX_LINE_BYTES)
    finally:
        process.end()
    told = sandbox.provenance()
    row = EnvironmentRow(
        name=name,
        image=told.get("image", ""),
        digest=told.get("image_id", ""),
        device=device,
        python=str(found.get("python"))[:40],
        packages=_named(found.get("packages")),
        modules=sorted(_named(dict.fromkeys(found.get("modules") or (), ""))),
        size_bytes=sandbox.size_bytes(),
        self_test=sandbox.self_test,
        checked_at=utc_now(),
    )
    if missing := environments.lacks(row, NEEDED):
        raise SandboxUnavailable(f"The image lacks {', '.join(missing)}, which entries need. Install it there.")
    return row


def tell_own(database: Database, sandbox: Sandbox, slot: Slot) -> None:
    """Write the row of the worker's own environment, if the image is another one than before."""
    name = default_for(slot.device)
    digest = sandbox.provenance().get("image_id", "")
    with database.read() as session:
        known = session.get(EnvironmentRow, name)
    if known is None or known.digest != digest or not digest:
        row = examine(sandbox, slot, name=name, device=slot.device)
        with database.write() as session:
            environments.keep(session, row)


def environments_here(session: ReadSession, sandbox: Sandbox, own: Collection[str]) -> frozenset[str]:
    """Name the environments whose image this worker has."""
    rows = environments.all_environments(session)
    return frozenset({*own, *(row.name for row in rows if row.name not in own and sandbox.has_image(row.digest))})


def place_of(session: ReadSession, phase: Phase) -> Place:
    """Find the place that a phase names. A worker's own image is the sandbox's own, whatever the row says."""
    row = session.get(EnvironmentRow, phase.environment)
    if row is None or row.name == default_for(phase.device):
        return Place(told={"environment": phase.environment}, packages=_packages(row) if row else ("", ""))
    return place_in(row)


def place_in(row: EnvironmentRow) -> Place:
    """Make the place of runs in an environment's own image."""
    versions = {name: row.packages[name] for name in ("torch",) if name in row.packages}
    image = {"image": row.image, "image_id": row.digest, "python": row.python, "self_test": row.self_test}
    return Place(row.digest, {"environment": row.name} | image | versions, _packages(row))


def _packages(row: EnvironmentRow) -> tuple[str, str]:
    return row.digest, " ".join(f"{name}=={version}" for name, version in row.packages.items())


def _named(found: object) -> dict[str, str]:
    """Keep what looks like names and versions, because an image may say anything."""
    if not isinstance(found, dict):
        return {}
    pairs = ((str(name), str(version)[:100]) for name, version in list(found.items())[:MOST])
    return {name: version for name, version in pairs if NAME.fullmatch(name)}
