"""Pages of leaderboards that the API keeps: never another page, never an old name, never more than it may hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from services.api.leaderboard.kept import KeptPages
from services.core.models import Phase, Team
from tests.api.harness import BOARD, Api
from tests.api.scores import publish, put


def entry(number: int) -> dict[str, Any]:
    """Make an entry of 20 to 22 bytes."""
    return {"entry": f"team {number}"}


@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 300))
def test_what_is_kept_is_what_would_be_read_within_the_limit(asked: list[int], most: int) -> None:
    pages = KeptPages(most)
    for number in asked:
        kept = pages.find(number, lambda number=number: [entry(number)])  # type: ignore[misc]
        assert kept == b'[{"entry":"team %d"}]' % number
        assert pages.held_bytes <= most


def test_a_page_is_read_once_and_again_if_it_changed() -> None:
    pages, reads = KeptPages(), []

    def read() -> list[dict[str, Any]]:
        reads.append(1)
        return [entry(1)]

    assert [pages.find(key, read) for key in ("a", "a", "b")] == [b'[{"entry":"team 1"}]'] * 3
    assert len(reads) == 2


def test_a_renamed_team_has_its_new_name_on_boards_that_were_read_before(api: Api, phase: Phase) -> None:
    ada, eve = api.caller("ada"), api.caller("eve")
    assert ada.post("/api/competitions/cup/teams", json={"name": "gulls"}).status_code == 201
    with api.database.write() as session:
        team = session.scalars(select(Team).where(Team.name == "gulls")).one()
        publish(session, session.get_one(Phase, phase.id), team, 0.5)
    read = [caller.get(BOARD) for caller in (eve, ada)]

    assert ada.request("PATCH", "/api/teams/gulls", json={"name": "terns"}).status_code == 200

    for caller, before in zip((eve, ada), read, strict=True):
        after = caller.get(BOARD, headers={"If-None-Match": before.headers["etag"]})
        assert (before.json()["items"][0]["entry"], after.json()["items"][0]["entry"]) == ("gulls", "terns")


@pytest.mark.parametrize("limit", [1, 2])
def test_pages_of_other_sizes_and_places_are_kept_apart(api: Api, phase: Phase, limit: int) -> None:
    for number in range(4):
        put(api, phase, f"t{number}", 0.5 - number / 10)
    for _ in range(2):
        seen, after = [], None
        while True:
            page = api.anonymous.get(BOARD, params={"limit": limit} | ({"after": after} if after else {})).json()
            seen += [item["entry"] for item in page["items"]]
            if (after := page["next"]) is None:
                break
        assert seen == ["t0", "t1", "t2", "t3"]
