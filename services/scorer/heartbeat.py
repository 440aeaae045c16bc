"""The scorer's heartbeat: a file that each of its sweeps touches; the health check reads the file's age."""

import time
from pathlib import Path

from services.core.settings import Settings

__all__ = ["beat", "is_alive"]

MISSED_SWEEPS = 4
AT_LEAST_S = 60.0


def beat(settings: Settings) -> None:
    """Touch the heartbeat file."""
    path = _file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def is_alive(settings: Settings) -> bool:
    """Tell whether this data directory's scorer has recently completed a sweep, which needs its database."""
    try:
        age_s = time.time() - _file(settings).stat().st_mtime
    except FileNotFoundError:
        return False
    return age_s < max(AT_LEAST_S, MISSED_SWEEPS * settings.resolved_sweep_every_s)


def _file(settings: Settings) -> Path:
    return settings.data_dir / "cache" / "scorer-heartbeat"
