"""The places that are attacked: Docker with runc, Docker with gVisor, and the process sandbox."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker
import pytest

from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from services.worker.backends import worker_name
from tests.bundles import make_tiny_bundle
from tests.real_services import missing
from tests.sandbox.attacks import Attack
from tests.sandbox.opened import OpenDocker, leave_open
from tests.sandbox.place import PLACES, Place, open_place
from tests.sandbox.shared import SharedDocker, share_cells

GVISOR = "runsc"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out attacks against places that promise nothing against them."""
    out = [item for item in items if isinstance(item, pytest.Function) and not _is_promised(item)]
    if out:
        items[:] = [item for item in items if item not in out]
        config.hook.pytest_deselected(items=out)


def _is_promised(item: pytest.Function) -> bool:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    attack = parameters.get("attack")
    return not isinstance(attack, Attack) or attack.runs_in(str(parameters["place"]))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Each place in turn; honest code has been scored there."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("var"), sandbox=SandboxKind.PROCESS)
    if request.param != "process":
        settings = _in_docker(settings, request)
    with open_place(request.param, settings, bundle) as opened:
        assert opened.honest.kind == "scored", f"Honest code fails here, so nothing can be tested: {opened.honest}"
        yield opened


@pytest.fixture(scope="module")
def weak_place(
    request: pytest.FixtureRequest, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Docker with a launcher that makes no cells, to show that attacks would be seen if they succeeded."""
    image = request.getfixturevalue("sandbox_image")
    settings = Settings(data_dir=tmp_path_factory.mktemp("var"), sandbox=SandboxKind.DOCKER, sandbox_image=image)
    with open_place("weak", settings, bundle, weaken=_leave_out_cells) as opened:
        assert opened.honest.kind == "scored", opened.honest
        yield opened


@pytest.fixture(scope="module")
def open_container(
    request: pytest.FixtureRequest, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Docker that keeps nothing away, to show that attacks would be seen if they succeeded."""
    with _changed("open", OpenDocker, leave_open, request, bundle, tmp_path_factory) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_place(
    request: pytest.FixtureRequest, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """Docker whose sandboxes share all with each other, to show that attacks between them would be seen."""
    with _changed("shared", SharedDocker, share_cells, request, bundle, tmp_path_factory) as opened:
        yield opened


@contextmanager
def _changed(
    name: str,
    sandbox: type[OpenDocker],
    weaken: Callable[[Path], None],
    request: pytest.FixtureRequest,
    bundle: Bundle,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """Open a place of another kind of Docker sandbox, with changed code in it, in which honest code still runs."""
    image = request.getfixturevalue("sandbox_image")
    settings = Settings(data_dir=tmp_path_factory.mktemp("var"), sandbox=SandboxKind.DOCKER, sandbox_image=image)
    with open_place(
        name, settings, bundle, weaken, lambda _, work, code: sandbox(image, code, worker_name(work))
    ) as opened:
        assert opened.honest.kind == "scored", opened.honest
        yield opened


def _in_docker(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    image = request.getfixturevalue("sandbox_image")
    runtime = ""
    if request.param == "gvisor":
        engine: docker.DockerClient = request.getfixturevalue("docker_engine")
        if GVISOR not in engine.info()["Runtimes"]:
            missing("gVisor as the Docker runtime runsc", "see scripts/ci-services")
        runtime = GVISOR
    return settings.model_copy(
        update={"sandbox": SandboxKind.DOCKER, "sandbox_image": image, "sandbox_runtime": runtime}
    )


def _leave_out_cells(code: Path) -> None:
    weak = Path(__file__).with_name("weak_cells.py")
    code.joinpath("services/worker/runner/isolated.py").write_text(weak.read_text())
