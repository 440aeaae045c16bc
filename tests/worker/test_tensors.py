"""The safetensors code of the sandbox, against the library, and against hostile bytes."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load as library_load
from safetensors.numpy import save as library_save

from services.worker.runner import tensors

ARRAYS = st.dictionaries(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8),
    hnp.arrays(
        st.sampled_from([np.float32, np.float16, np.int64, np.uint8]),
        hnp.array_shapes(max_dims=3, max_side=4),
        elements=st.integers(0, 100),
    ),
    min_size=1,
    max_size=4,
)


@given(arrays=ARRAYS)
def test_encode_is_read_by_the_library(arrays: dict[str, np.ndarray]) -> None:
    found = library_load(tensors.encode(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@given(arrays=ARRAYS)
def test_load_reads_what_the_library_wrote(
    arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("t") / "x"
    path.write_bytes(library_save(arrays))
    found = tensors.load(str(path))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


@given(arrays=ARRAYS)
def test_encoded_size_counts_the_bytes(arrays: dict[str, np.ndarray]) -> None:
    assert tensors.encoded_size(tensors.specs_of(arrays)) == len(tensors.encode(arrays))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoint") / "c"


MODEL = {"bias": np.zeros(3, np.float32), "weight": np.ones((3, 4), np.float32)}
SPECS = tensors.specs_of(MODEL)


@given(data=st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(checkpoint: Path, data: bytes) -> None:
    checkpoint.write_bytes(data)
    with pytest.raises(tensors.BadTensors):
        tensors.load_untrusted(str(checkpoint), SPECS)


@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_changed_byte_is_refused_or_gives_a_model_of_the_same_form(
    checkpoint: Path, position: int, value: int
) -> None:
    data = bytearray(tensors.encode(MODEL))
    data[position % len(data)] = value
    checkpoint.write_bytes(data)
    try:
        found = tensors.load_untrusted(str(checkpoint), SPECS)
    except tensors.BadTensors:
        return
    assert tensors.specs_of(found) == SPECS
    assert all(np.isfinite(array).all() for array in found.values())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_value_that_is_not_finite_is_refused_by_name(checkpoint: Path, value: float) -> None:
    checkpoint.write_bytes(tensors.encode(MODEL | {"weight": np.full((3, 4), value, np.float32)}))
    with pytest.raises(tensors.BadTensors, match="tensor weight contains NaN"):
        tensors.load_untrusted(str(checkpoint), SPECS)


@pytest.mark.parametrize("change", [b"", b"x"], ids=["cut", "longer"])
def test_wrong_length_is_refused(checkpoint: Path, change: bytes) -> None:
    data = tensors.encode(MODEL)
    checkpoint.write_bytes(data + change if change else data[:-1])
    with pytest.raises(tensors.BadTensors):
        tensors.load_untrusted(str(checkpoint), SPECS)


def test_what_is_no_file_is_refused_and_left_closed(tmp_path: Path) -> None:
    """As often as a participant likes: each one left open would bring the worker's limit nearer."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "directory")
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for name in ("directory", "link", "pipe", "nothing"):
        with pytest.raises(tensors.BadTensors, match="cannot be opened"):
            tensors.load_untrusted(str(tmp_path / name), SPECS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
