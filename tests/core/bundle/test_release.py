"""Release archives: small, whole, with checksums, and with all that evaluating needs."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from services.core.bundle.acceptance import accept_unfit
from services.core.bundle.archive import import_bundle
from services.core.bundle.directory import Bundle
from services.core.bundle.manifest import BadBundle, UnfitBenchmark
from services.core.bundle.release import ReleaseTooLarge, write_release
from services.core.errors import BadInput
from tests.bundles import make_tiny_bundle, make_unfit_bundle


def test_a_release_is_checked_and_imported_whole(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    (one,) = write_release([bundle], tmp_path / "release")
    archive = tmp_path / "release/tiny.tar"
    assert (one.name, one.digest, one.size_bytes) == ("tiny", bundle.manifest.digest, archive.stat().st_size)
    assert one.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=tmp_path / "release", capture_output=True, text=True, check=True
    )
    assert checked.stdout == "tiny.tar: OK\n"
    page = (tmp_path / "release/BENCHMARKS.md").read_text()
    assert f"lethe benchmark import tiny.tar --digest {one.digest}" in page
    carried = import_bundle(archive, tmp_path / "carried", digest=one.digest)
    carried.verify()
    assert carried.manifest == bundle.manifest
    assert len(carried.oracle()) == bundle.manifest.oracle_seeds
    assert carried.test_labels().tolist() == bundle.test_labels().tolist()


def test_any_changed_byte_of_an_archive_is_found(tmp_path: Path) -> None:
    """One byte of every member, and one of the manifest."""
    bundle = make_tiny_bundle(tmp_path / "tiny")
    (one,) = write_release([bundle], tmp_path / "release")
    data = (tmp_path / "release/tiny.tar").read_bytes()
    for relative in bundle.manifest.files:
        content = (bundle.root / relative).read_bytes()
        place = data.index(content) + len(content) // 2
        broken = tmp_path / "broken.tar"
        broken.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(BadBundle, match="damaged"):
            import_bundle(broken, tmp_path / "refused", digest=one.digest)
    place = data.index(b'"title": "') + 10
    broken.write_bytes(data[:place] + b"?" + data[place + 1 :])
    with pytest.raises(BadBundle, match="not"):
        import_bundle(broken, tmp_path / "refused", digest=one.digest)
    assert not (tmp_path / "refused").exists()


def test_a_benchmark_above_the_bound_is_refused_with_its_largest_file(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    size = sum(entry.size_bytes for entry in bundle.manifest.files.values())
    with pytest.raises(ReleaseTooLarge, match="Its largest file is hidden/"):
        write_release([bundle], tmp_path / "release", most_bytes=size - 1)
    assert not (tmp_path / "release").exists()
    write_release([bundle], tmp_path / "release", most_bytes=size)


def test_an_unfit_benchmark_is_released_only_if_it_was_accepted(tmp_path: Path) -> None:
    bundle = make_unfit_bundle(tmp_path / "tiny")
    with pytest.raises(UnfitBenchmark):
        write_release([bundle], tmp_path / "release")
    assert not (tmp_path / "release").exists()
    accepted = accept_unfit(bundle, "It shows what unfit means.")
    write_release([accepted], tmp_path / "release")


def test_nothing_is_overwritten_and_no_name_is_given_twice(tmp_path: Path) -> None:
    bundle = make_tiny_bundle(tmp_path / "tiny")
    with pytest.raises(BadInput, match="same name"):
        write_release([bundle, Bundle(bundle.root)], tmp_path / "release")
    (tmp_path / "release").mkdir()
    (tmp_path / "release/precious").touch()
    with pytest.raises(BadInput, match="not an empty directory"):
        write_release([bundle], tmp_path / "release")
