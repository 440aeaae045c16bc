"""Previews of rescorings: what they list first, and when they are computed anew."""

from pathlib import Path
from typing import Any

import pytest

from services.core.models import CampaignMove, Phase, Reference
from services.core.models.stored import PlaceForm
from services.scorer.standings import previews
from tests.api.conftest import api, organiser, phase, settings
from tests.api.harness import Api, Caller
from tests.api.rescoring import CAMPAIGNS, add_score, begin, go_live, moves_of, put
from tests.core.conftest import database

__all__ = ["api", "database", "organiser", "phase", "settings"]


def place(rank: int | None) -> PlaceForm:
    low = high = rank
    return PlaceForm(
        rank=rank, rank_best=low, rank_worst=high, final_score=0.1, ci_low=0, ci_high=0.2, submission_id=ID
    )


ID = "00000000-0000-0000-0000-000000000001"


def move(before: PlaceForm | None, after: PlaceForm | None, **more: Any) -> CampaignMove:
    values = {"reference": Reference.NONE, "separated": False, "re_run_failed": False}
    return CampaignMove(before=before, after=after, **values | more)


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (place(2), place(3), True),
        (place(2), place(2), False),
        (None, place(4), True),
        (place(4), None, True),
        (place(None), place(None), False),
        (None, place(None), False),
        (place(1), place(None), True),
    ],
)
def test_an_entry_moves_if_its_rank_changes(before: PlaceForm | None, after: PlaceForm | None, moved: bool) -> None:
    assert previews._is_moved(move(before, after)) is moved


def test_what_moves_beyond_noise_comes_first_and_what_stays_last() -> None:
    moves = [
        move(place(1), place(1), ranks_up=1),
        move(place(3), place(2), ranks_up=2),
        move(place(4), place(4), ranks_up=3, re_run_failed=True),
        move(place(9), place(5), ranks_up=4, separated=True),
    ]

    assert [one.ranks_up for one in sorted(moves, key=previews._interest)] == [4, 2, 3, 1]


def test_a_preview_follows_scores_and_pointers_until_it_is_published(api: Api, phase: Phase, organiser: Caller) -> None:
    put(api, phase, "a", 0.3, 0.1)
    campaign = organiser.request("POST", CAMPAIGNS, json={"metric": "lethe-1"}).json()
    path = f"{CAMPAIGNS}/{campaign['id']}"
    assert organiser.request("GET", path).json()["preview"] is None
    assert organiser.get(path).json()["preview"] == {"entries": 1, "moved": 0, "separated": 0}

    late = put(api, phase, "b", 0.2, None)
    assert [one["team"] for one in moves_of(organiser, campaign)] == ["b", "a"]  # it leaves the board
    add_score(api, late, 0.4)
    assert organiser.get(path).json()["preview"] == {"entries": 2, "moved": 2, "separated": 2}
    assert go_live(organiser, campaign).status_code == 200
    shown = moves_of(organiser, campaign)
    put(api, phase, "c", 0.9, 0.9)
    assert moves_of(organiser, campaign) == shown
    assert [(one["team"], one["before"]["rank"], one["after"]["rank"]) for one in shown] == [("b", 2, 1), ("a", 1, 2)]


def test_moves_come_page_by_page(api: Api, phase: Phase, organiser: Caller, tmp_path: Path) -> None:
    for number in range(5):
        put(api, phase, f"t{number}", number / 10, 0.9 - number / 10)
    path = f"/api/competitions/cup/phases/feedback/campaigns/{begin(organiser)['id']}/moves"

    read, after = [], None
    while True:
        page = organiser.get(path, params={"limit": 2} | ({"after": after} if after else {})).json()
        read += [one["team"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert sorted(read) == [f"t{number}" for number in range(5)]
    assert read == [one["team"] for one in organiser.get(path).json()["items"]]
