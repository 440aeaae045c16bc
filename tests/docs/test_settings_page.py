"""docs/settings.md has every variable with its meaning, and no page names one that nothing reads."""

import re
from functools import cache
from pathlib import Path

import pytest

from services.core.settings import Settings
from tests.docs.pages import PAGES, ROOT, in_code, read, rows_of, sections_of

NAME = re.compile(r"\bLETHE_[A-Z][A-Z_]*[A-Z]\b")
SETTINGS = {f"LETHE_{name.upper()}": field for name, field in Settings.model_fields.items()}


@cache
def read_by_code() -> set[str]:
    """The variables that programs, images and compose files name themselves, besides those of Settings."""
    files = [
        ROOT / "docker-compose.yml",
        *(path for path in (ROOT / "services").rglob("*.py")),
        *(path for folder in ("deploy", "scripts") for path in (ROOT / folder).rglob("*") if path.is_file()),
    ]
    return {name for path in files for name in NAME.findall(path.read_text(errors="ignore"))} - set(SETTINGS)


def test_the_table_of_settings_has_all_of_them_with_their_meanings() -> None:
    table = rows_of(sections_of(read("docs/settings.md"))["Settings"])
    written = {in_code(cells[0])[0]: cells[2] for cells in table}
    assert written == {name: field.description for name, field in SETTINGS.items()}


def test_every_other_variable_has_a_row_somewhere() -> None:
    rows = [cells for page in ("docs/settings.md", "docs/operate.md") for cells in rows_of(read(page))]
    assert {name for cells in rows for name in NAME.findall(cells[0])} >= read_by_code()


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_variables_that_a_page_names_exist(path: Path) -> None:
    assert set(NAME.findall(path.read_text())) <= set(SETTINGS) | read_by_code()
