"""Environments: the images in which submissions run, each by a name that phases use.

Every worker has one of its own: `current`, or `current-cuda` if it serves GPUs. Operators add more. A worker runs the
phases of an environment if its engine holds the image with that very digest.
"""

import re
from collections.abc import Iterable

from sqlalchemy import select

from services.core.device import Device
from services.core.errors import BadInput, Conflict, NotFound
from services.core.models import EnvironmentRow, Phase
from services.core.store.database import ReadSession, WriteSession
from services.core.submission.source import UNTOLD_PYTHON, Python

__all__ = [
    "CURRENT",
    "CURRENT_CUDA",
    "EnvironmentInUse",
    "UnknownEnvironment",
    "all_environments",
    "choose",
    "default_for",
    "find",
    "keep",
    "lacks",
    "other_torch",
    "python_of",
    "remove",
]

CURRENT, CURRENT_CUDA = "current", "current-cuda"
VERSION = re.compile(r"3\.(\d{1,3})\b")  # an image may say anything


class UnknownEnvironment(BadInput):
    code = "unknown_environment"


class EnvironmentInUse(Conflict):
    code = "environment_in_use"


def default_for(device: Device) -> str:
    """Name the environment of phases that choose none."""
    return CURRENT_CUDA if device is Device.GPU else CURRENT


def all_environments(session: ReadSession) -> list[EnvironmentRow]:
    """List all environments by name."""
    return list(session.scalars(select(EnvironmentRow).order_by(EnvironmentRow.name)))


def find(session: ReadSession, name: str) -> EnvironmentRow:
    """Find an environment. Raises NotFound."""
    found = session.get(EnvironmentRow, name)
    if found is None:
        raise NotFound(f"There is no environment {name!r}. {_known(session)}")
    return found


def choose(session: ReadSession, name: str | None, device: Device) -> str:
    """Return the environment of a new phase: the named one, or the device's own. Raises UnknownEnvironment."""
    if name is None or name == default_for(device):
        return default_for(device)
    found = session.get(EnvironmentRow, name)
    if found is None:
        raise UnknownEnvironment(f"There is no environment {name!r}. {_known(session)}")
    if found.device is not device:
        raise UnknownEnvironment(f"Environment {name!r} is for phases on {found.device}, not on {device}.")
    return name


def keep(session: WriteSession, row: EnvironmentRow) -> None:
    """Write an environment that passed its check, in place of an older one of its name."""
    session.merge(row)


def remove(session: WriteSession, name: str) -> None:
    """Remove an environment that no phase names. Raises NotFound and EnvironmentInUse."""
    row = find(session, name)
    phase = session.scalars(select(Phase).where(Phase.environment == name).limit(1)).one_or_none()
    if phase is not None or name in (CURRENT, CURRENT_CUDA):
        user = "every worker brings it" if phase is None else f"phase {phase.slug!r} runs in it"
        raise EnvironmentInUse(f"Environment {name!r} cannot be removed, because {user}.")
    session.delete(row)


def other_torch(session: ReadSession, built_with: str) -> str | None:
    """Return the torch of the environment `current` if it is another than a benchmark was built with."""
    row = session.get(EnvironmentRow, CURRENT)
    here = row.packages.get("torch") if row else None
    return here if here and here.partition("+")[0] != built_with.partition("+")[0] else None


def python_of(row: EnvironmentRow | None) -> Python:
    """Return the Python of an environment; the usual one if no worker has told of it."""
    told = VERSION.match(row.python) if row else None
    return (3, int(told[1])) if told else UNTOLD_PYTHON


def lacks(row: EnvironmentRow, imported: Iterable[str]) -> list[str]:
    """Return, sorted, which of some top-level modules the environment does not have."""
    return sorted(set(imported) - set(row.modules))


def _known(session: ReadSession) -> str:
    names = [row.name for row in all_environments(session)]
    return f"There are {', '.join(names)}." if names else "A worker that starts brings the first."
