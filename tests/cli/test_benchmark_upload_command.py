"""`lethe benchmark upload | uploads | consent | refuse` and `lethe account trust` against a real server."""

import json
from pathlib import Path

from services.cli.endings import Ending
from services.core.bundle.archive import export_bundle
from services.core.models import Role
from tests.api.harness import make_settings, running, serving
from tests.bundles import make_tiny_bundle
from tests.command import lethe


def test_a_benchmark_comes_to_a_server_by_commands(tmp_path: Path, sqlite_url: str) -> None:
    archive = tmp_path / "tiny.tar"
    export_bundle(make_tiny_bundle(tmp_path / "tiny", oracle_seeds=8), archive)
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        tokens = {
            name: api.caller(name, role).token or ""
            for name, role in (("org", Role.ORGANISER), ("root", Role.OPERATOR))
        }

        def run(who: str, *words: str, status: int = 0) -> str:
            done = lethe(*words, LETHE_URL=served.url, LETHE_TOKEN=tokens[who])
            assert done.returncode == status, done.stderr
            return done.stdout + done.stderr

        assert "no file" in run("org", "benchmark", "upload", str(tmp_path / "none.tar"), status=Ending.USAGE)
        assert "waits for consent" in run("org", "benchmark", "upload", str(archive))
        [first] = json.loads(run("org", "benchmark", "uploads", "--json"))
        assert "def build()" in run("root", "benchmark", "uploads", "--code", first["id"])
        run("org", "benchmark", "consent", first["id"], status=Ending.REFUSED)
        assert "Refused tiny.tar of org" in run("root", "benchmark", "refuse", first["id"], "Name its licence.")
        run("root", "account", "trust", "org")
        assert "waits for consent" in run("org", "benchmark", "upload", str(archive))
        [second, _] = json.loads(run("org", "benchmark", "uploads", "--json"))
        assert "Published tiny" in run("org", "benchmark", "consent", second["id"])
        assert "published here already" in run("org", "benchmark", "upload", str(archive), status=1)
        assert "no longer" in run("root", "account", "trust", "org", "--no-longer")
