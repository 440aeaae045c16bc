"""Uploads of hostile bytes: every one is accepted, or refused with a remedy. Nothing else may escape."""

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.submission import file
from services.core.submission.source import Rejected
from tests.mutations import mutations_of

SOURCE = b"import math\n\n\ndef unlearning(net, retain_loader, forget_loader, val_loader):\n    return net\n"
CODE: dict[str, Any] = {
    "cell_type": "code",
    "source": ["print('x')"],
    "outputs": [],
    "metadata": {},
    "execution_count": None,
}
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "cells": [CODE], "metadata": {"kernelspec": {"language": "python"}}}


def packed(members: dict[str, bytes], compression: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


ARCHIVES = [
    packed({"submission.py": SOURCE}, zipfile.ZIP_STORED),
    packed({"top/entry.py": SOURCE, "top/data/läng.bin": b"x" * 300}, zipfile.ZIP_DEFLATED),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9) | st.just("code"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


def accept_or_reject(name: str, data: bytes) -> None:
    try:
        file.check(name, data)
    except Rejected as refusal:
        assert str(refusal).encode().decode()


@given(data=mutations_of(ARCHIVES))
@settings(max_examples=1500, deadline=None)
def test_any_archive_is_accepted_or_rejected(data: bytes) -> None:
    accept_or_reject("entry.zip", data)


@given(data=mutations_of([SOURCE]))
@settings(max_examples=500, deadline=None)
def test_any_source_is_accepted_or_rejected(data: bytes) -> None:
    accept_or_reject("entry.py", data)


@given(data=mutations_of([json.dumps(NOTEBOOK).encode()]))
@settings(max_examples=500, deadline=None)
def test_any_notebook_is_accepted_or_rejected(data: bytes) -> None:
    accept_or_reject("entry.ipynb", data)


METADATA = st.fixed_dictionaries({"kernelspec": st.fixed_dictionaries({"language": VALUES}) | VALUES}) | VALUES
CELLS = st.lists(st.just(CODE) | VALUES, max_size=3) | VALUES


@given(notebook=st.fixed_dictionaries({"nbformat": st.just(4) | VALUES, "cells": CELLS, "metadata": METADATA}))
@settings(max_examples=500, deadline=None)
def test_notebook_of_any_values_is_accepted_or_rejected(notebook: dict[str, Any]) -> None:
    accept_or_reject("entry.ipynb", json.dumps(notebook).encode())


@pytest.mark.parametrize("depth", [900, 960, 980, 990, 5000, 100_000])
def test_deep_notebook_is_accepted_or_rejected(depth: int) -> None:
    """As deep as a parser takes may be deeper than a printer takes."""
    deep = "[" * depth + "]" * depth
    for place in ('"metadata": {"kernelspec": {"language": %s}}', '"metadata": %s', '"x": %s'):
        accept_or_reject("entry.ipynb", f'{{"nbformat": 4, "cells": [{json.dumps(CODE)}], {place % deep}}}'.encode())
