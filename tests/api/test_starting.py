"""What an API process loads as it starts: each of these is memory that it would hold for nothing."""

import subprocess
import sys

SELDOM_NEEDED = {"alembic", "matplotlib", "numpy", "pandas", "scipy", "sklearn", "torch"}


def test_an_api_process_starts_without_what_it_seldom_needs() -> None:
    code = "import sys, services.api.main; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert "fastapi" in loaded
    assert not SELDOM_NEEDED.intersection(loaded)
