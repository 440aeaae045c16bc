"""What an installation consists of beside its rows of submissions: environments with their packages, and workers."""

import re
from datetime import timedelta
from pathlib import Path

from services.core.models import Device, EnvironmentRow, WorkerRow
from services.core.store.database import WriteSession, utc_now
from services.worker.backends import IMAGES, image_of

__all__ = ["LONG", "add_environments", "add_workers"]

PINNED = re.compile(r"^([\w.-]+)==([\w.+-]+)", re.MULTILINE)
OLD_PACKAGES = {
    "torch": "1.13.0",
    "torchvision": "0.14.1",
    "numpy": "1.24.2",
    "pandas": "1.5.3",
    "scikit-learn": "1.2.1",
}
LONG = "a-laboratory-s-own-environment-with-a-name-as-long-as-allowed"


def add_environments(session: WriteSession) -> None:
    """Add `current` with the packages of its lock, and two others."""
    current = {"torch": "2.13.0+cpu", "torchvision": "0.28.0+cpu"} | _locked(IMAGES / "packages.lock")
    for name, packages in (("current", current), ("kaggle-2023", OLD_PACKAGES), (LONG, current)):
        image = image_of(name) if name != LONG else f"registry.example.org/{LONG}:2026"
        session.add(
            EnvironmentRow(
                name=name,
                image=image,
                digest=f"sha256:{len(packages):064x}",
                device=Device.CPU,
                python="3.11.2",
                packages=dict(sorted(packages.items())),
                modules=["numpy", "torch", "torchvision"],
                size_bytes=1_550_000_000,
                self_test="passed",
            )
        )


def add_workers(session: WriteSession) -> None:
    """Add a worker that has every environment, one that has one, and one that has gone and had none."""
    for name, environments, silent in (
        ("basement-3f0a1c2b", ["current", "kaggle-2023", LONG], timedelta()),
        ("attic-77d0e9aa", ["current"], timedelta()),
        ("laptop-0b5c6d7e", [], timedelta(days=2)),
    ):
        session.add(
            WorkerRow(
                name=name,
                slots=4,
                slots_busy=1,
                device_classes=["cpu-x86_64"],
                sandbox="docker",
                environments=environments,
                version="0.1.0",
                free_disk_bytes=210_000_000_000,
                self_test=None,
                started_at=utc_now() - timedelta(days=3),
                seen_at=utc_now() - silent,
            )
        )


def _locked(lock: Path) -> dict[str, str]:
    return dict(PINNED.findall(lock.read_text()))
