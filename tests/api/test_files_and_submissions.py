"""A submission and a file that arrive together: none slips in between the question and the change."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from services.api.submissions import service
from services.core.models import Evaluation, Role
from tests.api.harness import Api, add_benchmark, make_settings, running
from tests.api.test_competition_files import APPLY, CUP, PREVIEW, register


def test_a_file_waits_for_a_submission_that_is_being_accepted(
    tmp_path: Path, fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepting, go_on = threading.Event(), threading.Event()
    queue = service._evaluation

    def paused(*given: Any, **options: Any) -> Evaluation:
        accepting.set()
        assert go_on.wait(timeout=60)
        return queue(*given, **options)

    monkeypatch.setattr(service, "_evaluation", paused)
    with running(make_settings(tmp_path, fresh_postgres_url)) as api, ThreadPoolExecutor(2) as pool:
        organiser, participant = api.caller("organiser", Role.ORGANISER), api.caller("ada")
        with api.database.write() as session:
            add_benchmark(session)
        assert organiser.post(APPLY, json={"text": CUP}).status_code == 200
        register(participant)
        changed = CUP.replace("seeds: 8", "seeds: 4")
        token = organiser.post(PREVIEW, json={"text": changed}).json()["token"]
        submitted = pool.submit(participant.submit)
        assert accepting.wait(timeout=60)

        body = {"text": changed, "based_on": token, "confirm": True}
        applied = pool.submit(organiser.post, APPLY, json=body)
        _wait_until_it_waits(api, applied)
        go_on.set()

        assert submitted.result().status_code == 201
        assert [one["path"] for one in applied.result().json()["errors"]] == ["phases.feedback.seeds"]


def _wait_until_it_waits(api: Api, answer: "Future[httpx2.Response]") -> None:
    """Until the database makes somebody wait, or there is an answer already."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not answer.done():
        with api.database.read() as session:
            if session.scalar(waiting):
                return
        time.sleep(0.02)
