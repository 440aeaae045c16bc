"""What lies below the data directory is for nobody else on the machine, whatever the modes of single files are."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.core.bundle import store
from services.core.directories import private_directory
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from tests.bundles import make_tiny_bundle
from tests.databases import migrated_sqlite

SOMEBODY = 1_234_567
READABLE = 'for file; do test -r "$file" && echo "$file"; done; exit 0'


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.fixture
def careless_umask() -> Iterator[None]:
    """Let new files be open to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless_umask")
def test_a_new_directory_is_private_and_its_parents_are_ordinary(tmp_path: Path) -> None:
    assert private_directory(tmp_path / "above" / "data") == tmp_path / "above" / "data"
    assert mode(tmp_path / "above" / "data") == 0o700
    assert mode(tmp_path / "above") == 0o777


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o700), (0o2775, 0o700), (0o500, 0o500), (0o1777, 0o1777)])
def test_a_directory_that_exists_is_closed_unless_it_is_meant_for_all(tmp_path: Path, before: int, after: int) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    directory.chmod(before)
    private_directory(directory)
    assert mode(directory) & 0o1777 == after


@pytest.mark.usefixtures("careless_umask")
def test_another_user_reads_nothing_of_an_installation(tmp_path: Path) -> None:
    for directory in (tmp_path, *(parent for parent in tmp_path.parents if "pytest-" in str(parent))):
        directory.chmod(0o755)
    settings = Settings(data_dir=tmp_path / "var")
    blobs = Blobs.from_settings(settings)
    database = Database(migrated_sqlite(settings.data_dir / "lethe.db"))
    bundle = make_tiny_bundle(settings.benchmarks_dir / "tiny")
    with database.write() as session:
        store.publish(session, blobs, bundle)
    with database.read() as session:
        cached = store.materialise(session, blobs, bundle.manifest.digest, settings.bundle_cache)
    database.dispose()
    settings.key()
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    hidden = [path for path in files if path.parent.name == "hidden"]
    assert {path.parents[1] for path in hidden} == {bundle.root, cached.root}
    if os.geteuid() != 0:  # only root can become another user; the mode tells as much
        assert mode(settings.data_dir) == 0o700
        return
    control = tmp_path / "control"
    control.touch()
    command = ["sh", "-c", READABLE, "sh", str(control), *map(str, files)]
    done = subprocess.run(
        command, user=SOMEBODY, group=SOMEBODY, extra_groups=[], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(control)]
    assert mode(settings.bundle_cache) == 0o700
    assert all(mode(path) & 0o444 == 0o444 for path in hidden)  # a measurer, which is another user, has them mounted
