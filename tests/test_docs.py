"""What the pages point at exists: files, headings and make targets; and the lock is one that everybody can use."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, code_in, slugs_of

FOLDERS = "services|tests|scripts|docs|benches|studies|baselines|deploy|migrations|frontend|starting_kit"
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_make_targets_that_a_page_names_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {found[1] for code in code_in(path.read_text()) if (found := re.match(r"make ([a-z][a-z0-9-]*)", code))}
    assert named <= targets


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_files_that_a_page_points_at_exist(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target
    for named in re.findall(rf"`((?:{FOLDERS})/[\w/.-]+)`", text):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_headings_that_a_page_points_at_exist(path: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)#([^)]+)\)", path.read_text()):
        page = path.parent / target if target else path
        assert anchor in slugs_of(page.read_text()), f"{target}#{anchor}"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_page_is_reached_from_the_readme(path: Path) -> None:
    assert path.resolve() in reached()


@cache
def reached() -> set[Path]:
    """The pages that links lead to, beginning at the README; .github's are shown by the forge itself."""
    found = {ROOT / "README.md", *(ROOT / ".github").rglob("*.md")}
    waiting = list(found)
    while waiting:
        page = waiting.pop()
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            one = (page.parent / target).resolve()
            inside = sorted(one.glob("*.md")) if one.is_dir() else [one]
            new = [other for other in inside if other.suffix == ".md" and other.exists() and other not in found]
            found.update(new)
            waiting.extend(new)
    return found
