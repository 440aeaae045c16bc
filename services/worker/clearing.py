"""Clearing directories that a participant's code may have filled.

We never walk through them: names may be hostile and trees thousands of levels deep. A directory is renamed, which
always works, and `rm` removes it meanwhile. What `rm` cannot remove stays aside until the worker starts again.
"""

import contextlib
import os
import secrets
import subprocess
import threading
from pathlib import Path

import structlog

__all__ = ["finish_clearing", "new_directory", "sweep_away"]

log = structlog.get_logger()
ASIDE = "aside"


def new_directory(path: Path) -> None:
    """Make an empty directory; one that exists goes away with everything in it."""
    sweep_away(path)
    path.mkdir(parents=True)


def sweep_away(path: Path) -> None:
    """Remove a directory, in the background; do nothing if it does not exist."""
    aside = path.parent / ASIDE
    aside.mkdir(parents=True, exist_ok=True)
    swept = aside / secrets.token_hex(8)
    with contextlib.suppress(FileNotFoundError):
        path.rename(swept)
        threading.Thread(target=_remove, args=([swept],), daemon=True).start()


def finish_clearing(root: Path) -> None:
    """Remove what an earlier process had put aside under `root`, in the background."""
    left = [entry for aside in root.glob(f"*/{ASIDE}") for entry in aside.iterdir()]
    if left:
        threading.Thread(target=_remove, args=(left,), daemon=True).start()


def _remove(directories: list[Path]) -> None:
    paths = [str(path) for path in directories]
    if os.geteuid() != 0:  # root needs no rights, but a participant may have taken them from the owner
        subprocess.run(["/bin/chmod", "-R", "u+rwX", "--", *paths], check=False, stderr=subprocess.DEVNULL)
    removed = subprocess.run(["/bin/rm", "-rf", "--", *paths], check=False, stderr=subprocess.PIPE)
    if removed.returncode:
        log.warning("directory_not_removed", error=removed.stderr[-300:].decode(errors="replace"))
