"""docs/reference/competition-file.md has every field of a competition's file as the program has it, and no other."""

from enum import StrEnum

import pytest
from pydantic.fields import FieldInfo

from services.api.files.form import CompetitionFile, PageSection, PhaseSection, Retention, TeamsSection
from services.api.files.reading import read_file
from services.api.kit.schemas import Input
from tests.docs.pages import ROOT, read, rows_of, sections_of

TABLES: dict[str, tuple[str, type[Input]]] = {
    "Fields": ("At the top level:", CompetitionFile),
    "Teams": ("The fields under `teams`:", TeamsSection),
    "Retention": ("Under `retention`", Retention),
    "Pages": ("Each item of `pages`, in the order in which they are shown:", PageSection),
    "Phases": ("Each item of `phases`:", PhaseSection),
}


def table_of(model: type[Input]) -> list[list[str]]:
    """The rows that a model's table has."""
    return [[f"`{name}`", default_of(field), field.description or ""] for name, field in model.model_fields.items()]


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", []) or isinstance(value, Input):
        return "–"
    shown = value.value if isinstance(value, StrEnum) else str(value).lower() if isinstance(value, bool) else value
    return f"`{shown}`"


@pytest.mark.parametrize("title", TABLES)
def test_the_page_has_the_fields_of_the_program(title: str) -> None:
    section = sections_of(read("docs/reference/competition-file.md"))[title]
    assert rows_of(section) == table_of(TABLES[title][1])


def test_every_field_says_what_it_means() -> None:
    assert [row for _, model in TABLES.values() for row in table_of(model) if not row[2]] == []


def test_the_example_is_right() -> None:
    reading = read_file((ROOT / "docs/reference/competition.yaml").read_text())
    assert reading.mistakes == []
    assert len(reading.whole().phases) == 3
