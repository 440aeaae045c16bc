"""The `lethe` command, as a user runs it."""

import os
import subprocess
import sys

__all__ = ["lethe"]


def lethe(*arguments: str, check: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it with these variables beside our own."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=check,
        timeout=200,
    )
