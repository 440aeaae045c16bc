"""What an operator's monitoring sees: metrics of the whole installation, and an id for every request."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update
from structlog.testing import capture_logs

from services.core.models import Device, FailureKind, Phase, Role, Shard
from services.core.queue import leases, notes
from services.core.queue.lifecycle import fail, lock_evaluation
from services.core.store.database import utc_now
from tests.api.harness import Api, Caller, failing_commits
from tests.api.scores import measure, score


def scrape(api: Api, operator: Caller) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read all samples, as Prometheus would."""
    answer = operator.get("/api/admin/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def sample(found: dict[Any, float], name: str, **labels: str) -> float:
    return found[name, tuple(sorted(labels.items()))]


@pytest.fixture
def operator(api: Api) -> Caller:
    return api.caller("root", Role.OPERATOR)


def test_an_installation_at_rest_has_every_series(api: Api, operator: Caller) -> None:
    found = scrape(api, operator)
    assert sample(found, "lethe_queue_oldest_seconds", kind="notebook") == 0.0
    assert sample(found, "lethe_shards", state="queued") == 0.0
    assert sample(found, "lethe_seeds_measured_total") == 0.0
    assert sample(found, "lethe_unscored") == sample(found, "lethe_unscored_oldest_seconds") == 0.0
    assert sample(found, "lethe_shard_retries_total", cause="lease_lost") == 0.0


def test_queue_evaluations_and_lost_leases_are_counted(
    api: Api, phase: Phase, participant: Caller, operator: Caller
) -> None:
    participant.submit()
    failed = participant.submit(b"def unlearning(a, b, c, d):\n    pass\n", "other.py").json()
    offer = leases.WorkerOffer("worker", Device.CPU, "cpu", 2**40)
    with api.database.write() as session:
        held = leases.claim(session, offer, lease_s=-1.0)
        assert held is not None
        leases.record(session, held, [leases.MeasuredSeed(0, "b" * 64, "c" * 64, 1.0)])
    with api.database.write() as session:
        assert leases.sweep(session, 30, utc_now()) == 1
    with api.database.write() as session:
        fail(session, lock_evaluation(session, UUID(failed["evaluation_id"])), FailureKind.TIMEOUT, "slow")

    found = scrape(api, operator)

    assert sample(found, "lethe_queue_oldest_seconds", kind="module") > 0.0
    assert sample(found, "lethe_queue_oldest_seconds", kind="archive") == 0.0
    assert sample(found, "lethe_evaluations", state="failed", failure="timeout") == 1.0
    assert sample(found, "lethe_evaluations", state="running", failure="") == 1.0
    assert sample(found, "lethe_seeds_measured_total") == 1.0
    assert sample(found, "lethe_shard_retries_total", cause="lease_lost") == 1.0
    assert sample(found, "lethe_shard_retries_total", cause="platform") == 0.0


def test_what_is_measured_and_not_scored_is_counted(
    api: Api, phase: Phase, participant: Caller, operator: Caller
) -> None:
    """A scorer that hangs shows nowhere else."""
    evaluation_id = UUID(participant.submit().json()["evaluation_id"])
    with api.database.write() as session:
        measure(session, evaluation_id).finished_at = utc_now() - timedelta(hours=1)
        score(session, evaluation_id, 0.1, metric="lethe-1")
    found = scrape(api, operator)
    assert sample(found, "lethe_unscored") == 1.0
    assert sample(found, "lethe_unscored_oldest_seconds") == pytest.approx(3600, abs=60)
    with api.database.write() as session:
        score(session, evaluation_id, 0.1)
    assert sample(scrape(api, operator), "lethe_unscored") == 0.0


def test_every_lost_lease_is_counted_and_no_counter_falls(
    api: Api, phase: Phase, participant: Caller, operator: Caller
) -> None:
    """The last one too, after which nothing is put back; and seeds that a notebook's next try discards."""
    participant.submit()
    claims = leases.MAX_ATTEMPTS + 1  # attempts count from the first that discards something
    for _ in range(claims):
        with api.database.write() as session:
            session.execute(update(Shard).values(available_at=utc_now()))
            held = leases.claim(session, leases.WorkerOffer("worker", Device.CPU, "cpu", 2**40), lease_s=-1.0)
            assert held is not None
            notes.discard(session, held)
            leases.record(session, held, [leases.MeasuredSeed(0, "b" * 64, "c" * 64, 1.0)])
        with api.database.write() as session:
            assert leases.sweep(session, 30, utc_now()) == 1

    found = scrape(api, operator)

    assert sample(found, "lethe_shard_retries_total", cause="lease_lost") == claims
    assert sample(found, "lethe_seeds_measured_total") == claims
    assert sample(found, "lethe_evaluations", state="failed", failure="platform") == 1.0


def test_requests_are_timed_by_route_not_by_path(api: Api, operator: Caller) -> None:
    """Or whoever asks for a thousand made-up paths would make a thousand series."""
    for number in range(3):
        api.anonymous.get(f"/api/competitions/made-up-{number}")
        api.anonymous.get(f"/nowhere/{number}")
    found = scrape(api, operator)
    labels = {"method": "GET", "status": "404"}
    assert sample(found, "lethe_api_request_seconds_count", route="/competitions/{slug}", **labels) == 3.0
    assert sample(found, "lethe_api_request_seconds_count", route="unmatched", **labels) == 3.0


def test_requests_of_made_up_methods_are_one_series(api: Api, operator: Caller) -> None:
    for number in range(3):
        api.client.request(f"MADE{number}", "/api/health")
    methods = {dict(labels).get("method") for _, labels in scrape(api, operator)}
    assert "other" in methods
    assert not any(method and method.startswith("MADE") for method in methods)


def test_unexpected_errors_are_timed_and_logged_with_their_request(api: Api, operator: Caller) -> None:
    with failing_commits(), capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = operator.post("/api/teams", json={"name": "lost"})
    told = {line["event"]: line for line in lines}
    assert told["unexpected_error"]["request"] == told["request"]["request"] == answer.headers["x-request-id"]
    assert told["request"]["status"] == 500
    found = scrape(api, operator)
    assert sample(found, "lethe_api_request_seconds_count", method="POST", route="/teams", status="500") == 1.0


@pytest.mark.parametrize(
    ("given", "kept"), [("from-a-proxy.1", True), ("short", False), ("a" * 65, False), ('x"\n', False)]
)
def test_every_response_has_an_id_of_a_proxys_or_of_ours(api: Api, given: str, kept: bool) -> None:
    headers = {"X-Request-ID": given.replace("\n", "")}
    found = api.client.get("/api/health", headers=headers).headers["x-request-id"]
    assert (found == given) is kept
    assert kept or len(found) == 32


def test_a_submission_is_logged_with_its_request(phase: Phase, participant: Caller) -> None:
    """From the request's id to the evaluation's, which the worker's lines about its shards carry."""
    with capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = participant.submit()
    submitted = next(line for line in lines if line["event"] == "submitted")
    assert submitted["evaluation"] == answer.json()["evaluation_id"]
    assert submitted["request"] == answer.headers["x-request-id"]
    request = next(line for line in lines if line["event"] == "request")
    assert (request["method"], request["status"], request["request"]) == ("POST", 201, submitted["request"])
    json.dumps(lines)
