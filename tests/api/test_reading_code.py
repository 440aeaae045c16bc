"""Reading, downloading and comparing the code of entries; that an organiser did is on record."""

import io
import json
import zipfile
from uuid import UUID

from sqlalchemy import select

from services.api.judging.legible import LegibleFile, differences
from services.core.models import AuditEvent, Phase, Role, Submission
from tests.api.harness import MODULE, SUBMIT, Api, Caller
from tests.api.rescoring import code

ACTS = "/api/competitions/cup/audit"


def submit(caller: Caller, data: bytes, filename: str = "entry.py") -> str:
    answer = caller.post(SUBMIT, content=data, params={"filename": filename})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def archive(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writer:
        for name, content in files.items():
            writer.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


def test_an_organiser_reads_and_downloads_what_a_team_uploaded_and_it_is_on_record(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    own = submit(participant, MODULE + "# \u202ereversed\n".encode())

    shown = organiser.get(f"/api/submissions/{own}/code").json()
    upload = organiser.get(f"/api/submissions/{own}/upload")

    assert [file["path"] for file in shown["files"]] == ["entry.py"]
    assert shown["files"][0]["text"] == MODULE.decode() + "# \ufffdreversed\n"
    assert upload.content == MODULE + "# \u202ereversed\n".encode()
    assert upload.headers["Content-Type"] == "application/octet-stream"
    assert upload.headers["Content-Disposition"] == f'attachment; filename="{own}.py"'
    acts = organiser.get(ACTS).json()["items"]
    assert [(act["act"], act["by"], act["details"]["submission"]) for act in acts] == [
        ("upload_downloaded", "organiser", own),
        ("code_read", "organiser", own),
    ]


def test_a_team_reads_its_own_code_without_a_record_and_nobody_else_does(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    own, rival = submit(participant, code(1)), api.caller("eve")
    theirs = submit(rival, code(2))

    assert participant.get(f"/api/submissions/{own}/code").status_code == 200
    for caller in (rival, api.caller("mallory", Role.ORGANISER)):
        for path in ("code", "upload", f"diff?other={theirs}"):
            assert caller.get(f"/api/submissions/{own}/{path}").status_code == 404, path
    assert rival.get(f"/api/submissions/{theirs}/diff?other={own}").status_code == 404
    assert organiser.get(ACTS).json()["items"] == []


def test_two_entries_are_compared_file_by_file(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    old = submit(participant, archive(**{"submission.py": MODULE, "lib__a.py": b"x = 1\n"}), "a.zip")
    new = submit(
        participant, archive(**{"submission.py": MODULE, "lib__a.py": b"x = 2\n", "b.bin": b"\xff\0"}), "b.zip"
    )

    shown = organiser.get(f"/api/submissions/{new}/diff", params={"other": old}).json()

    files = {file["path"]: file for file in shown["files"]}
    assert not shown["same"]
    assert files["submission.py"] == {"path": "submission.py", "same": True, "lines": []}
    assert files["lib/a.py"]["lines"][2:] == ["@@ -1 +1 @@", "-x = 1", "+x = 2"]
    assert files["b.bin"] == {"path": "b.bin", "same": False, "lines": None}
    assert [act["act"] for act in organiser.get(ACTS).json()["items"]] == ["code_compared", "code_compared"]


def test_a_notebook_is_read_as_its_cells_and_its_outputs_are_the_organisers(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    with api.database.write() as session:
        row = session.get_one(Phase, phase.id)
        row.notebooks, row.data_hidden = True, True
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1, "source": ["x = 1\n", "y = 2"]}]
    notebook = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()
    own = submit(participant, notebook, "entry.ipynb")
    with api.database.write() as session:
        submission = session.get_one(Submission, UUID(own))
        submission.evaluation.executed_blob = api.state.blobs.put(b"{}")

    shown = organiser.get(f"/api/submissions/{own}/code").json()
    assert shown["files"][0]["text"] == "# --- cell 1, code\nx = 1\ny = 2\n"
    assert participant.get(f"/api/submissions/{own}/notebook").status_code == 404
    assert organiser.get(f"/api/submissions/{own}/notebook").content == b"{}"
    with api.database.read() as session:
        assert "notebook_read" in [str(act) for act in session.scalars(select(AuditEvent.act))]


def test_files_made_to_be_compared_for_minutes_are_not() -> None:
    """Without a bound, difflib looks at each pair of equal lines for each block that it finds."""
    slow = [LegibleFile(f"{number}.py", 400, "a\n" * 199) for number in range(200)]
    other = [LegibleFile(f"{number}.py", 400, "a\nb\n" * 99) for number in range(200)]

    found = differences(slow, other)

    shown = [file for file in found if file.lines is not None]
    assert 0 < len(shown) < 20
    assert [file.same for file in differences(slow, slow)] == [True] * 200


def test_a_long_file_of_ordinary_lines_is_compared() -> None:
    text = "".join(f"line_{number} = {number}\n" for number in range(2500))
    (found,) = differences([LegibleFile("a.py", 1, text)], [LegibleFile("b.py", 1, text + "last = 1\n")])
    assert found.lines is not None
    assert found.lines[-1] == "+last = 1"
