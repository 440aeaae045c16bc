"""The tiny benchmark, and both sandbox backends to run it in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from services.core.bundle.directory import Bundle
from services.core.settings import SandboxKind, Settings
from services.worker.local import LocalRun, LocalWorker, local_worker
from services.worker.supervisor import RunLimits
from tests.bundles import make_tiny_bundle

MEMORY_BYTES = 600 * 1024**2
Run = Callable[..., LocalRun]
WorkerIn = Callable[[SandboxKind, int], LocalWorker]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture(scope="module")
def worker_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerIn]:
    """Find the worker that all tests of a file share, one for each sandbox and number of slots, opened when wanted."""
    with ExitStack() as opened:

        @cache
        def worker(kind: SandboxKind, slots: int) -> LocalWorker:
            settings = Settings(data_dir=tmp_path_factory.mktemp("var"), sandbox=kind, worker_slots=slots)
            return opened.enter_context(local_worker(settings))

        yield worker


@pytest.fixture(params=list(SandboxKind))
def sandbox_kind(request: pytest.FixtureRequest) -> SandboxKind:
    """Each sandbox backend in turn; the Docker one needs a real engine and our image."""
    kind: SandboxKind = request.param
    if kind is SandboxKind.DOCKER:
        request.getfixturevalue("sandbox_image")
    return kind


@pytest.fixture
def run(bundle: Bundle, sandbox_kind: SandboxKind, worker_in: WorkerIn) -> Run:
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
        return worker_in(sandbox_kind, slots).run(
            bundle,
            filename="entry.py",
            data=source.encode(),
            limits=RunLimits(seeds, timeout_s, MEMORY_BYTES, data_hidden),
            seed_key=seed_key,
        )

    return run_source
