"""The `lethe` command, as a user runs it."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from services.cli.main import main

__all__ = ["lethe", "lethe_here"]


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


def lethe_here(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it in this process, where all it imports is there already. An error that it does not foresee is raised."""
    out, notes = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["lethe", *arguments]),
        patch.dict(os.environ, environment),
        redirect_stdout(out),
        redirect_stderr(notes),
    ):
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return subprocess.CompletedProcess(sys.argv, status, out.getvalue(), notes.getvalue())
