"""The tag of the images under test: that of what they are built from."""

import shutil
from pathlib import Path

import pytest

from tests.compose.image_building import INPUTS, ROOT, tag_of_inputs


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in INPUTS:
        source, copy = ROOT / name, tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copy2(source, copy)
        else:
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    return tmp_path


def test_equal_sources_have_one_tag_whatever_was_built_beside_them(sources: Path) -> None:
    tag = tag_of_inputs(sources)
    assert tag == tag_of_inputs()
    (sources / "frontend" / "dist").mkdir()
    (sources / "frontend" / "dist" / "index.html").write_text("built")
    assert tag_of_inputs(sources) == tag


@pytest.mark.parametrize(
    "changed", ["services/cli/main.py", "requirements/production.lock", "scripts/npm", "frontend/index.html"]
)
def test_any_change_gives_another_tag(sources: Path, changed: str) -> None:
    tag = tag_of_inputs(sources)
    with (sources / changed).open("a") as file:
        file.write(" ")
    assert tag_of_inputs(sources) != tag


def test_all_that_the_dockerfile_copies_counts() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert copied
    for name in copied:
        assert any(name == given or name.startswith(f"{given}/") for given in INPUTS), name
