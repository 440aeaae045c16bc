"""Whose fault is a failure that looks like ours? A control entry, run at the same place, tells.

A platform failure is retried and costs no quota, so an entry that can cause one gets free runs. After the last attempt
the worker runs a built-in module that changes nothing in the same slot, against the same benchmark. If that passes, the
failure follows the entry.
"""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog
from sqlalchemy.exc import OperationalError

from services.core.models import FailureKind
from services.core.queue.leases import Lease, LeaseLost
from services.core.submission.file import ENTRY_POINT
from services.worker.failures import RunFailed
from services.worker.sandbox.base import SandboxUnavailable
from services.worker.seeds import derive_seeds
from services.worker.station import Station, Stopped, Traces
from services.worker.supervisor import RunLimits, run_seeds

__all__ = ["blamed", "canary_passes"]

log = structlog.get_logger()

IDENTITY = "def unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
TIMEOUT_S = 120.0
_NEVER_THEIRS = (LeaseLost, Stopped, OperationalError, SandboxUnavailable)


@contextmanager
def blamed(station: Station, lease: Lease) -> Iterator[None]:
    """Turn a platform failure of the last attempt into `unstable`, if a control entry passes at the station.

    Wrap only the part of an attempt in which a participant's code or files are in hand. The queue then decides whether
    earlier attempts failed in the same way.
    """
    try:
        yield
    except _NEVER_THEIRS:
        raise
    except Exception as error:
        is_ours = not isinstance(error, RunFailed) or error.kind is FailureKind.PLATFORM
        if not is_ours or not lease.is_last or not canary_passes(station):
            raise
        log.exception("unexplained_failure", evaluation=str(lease.evaluation_id), attempt=lease.attempt)
        message = error.message if isinstance(error, RunFailed) else "The run broke on our side."
        raise RunFailed(FailureKind.UNSTABLE, message) from error


def canary_passes(station: Station) -> bool:
    """Run a module that changes nothing once, through sandbox and measurer; tell whether its model was measured.

    It takes the slot's directories. Raises Stopped.
    """
    station.measurers.drop(station.slot)
    station.slot.clear()
    (station.slot.submission / ENTRY_POINT).write_text(IDENTITY)
    limits = RunLimits(seeds=1, seed_timeout_s=TIMEOUT_S, memory_bytes=station.slot.memory_bytes, data_hidden=True)
    seeds = derive_seeds(secrets.token_bytes(32), [0])
    try:
        with closing(run_seeds(station, limits, seeds, Traces())) as results:
            return len(list(results)) == 1
    except Stopped:
        raise
    except Exception:
        log.exception("canary_broke", slot=station.slot.number)
        return False
