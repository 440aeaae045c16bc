"""Environments: what code finds in the sandbox, and which of them a phase may name."""

import io
import json
import zipfile
from typing import Any

import pytest
from sqlalchemy import update

from services.core.environments import EnvironmentInUse, keep, remove
from services.core.models import Device, EnvironmentRow, Phase
from tests.api.harness import Api, Caller
from tests.api.test_competitions import PHASE, PHASES, cup

__all__ = ["cup"]

UNLEARNING = b"def unlearning(a, b, c, d):\n    pass\n"
CALLED_LATER = b"def unlearning(a, b, c, d):\n    import timm\n"


def row(name: str, device: Device = Device.CPU, **changes: Any) -> EnvironmentRow:
    return EnvironmentRow(
        **{
            "name": name,
            "image": f"registry/{name}:1",
            "digest": "sha256:" + "e" * 64,
            "device": device,
            "python": "3.11.2",
            "packages": {"torch": "2.13.0+cpu", "scikit-learn": "1.9.1"},
            "modules": ["sklearn", "torch"],
            "size_bytes": 1_500_000_000,
            "self_test": "passed 0123",
        }
        | changes
    )


@pytest.fixture
def old(api: Api) -> None:
    with api.database.write() as session:
        keep(session, row("old"))
        keep(session, row("old-cuda", Device.GPU))


@pytest.mark.usefixtures("old")
def test_everybody_sees_what_an_environment_holds(api: Api) -> None:
    listed = api.anonymous.get("/api/environments").json()["items"]
    shown = api.anonymous.get("/api/environments/old").json()

    assert [one["name"] for one in listed] == ["old", "old-cuda"]
    assert shown == listed[0]
    assert shown["packages"] == {"torch": "2.13.0+cpu", "scikit-learn": "1.9.1"}
    missing = api.anonymous.get("/api/environments/new")
    assert (missing.status_code, "old, old-cuda" in missing.json()["detail"]) == (404, True)


@pytest.mark.usefixtures("old")
def test_a_phase_runs_where_it_says_or_in_the_workers_own(cup: Caller) -> None:
    made = cup.post(PHASES, json=PHASE).json()
    chosen = cup.post(PHASES, json=PHASE | {"slug": "notebooks", "environment": "old"}).json()
    on_gpu = cup.post(PHASES, json=PHASE | {"slug": "gpu", "device": "gpu"}).json()

    assert [one["environment"] for one in (made, chosen, on_gpu)] == ["current", "old", "current-cuda"]


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(("name", "says"), [("new", "There are old, old-cuda."), ("old-cuda", "on gpu, not on cpu")])
def test_a_phase_in_an_environment_that_cannot_run_it_is_refused(cup: Caller, name: str, says: str) -> None:
    refused = cup.post(PHASES, json=PHASE | {"environment": name})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_environment")
    assert says in refused.json()["detail"]


@pytest.mark.usefixtures("old")
def test_an_environment_of_a_phase_stays(api: Api, cup: Caller) -> None:
    cup.post(PHASES, json=PHASE | {"environment": "old"})
    with api.database.write() as session:
        with pytest.raises(EnvironmentInUse, match="feedback"):
            remove(session, "old")
        remove(session, "old-cuda")
        keep(session, row("current"))
        with pytest.raises(EnvironmentInUse, match="every worker"):
            remove(session, "current")
    assert [one["name"] for one in api.anonymous.get("/api/environments").json()["items"]] == ["current", "old"]


@pytest.mark.usefixtures("phase")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"import timm\n" + UNLEARNING, "entry.py, line 1 imports `timm`, which is not in the environment `current`."),
        (b"import torch\nfrom timm.models import create\n" + UNLEARNING, "line 2 imports `timm`"),
    ],
)
def test_a_package_that_is_not_there_is_told_before_it_costs_a_run(
    api: Api, participant: Caller, source: bytes, says: str
) -> None:
    with api.database.write() as session:
        keep(session, row("current"))
    for path in ("submissions", "submissions/check"):
        refused = participant.post(
            f"/api/competitions/cup/phases/feedback/{path}", params={"filename": "entry.py"}, content=source
        )
        assert (refused.status_code, refused.json()["code"]) == (422, "missing_package")
        assert says in refused.json()["detail"]
        assert "The environment has torch, sklearn" in refused.json()["detail"]


@pytest.mark.usefixtures("phase")
def test_a_package_that_may_never_be_needed_is_a_warning(api: Api, participant: Caller) -> None:
    with api.database.write() as session:
        keep(session, row("current"))
    guarded = b"try:\n    import timm\nexcept ImportError:\n    timm = None\n" + UNLEARNING
    for source, warnings in ((CALLED_LATER, 1), (guarded, 0), (b"import sklearn.svm, os\n" + UNLEARNING, 0)):
        checked = participant.post(
            "/api/competitions/cup/phases/feedback/submissions/check", params={"filename": "entry.py"}, content=source
        )
        assert checked.status_code == 200, checked.json()
        assert len([one for one in checked.json()["warnings"] if "`timm`" in one]) == warnings


@pytest.mark.usefixtures("phase")
def test_a_package_that_a_notebook_imports_is_a_warning(api: Api, participant: Caller) -> None:
    with api.database.write() as session:
        keep(session, row("current"))
        session.execute(update(Phase).values(notebooks=True))
    cells = [{"cell_type": "code", "source": f"!pip install {name}\nimport {name}"} for name in ("torch", "timm")]
    checked = participant.post(
        "/api/competitions/cup/phases/feedback/submissions/check",
        params={"filename": "work.ipynb"},
        content=json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode(),
    )

    assert checked.status_code == 200, checked.json()
    assert checked.json()["warnings"] == [
        "work.ipynb, cell 2, line 2 imports `timm`, which is not in the environment `current`. "
        "The run fails if it comes there."
    ]


def test_the_starting_kit_of_a_phase_lists_its_packages_once_a_worker_has_told(api: Api, cup: Caller) -> None:
    cup.post(PHASES, json=PHASE)

    def kit(phase: str = "feedback") -> dict[str, str]:
        answer = api.anonymous.get(f"{PHASES}/{phase}/starting-kit")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    before = kit()
    with api.database.write() as session:
        keep(session, row("current"))
        keep(session, row("old", packages={"torch": "1.13.0"}))
    cup.post(PHASES, json=PHASE | {"slug": "notebooks", "environment": "old"})

    packages = kit()["starting_kit/packages.txt"]
    assert packages.splitlines()[1:] == ["torch==2.13.0+cpu", "scikit-learn==1.9.1"]
    assert "environment current: Python 3.11.2" in packages
    assert "torch==1.13.0\n" in kit("notebooks")["starting_kit/packages.txt"]
    assert kit() == before | {"starting_kit/packages.txt": packages}
    assert api.anonymous.get(f"{PHASES}/none/starting-kit").status_code == 404


def test_the_starting_kit_names_this_server_and_the_phase(api: Api, cup: Caller) -> None:
    cup.post(PHASES, json=PHASE | {"slug": "second"})

    def texts(path: str) -> str:
        with zipfile.ZipFile(io.BytesIO(api.anonymous.get(path).content)) as archive:
            return "\n".join(archive.read(name).decode() for name in archive.namelist())

    kit = texts(f"{PHASES}/second/starting-kit")
    assert "lethe login --url http://testserver --username" in kit
    assert "lethe submit my_unlearning.py --competition cup --phase second --wait" in kit
    assert "lethe evaluate my_unlearning.py --benchmark tiny --seeds 64" in kit
    assert "LETHE_COMPETITION: cup\n  LETHE_PHASE: second\n" in kit
    assert "at http://testserver/competitions/cup: benchmark `tiny`, environment `current`." in kit
    assert [one for one in ("lethe.example.org", "my-competition", "phase feedback") if one in kit] == []
    assert "lethe.example.org" not in texts("/api/starting-kit")


GROUPS = b"try:\n    pass\nexcept* ValueError:\n    pass\n" + UNLEARNING  # since Python 3.11
TYPE = b"type X = int\n" + UNLEARNING  # since Python 3.12


@pytest.mark.usefixtures("phase")
@pytest.mark.parametrize(
    ("python", "source", "says"),
    [
        (None, GROUPS, ""),
        ("3.11.2", GROUPS, ""),
        ("3.10.12", GROUPS, "The sandbox runs Python 3.10."),
        (None, TYPE, "without the syntax of Python 3.12. The sandbox runs Python 3.11."),
        ("what", TYPE, "The sandbox runs Python 3.11."),
        ("3.99.0", b"type\n" + UNLEARNING, ""),
        ("3.99.0", b"def (\n" + UNLEARNING, "The sandbox runs Python 3.99, but Lethe checks files with Python 3."),
    ],
)
def test_a_file_is_read_by_the_python_of_the_phases_environment(
    api: Api, participant: Caller, python: str | None, source: bytes, says: str
) -> None:
    if python is not None:
        with api.database.write() as session:
            keep(session, row("current", python=python))
    for path in ("submissions/check", "submissions"):
        answer = participant.post(
            f"/api/competitions/cup/phases/feedback/{path}", params={"filename": "entry.py"}, content=source
        )
        assert answer.is_success == (not says), answer.json()
        assert says in answer.json().get("detail", "")
