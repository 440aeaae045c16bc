"""The guides explain every choice, state, failure and alarm that their readers meet."""

import re
from functools import cache
from typing import Any

import pytest
import typer.main

from services.api.app import create_app
from services.cli.main import app
from services.core.catalogue import ALARMS, FLAGS, METRICS, SUITES
from services.core.models import EventKind
from services.core.settings import Settings
from tests.docs.pages import ROOT, in_code, read, rows_of, sections_of

PARTICIPANT, ORGANISER, API = "docs/participant.md", "docs/organiser.md", "docs/reference/api.md"


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the API describes of its answers."""
    document = create_app(Settings(data_dir=tmp_path_factory.mktemp("data"))).openapi()
    return dict(document["components"]["schemas"])


@cache
def firsts(page: str, head: str) -> list[str]:
    """What the first column of a section's table names."""
    return [name for cells in rows_of(sections_of(read(page))[head]) for name in in_code(cells[0])]


def test_every_kind_of_failure_has_its_remedy(schemas: dict[str, Any]) -> None:
    assert firsts(PARTICIPANT, "Failures, and what to do") == schemas["FailureKind"]["enum"]


def test_every_state_of_a_submission_is_named(schemas: dict[str, Any]) -> None:
    text = sections_of(read(PARTICIPANT))["Read the result"]
    assert set(schemas["SubmissionState"]["enum"]) == set(re.findall(r"\*([a-z]+)\*", text))


def test_every_flag_and_every_reason_for_no_rank_is_explained(schemas: dict[str, Any]) -> None:
    assert firsts(PARTICIPANT, "Read the result") == [*schemas["Unranked"]["enum"], *FLAGS]


def test_every_alarm_is_explained() -> None:
    assert firsts(ORGANISER, "Watch") == list(ALARMS)


def test_every_choice_of_a_phase_is_explained() -> None:
    rows = rows_of(sections_of(read(ORGANISER))["Create its phases"])
    explained = {flag for cells in rows for flag in in_code(cells[1])}
    root: Any = typer.main.get_command(app)
    group = root.get_command(root.context_class(root), "phase")
    create = group.get_command(group.context_class(group), "create")
    flags = {flag for one in create.params for flag in one.opts if one.param_type_name == "option"}
    assert explained - {"--data-public"} == flags - {"--competition", "-c", "--url"}


def test_the_packages_of_the_sandbox_are_those_of_its_image() -> None:
    lines = (ROOT / "services/worker/images/packages.txt").read_text().splitlines()
    packages = [line for line in lines if not line.startswith("#")]
    text = sections_of(read("docs/environments.md"))["What `current` holds"]
    assert in_code(text[text.index("and:") : text.index("and what these need")]) == packages

    text = sections_of(read(PARTICIPANT))["Write an algorithm"]
    told = in_code(text[text.index("you can import") : text.index("A file that imports")])
    imported = {"scikit-learn": "sklearn", "Pillow": "PIL", "PyYAML": "yaml"}
    for_notebooks = {"ipykernel", "nbclient"}
    assert told == ["torch", "torchvision", *(imported.get(one, one) for one in packages if one not in for_notebooks)]


def test_every_kind_of_event_is_explained() -> None:
    assert firsts(API, "Events")[: len(EventKind)] == [kind.value for kind in EventKind]


def test_every_metric_and_suite_has_its_section_or_row() -> None:
    sections = sections_of(read("docs/scoring.md"))
    assert {f"`{name}`" for name in METRICS} <= set(sections)
    assert {name for cells in rows_of(sections["Secondary columns"]) for name in in_code(cells[0])} == set(SUITES)
