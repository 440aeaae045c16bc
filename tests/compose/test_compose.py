"""The production setting, for real: images built, `docker-compose up`, and containers that die in mid-evaluation."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.cli.client import Client
from services.core.store.database import utc_now
from tests.bundles import make_tiny_bundle
from tests.compose.image_building import BUILD_BASE, build_images, compose_command, tag_of_inputs, withdraw_stand_ins
from tests.compose.participant import CREDENTIALS, Participant, Seen
from tests.compose.project import Project
from tests.entries import slow_noise
from tests.installation import free_port
from tests.real_services import missing

pytestmark = pytest.mark.timeout(2400)  # the first build, on a busy machine

SERVICES = ("api", "scorer", "worker", "postgres", "redis")
SEEDS, SHARD_SEEDS = 64, 16
REQUEST = "compose-test-1"
SLOW_NOISE = slow_noise(0.8)


@pytest.fixture(scope="module")
def compose() -> list[str]:
    return compose_command() or missing("Docker Compose", "apt-get install docker-compose")


@pytest.fixture(scope="module")
def variables(
    compose: list[str], sandbox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Settings of every project here, once its images are built."""
    environment = {
        "LETHE_VERSION": tag_of_inputs(),
        "LETHE_SECRETS": str(tmp_path_factory.mktemp("compose") / "secrets"),
        "LETHE_SANDBOX_IMAGE": sandbox_image,
        "LETHE_BUILD_BASE": BUILD_BASE,
        "LETHE_BUILD_NETWORK": "host",
        "LETHE_WORKER_SLOTS": "2",
        "LETHE_LEASE_S": "6",
        "LETHE_RENEW_EVERY_S": "0.5",
        "LETHE_SWEEP_EVERY_S": "2",
    }
    build_images(compose, environment)
    yield environment
    withdraw_stand_ins()


@pytest.fixture(scope="module")
def production(
    compose: list[str], variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A whole installation, up and healthy."""
    project = _project(compose, variables, tmp_path_factory)
    try:
        project.script("make-secrets")
        project.compose("up", "-d", "--no-build")
        project.await_healthy("api")
        yield project
    finally:
        project.remove()


@pytest.fixture(scope="module")
def operator(production: Project, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The first operator, made as docs/operate.md says, with a competition on the tiny benchmark."""
    made = json.loads(production.compose("exec", "-T", "api", "lethe", "operator"))
    benchmark = make_tiny_bundle(tmp_path_factory.mktemp("benchmark") / "tiny").root
    for directory in (benchmark.parent, benchmark):
        directory.chmod(0o755)
    volume = f"{benchmark.parent}:/benchmarks:ro"
    production.compose(
        "run", "--rm", "--no-deps", "-T", "-v", volume, "worker", "lethe", "benchmark", "publish", "/benchmarks/tiny"
    )
    client = production.client(made["token"])
    client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
    phase = {
        "slug": "feedback",
        "kind": "feedback",
        "benchmark": "tiny",
        "closes_at": (utc_now() + timedelta(days=1)).isoformat(),
        "seeds": SEEDS,
        "shard_seeds": SHARD_SEEDS,
        "seed_timeout_s": 60,
        "references": False,
    }
    client.post("/api/competitions/cup/phases", phase)
    return client


@pytest.fixture(scope="module")
def participant(production: Project, operator: Client) -> Participant:
    production.client(None).post("/api/accounts", CREDENTIALS)
    return Participant.log_in(production)


@pytest.fixture(scope="module")
def scored(production: Project, participant: Participant) -> dict[str, Any]:
    """A submission, scored although worker, API and database were stopped while it ran, and what a watcher saw."""
    interruptions: list[Callable[[], object]] = [
        lambda: production.compose("restart", "postgres"),
        lambda: production.kill("worker"),
        lambda: production.compose("restart", "api"),
    ]
    with ThreadPoolExecutor(1) as pool:
        submission = participant.submit(SLOW_NOISE, request=REQUEST)
        seen = pool.submit(participant.watch, submission["id"])
        for number, interrupt in enumerate(interruptions):
            participant.await_seeds(submission["id"], 4 + 6 * number)
            interrupt()
        shown = seen.result()
    return participant.show(submission["id"]) | {"seen": shown}


def test_evaluation_is_scored_though_its_containers_stop_in_its_midst(
    production: Project, scored: dict[str, Any], participant: Participant
) -> None:
    assert (scored["state"], scored["seeds_done"]) == ("scored", SEEDS)
    assert scored["score"]["distinct_models"] == SEEDS
    assert production.query("SELECT count(*), count(DISTINCT seed) FROM measurements") == [f"{SEEDS}|{SEEDS}"]
    (entry,) = participant.board()
    assert (entry["rank"], entry["final_score"]) == (1, scored["score"]["final_score"])


def test_watcher_sees_every_event_once_across_a_restart_of_the_api(scored: dict[str, Any]) -> None:
    seen: list[Seen] = scored["seen"]
    assert [event.number for event in seen] == list(range(1, len(seen) + 1))
    kinds = [event.kind for event in seen]
    assert kinds[-1] == "scored"
    assert "retried" in kinds


def test_killed_worker_was_started_again_and_left_no_sandbox(production: Project, scored: dict[str, Any]) -> None:
    if os.geteuid() == 0:
        assert production.inspect("worker")["RestartCount"] >= 1
    listed = production.run("docker", "ps", "--filter", "label=org.lethe.worker", "--format", "{{.Labels}}").stdout
    leases = [line for line in listed.splitlines() if f"={production.name}-" in line]
    assert all("org.lethe.lease=measurer-" in line for line in leases)


def test_logs_of_all_containers_tell_one_story_by_its_ids(production: Project, scored: dict[str, Any]) -> None:
    evaluation = scored["evaluation_id"]
    (submitted,) = [event for event in production.events("api") if event["event"] == "submitted"]
    assert (submitted["request"], submitted["evaluation"]) == (REQUEST, evaluation)
    told = {event["event"] for event in production.events("worker") if event.get("evaluation") == evaluation}
    assert told >= {"shard_started", "shard_finished"}
    assert evaluation in {event["evaluation"] for event in production.events("scorer") if event["event"] == "scored"}


def test_only_the_worker_reaches_the_engine_and_only_it_is_root(production: Project) -> None:
    for service in SERVICES:
        details = production.inspect(service)
        mounted = {mount["Source"] for mount in details["Mounts"]}
        assert ("/var/run/docker.sock" in mounted) == (service == "worker")
        assert not details["HostConfig"]["Privileged"]
        assert details["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    for service in ("api", "scorer"):
        assert production.execute(service, "id", "-u") == "10001"
        assert production.inspect(service)["HostConfig"]["ReadonlyRootfs"]


def test_every_service_says_that_it_is_healthy(production: Project, scored: dict[str, Any]) -> None:
    assert scored
    production.await_healthy(*SERVICES)


def test_images_hold_torch_only_where_it_is_needed(production: Project) -> None:
    find = "import importlib.util as u; print(u.find_spec('torch') is not None)"
    has_torch = {name: production.execute(name, "python3", "-c", find) for name in SERVICES[:3]}
    assert has_torch == {"api": "False", "scorer": "False", "worker": "True"}


def test_secrets_are_in_files_and_in_no_environment(production: Project) -> None:
    secrets = [path.read_text() for path in Path(production.environment["LETHE_SECRETS"]).iterdir()]
    assert sum(len(secret) == 64 for secret in secrets) == 6
    for service in SERVICES:
        environment = "\n".join(production.inspect(service)["Config"]["Env"])
        assert not any(secret in environment for secret in secrets if len(secret) == 64)


def test_redis_refuses_rather_than_evicts(production: Project) -> None:
    command = "REDISCLI_AUTH=$(cat /run/secrets/lethe_redis_password) redis-cli config get maxmemory-policy"
    assert production.execute("redis", "sh", "-c", command).split() == ["maxmemory-policy", "noeviction"]


def test_redis_wants_a_password_that_no_command_line_shows(production: Project) -> None:
    assert "NOAUTH" in production.execute("redis", "redis-cli", "ping")
    assert "answers" in production.execute("worker", "sh", "-c", "lethe doctor | grep redis")
    password = Path(production.environment["LETHE_SECRETS"], "redis-password").read_text()
    for service in SERVICES:
        assert password not in production.run("docker", "top", production.container(service)).stdout


def test_each_service_has_a_role_of_its_own_in_the_database(production: Project, scored: dict[str, Any]) -> None:
    assert scored
    connected = "SELECT DISTINCT usename FROM pg_stat_activity WHERE client_addr IS NOT NULL"
    assert set(production.query(connected)) == {"lethe_api", "lethe_worker", "lethe_scorer"}


def test_front_page_is_the_web_app(production: Project) -> None:
    answer = httpx2.get(production.url)
    assert answer.status_code == 200
    assert '<div id="app">' in answer.text


def test_restored_backup_shows_the_same_board_and_goes_on(
    compose: list[str],
    variables: dict[str, str],
    production: Project,
    scored: dict[str, Any],
    participant: Participant,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Into a project of its own, with the secrets of the old one."""
    backup = tmp_path_factory.mktemp("backup")
    production.script("backup", str(backup / "today"))
    restored = _project(compose, variables, tmp_path_factory)
    try:
        restored.script("restore", str(backup / "today"))
        restored.compose("up", "-d", "--no-build", "api", "worker", "scorer")
        restored.await_healthy("api")
        same = Participant(restored.client(participant.token), participant.token)
        assert same.board() == participant.board() != []
        again = same.submit(SLOW_NOISE.replace("0.8", "0.0"))
        assert same.watch(again["id"])[-1].kind == "scored"
    finally:
        restored.remove()


def _project(compose: list[str], variables: dict[str, str], directories: pytest.TempPathFactory) -> Project:
    name = f"lethe-test-{uuid4().hex[:8]}"
    return Project(name, compose, directories.mktemp(name), free_port(), variables)
