"""Environments on a real engine: an image is examined, kept, named by a phase, and told in the provenance."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from services.core import environments
from services.core.device import Device
from services.core.models import Submission
from services.core.queue import leases
from services.core.queue.leases import WorkerOffer
from services.core.settings import SandboxKind, Settings
from services.core.store.database import Database
from services.worker.backends import image_of, make_sandbox
from services.worker.environments import environments_here, examine, place_in
from services.worker.resources import Resources
from services.worker.sandbox.base import SandboxUnavailable
from services.worker.shard import prepare
from services.worker.slots import make_slots, stage_code
from services.worker.station import OWN, Place
from tests.api.test_environments import row
from tests.command import lethe
from tests.core.uploads import MODULE, make_zip
from tests.entries import NOISE
from tests.installation import Installation, installation, phase_of, seeds, shard_seeds
from tests.worker.test_attempt import Claim, claim, database, resources

__all__ = ["claim", "database", "installation", "resources", "seeds", "shard_seeds"]

OLD = "kaggle-2023"


@pytest.fixture
def sandbox_kind(sandbox_image: str) -> SandboxKind:
    del sandbox_image
    return SandboxKind.DOCKER


def test_scripts_and_workers_give_an_image_the_same_name(old_image: str, sandbox_image: str) -> None:
    assert (old_image, sandbox_image) == (image_of(OLD), image_of("current"))


def test_the_process_sandbox_is_examined_too(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", sandbox=SandboxKind.PROCESS, worker_slots=1)
    (slot,) = make_slots(settings, tmp_path / "work")
    with closing(make_sandbox(settings, tmp_path / "work", stage_code(tmp_path / "work"))) as sandbox:
        found = examine(sandbox, slot, name="current", device=Device.CPU)
    assert (found.digest, found.size_bytes) == ("", 0)
    assert {"torch", "numpy", "sklearn"} <= set(found.modules)
    assert not {"services", "os", "_pytest"} & set(found.modules)


def test_an_image_without_torch_is_refused(docker_engine: object, tmp_path: Path) -> None:
    del docker_engine
    settings = Settings(
        data_dir=tmp_path / "var", sandbox=SandboxKind.DOCKER, sandbox_image="debian:bookworm-slim", worker_slots=1
    )
    (slot,) = make_slots(settings, tmp_path / "work")
    with (
        closing(make_sandbox(settings, tmp_path / "work", stage_code(tmp_path / "work"))) as sandbox,
        pytest.raises(SandboxUnavailable, match="python3"),
    ):
        examine(sandbox, slot, name="bare", device=Device.CPU)


def test_a_worker_claims_only_what_it_has_the_image_for(claim: Claim, database: Database) -> None:
    attempt = claim(NOISE)
    with database.write() as session:
        leases.release(session, attempt.lease)
        without = WorkerOffer("w", Device.CPU, "cpu-x86_64", 2**40, environments=frozenset({"old"}))
        assert leases.claimable(session, without) is None
        having = WorkerOffer("w", Device.CPU, "cpu-x86_64", 2**40, environments=frozenset({"old", "current"}))
        assert leases.claimable(session, having) == attempt.lease.shard_id


def test_a_worker_runs_the_module_that_the_environments_python_can_read(claim: Claim, resources: Resources) -> None:
    attempt = claim(NOISE)
    since_3_11 = b"try:\n    pass\nexcept* ValueError:\n    pass\n" + MODULE
    archive = make_zip({"new.py": since_3_11, "old.py": b"def method(a, b, c, d): pass\nunlearning = method\n"})
    for python, chosen in (("3.11.2", b"except*"), ("3.10.12", b"method")):
        with resources.database.write() as session:
            submission = session.scalars(select(Submission)).one()
            submission.filename = "entry.zip"
            submission.blob = submission.evaluation.code_sha256 = resources.blobs.put(archive)
            environments.keep(session, row("current", python=python))
        prepare(resources.database, resources.blobs, attempt.lease, attempt.slot, resources.settings.bundle_cache)
        assert chosen in (attempt.slot.submission / "submission.py").read_bytes()


def test_an_environment_is_here_if_the_engine_has_that_very_image(
    sandbox_image: str, tmp_path: Path, database: Database
) -> None:
    settings = Settings(data_dir=tmp_path, sandbox=SandboxKind.DOCKER, sandbox_image=sandbox_image)
    with closing(make_sandbox(settings, tmp_path / "work", stage_code(tmp_path / "work"))) as sandbox:
        with database.write() as session:
            session.add_all([row("here", digest=sandbox.provenance()["image_id"]), row("elsewhere")])
        with database.read() as session:
            assert environments_here(session, sandbox, ["current"]) == {"current", "here"}


def test_packages_are_told_only_of_runs_in_the_image_that_was_examined() -> None:
    """Workers may have different images under the name `current`."""
    examined = row("current", digest="sha256:a", packages={"torch": "2.13.0", "numpy": "2.4"})
    with_row = Place(told={"environment": "current"}, packages=place_in(examined).packages)

    assert with_row.described({"image_id": "sha256:a"})["packages"] == "torch==2.13.0 numpy==2.4"
    assert with_row.described({"image_id": "sha256:b"}) == {"image_id": "sha256:b", "environment": "current"}
    assert OWN.described({"sandbox": "process"}) == {"sandbox": "process"}


def test_an_added_environment_runs_a_phase_and_is_in_the_provenance(
    installation: Installation, old_image: str, tmp_path: Path
) -> None:
    def operator(*arguments: str, check: bool = True) -> str:
        data_dir = str(installation.settings.data_dir)
        return lethe("environment", *arguments, check=check, LETHE_DATA_DIR=data_dir, LETHE_SANDBOX="docker").stderr

    operator("add", "two-zero", OLD)
    shown = installation.lethe("environment", "show", "two-zero").stdout
    assert "torch==1.13.0" in shown
    assert old_image in shown
    installation.client.post(
        "/api/competitions/cup/phases", phase_of("tiny", slug="old", environment="two-zero", seeds=8, shard_seeds=8)
    )

    in_old = installation.submit(NOISE, tmp_path, "-p", "old", "--wait")
    in_own = installation.submit(NOISE + "# own\n", tmp_path, "--wait")

    assert (in_old["state"], in_own["state"]) == ("scored", "scored")
    assert in_old["provenance"]["environment"] == "two-zero"
    assert in_old["provenance"]["torch"].startswith("1.13.0")
    assert in_old["provenance"]["image"] == old_image
    assert " torch==1.13.0" in in_old["provenance"]["packages"]
    assert "numpy==" in in_own["provenance"]["packages"] and "torch==1.13.0" not in in_own["provenance"]["packages"]
    assert in_own["provenance"]["environment"] == "current"
    assert in_own["provenance"]["torch"].startswith("2.13.0")
    assert "two-zero" in installation.lethe("environment", "list").stdout
    assert "phase 'old' runs in it" in operator("remove", "two-zero", check=False)
