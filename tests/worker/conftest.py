"""The tiny benchmark, and both sandbox backends to run it in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from services.worker.local import LocalRun, run_locally
from services.worker.supervisor import RunLimits
from tests.bundles import make_tiny_bundle

MEMORY_BYTES = 600 * 1024**2
Run = Callable[..., LocalRun]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(params=list(SandboxKind))
def sandbox_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of each sandbox backend in turn; the Docker one needs a real engine and our image."""
    if request.param is SandboxKind.DOCKER:
        request.getfixturevalue("sandbox_image")
    return Settings(data_dir=tmp_path / "var", sandbox=request.param, worker_slots=1)


@pytest.fixture
def run(bundle: Bundle, sandbox_settings: Settings) -> Run:
    """Run source code some times in the sandbox, with limits small enough to be hit."""

    def run_source(
        source: str,
        *,
        seeds: int = 2,
        timeout_s: float = 20.0,
        data_hidden: bool = False,
        seed_key: bytes = b"k" * 32,
        slots: int = 1,
    ) -> LocalRun:
        return run_locally(
            sandbox_settings.model_copy(update={"worker_slots": slots}),
            bundle,
            filename="entry.py",
            data=source.encode(),
            limits=RunLimits(seeds, timeout_s, MEMORY_BYTES, data_hidden),
            seed_key=seed_key,
        )

    return run_source
