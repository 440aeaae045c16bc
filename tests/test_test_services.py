"""The servers that other tests lean on are real, answer, and give every test a database of its own."""

import docker
import pytest
import redis
from sqlalchemy import create_engine, inspect, select, text

from services.core.models import Team
from services.core.store.database import Database
from services.core.store.schema import require_newest


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_database_is_migrated_and_holds_nothing_when_a_test_begins(database_url: str, attempt: str) -> None:
    database = Database(database_url)
    require_newest(database)
    with database.write() as session:
        assert session.scalars(select(Team)).all() == []
        session.add(Team(name=attempt))
    database.dispose()


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_empty_database_answers_and_has_no_table_when_a_test_begins(empty_database_url: str, attempt: str) -> None:
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
        assert inspect(connection).get_table_names() == []
        connection.execute(text("CREATE TABLE trace (attempt TEXT)"))
    engine.dispose()


@pytest.mark.parametrize("attempt", ["first", "second"])
def test_redis_answers_and_is_empty_when_a_test_begins(fresh_redis_url: str, attempt: str) -> None:
    with redis.Redis.from_url(fresh_redis_url) as client:
        assert client.ping()
        assert client.dbsize() == 0
        client.set("trace", attempt)


def test_docker_engine_answers(docker_engine: docker.DockerClient) -> None:
    assert docker_engine.ping()


def test_sandbox_image_runs_torch_when_it_may_neither_write_nor_reach_anything(
    docker_engine: docker.DockerClient, sandbox_image: str
) -> None:
    output = docker_engine.containers.run(
        sandbox_image,
        ["python3", "-c", "import numpy, torch, torchvision; print(float(torch.ones(2).sum()))"],
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        user="65534:65534",
        tmpfs={"/tmp": "size=16m,mode=1777"},
        remove=True,
    )
    assert output == b"2.0\n"
