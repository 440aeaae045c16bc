"""What everybody may know of an installation, and what its operator may."""

from pathlib import Path

from services.core.models import Role
from services.core.settings import SandboxKind
from tests.api.harness import Api, make_settings, running


def test_everybody_may_know_what_they_need(api: Api) -> None:
    shown = api.anonymous.get("/api/installation").json()

    assert shown.pop("version") == api.anonymous.get("/api/health").json()["version"]
    assert shown == {
        "sandbox": "docker",
        "sign_up_open": True,
        "max_upload_bytes": 20 * 1024**2,
        "max_benchmark_bytes": 10 * 1024**3,
        "benchmark_part_bytes": 4 * 1024**2,
        "sends_mail": False,
        "sign_in_with": [],
    }


def test_closed_sign_up_is_said(tmp_path: Path, database_url: str) -> None:
    with running(make_settings(tmp_path, database_url, sandbox=SandboxKind.PROCESS)) as api:
        shown = api.anonymous.get("/api/installation").json()

        assert (shown["sandbox"], shown["sign_up_open"]) == ("process", False)


def test_an_operator_sees_what_it_runs_on(api: Api) -> None:
    shown = api.caller("root", Role.OPERATOR).get("/api/admin/system").json()

    assert shown["database"] == api.database.engine.dialect.name
    assert (shown["doorbell"], shown["blobs"]) == ("in process", "directory")
    assert 0 < shown["disk_free_bytes"] < shown["disk_total_bytes"]
    assert shown["data_dir"] == str(api.state.settings.data_dir.resolve())
