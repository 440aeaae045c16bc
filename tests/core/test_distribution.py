"""Which program computed a score: the digest of its sources is what anybody computes with ordinary tools."""

import shutil
import subprocess
from pathlib import Path

from services.core.distribution import SOURCES, installed_version, program, sources_sha256

COMMAND = "find . -name '*.py' | LC_ALL=C sort | xargs -d '\\n' sha256sum | sha256sum"  # as docs/reference/commands.md


def test_the_digest_is_that_of_the_documented_command() -> None:
    found = subprocess.run(["/bin/sh", "-c", COMMAND], cwd=SOURCES, capture_output=True, text=True, check=True)
    assert program() == {"version": installed_version(), "sources_sha256": found.stdout.split()[0]}
    assert COMMAND in (SOURCES.parent / "docs/reference/commands.md").read_text()


def test_another_line_is_another_program(tmp_path: Path) -> None:
    shutil.copytree(SOURCES / "core/record", tmp_path / "one")
    shutil.copytree(SOURCES / "core/record", tmp_path / "other", ignore=shutil.ignore_patterns("__pycache__"))
    assert sources_sha256(tmp_path / "one") == sources_sha256(tmp_path / "other")
    with (tmp_path / "other/chain.py").open("a") as file:
        file.write("\n")
    assert sources_sha256(tmp_path / "one") != sources_sha256(tmp_path / "other")
    (tmp_path / "one/chain.py").rename(tmp_path / "one/links.py")
    assert sources_sha256(tmp_path / "one") != sources_sha256(tmp_path / "other")
