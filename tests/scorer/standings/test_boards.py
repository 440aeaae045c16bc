"""Leaderboards that are computed when pointers move: how fresh they are, which are kept, and what a broken one does."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from services.core.board import standings
from services.core.models import AskedBoard, Evaluation, LeaderboardEntry, Phase, StandingRow, Standings, Team
from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database
from services.scorer.standings import boards
from services.scorer.standings.boards import Boards
from services.scorer.stores import Stores
from tests.api.harness import make_settings
from tests.api.scores import publish, retire
from tests.core.conftest import add_phase, database

__all__ = ["database"]

Row = dict[str, Any]
Portions = Callable[[Iterator[Row]], Iterator[list[Row]]]


class Contest:
    """A phase whose leaderboard is kept without pauses."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.stores = Stores(database, Blobs.from_settings(settings), settings)
        self.database = database
        with database.write() as session:
            self.phase_id = add_phase(session).id

    def put(self, team: str, final_score: float) -> UUID:
        with self.database.write() as session:
            row = Team(name=team)
            session.add(row)
            session.flush()
            return publish(session, session.get_one(Phase, self.phase_id), row, final_score).id

    def retire(self, entry_id: UUID) -> None:
        with self.database.write() as session:
            retire(session, entry_id)

    def keep(self) -> int:
        return Boards(self.stores).keep()

    def shown(self) -> list[tuple[float, int | None]]:
        """Read the newest board: scores and ranks."""
        with self.database.read() as session:
            board = standings.newest(session, session.get_one(Phase, self.phase_id))
            assert board is not None
            rows = (
                select(LeaderboardEntry.final_score, StandingRow.rank)
                .join(StandingRow, StandingRow.entry_id == LeaderboardEntry.id)
                .where(StandingRow.standings_id == board.id)
                .order_by(StandingRow.position)
            )
            return [(score, rank) for score, rank in session.execute(rows)]

    def let_pass(self, time: timedelta) -> None:
        with self.database.write() as session:
            for board in session.scalars(select(Standings)):
                board.begun_at -= time

    def count(self, table: type) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def contest(database: Database, tmp_path: Path) -> Iterator[Contest]:
    yield Contest(database, make_settings(tmp_path, database.engine.url.render_as_string(hide_password=False)))


def test_a_board_is_computed_once_for_each_move(contest: Contest) -> None:
    assert contest.keep() == 0
    contest.put("a", 0.3)
    entry = contest.put("b", 0.5)

    assert (contest.keep(), contest.keep()) == (1, 0)
    assert contest.shown() == [(0.5, 1), (0.3, 2)]
    contest.retire(entry)
    assert contest.keep() == 1
    assert contest.shown() == [(0.3, 1)]


def test_moves_come_one_after_another_whatever_the_clock_says(contest: Contest) -> None:
    with contest.database.write() as session:
        phase = session.get_one(Phase, contest.phase_id)
        ahead = standings.next_moment(session, phase) + timedelta(days=1)
        phase.board_moved_at = ahead
    contest.put("a", 0.3)

    with contest.database.read() as session:
        [published_at] = session.scalars(select(LeaderboardEntry.published_at))
    assert published_at == ahead + timedelta(microseconds=1)


def test_between_two_computations_of_a_board_there_is_a_pause(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "EVERY_S", 600.0)
    kept = Boards(contest.stores)
    contest.put("a", 0.3)
    assert kept.keep() == 1
    contest.put("b", 0.5)
    assert kept.keep() == 0
    kept._again_at.clear()
    assert kept.keep() == 1


def test_a_board_that_is_written_in_portions_is_whole(contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "PORTION", 3)
    for number in range(10):
        contest.put(f"t{number}", number / 10)

    contest.keep()

    assert contest.shown() == [((9 - number) / 10, number + 1) for number in range(10)]


def test_a_scorer_that_ends_half_way_shows_nothing_of_it_and_leaves_nothing(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        contest.put(f"t{number}", number / 10)
    contest.keep()
    contest.put("best", 0.9)

    with monkeypatch.context() as broken:
        broken.setattr(boards, "PORTION", 2)
        broken.setattr(boards, "_portions", _that_end_after_one(boards._portions))
        assert contest.keep() == 1
    assert contest.shown()[0] == (0.3, 1)
    assert contest.count(StandingRow) == 4 + 2

    contest.let_pass(timedelta(hours=2))
    contest.keep()
    assert contest.shown()[0] == (0.9, 1)
    assert contest.count(StandingRow) == 5


def _that_end_after_one(portions: Portions) -> Portions:
    def broken(rows: Iterator[Row]) -> Iterator[list[Row]]:
        yield next(portions(rows))
        raise OSError("The machine dies.")

    return broken


def test_old_boards_go_and_the_newest_stays(contest: Contest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "KEPT_ROWS", 5)
    for number in range(5):
        contest.put(f"t{number}", number / 10)
        contest.keep()

    assert contest.count(StandingRow) == 5
    contest.let_pass(timedelta(hours=2))
    contest.put("late", 0.8)
    contest.keep()
    assert contest.count(Standings) == 1
    assert len(contest.shown()) == 6


def test_an_earlier_board_is_computed_for_who_asks(contest: Contest) -> None:
    contest.put("a", 0.3)
    with contest.database.read() as session:
        earlier = session.get_one(Phase, contest.phase_id).board_moved_at
        assert earlier is not None
    contest.put("b", 0.5)
    contest.keep()

    for _ in range(2):
        with contest.database.write() as session:
            standings.ask(session, session.get_one(Phase, contest.phase_id), earlier)
    assert contest.count(AskedBoard) == 1
    assert contest.keep() == 1
    assert contest.count(AskedBoard) == 0
    with contest.database.read() as session:
        found = standings.find(session, session.get_one(Phase, contest.phase_id), earlier)
        assert found is not None
        assert found.total == 1
    assert contest.shown()[0] == (0.5, 1)


def test_few_earlier_boards_may_be_asked_for_at_once(contest: Contest) -> None:
    contest.put("a", 0.3)
    with contest.database.write() as session:
        phase = session.get_one(Phase, contest.phase_id)
        moment = phase.board_moved_at
        assert moment is not None
        for number in range(50):
            standings.ask(session, phase, moment - timedelta(days=number))

    assert contest.count(AskedBoard) == standings.MAX_ASKED


def test_a_board_that_cannot_be_computed_keeps_no_other_waiting(
    contest: Contest, monkeypatch: pytest.MonkeyPatch
) -> None:
    contest.put("a", 0.3)
    contest.keep()
    with contest.database.write() as session:
        phase = session.get_one(Phase, contest.phase_id)
        assert phase.board_moved_at is not None
        standings.ask(session, phase, phase.board_moved_at - timedelta(days=1))
    with monkeypatch.context() as broken:
        broken.setattr(boards, "standings", lambda *_: 1 / 0)
        assert contest.keep() == 1

    assert contest.count(AskedBoard) == 0


def test_a_place_says_of_how_many_entries_of_its_team_it_is_the_best(contest: Contest) -> None:
    contest.put("once", 0.3)
    with contest.database.write() as session:
        phase = session.get_one(Phase, contest.phase_id)
        team = Team(name="often")
        session.add(team)
        session.flush()
        for final_score in (0.1, 0.2, 0.5):
            entry = publish(session, phase, team, final_score)
            if final_score < 0.5:
                retire(session, entry.id)
        for evaluation in session.scalars(select(Evaluation)):
            assert evaluation.finished_at is not None
            evaluation.finished_at -= timedelta(hours=1)
    contest.keep()

    with contest.database.read() as session:
        rows = (
            select(Team.name, StandingRow.draws, StandingRow.luck)
            .select_from(StandingRow)
            .join(LeaderboardEntry, LeaderboardEntry.id == StandingRow.entry_id)
            .join(Team, Team.id == LeaderboardEntry.team_id)
        )
        found = {name: (draws, luck) for name, draws, luck in session.execute(rows)}
    assert found["once"] == (1, 0.0)
    assert found["often"][0] == 3
    assert found["often"][1] > 0
