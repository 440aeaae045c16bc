"""The record in the API: its public head, the acts on a competition, and receipts that are checked without a server."""

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from services.core.bundle.stress import StressReadings
from services.core.distribution import installed_version, program
from services.core.models import Phase, Role, Score, Submission
from services.core.record.acts import record_scores
from services.core.record.chain import link
from services.core.record.receipts import BadReceipt, ReceiptKey, check_receipt
from services.core.record.verifying import verify_database
from tests.api.harness import KEY, Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.command import lethe_here
from tests.core.bundle.test_stress import reading

CUP = "/api/competitions/cup"


def test_every_change_is_on_record_and_its_head_is_public(api: Api, phase: Phase, organiser: Caller) -> None:
    root = api.caller("root", Role.OPERATOR)
    empty = api.anonymous.get("/api/record").json()
    assert organiser.post("/api/competitions", json={"slug": "new", "title": "New"}).status_code == 201
    assert organiser.request("PATCH", f"{CUP}/phases/feedback", json={"quota_per_day": 7}).status_code == 200
    assert root.request("PATCH", CUP, json={"weight": 2}).status_code == 200
    account = {"username": "fresh", "password": "long enough to be one", "role": "organiser"}
    assert root.post("/api/admin/accounts", json=account).status_code == 201
    refused = organiser.request("PATCH", f"{CUP}/phases/feedback", json={"opens_at": "2090-01-01T00:00:00Z"})
    assert refused.status_code == 422

    with api.database.write() as session:
        assert link(session) == 4

    head = api.anonymous.get("/api/record").json()
    assert (empty["number"], head["number"]) == (0, 4)
    assert api.anonymous.get("/api/record/4").json() == head
    assert api.anonymous.get("/api/record/5").status_code == 404
    acts = organiser.get(f"{CUP}/audit").json()["items"]
    assert [(act["act"], act["by"], act["number"]) for act in acts] == [
        ("competition_weighed", "root", 3),
        ("phase_changed", "organiser", 2),
    ]
    assert acts[1]["details"] == {"phase": "feedback", "quota_per_day": 7}
    report = verify_database(api.database)
    assert (report.problems, report.head.hash) == ([], head["hash"])


def test_scores_are_listed_on_demand(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    own = submit_scored(api, participant, code(1), 0.5)
    with api.database.write() as session:
        submission = session.get_one(Submission, own)
        record_scores(session, submission.phase, submission.evaluation.scores)
    assert organiser.get(f"{CUP}/audit").json()["items"] == []
    (listed,) = organiser.get(f"{CUP}/audit", params={"scores": True}).json()["items"]
    assert (listed["act"], listed["by"], listed["details"]["final_score"]) == ("scored", None, 0.5)


def test_a_receipt_states_the_score_and_is_checked_offline(
    api: Api, phase: Phase, organiser: Caller, participant: Caller, tmp_path: Path
) -> None:
    own = submit_scored(api, participant, code(1), 0.5)
    answer = participant.get(f"/api/submissions/{own}/receipt")
    key = api.anonymous.get("/api/receipts/key").json()["public_key"]

    receipt = check_receipt(answer.content, key)

    stated = receipt["statement"]
    assert (stated["team"], stated["submission"], stated["figures"]["final_score"]) == ("ada", str(own), 0.5)
    assert stated["upload_sha256"] == participant.get(f"/api/submissions/{own}").json()["sha256"]
    assert stated["benchmark"] == "d" * 64
    assert organiser.get(f"/api/submissions/{own}/receipt").status_code == 200
    assert api.caller("eve").get(f"/api/submissions/{own}/receipt").status_code == 404
    waiting = participant.submit(code(2)).json()["id"]
    assert participant.get(f"/api/submissions/{waiting}/receipt").json()["code"] == "not_scored"

    file = tmp_path / "receipt.json"
    file.write_bytes(answer.content)
    assert "0.5000" in lethe_here("receipt", "verify", str(file), "--key", key).stdout
    file.write_text(answer.text.replace('"final_score":0.5', '"final_score":0.9'))
    assert lethe_here("receipt", "verify", str(file)).returncode == 1


def test_a_receipt_states_which_program_computed_the_score(
    api: Api, phase: Phase, participant: Caller, tmp_path: Path
) -> None:
    """One of before states none and stays what it was; the digest of a score covers its program, too."""
    own = submit_scored(api, participant, code(1), 0.5)
    old = participant.get(f"/api/submissions/{own}/receipt").json()

    def kept(found: dict[str, str] | None) -> dict[str, Any]:
        with api.database.write() as session:
            session.execute(update(Score).values(program=found))
        receipt: dict[str, Any] = participant.get(f"/api/submissions/{own}/receipt").json()
        return receipt

    def verify(receipt: dict[str, Any]) -> str:
        (tmp_path / "receipt.json").write_text(json.dumps(receipt))
        done = lethe_here("receipt", "verify", str(tmp_path / "receipt.json"))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "program" not in old["statement"]
    assert "does not name" in verify(old)
    here, other = kept(program()), kept({"version": "0.0.9", "sources_sha256": "0" * 64})
    assert here["statement"]["program"] == program()
    assert f"scored by Lethe {installed_version()}, sources {program()['sources_sha256']} (this" in verify(here)
    assert verify(other).count("(this") == 0
    digests = [one["statement"]["score_sha256"] for one in (old, here, other)]
    assert len(set(digests)) == 3
    assert kept(None)["statement"] == old["statement"]


def test_a_receipt_covers_readings_under_stress_and_an_edited_one_is_found(
    api: Api, phase: Phase, participant: Caller, tmp_path: Path
) -> None:
    own = submit_scored(api, participant, code(1), 0.5)
    packed = StressReadings.stack([reading(seed, relearned=True) for seed in range(3)], range(3))
    edited = replace(packed, distance=packed.distance * 2)
    files = {"kept": packed.to_bytes(), "edited": edited.to_bytes(), "measurements": b"measured"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    receipt = tmp_path / "receipt.json"
    receipt.write_bytes(participant.get(f"/api/submissions/{own}/receipt").content)

    def verify(**readings: str) -> subprocess.CompletedProcess[str]:
        given = [word for option, name in readings.items() for word in (f"--{option}", str(tmp_path / name))]
        return lethe_here("receipt", "verify", str(receipt), *given)

    assert "no hash of robustness" in verify(robustness="kept").stderr  # no reading under stress was made
    stated = json.loads(receipt.read_text())["statement"]
    assert "placebo_sha256" not in stated  # a receipt of an entry without placebo runs is what it was before them
    with api.database.write() as session:
        evaluation = session.get_one(Submission, own).evaluation
        evaluation.measurements_blob = hashlib.sha256(files["measurements"]).hexdigest()
        evaluation.stress_blob = hashlib.sha256(files["kept"]).hexdigest()
        evaluation.placebo_blob = evaluation.measurements_blob
    receipt.write_bytes(participant.get(f"/api/submissions/{own}/receipt").content)

    assert verify(robustness="kept", measurements="measurements", placebo="measurements").returncode == 0
    assert verify(placebo="edited").returncode == 1
    found = verify(robustness="edited")
    assert (found.returncode, "They were changed" in found.stderr) == (1, True)
    assert verify(measurements="kept").returncode == 1
    assert verify(robustness="missing").returncode != 0


VALUES = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('a\u00e9\u2028"\\ ', max_size=9)


@given(st.dictionaries(st.text('a\u00e9\u2028"\\ ', max_size=9), VALUES, max_size=3))
def test_what_is_signed_holds_as_it_is_and_in_no_other_way(statement: dict[str, object]) -> None:
    key = ReceiptKey(KEY.encode())
    receipt = key.sign(statement)
    assert check_receipt(json.dumps(receipt, indent=1), key.public)["statement"] == statement
    forged = [
        receipt | {"statement": statement | {"\0": uuid4().hex}},
        receipt | {"signature": "00" * 64},
        receipt | {"public_key": ReceiptKey(b"other").public},
    ]
    for one in forged:
        with pytest.raises(BadReceipt):
            check_receipt(json.dumps(one))
    with pytest.raises(BadReceipt, match="another key"):
        check_receipt(json.dumps(ReceiptKey(b"other").sign(statement)), key.public)


@pytest.mark.parametrize(
    "written", ["", "[]", "{}", "1", '{"statement": 1, "public_key": "zz", "signature": ""}', "[" * 9999]
)
def test_what_is_no_receipt_is_refused(written: str) -> None:
    with pytest.raises(BadReceipt):
        check_receipt(written)
