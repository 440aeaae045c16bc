"""The directory of a build: one process at a time, kept by a build that failed, with no lock left behind."""

from pathlib import Path

import pytest

from services.benchmarks.resuming import BuildRunning, only_build


def test_second_build_of_one_destination_is_refused_and_others_are_not(tmp_path: Path) -> None:
    with only_build(tmp_path / "deep" / "digits") as work, only_build(tmp_path / "deep" / "faces"):
        with (
            pytest.raises(BuildRunning, match="Another build of digits is running"),
            only_build(tmp_path / "deep/digits"),
        ):
            pass
        assert work.is_dir()


def test_a_failed_build_keeps_its_directory_and_leaves_no_lock(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), only_build(tmp_path / "digits") as work:
        (work / "model").touch()
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["digits.building"]
    with only_build(tmp_path / "digits") as again:
        assert (again / "model").exists()
