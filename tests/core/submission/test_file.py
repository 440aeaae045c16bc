"""What may be uploaded: every kind of bad file gets a typed refusal, and none gets anything else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.models import SubmissionKind
from services.core.submission.file import check, kind_of, unpack
from services.core.submission.source import MAX_SOURCE_BYTES, Rejected
from tests.core.uploads import MODULE, SIGNATURE, code_of, make_zip


@pytest.mark.parametrize(
    "source",
    [
        SIGNATURE,
        "def unlearning(a, b, c, d, e=None)",
        "def unlearning(a, b, c, d, /)",
        "def unlearning(*loaders)",
        "def unlearning(a, *rest, key=1)",
        "def unlearning(a, b, c, d, *, key=1, **more)",
        "def unlearning(a, b, c, d=None)",
    ],
)
def test_module_passes_when_four_arguments_fit(source: str) -> None:
    assert check("entry.py", f"import torch\n{source}:\n    pass\n".encode()).kind is SubmissionKind.MODULE


@pytest.mark.parametrize(
    "source",
    [
        "def unlearning(a, b, c)",
        "def unlearning(a, b, c, d, e)",
        "def unlearning()",
        "def unlearning(a, b, c, d, *, key)",
        "async def unlearning(a, b, c, d)",
    ],
)
def test_module_is_refused_when_four_arguments_do_not_fit(source: str) -> None:
    assert code_of("entry.py", f"{source}:\n    pass\n".encode()) == "wrong_arity"


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"x = 1",
        b"class unlearning: pass",
        b"unlearning = print",
        b"from elsewhere import unlearning",
        b"class A:\n    def unlearning(self, a, b, c): pass",
        b"def outer():\n    def unlearning(a, b, c, d): pass",
        b"if __name__ == '__main__':\n    pass",
    ],
)
def test_module_is_refused_when_it_defines_no_unlearning(source: bytes) -> None:
    assert code_of("entry.py", source) == "no_unlearning"


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import timm\nexcept ImportError:\n    {0}:\n        pass\n",
        "if True:\n    pass\nelse:\n    {0}:\n        pass\n",
        "with open('x'):\n    {0}:\n        pass\n",
        "def unlearning():\n    pass\n{0}:\n    pass\n",
        "# coding: latin-1\nx = 'caf\xe9'\n{0}:\n    pass\n",
        "x = '\\d'\n{0}:\n    pass\n",
    ],
)
def test_module_passes_when_the_last_top_level_definition_fits(source: str) -> None:
    check("entry.py", source.format(SIGNATURE).encode("latin-1"))


@pytest.mark.parametrize(
    "source",
    [
        b"def unlearning(",
        b"\x00",
        b"\xff\xfe",
        b"# coding: nonsense\n",
        b"# coding: rot13\n",
        b"(" * 100_000,
        b"-" * 100_000 + b"1",
        b"a" + b".b" * 100_000,
        b"+".join([b"1"] * 100_000),
        b"lambda:" * 30_000 + b"1",
        b"x = " + b"9" * 10_000,
        b"\n" * (MAX_SOURCE_BYTES + 1),
    ],
    ids=lambda source: repr(source[:16]),
)
def test_module_is_refused_when_it_does_not_parse(source: bytes) -> None:
    assert code_of("entry.py", source) == "not_python"


def test_module_is_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "ran"

    check("entry.py", f"open({str(trace)!r}, 'w')\n{SIGNATURE}:\n    pass\n".encode())

    assert not trace.exists()


@pytest.mark.parametrize(
    ("filename", "code"),
    [
        ("entry.ipynb", "not_a_notebook"),
        ("entry.txt", "unsupported_file"),
        ("entry", "unsupported_file"),
        (".py", "unsupported_file"),
        ("py", "unsupported_file"),
    ],
)
def test_file_is_refused_by_its_ending(filename: str, code: str) -> None:
    assert code_of(filename, MODULE) == code


def test_endings_are_read_without_case() -> None:
    assert kind_of("ENTRY.PY") is SubmissionKind.MODULE
    assert kind_of("entry.Zip") is SubmissionKind.ARCHIVE


@pytest.mark.parametrize(
    "files",
    [
        {"submission.py": MODULE, "other.py": MODULE, "data/weights.bin": b"\0" * 100},
        {"my_idea.py": MODULE, "readme.txt": b"hello", "pkg/__init__.py": b"", "pkg/broken.py": b"def ("},
        {"folder/submission.py": MODULE, "folder/pkg/part.py": b"", "__MACOSX/folder/._submission.py": b"\0\1"},
        {"submission.py": b"from method import unlearning\n", "method.py": MODULE},
    ],
    ids=["submission.py", "only module", "only folder", "re-exported"],
)
def test_archive_passes_and_unpacks_with_its_module_at_the_entry_point(files: dict[str, bytes], tmp_path: Path) -> None:
    data = make_zip(files)

    assert check("entry.zip", data).kind is SubmissionKind.ARCHIVE
    unpack("entry.zip", data, tmp_path)

    assert b"unlearning" in (tmp_path / "submission.py").read_bytes()
    assert not (tmp_path / "__MACOSX").exists()
    inner = {name.removeprefix("folder/"): content for name, content in files.items() if "MACOSX" not in name}
    for name, content in inner.items():
        assert (tmp_path / name).read_bytes() == content


def test_module_unpacks_as_it_is(tmp_path: Path) -> None:
    unpack("anything.py", MODULE, tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["submission.py"]
    assert (tmp_path / "submission.py").read_bytes() == MODULE


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "no_unlearning"),
        ({"readme.txt": b""}, "no_unlearning"),
        ({"a.py": MODULE, "b.py": MODULE}, "bad_archive"),
        ({"submission.py": b"x = 1", "b.py": MODULE}, "no_unlearning"),
        ({"submission.py": b"def unlearning(a): pass"}, "wrong_arity"),
        ({"b.py": b"def unlearning(a): pass"}, "wrong_arity"),
        ({"submission.py": b"def ("}, "not_python"),
        ({"deep/er/submission.py": MODULE}, "no_unlearning"),
        ({"a.py": MODULE, "submission.py/x": b""}, "bad_archive"),
        ({"submission.py": MODULE, "big.py": b"#" * MAX_SOURCE_BYTES * 2}, "archive_too_large"),
    ],
)
def test_archive_is_refused_without_one_module_to_run(files: dict[str, bytes], code: str) -> None:
    assert code_of("entry.zip", make_zip(files)) == code


@given(data=st.binary(max_size=2000))
def test_arbitrary_bytes_never_crash_the_check(data: bytes) -> None:
    for filename in ("x.py", "x.zip", "x.ipynb", "x"):
        try:
            check(filename, data)
        except Rejected as refused:
            assert refused.details["remedy"]


@given(source=st.text(alphabet="abdefgilnru ()[]{}:,=*'\"\\\n\t#.@0é\x00", max_size=300))
def test_arbitrary_sources_never_crash_the_check(source: str) -> None:
    try:
        check("x.py", source.encode())
    except Rejected as refused:
        assert refused.details["remedy"]


def test_the_module_to_run_is_found_by_the_python_that_will_run_it(tmp_path: Path) -> None:
    groups = b"try:\n    pass\nexcept* ValueError:\n    pass\n" + MODULE  # since Python 3.11
    archive = make_zip({"new.py": groups, "old.py": b"def f(a, b, c, d): pass\nunlearning = f\n"})
    for python, source in (((3, 11), "new.py"), ((3, 10), "old.py")):
        check("entry.zip", archive, python)
        unpack("entry.zip", archive, tmp_path, python)
        assert (tmp_path / "submission.py").read_bytes() == (tmp_path / source).read_bytes()
