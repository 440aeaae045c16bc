"""`lethe team` against a real server: a team is formed, led, merged and left."""

import json
import re
from pathlib import Path
from subprocess import CompletedProcess

from services.cli.endings import Ending
from services.core.models import Role
from tests.api.harness import add_phase, make_settings, running, serving
from tests.api.teams import open_merging
from tests.command import lethe


def test_people_form_lead_merge_and_leave_teams(tmp_path: Path, sqlite_url: str) -> None:
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        owner = api.caller("org", Role.ORGANISER).account
        assert owner is not None
        with api.database.write() as session:
            add_phase(session, owner)
        open_merging(api)
        callers = {name: api.caller(name) for name in ("ada", "eve", "bob", "cid")}

        def team(who: str, *words: str, status: int = 0) -> "CompletedProcess[str]":
            done = lethe("team", *words, LETHE_URL=served.url, LETHE_TOKEN=callers[who].token or "")
            assert done.returncode == status, done.stderr
            return done

        def only_offer(who: str) -> str:
            (offer,) = json.loads(team(who, "offers", "--json").stdout)
            return str(offer["id"])

        team("ada", "create", "gulls", "-c", "cup")
        link = team("ada", "invite", "gulls").stdout.strip()
        assert link.startswith(f"{served.url}/join#")
        joined = team("eve", "join", link, "--yes")
        assert "Team gulls of Cup (cup): ada." in joined.stdout
        assert (
            "it is wrong, expired, revoked or used up"
            in team("bob", "join", link, "--yes", status=Ending.REFUSED).stderr
        )
        team("ada", "invite", "gulls", "bob")
        offers = team("bob", "offers").stdout
        assert "yours to answer" in offers
        assert re.search(r"│ gulls +│ bob +│ +│ yes +│", offers), offers
        assert "You are in team gulls of cup" in team("bob", "accept", only_offer("bob")).stderr
        team("ada", "rename", "gulls", "terns")
        team("ada", "merge", "terns", "cid")
        team("cid", "accept", only_offer("cid"))
        shown = json.loads(team("cid", "show", "terns", "--json").stdout)
        assert [one["username"] for one in shown["members"]] == ["ada", "eve", "bob", "cid"]
        assert shown["merged"] == ["cid"]
        team("ada", "remove", "terns", "bob")
        team("ada", "captain", "terns", "eve")
        team("ada", "leave", "terns")
        shown_to_her = team("eve", "show", "terns").stdout
        assert "eve" in shown_to_her
        assert "On boards: none." in shown_to_her
        assert re.search(r"captain │ \d{4}-\d\d-\d\d \d\d:\d\d [A-Z]+ │", shown_to_her), shown_to_her
        seen = team("ada", "show", "terns").stdout  # who has left sees what strangers see
        assert "eve" not in seen
        assert "2 members do not show who they are." in seen
        (own,) = json.loads(team("eve", "list", "--json").stdout)
        assert (own["name"], own["role"], own["members"]) == ("terns", "captain", 2)
        assert "not_captain" in team("cid", "invite", "terns", status=Ending.REFUSED).stderr
