"""Uploads that are sent again, and uploads that race: each submits what it should, once."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, update

from services.core.models import Phase, Submission, UploadKey
from services.core.store.database import utc_now
from tests.api.harness import MODULE, SUBMIT, Api, Caller, numbered

RACERS = 50


def send(caller: Caller, key: str | None, data: bytes = MODULE, path: str = SUBMIT, **query: Any) -> httpx2.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return caller.post(path, content=data, params={"filename": "entry.py"} | query, headers=headers)


def insist(caller: Caller, key: str, data: bytes) -> httpx2.Response:
    """Send again while the process asks to wait, as the command does."""
    while (answer := send(caller, key, data)).status_code == 503:
        time.sleep(0.1)
    return answer


def count(api: Api) -> int:
    with api.database.read() as session:
        return session.scalar(select(func.count()).select_from(Submission)) or 0


def test_an_upload_sent_again_gets_its_answer_again_even_if_the_quota_is_used(
    api: Api, phase: Phase, participant: Caller
) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(quota_per_day=1))
    first = send(participant, "k1")
    again = send(participant, "k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert (send(participant, "k2").status_code, send(participant, None).status_code) == (429, 429)
    assert count(api) == 1


@pytest.mark.parametrize(
    "other",
    [{"data": numbered(1)}, {"filename": "other.py"}, {"name": "other"}, {"reference": "identity"}],
    ids=["body", "file name", "name", "reference"],
)
def test_another_upload_under_a_key_is_refused(
    api: Api, phase: Phase, participant: Caller, other: dict[str, Any]
) -> None:
    assert send(participant, "k1").status_code == 201
    refused = send(participant, "k1", **other)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert count(api) == 1


def test_keys_belong_to_an_account_and_last_a_day(api: Api, phase: Phase, participant: Caller) -> None:
    first = send(participant, "k1").json()["id"]
    assert send(api.caller("lee"), "k1").json()["id"] != first
    with api.database.write() as session:
        session.execute(update(UploadKey).values(created_at=utc_now() - timedelta(hours=24, seconds=1)))

    assert send(participant, "k1", numbered(2)).status_code == 201
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(UploadKey)) == 2  # lee's old one waits for lee
    assert count(api) == 3


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_is_short_and_has_no_blanks(api: Api, phase: Phase, participant: Caller, key: str) -> None:
    refused = send(participant, key)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "printable ASCII" in refused.json()["detail"]


def test_a_refused_upload_does_not_use_up_its_key(api: Api, phase: Phase, participant: Caller) -> None:
    assert send(participant, "k1", b"x = 1").status_code == 422
    assert send(participant, "k1").status_code == 201


def test_two_that_race_with_one_key_make_one_submission(api: Api, phase: Phase, participant: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(participant, "k1"), range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == count(api) == 1


def test_of_fifty_that_race_for_one_slot_one_is_accepted(api: Api, phase: Phase, participant: Caller) -> None:
    with api.database.write() as session:
        session.execute(update(Phase).values(quota_per_day=1))
    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(lambda one: insist(participant, f"k{one}", numbered(one)), range(RACERS)))

    assert sorted({answer.json().get("code", "accepted") for answer in answers}) == ["accepted", "quota_exceeded"]
    assert [answer.status_code for answer in answers].count(201) == count(api) == 1
