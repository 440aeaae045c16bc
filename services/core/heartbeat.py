"""A service's sign of life: a file that each of its sweeps touches; the health check reads the file's age.

`python -m services.core.heartbeat worker` exits with 1 unless this data directory's worker has swept recently.
"""

import sys
import time
from pathlib import Path
from typing import Literal

from services.core.settings import Settings, load_settings

__all__ = ["Service", "age_s", "beat", "is_alive", "stop"]

Service = Literal["scorer", "worker"]
MISSED_SWEEPS = 4
AT_LEAST_S = 60.0


def beat(settings: Settings, service: Service) -> None:
    """Touch the heartbeat file."""
    path = _file(settings, service)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def stop(settings: Settings, service: Service) -> None:
    """Remove the heartbeat file of a service that stops as asked."""
    _file(settings, service).unlink(missing_ok=True)


def age_s(settings: Settings, service: Service) -> float | None:
    """Return the seconds since this data directory's service swept; None if none has since the last orderly stop."""
    try:
        return time.time() - _file(settings, service).stat().st_mtime
    except FileNotFoundError:
        return None


def is_alive(settings: Settings, service: Service) -> bool:
    """Tell whether this data directory's service has recently completed a sweep, which needs its database."""
    age = age_s(settings, service)
    return age is not None and age < max(AT_LEAST_S, MISSED_SWEEPS * settings.resolved_sweep_every_s)


def _file(settings: Settings, service: Service) -> Path:
    return settings.data_dir / "cache" / f"{service}-heartbeat"


if __name__ == "__main__":
    sys.exit(not is_alive(load_settings(), "worker" if sys.argv[1:] == ["worker"] else "scorer"))
