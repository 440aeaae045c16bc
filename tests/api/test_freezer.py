"""An organiser freezes a competition: asked for in a request, written beside it, downloaded, forgotten."""

import io
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from services.api.frozen.checking import check
from services.api.frozen.freezer import KEPT, Freezer
from services.api.kit.holding import HELD, MOST_ATTEMPTS
from services.core.models import Competition, Freeze, FreezeState, Phase, Visibility
from services.core.store.database import utc_now
from tests.api.harness import KEY, Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.api.test_frozen import put_on_record

FREEZES = "/api/competitions/cup/freezes"


def newest(who: Caller) -> dict[str, Any]:
    return dict(who.get(FREEZES).json()["items"][0])


def write(api: Api) -> bool:
    """Take one step of the freezer, while a scorer computes the boards that it asks for."""
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(Freezer(api.database, api.state.blobs, KEY.encode()).step)
        while not step.done():
            api.anonymous.keep_boards()
            time.sleep(0.05)
    return step.result()


def test_an_archive_is_asked_for_written_and_downloaded(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, tmp_path: Path
) -> None:
    submit_scored(api, participant, code(1), 0.5)
    put_on_record(api)

    asked = organiser.post(FREEZES)

    assert (asked.status_code, asked.json()["available"]) == (202, False)
    assert write(api)
    done = newest(organiser)
    assert (done["state"], done["available"], done["done"]) == ("done", True, done["total"]), done
    answer = organiser.get(f"{FREEZES}/{done['id']}/archive")
    assert (answer.status_code, len(answer.content)) == (200, done["size_bytes"])
    (tmp_path / "cup.zip").write_bytes(answer.content)
    found = check(tmp_path / "cup.zip", key=None, known=[])
    assert (found.problems, found.receipts) == ([], 1)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "cup/index.html" in archive.namelist()
    assert participant.get(FREEZES).status_code == 403
    assert participant.get(f"{FREEZES}/{done['id']}/archive").status_code == 403


def test_nobody_sees_the_archive_of_another_competition(api: Api, phase: Phase, organiser: Caller) -> None:
    organiser.post(FREEZES)
    assert write(api)
    done = newest(organiser)
    assert done["available"]
    organiser.post("/api/competitions", json={"slug": "other", "title": "Other"})
    assert organiser.get(f"/api/competitions/other/freezes/{done['id']}/archive").status_code == 404


def add(api: Api, **values: Any) -> Freeze:
    with api.database.write() as session:
        competition = session.scalars(select(Competition)).one()
        row = Freeze(competition_id=competition.id, account_id=competition.owner_id, **values)
        session.add(row)
    return row


def test_one_at_a_time_and_no_draft(api: Api, phase: Phase, organiser: Caller) -> None:
    add(api, state=FreezeState.RUNNING, leased_until=utc_now() + HELD, attempts=1)
    second = organiser.post(FREEZES)
    assert (second.status_code, second.json()["code"]) == (409, "freeze_under_way")
    with api.database.write() as session:
        session.scalars(select(Competition)).one().visibility = Visibility.DRAFT
        session.execute(update(Freeze).values(state=FreezeState.FAILED))
    assert organiser.post(FREEZES).status_code == 404


def test_what_a_process_left_is_begun_anew_but_not_for_ever(api: Api, phase: Phase, organiser: Caller) -> None:
    add(api, state=FreezeState.RUNNING, leased_until=utc_now() - HELD, attempts=1)
    assert write(api)
    assert newest(organiser)["available"]
    add(api, state=FreezeState.RUNNING, leased_until=utc_now() - HELD, attempts=MOST_ATTEMPTS)
    write(api)
    assert (newest(organiser)["state"], "interrupted" in newest(organiser)["reason"]) == ("failed", True)
    assert not write(api)


def test_a_closed_freezer_gives_back_what_it_writes(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit_scored(api, participant, code(1), 0.5)
    put_on_record(api)
    freezer = Freezer(api.database, api.state.blobs, KEY.encode())
    freezer.close()
    row = add(api)
    assert freezer.step()
    with api.database.read() as session:
        left = session.get_one(Freeze, row.id)
        assert (left.state, left.attempts, left.blob) == (FreezeState.QUEUED, 0, None)
    assert write(api)
    assert newest(organiser)["available"]


def test_an_archive_is_forgotten_after_some_days(api: Api, phase: Phase, organiser: Caller) -> None:
    organiser.post(FREEZES)
    write(api)
    done = newest(organiser)
    with api.database.write() as session:
        session.execute(update(Freeze).values(ended_at=utc_now() - KEPT - timedelta(minutes=1)))
        blob = session.scalars(select(Freeze.blob)).one()
    Freezer(api.database, api.state.blobs, KEY.encode()).step()
    assert organiser.get(f"{FREEZES}/{done['id']}/archive").status_code == 404
    assert not newest(organiser)["available"]
    assert blob is not None
    with pytest.raises(Exception, match="missing"):
        api.state.blobs.get(blob)
