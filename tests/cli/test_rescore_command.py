"""`lethe rescore` against a real server: what it takes up, what it refuses, and how it waits."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from services.core.models import Campaign, Phase, Role
from tests.api.harness import Api, Caller, add_phase, keeping_boards, make_settings, running, serving
from tests.api.rescoring import add_score, begin, end_runs, put, set_aside
from tests.command import lethe

ROUTE = "/competitions/{slug}/phases/{phase}/campaigns"


@dataclass
class Server:
    api: Api
    url: str
    phase: Phase
    organiser: Caller
    operator: Caller

    def rescore(self, *arguments: str, status: int = 0) -> str:
        """Run the command; return what it said to people, its messages in one line."""
        assert self.organiser.token is not None
        words = ("rescore", "-c", "cup", "-p", "feedback", *arguments)
        done = lethe(*words, LETHE_URL=self.url, LETHE_TOKEN=self.organiser.token)
        assert done.returncode == status, done.stderr
        return " ".join(done.stderr.split())

    def requests(self, route: str) -> int:
        """Count how often somebody has read from a route of the server."""
        headers = {"Authorization": f"Bearer {self.operator.token}"}
        text = httpx2.get(f"{self.url}/api/admin/metrics", headers=headers).text
        series = f'lethe_api_request_seconds_count{{method="GET",route="{route}",status="200"}} '
        _, found, count = text.partition(series)
        return int(float(count.split()[0])) if found else 0

    def state(self) -> str:
        with self.api.database.read() as session:
            return session.scalars(select(Campaign)).one().state


@pytest.fixture
def server(tmp_path: Path, sqlite_url: str) -> Iterator[Server]:
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served, keeping_boards(settings):
        organiser = api.caller("organiser", Role.ORGANISER)
        assert organiser.account is not None
        with api.database.write() as session:
            phase = add_phase(session, organiser.account)
        yield Server(api, served.url, phase, organiser, api.caller("root", Role.OPERATOR))


def test_a_prepared_re_run_is_not_published_as_a_rescoring(server: Server) -> None:
    put(server.api, server.phase, "a", 0.3, 0.1)
    end_runs(server.api, begin(server.organiser, metric="neurips-2023", re_run=True), 0.2)

    for other in (("--metric", "neurips-2023"), ("--metric", "lethe-1", "--re-run")):
        assert "--metric neurips-2023 --re-run" in server.rescore(*other, "--publish", status=1)
    assert server.state() == "ready"
    server.rescore("--metric", "neurips-2023", "--re-run", "--publish")
    assert server.state() == "published"


def test_a_prepared_rescoring_is_not_published_as_a_re_run(server: Server) -> None:
    put(server.api, server.phase, "a", 0.3, 0.1)
    begin(server.organiser)

    assert "no --re-run" in server.rescore("--re-run", "--publish", status=1)
    assert server.state() == "ready"
    server.rescore("--publish")
    assert server.state() == "published"


def test_waiting_reads_no_moves(server: Server) -> None:
    late = put(server.api, server.phase, "a", 0.3, None)
    ended = threading.Event()

    def score_when_waited_for() -> None:
        while server.requests(ROUTE) < 3 and not ended.wait(0.05):
            pass
        add_score(server.api, late, 0.2)

    scorer = threading.Thread(target=score_when_waited_for)
    scorer.start()
    try:
        server.rescore("--metric", "lethe-1")
    finally:
        ended.set()
        scorer.join()

    assert server.requests(ROUTE) >= 3
    assert server.requests(ROUTE + "/{campaign_id}/moves") == 1


def test_what_cannot_be_scored_is_named_with_its_reason(server: Server) -> None:
    put(server.api, server.phase, "a", 0.3, 0.1)
    lost = put(server.api, server.phase, "b", 0.2, None)
    begin(server.organiser)
    set_aside(server.api, lost, "Blob 0 is damaged.")

    said = server.rescore("--metric", "lethe-1")

    assert "No score by lethe-1: b, by b. Blob 0 is damaged." in said
