"""`lethe share`, `lethe competition images` and `lethe account preferences` against a real server."""

import json
from pathlib import Path
from subprocess import CompletedProcess

from PIL import Image

from services.cli.endings import Ending
from services.core.models import Role
from tests.api.harness import add_phase, make_settings, numbered, running, serving
from tests.api.rescoring import submit_scored
from tests.command import lethe


def test_people_share_scores_add_images_and_choose_what_they_are_told(tmp_path: Path, sqlite_url: str) -> None:
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        organiser, ada = api.caller("org", Role.ORGANISER), api.caller("ada")
        assert organiser.account is not None
        with api.database.write() as session:
            add_phase(session, organiser.account)
        scored = submit_scored(api, ada, numbered(1), 0.5)
        waiting = ada.submit(numbered(2)).json()["id"]

        def run(token: str | None, *words: str, status: int = 0) -> "CompletedProcess[str]":
            done = lethe(*words, LETHE_URL=served.url, LETHE_TOKEN=token or "")
            assert done.returncode == status, done.stderr
            return done

        public = f"/api/shared/{scored}"
        assert run(ada.token, "share", str(scored)).stdout.strip() == f"{served.url}/shared/{scored}"
        assert api.anonymous.get(public).status_code == 200
        assert "has no score yet" in run(ada.token, "share", waiting, status=Ending.REFUSED).stderr
        run(ada.token, "share", str(scored), "--undo")
        assert api.anonymous.get(public).status_code == 404

        plot = tmp_path / "plot.png"
        Image.new("RGB", (9, 5)).save(plot)
        images = ("competition", "images", "cup")
        listed = json.loads(run(organiser.token, *images, "--add", str(plot), "--json").stdout)
        assert [(one["name"], one["width_px"]) for one in listed] == [("plot.png", 9)]
        assert "9 x 5" in run(ada.token, *images).stdout
        run(organiser.token, *images, "--add", str(tmp_path / "none.png"), status=Ending.USAGE)
        assert json.loads(run(organiser.token, *images, "--remove", "plot.png", "--json").stdout) == []

        chosen = ("account", "preferences")
        said = run(ada.token, *chosen, "--notice", "submission.running", "--no-mail", "board.changed", "--no-mails")
        assert "You want no mail about competitions." in said.stdout + said.stderr
        found = json.loads(run(ada.token, *chosen, "--shown-in-teams", "--json").stdout)
        assert "submission.running" in found["notice_kinds"]
        assert "board.changed" not in found["mail_kinds"]
        assert (found["mail_wanted"], found["shown_in_teams"]) == (False, True)
