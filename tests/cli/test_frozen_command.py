"""`lethe competition freeze` and `verify`: an archive, from a database to a check by every command that it is for."""

import json
import zipfile
from pathlib import Path

from sqlalchemy import select

from services.core.models import Role, Team
from services.core.record.acts import record_scores
from tests.api.harness import KEY, add_phase, make_settings, running
from tests.api.scores import publish
from tests.command import lethe_here


def test_a_competition_is_frozen_and_checked_by_command(tmp_path: Path, sqlite_url: str) -> None:
    with running(make_settings(tmp_path, sqlite_url)) as api:
        organiser = api.caller("organiser", Role.ORGANISER)
        api.caller("ada")
        assert organiser.account is not None
        with api.database.write() as session:
            phase = add_phase(session, organiser.account)
            team = session.scalars(select(Team).where(Team.name == "ada")).one()
            record_scores(session, phase, [publish(session, phase, team, 0.5).score])
    variables = {"LETHE_DATABASE_URL": sqlite_url, "LETHE_DATA_DIR": str(tmp_path / "data"), "LETHE_SECRET_KEY": KEY}
    archive = str(tmp_path / "cup.zip")

    done = lethe_here("competition", "freeze", "cup", archive, "--json", **variables)

    made = json.loads(done.stdout)
    assert made["entries"] == 1
    shown = json.loads(lethe_here("competition", "verify", archive, "--head", made["head"], "--json").stdout)
    assert (shown["problems"], shown["receipts"], shown["rows"]) == ([], 1, 1)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(tmp_path)
    (receipt,) = (tmp_path / "cup/data/receipts").iterdir()
    assert "ada, submission" in lethe_here("receipt", "verify", str(receipt), "--key", shown["public_key"]).stdout
    audit = lethe_here("audit", "verify", str(tmp_path / "cup/data/record.jsonl"), "--head", made["head"])
    assert audit.returncode == 0, audit.stderr
    again = lethe_here("competition", "freeze", "cup", archive, **variables)
    assert (again.returncode, "there already" in again.stderr) == (1, True)
    (tmp_path / "cup/index.html").write_text("")
    refused = lethe_here("competition", "verify", str(tmp_path / "cup"))
    assert (refused.returncode, "index.html" in refused.stderr) == (1, True)
    seal = lethe_here("receipt", "verify", str(tmp_path / "cup/data/SEAL.json"))
    assert (seal.returncode, "states no score" in seal.stderr) == (1, True)
