"""Fixtures that every test may use: real database servers, a real Redis, a Docker engine and the sandbox's image."""

import gc
import subprocess
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import psycopg
import pytest
import redis
from sqlalchemy import make_url

from services.core.bundle.directory import Bundle
from tests.faces import make_faces_bundle
from tests.real_services import missing, postgres_server, redis_server, s3_environment, s3_server

SANDBOX_IMAGE_SCRIPT = Path(__file__).parents[1] / "scripts" / "sandbox-image"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The SQLAlchemy URL of a PostgreSQL server shared by all tests."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database, dropped after the test."""
    server = make_url(postgres_url)
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(
        host=server.host, port=server.port, user=server.username, dbname=server.database, autocommit=True
    ) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("fresh_postgres_url")
    return url


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
    return make_faces_bundle(tmp_path_factory.mktemp("faces") / "faces-test")


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
def sandbox_image(docker_engine: docker.DockerClient) -> str:
    """The tag of the CPU sandbox image, built when it is not there."""
    done = subprocess.run([str(SANDBOX_IMAGE_SCRIPT)], capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"The sandbox image:\n{done.stderr}", "scripts/sandbox-image")
    tag = done.stdout.splitlines()[-1]
    assert docker_engine.images.get(tag)
    return tag
