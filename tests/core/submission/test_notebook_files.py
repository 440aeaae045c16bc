"""Notebooks as people save them, each taken or refused in words; and what their cells import."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.submission.file import check
from services.core.submission.source import Rejected
from tests.core.uploads import code_of

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cell(source: str | list[str], **changes: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source} | changes


def saved(*cells: dict[str, Any], **changes: Any) -> bytes:
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": KERNEL}, "cells": list(cells)} | changes
    return json.dumps(content).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        check("work.ipynb", data)
    assert caught.value.code == "not_a_notebook"
    return caught.value.message


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"colab": {"provenance": []}, "accelerator": "GPU", "kernelspec": {"name": "python3", "display_name": "P"}},
        {"kernelspec": KERNEL | {"language": "Python"}},
        {"kernelspec": KERNEL | {"language": ""}},
        {"kernelspec": KERNEL | {"language": None}, "language_info": {"name": "python"}},
        {"kernelspec": "broken", "language_info": {"name": "ipython"}},
        {"kernelspec": KERNEL, "papermill": {"default_parameters": {}}, "kaggle": {"accelerator": "none"}},
    ],
)
def test_a_notebook_in_python_is_taken_however_it_says_so(metadata: dict[str, Any]) -> None:
    check("work.ipynb", saved(cell("x = 1"), metadata=metadata))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (saved(nbformat=3, worksheets=[]), "work.ipynb is a notebook of format 3; Lethe runs format 4."),
        (saved(cell("x"), nbformat=5), "is a notebook of format 5"),
        (saved(cell("x"), metadata={"language_info": {"name": "julia"}}), "is written in 'julia', not Python"),
        (saved(cell("x"), metadata={"kernelspec": {"name": "ir"}, "language_info": {"name": "R"}}), "written in 'R'"),
        (saved(cell("x"), cell("y", cell_type="sql")), "cell 2: cell_type: Input should be 'code'"),
        (saved(cell("x"), {"cell_type": "code"}), "cell 2: source: Field required"),
        (b"", "is not a notebook: it is empty."),
        (b'{"cells": [\n<<<<<<< HEAD\n]}', "work.ipynb: line 2 is a mark of a merge conflict. Resolve the conflict."),
        (b'{\n"cells": [],\n}', "is not valid JSON in line 3: "),
        (b"# %%\nimport torch\n", "is not valid JSON in line 1: "),
        (b"\x1f\x8b\x08", "it is not valid JSON."),
        (b"[1]", "it is JSON of something else."),
    ],
)
def test_what_is_no_notebook_is_told_what_it_is(data: bytes, words: str) -> None:
    assert words in refusal(data)


@settings(deadline=None, max_examples=60)
@given(
    content=st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["code", "%%time", "import timm"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["cells", "nbformat", "metadata", "kernelspec", "source", "cell_type", "language"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_crashes_the_check(content: Any) -> None:
    try:
        check("work.ipynb", json.dumps(content).encode())
    except Rejected:
        assert code_of("work.ipynb", json.dumps(content).encode()) == "not_a_notebook"


def imported(*cells: str | list[str]) -> list[tuple[str, str, int]]:
    found = check("folder/work.ipynb", saved({"cell_type": "markdown", "source": "# T"}, *map(cell, cells))).imports
    assert not any(one.at_once for one in found)
    return [(one.name, one.file, one.line) for one in found]


def test_imports_of_cells_are_told_with_their_places() -> None:
    found = imported("import os\nimport timm", ["import numpy as np\n", "from torch.utils import data\n"])

    assert found == [
        ("timm", "work.ipynb, cell 2", 2),
        ("numpy", "work.ipynb, cell 3", 1),
        ("torch", "work.ipynb, cell 3", 2),
    ]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("!pip install timm\nimport timm", 2),
        ("%matplotlib inline\n\n\nimport timm", 4),
        ("%%time\nimport timm", 2),
        ("\n%%capture out\n\nimport timm", 4),
        ("files = !ls\nhere = %pwd\nimport timm", 3),
        ("torch.load?\nimport timm", 2),
        ("if x:\n    !nvidia-smi\nimport timm", 3),
        ("await f()\nimport timm", 2),
    ],
)
def test_lines_that_only_ipython_reads_hide_no_import(source: str, line: int) -> None:
    assert imported(source) == [("timm", "work.ipynb, cell 2", line)]


@pytest.mark.parametrize(
    "cells",
    [
        ["%%bash\nimport timm"],
        ["%%writefile src/helper.py\nimport timm", "import helper"],
        ["def f():\n    import timm"],
        ["try:\n    import timm\nexcept ImportError:\n    pass"],
        ["if x:\n    import timm"],
        ["import timm ("],
        ["x" * 600_000, "import os"],
    ],
)
def test_what_may_never_be_imported_is_left_out(cells: list[str]) -> None:
    assert imported(*cells) == []
