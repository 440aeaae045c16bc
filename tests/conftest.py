"""Fixtures that every test may use: real database servers, a real Redis, a Docker engine and the sandbox's image."""

import gc
import os
import subprocess
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import pytest
import redis
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from services.core.bundle.directory import Bundle
from services.core.environments import CURRENT
from services.worker.backends import BUILT_IN, image_of
from tests.databases import EMPTY, migrate_postgres_template, migrated_sqlite, postgres_copy
from tests.kinds import KINDS, all_slow, in_order, is_slow, mark_kinds
from tests.real_services import missing, postgres_server, redis_server, s3_environment, s3_server
from tests.shared import made_once
from tests.sharing_out import ByFiles

# No test asserts a duration; all else stays as hypothesis chooses it for this machine or for CI.
settings.register_profile("lethe", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lethe")

SANDBOX_IMAGE_SCRIPT = Path(__file__).parents[1] / "scripts" / "sandbox-image"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="Leave out every test that takes long: " + ", ".join(KINDS))
    parser.addoption(
        "--environment", choices=sorted(BUILT_IN), default=CURRENT, help="Sandboxes run in this environment's image."
    )


def pytest_configure(config: pytest.Config) -> None:
    if (environment := config.getoption("--environment")) != CURRENT:
        os.environ["LETHE_SANDBOX_IMAGE"] = image_of(environment)
    for kind, meaning in KINDS.items():
        config.addinivalue_line("markers", f"{kind}: {meaning}")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: a zip holds the time it was made at, and two processes must give one name."""
    return argname if isinstance(val, bytes | bytearray) else None


def pytest_itemcollected(item: pytest.Item) -> None:
    mark_kinds(item)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if config.getoption("--fast") and all_slow(collection_path) else None


@pytest.hookimpl(trylast=True)  # after pytest has put tests that share a fixture beside one another
def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    if config.getoption("--fast"):
        config.hook.pytest_deselected(items=[item for item in items if is_slow(item)])
        items[:] = [item for item in items if not is_slow(item)]
    items[:] = in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFiles | None:
    return ByFiles(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL server shared by all tests."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres_url(postgres_url: str) -> str:
    """The URL of the PostgreSQL server, which holds a migrated database to copy."""
    migrate_postgres_template(postgres_url)
    return postgres_url


@pytest.fixture
def fresh_postgres_url(migrated_postgres_url: str) -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL database of the newest schema, dropped after the test."""
    with postgres_copy(migrated_postgres_url) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database of the newest schema."""
    return migrated_sqlite(tmp_path / "test.db")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database of the newest schema; the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "fresh_postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table, once of each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with postgres_copy(request.getfixturevalue("postgres_url"), EMPTY) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis server shared by all tests."""
    with redis_server() as url:
        yield url


@pytest.fixture
def fresh_redis_url(redis_url: str) -> str:
    """The URL of the Redis server, emptied for this test."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The address of an S3 server shared by all tests, with the bucket `lethe`."""
    with s3_server() as url:
        yield url


@pytest.fixture
def s3_blob_url(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place of its own in the bucket, and the environment that says how to reach it."""
    for name, value in s3_environment(s3_url).items():
        monkeypatch.setenv(name, value)
    return f"s3://lethe/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A benchmark for notebooks, shared by all tests: it takes half a minute."""
    from tests.faces import make_faces_bundle  # imported here because it imports torch, which most tests do without

    return Bundle(
        made_once(tmp_path_factory, "faces", lambda place: make_faces_bundle(place / "faces-test")) / "faces-test"
    )


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of the Docker engine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # docker-py drops its socket when nobody answers
        try:
            client = docker.from_env(timeout=120)
        except docker.errors.DockerException as error:
            reason = str(error)
        else:
            reason = ""
        gc.collect()
    if reason:
        missing(f"A Docker engine ({reason})", "apt-get install docker.io, and start dockerd")
    yield client
    client.close()


@pytest.fixture(scope="session")
def sandbox_image(docker_engine: docker.DockerClient, request: pytest.FixtureRequest) -> str:
    """The image of the environment `current`, or of the one that was asked for, built if it is not there."""
    return _image_of(request.config.getoption("--environment"), docker_engine)


@pytest.fixture(scope="session")
def old_image(docker_engine: docker.DockerClient) -> str:
    """The image of the environment `kaggle-2023`, whose torch is years older than ours, built if it is not there."""
    return _image_of("kaggle-2023", docker_engine)


def _image_of(environment: str, engine: docker.DockerClient) -> str:
    done = subprocess.run([str(SANDBOX_IMAGE_SCRIPT), environment], capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"The image of {environment}:\n{done.stderr}", f"scripts/sandbox-image {environment}")
    tag = done.stdout.splitlines()[-1]
    assert engine.images.get(tag)
    return tag
