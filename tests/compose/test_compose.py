"""The production setting, for real: images built, `docker-compose up`, and containers that die in mid-evaluation."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from services.cli.client import Client
from services.core.database import utc_now
from services.core.errors import LetheError
from tests.bundles import make_tiny_bundle
from tests.compose.image_building import BUILD_BASE, build_images, compose_command, withdraw_stand_ins
from tests.compose.project import Project
from tests.installation import free_port
from tests.real_services import missing

pytestmark = pytest.mark.timeout(2400)  # the first build, on a busy machine

SERVICES = ("api", "scorer", "worker", "postgres", "redis")
SEEDS, SHARD_SEEDS = 64, 16
DEADLINE_S = 600.0
TERMINAL = ("scored", "failed", "cancelled")
REQUEST = "compose-test-1"
CREDENTIALS = {"username": "newcomer", "password": "correct horse battery"}
SLOW_NOISE = """
import time, torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    time.sleep(0.8)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter))
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """An event, as a watcher got it."""

    number: int
    kind: str


@dataclass(frozen=True, slots=True)
class Participant:
    """Who signed up, with what a browser would hold."""

    client: Client
    token: str

    @classmethod
    def log_in(cls, project: Project) -> "Participant":
        token = project.client(None).post("/api/sessions", CREDENTIALS)["token"]
        return cls(project.client(token), token)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def show(self, submission: str) -> dict[str, Any]:
        """Ask for a submission; again, while the API is on its way down or up."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                shown: dict[str, Any] = self.client.get(f"/api/submissions/{submission}")
                return shown
            except LetheError:
                assert time.monotonic() < deadline, "the API does not come back"
                time.sleep(0.5)

    def board(self) -> list[dict[str, Any]]:
        return list(self.client.pages("/api/competitions/cup/phases/feedback/leaderboard"))


@pytest.fixture(scope="module")
def compose() -> list[str]:
    return compose_command() or missing("Docker Compose", "apt-get install docker-compose")


@pytest.fixture(scope="module")
def variables(
    compose: list[str], sandbox_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Settings of every project here, once its images are built."""
    environment = {
        "LETHE_VERSION": "test",
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
        submission = _submit(participant, SLOW_NOISE)
        seen = pool.submit(_watch, participant, submission["id"])
        for number, interrupt in enumerate(interruptions):
            _await_seeds(participant, submission["id"], 4 + 6 * number)
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
    assert sum(len(secret) == 64 for secret in secrets) == 2
    for service in SERVICES:
        environment = "\n".join(production.inspect(service)["Config"]["Env"])
        assert not any(secret in environment for secret in secrets if len(secret) == 64)


def test_redis_refuses_rather_than_evicts(production: Project) -> None:
    answer = production.execute("redis", "redis-cli", "config", "get", "maxmemory-policy")
    assert answer.split() == ["maxmemory-policy", "noeviction"]


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
        again = _submit(same, SLOW_NOISE.replace("0.8", "0.0"))
        assert _watch(same, again["id"])[-1].kind == "scored"
    finally:
        restored.remove()


def _project(compose: list[str], variables: dict[str, str], directories: pytest.TempPathFactory) -> Project:
    name = f"lethe-test-{uuid4().hex[:8]}"
    return Project(name, compose, directories.mktemp(name), free_port(), variables)


def _submit(who: Participant, source: str) -> dict[str, Any]:
    answer = httpx2.post(
        f"{who.client.url}/api/competitions/cup/phases/feedback/submissions",
        params={"filename": "entry.py"},
        content=source.encode(),
        headers=who.headers | {"X-Request-ID": REQUEST},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    submission: dict[str, Any] = answer.json()
    return submission


def _await_seeds(who: Participant, submission: str, seeds: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while (shown := who.show(submission))["seeds_done"] < seeds:
        assert shown["state"] in {"queued", "running"}, shown
        assert time.monotonic() < deadline, f"{shown['seeds_done']} of {seeds} in time"
        time.sleep(0.2)
    assert shown["state"] == "running", "too fast to be hurt in its midst"


def _watch(who: Participant, submission: str) -> list[Seen]:
    """Follow the event stream to its end, as a browser does: reconnecting, after the last event seen."""
    seen: list[Seen] = []
    deadline = time.monotonic() + DEADLINE_S
    url = f"{who.client.url}/api/submissions/{submission}/events"
    while not seen or seen[-1].kind not in TERMINAL:
        assert time.monotonic() < deadline, seen
        last = {"Last-Event-ID": str(seen[-1].number)} if seen else {}
        with (
            contextlib.suppress(httpx2.HTTPError),
            httpx2.stream("GET", url, headers=who.headers | last, timeout=30) as answer,
        ):
            for number, kind in _events(answer.iter_lines()):
                seen.append(Seen(number, kind))
        time.sleep(0.3)
    return seen


def _events(lines: Iterator[str]) -> Iterator[tuple[int, str]]:
    number = 0
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            number = int(value)
        elif name == "event":
            yield number, value
