"""Sources as people save and write them: each is taken, or refused in words that name what is there."""

import pytest

from services.core.submission.file import check
from services.core.submission.source import Rejected
from tests.core.uploads import MODULE, SIGNATURE, make_zip

TEXT = MODULE.decode()


def refusal(data: bytes, filename: str = "entry.py") -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        check(filename, data)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + MODULE,
        MODULE.replace(b"\n", b"\r\n"),
        MODULE.replace(b"\n", b"\r"),
        b"# text\rx = 'encoding=ascii \xc3\xa9'\r" + MODULE.replace(b"\n", b"\r"),
        b"# -*- coding: cp1252 -*-\nx = '\x93quoted\x94'\n" + MODULE,
        "# coding: shift_jis\nx = '\u30bd'\n".encode("shift_jis") + MODULE,
        "x = '\U0001f468 \u00a0'\n".encode() + MODULE,
    ],
)
def test_text_is_taken_in_every_form_that_python_reads(data: bytes) -> None:
    check("entry.py", data)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("filename", ["entry.py", "entry.zip"])
def test_wide_text_is_named(encoding: str, filename: str) -> None:
    """PowerShell's `>` writes UTF-16."""
    data = TEXT.encode(encoding)
    code, message = refusal(make_zip({"submission.py": data}) if filename.endswith("zip") else data, filename)

    assert code == "not_python"
    assert f"is encoded as {encoding[:6].upper()}. Save it as UTF-8." in message


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"x = 1\n\0" + MODULE, "entry.py, line 2 contains a NUL byte. Remove it."),
        (b"x = 1\r\ny = 'caf\xe9'\n" + MODULE, "entry.py, line 2 is not valid UTF-8: it holds the byte 0xE9. Save"),
        (b"x = 1\ry = '\x93a\x94'\n" + MODULE, "line 2 is not valid UTF-8: it holds the byte 0x93."),
        ("x = '\u6570\u636e'\n".encode("gbk") + MODULE, "line 1 is not valid UTF-8"),
        (b"x = \xe2\x80\x9ca\xe2\x80\x9d\n" + MODULE, "line 1 does not parse: invalid character '\u201c' (U+201C)"),
        (b"# coding: klingon\n" + MODULE, "unknown encoding: klingon"),
    ],
)
def test_bytes_that_are_no_source_are_named_with_their_line(data: bytes, words: str) -> None:
    code, message = refusal(data)

    assert code == "not_python"
    assert words in message


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("type X = int", "3.12"),
        ("type Pair[T] = tuple[T, T]", "3.12"),
        ("def first[T](items: list[T]) -> T: return items[0]", "3.12"),
        ("class Box[T]: pass", "3.12"),
        ("x = f'{a['b']}'", "3.12"),
        ('x = f"{f"{1}"}"', "3.12"),
        ("x = f'{\"\\n\".join(a)}'", "3.12"),
        ("print(f'{", "3.12"),
        ("x = rf'{a  # why", "3.12"),
        ("x = t'{a}'", "3.14"),
    ],
)
def test_syntax_of_a_newer_python_is_named_with_the_sandboxs(line: str, version: str) -> None:
    code, message = refusal(f"{line}\n{TEXT}".encode())

    assert code == "not_python"
    assert message.startswith("entry.py, line 1 does not parse: ")
    assert message.endswith(f"Write it without the syntax of Python {version}. The sandbox runs Python 3.11.")


def test_an_except_without_brackets_is_syntax_of_a_newer_python() -> None:
    _, message = refusal(f"try:\n    pass\nexcept TypeError, ValueError:\n    pass\n{TEXT}".encode())

    assert message.endswith("Write it without the syntax of Python 3.14. The sandbox runs Python 3.11.")


@pytest.mark.parametrize(
    "source", ["try:\n    pass\nexcept* ValueError:\n    pass\n", "match 1:\n    case _: pass\n", "x = (y := 1)\n"]
)
def test_syntax_of_the_sandboxs_python_is_taken(source: str) -> None:
    check("entry.py", f"{source}{TEXT}".encode())


def test_any_other_error_names_the_sandboxs_python_too() -> None:
    assert refusal(b"def unlearning(:\n")[1].endswith("The sandbox runs Python 3.11.")


@pytest.mark.parametrize("line", ["%matplotlib inline", "!pip install timm", "    %%time"])
def test_lines_of_notebooks_are_named(line: str) -> None:
    assert "they work only in notebooks" in refusal(f"{line.strip()}\n{TEXT}".encode())[1]


@pytest.mark.parametrize(
    "line", ["print 'x'", "    exec code", "except ValueError, e:", "  except socket.error , error :"]
)
def test_python_2_is_named(line: str) -> None:
    head = "try:\n    pass\n" if "except" in line else ""

    assert (
        "It is written for Python 2: convert it to Python 3." in refusal(f"{head}{line.strip()}\n    pass".encode())[1]
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (make_zip({"submission.py": MODULE}), "entry.py is a zip archive. Let its name end in .zip."),
        (b'{"cells": [], "nbformat": 4}', "entry.py is a notebook. Let its name end in .ipynb."),
        (b'{\n "metadata": {"a": 1}}', "entry.py is a notebook."),
        (b"\n<!DOCTYPE html>\n<html>", "entry.py is a web page. Download the file itself"),
        (b"x = 1\n<<<<<<< HEAD\n" + MODULE, "line 2 does not parse: invalid syntax. Resolve the merge conflict"),
        (b"x = 1\n=======\n" + MODULE, "Resolve the merge conflict"),
    ],
)
def test_what_is_no_module_is_told_what_it_is(data: bytes, words: str) -> None:
    assert words in refusal(data)[1]


FOUR = "net, retain_loader, forget_loader, val_loader"


@pytest.mark.parametrize(
    "source",
    [
        f"import functools\ndef method({FOUR}, lr): pass\nunlearning = functools.partial(method, lr=0.1)",
        f"def method({FOUR}): pass\nunlearning = method",
        "import pkg\nunlearning = pkg.unlearning",
        "unlearning = lambda net, *loaders: net",
        f"unlearning: object = decorated(lambda {FOUR}: net)",
        "class Method:\n    def __call__(self, a, b, c, d): pass\nunlearning = Method()",
        f"class Method:\n    @staticmethod\n    def run({FOUR}): pass\nunlearning = Method.run",
        "import torch\nclass unlearning(torch.nn.Module): pass",
        "class unlearning:\n    def __new__(cls, a, b, c, d): return a",
        f"for name in ('a', 'b'):\n    def unlearning({FOUR}): pass",
        f"match 1:\n    case _:\n        def unlearning({FOUR}): pass",
        "unlearning, helper = make(), 1",
        f"@given(lr=0.1)\ndef unlearning({FOUR}, lr): pass",
        f"@timed\n@lib.with_teacher\ndef unlearning(teacher, {FOUR}): pass",
        f"@blocking\nasync def unlearning({FOUR}): pass",
        f"@whole\ndef unlearning({FOUR}):\n    yield net",
        f"def unlearning({FOUR}):\n    def steps():\n        yield 1\n    return [(yielded for yielded in steps())]",
        f"@torch.no_grad()\ndef unlearning({FOUR}): pass",
        f"unlearning = None\ndef unlearning({FOUR}): pass",
    ],
)
def test_whatever_the_runner_would_call_is_taken(source: str) -> None:
    check("entry.py", source.encode())


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (f"def Unlearning({FOUR}): pass", "no_unlearning", "Rename `Unlearning` in line 1"),
        (f"x = 1\ndef unlearn({FOUR}): pass", "no_unlearning", "Rename `unlearn` in line 2"),
        (f"def un_learning({FOUR}): pass", "no_unlearning", "Rename `un_learning`"),
        (f"def unleraning({FOUR}): pass", "no_unlearning", "Rename `unleraning`"),
        (f"def scrub({FOUR}): pass\ndef main(): pass", "no_unlearning", "It has `scrub`, `main`."),
        (
            "class A:\n    def unlearning(self, a, b, c, d): pass",
            "no_unlearning",
            "line 2 is a method of the class `A`",
        ),
        (
            "def outer():\n    def unlearning(a, b, c, d): pass",
            "no_unlearning",
            "line 2 is inside the function `outer`",
        ),
        (
            f"if __name__ == '__main__':\n    def unlearning({FOUR}): pass",
            "no_unlearning",
            "line 2 is in a block that never runs in a sandbox",
        ),
        ("unlearning = None", "no_unlearning", "line 1: `unlearning` is a constant"),
        ("unlearning = {'lr': 1}", "no_unlearning", "is a dictionary"),
        ("import unlearning", "no_unlearning", "is a module"),
        ("import method.core as unlearning", "no_unlearning", "is a module"),
        ("class unlearning:\n    def __init__(self, a, b, c, d): pass", "no_unlearning", "is a class"),
        ("unlearning = print", "no_unlearning", "is `print`, which the module does not define"),
        (f"def unlearning({FOUR}): pass\ndel unlearning", "no_unlearning", "does not define"),
        ("from method import unlearning", "no_unlearning", "takes `unlearning` from `method`, which a single file"),
        ("from .core import unlearning", "no_unlearning", "takes `unlearning` from `.core`"),
        ("from method import *", "no_unlearning", "takes `unlearning` from `method`"),
        ("unlearning = lambda net: net", "wrong_arity", "takes 1 positional arguments; Lethe calls it with 4"),
        ("def method(net): pass\nunlearning = method", "wrong_arity", "takes 1 positional arguments"),
        (f"async def unlearning({FOUR}): pass", "wrong_arity", "is async"),
        (f"async def method({FOUR}): pass\nunlearning = method", "wrong_arity", "is async"),
        ("@torch.no_grad()\ndef unlearning(net): pass", "wrong_arity", "takes 1 positional arguments"),
        ("@no_grad\n@torch.compile\ndef unlearning(net): pass", "wrong_arity", "takes 1 positional arguments"),
        (f"def unlearning(*, {FOUR}): pass", "wrong_arity", "takes 0 positional arguments; Lethe calls it with 4"),
        (f"def unlearning({FOUR}, *, lr): pass", "wrong_arity", "requires the keyword arguments lr"),
        (f"def unlearning({FOUR}):\n    for x in y:\n        z = yield net", "wrong_arity", "is a generator"),
        (f"unlearning = lambda {FOUR}: (yield from net)", "wrong_arity", "is a generator: a call of it runs nothing"),
    ],
)
def test_a_refusal_names_what_the_module_has(source: str, code: str, words: str) -> None:
    found, message = refusal(source.encode())

    assert found == code
    assert words in message


@pytest.mark.parametrize(
    "files",
    [
        {
            "submission.py": "from pkg import unlearning",
            "pkg/__init__.py": "from .core import unlearning",
            "pkg/core.py": TEXT,
        },
        {"main.py": "from pkg.core import run as unlearning", "pkg/core.py": f"def run({FOUR}): pass"},
        {"submission.py": "import pkg.core\nunlearning = pkg.core.run", "pkg/core.py": f"def run({FOUR}): pass"},
        {"submission.py": "from core import *", "core.py": TEXT},
        {"submission.py": "from core import unlearning", "core.py": "def __getattr__(name): return print"},
        {"submission.py": "from elsewhere import unlearning"},
        {
            "submission.py": f"try:\n    from .core import x\nexcept ImportError:\n    from core import x\n{TEXT}",
            "core.py": "x = 1",
        },
        {"submission.py": f"if __package__:\n    from .core import x\n{TEXT}"},
        {
            "submission.py": f"import core\n{TEXT}",
            "core.py": "import pkg.a",
            "pkg/a.py": "from . import b",
            "pkg/b.py": "",
        },
        {"submission.py": TEXT, "unused.py": "from .core import x"},
        {"my_idea.py": TEXT, "old.py": "print 'of Python 2'"},
        {
            "top/submission.py": f"from pkg.a import x\n{TEXT}",
            "top/pkg/a.py": "from .b import x",
            "top/pkg/b.py": "x = 1",
        },
    ],
)
def test_archives_whose_imports_lead_somewhere_are_taken(files: dict[str, str]) -> None:
    check("entry.zip", make_zip({name: source.encode() for name, source in files.items()}))


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        (
            {"submission.py": "from .core import unlearning", "core.py": TEXT},
            "relative_import",
            "submission.py, line 1: `from .core import unlearning` leaves the top of the submission, which is no "
            "package. Write `from core import unlearning`.",
        ),
        ({"my_idea.py": f"from . import core\n{TEXT}", "core.py": ""}, "relative_import", "Write `import core`."),
        (
            {"top/submission.py": f"from .a import b\n{TEXT}", "top/a.py": ""},
            "relative_import",
            "submission.py, line 1",
        ),
        (
            {"submission.py": f"import core\n{TEXT}", "core.py": "from .a import b"},
            "relative_import",
            "core.py, line 1",
        ),
        (
            {"submission.py": f"from pkg import a\n{TEXT}", "pkg/__init__.py": "", "pkg/a.py": "from ..x import b"},
            "relative_import",
            "pkg/a.py, line 1: `from ..x import b`",
        ),
        (
            {"submission.py": f"{SIGNATURE}:\n    from .core import run\n", "core.py": ""},
            "relative_import",
            "submission.py, line 2",
        ),
        (
            {"submission.py": "from core import unlearning", "core.py": "def unlearning(net): pass"},
            "wrong_arity",
            "core.py, line 1: `unlearning` takes 1 positional arguments",
        ),
        (
            {"submission.py": "from pkg import run as unlearning", "pkg/__init__.py": ""},
            "no_unlearning",
            "pkg/__init__.py does not define a top-level function `run`",
        ),
        ({"submission.py": f"import core\n{TEXT}", "core.py": "def ("}, "not_python", "core.py, line 1"),
        ({"my_idea.py": f"import old\n{TEXT}", "old.py": "print 'x'"}, "not_python", "old.py, line 1"),
        ({"old.py": "print 'x'", "a.py": "x = 1"}, "not_python", "old.py, line 1 does not parse"),
    ],
)
def test_archives_whose_imports_must_fail_are_refused(files: dict[str, str], code: str, words: str) -> None:
    found, message = refusal(make_zip({name: source.encode() for name, source in files.items()}), "entry.zip")

    assert found == code
    assert words in message


def test_relative_import_in_a_lone_module_is_refused() -> None:
    assert refusal(f"from .utils import helper\n{TEXT}".encode())[0] == "relative_import"
