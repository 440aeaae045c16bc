"""The normal form of code: equal for what differs in comments and layout, alike for what differs in names."""

import ast
import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.models import SubmissionKind
from services.core.submission import form
from services.core.submission.form import Form, bands_of, form_of, likeness

PYTHON = (3, 11)
ROOT = Path(__file__).parents[3]
SCRUB = (ROOT / "baselines" / "scrub.py").read_text()
BASELINES = sorted(
    path for path in (ROOT / "baselines").glob("*.py") if path.name not in ("__init__.py", "identity.py")
)


def module(source: str) -> Form:
    return form_of("entry.py", SubmissionKind.MODULE, source.encode(), PYTHON)


def archive(**files: str) -> Form:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writer:
        for name, content in files.items():
            writer.writestr(f"{name}.py", content)
    return form_of("entry.zip", SubmissionKind.ARCHIVE, packed.getvalue(), PYTHON)


def notebook(*cells: str, outputs: list[object] | None = None) -> Form:
    written = [{"cell_type": "code", "source": cell, "outputs": outputs or []} for cell in cells]
    written.append({"cell_type": "markdown", "source": f"# {len(cells)}"})
    return form_of("entry.ipynb", SubmissionKind.NOTEBOOK, json.dumps({"cells": written}).encode(), PYTHON)


@pytest.mark.parametrize("path", BASELINES, ids=lambda path: path.stem)
def test_code_printed_anew_from_its_tree_is_the_same(path: Path) -> None:
    source = path.read_text()
    again = ast.unparse(ast.parse(source))
    assert again != source
    assert module(again) == module(source)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1\n", "x = 1  # one\n"),
        ("x = 1\n", "\n\nx=(1)\n"),
        ("def f():\n    return 1\n", 'def f():\n    """Say one."""\n    return 1\n'),
        ("x = 'a'\n", 'x = "a"\n'),
    ],
)
def test_comments_layout_and_docstrings_change_nothing(one: str, other: str) -> None:
    assert module(one).sha256 == module(other).sha256


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1\n", "x = 2\n"),
        ("x = 1\n", "x = 1.0\n"),
        ("x = 1\n", "x = True\n"),
        ("x = 1\n", "y = 1\n"),
        ("x = 1\n", "x = '1'\n"),
        ("f(a)\n", "f(*a)\n"),
        ("a.b\n", "a.c\n"),
        ("x = -1\n", "x = +1\n"),
        ("f(a)(b)\n", "f(a, b)\n"),
        ("if a:\n    b\nc\n", "if a:\n    b\n    c\n"),
        ("from . import a\n", "from .. import a\n"),
        ("import a as b\n", "import a\n"),
        ("x: int = 1\n", "x = 1\n"),
        ("a = b = 1\n", "a, b = 1\n"),
        ("x = ''\n", "x = b''\n"),
    ],
)
def test_any_other_change_is_another_form(one: str, other: str) -> None:
    assert module(one).sha256 != module(other).sha256


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1), st.text(min_size=1))
def test_values_count(numbers: list[int], text: str) -> None:
    assert module(f"x = {numbers!r}, {text!r}").sha256 != module(f"x = {[*numbers, 0]!r}, {text!r}").sha256


def test_files_of_an_archive_and_cells_of_a_notebook_count_without_comments() -> None:
    assert archive(a="x = 1", b="y = 2") == archive(b="y = 2  # two", a="x = 1\n")
    assert archive(a="x = 1", b="y = 2").sha256 != archive(a="y = 2", b="x = 1").sha256
    assert notebook("x = 1", "!ls") == notebook("x = 1 # one", "", "  !ls ", outputs=["seen"])
    assert notebook("x = 1").sha256 != notebook("x = 2").sha256
    assert module("x = 1").sha256 != notebook("x = 1").sha256


def test_renamed_and_retuned_code_is_alike_and_found_by_a_band() -> None:
    original = module(SCRUB)
    changed = [SCRUB.replace("retain_loader", "rows"), SCRUB.replace("1", "3"), "import os\n" + SCRUB]
    for source in changed:
        form = module(source)
        assert form.sha256 != original.sha256
        assert form.sketch is not None and original.sketch is not None
        assert likeness(form.sketch, original.sketch) > 0.9
        assert set(bands_of(form)) & set(bands_of(original))


def test_other_methods_are_not_alike() -> None:
    other = module((ROOT / "baselines" / "potion.py").read_text())
    own = module(SCRUB)
    assert other.sketch is not None and own.sketch is not None
    assert likeness(own.sketch, other.sketch) < 0.5


def test_too_little_code_is_compared_as_a_whole_only() -> None:
    short = module("def unlearning(a, b, c, d):\n    return a\n")
    assert short.sketch is None
    assert len(bands_of(short)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "-" * 5000 + "1",
        "x = " + "1+" * 5000 + "1",
        "x = 0x" + "f" * 20000,
        "x = '\\ud800'",
        "x = " + "[" * 80 + "]" * 80,
    ],
    ids=["unary", "sum", "long integer", "surrogate", "nested"],
)
def test_odd_sources_have_a_form(source: str) -> None:
    assert module(source).sha256


def test_a_tree_that_is_too_large_to_walk_is_compared_by_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "\n".join(f"x{number} = [{number}]" for number in range(3000))
    walked = module(source)
    assert module(source.replace("=", " = ")) == walked
    monkeypatch.setattr(form, "MAX_NODES", form.PORTION)
    by_lines = module(source)
    assert by_lines.sha256 != walked.sha256
    assert module(f"\n\n{source}\n") == by_lines
    assert module(source.replace("=", " = ")) != by_lines
