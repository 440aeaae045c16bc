"""The documentation names everything there is: settings, commands, and the files it points at."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.core.settings import Settings

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_documented_with_its_meaning() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert f"`LETHE_{name.upper()}`" in text
        assert field.description is not None and field.description in text


def test_readme_names_the_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCS:
        assert set(re.findall(r"`make ([a-z]+)`", path.read_text())) <= targets


def test_lethe_commands_in_the_readme_exist() -> None:
    named = set(re.findall(r"\.venv/bin/lethe ([a-z]+)", (ROOT / "README.md").read_text()))
    shown = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert named
    assert all(command in shown for command in named)


@pytest.mark.parametrize("path", DOCS, ids=[path.name for path in DOCS])
def test_files_that_a_page_points_at_exist(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / target).exists(), target
    for named in re.findall(r"`((?:services|tests|scripts|docs|benches|baselines)/[\w/.-]+)`", text):
        assert (ROOT / named).exists(), named
