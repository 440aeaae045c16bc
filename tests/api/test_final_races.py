"""Teams select while the organiser starts the final: each selection either counts or is refused."""

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from services.core.finals import acts
from services.core.models import Entered, Evaluation, Final, Phase, Submission, Team
from services.core.store.database import Database
from services.scorer.finals.entering import PORTION, enter_some
from tests.api.finals import FINAL, choose, entries_of, keep, make_final, publish
from tests.api.harness import Api, Caller
from tests.api.rescoring import code, submit_scored

TEAMS = 6


def test_a_selection_counts_or_is_refused(api: Api, phase: Phase, organiser: Caller) -> None:
    make_final(organiser)
    teams = [api.caller(f"team{number}") for number in range(TEAMS)]
    best, other = (
        [submit_scored(api, team, code(2 * number + extra), 0.5 - 0.1 * extra) for number, team in enumerate(teams)]
        for extra in (0, 1)
    )
    ready = Barrier(TEAMS + 1)

    def act(number: int) -> Any:
        ready.wait()
        if number == TEAMS // 2:
            return organiser.post(f"{FINAL}/start")
        return choose(teams[number], other[number])

    order = [*range(TEAMS // 2), *range(TEAMS // 2 + 1, TEAMS), TEAMS // 2]
    ready = Barrier(len(order))
    with ThreadPoolExecutor(len(order)) as pool:
        answers = dict(zip(order, pool.map(act, order), strict=True))
    assert answers.pop(TEAMS // 2).status_code == 200
    keep(api)

    with api.database.read() as session:
        entered = {row.selected_id for row in session.scalars(select(Entered))}
    for number, answer in answers.items():
        assert answer.status_code == 200 or answer.json()["code"] == "selection_closed"
        assert (other if answer.status_code == 200 else best)[number] in entered
    assert len(entered) == TEAMS


def test_a_selection_waits_for_a_start_that_is_about_to_be_committed(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    make_final(organiser)
    mine = submit_scored(api, participant, code(1), 0.5)
    assert organiser.account is not None
    with ThreadPoolExecutor(1) as pool:
        with api.database.write() as session:
            acts.start(session, session.get_one(Final, only_final(api.database)), organiser.account.id)
            session.flush()
            answer = pool.submit(choose, participant, mine)
            wait([answer], timeout=1)  # long enough for one that waits for nobody
        assert answer.result().json()["code"] == "selection_closed"


def test_many_scorers_enter_each_team_once(
    api: Api, phase: Phase, organiser: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scorer.finals.entering.PORTION", 2)
    assert PORTION > 2
    make_final(organiser)
    for number in range(5):
        submit_scored(api, api.caller(f"team{number}"), code(number), 0.5)
    assert organiser.post(f"{FINAL}/start").status_code == 200
    final_id = only_final(api.database)

    def enter(_: int) -> int:
        made = 0
        for _ in range(4):
            with api.database.write() as session:
                made += enter_some(session, final_id)
        return made

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(enter, range(3))) == 5
    assert len(entries_of(api)) == 5
    with api.database.read() as session:
        assert session.get_one(Final, final_id).entered_at is not None
        of_final = select(func.count()).select_from(Evaluation).where(Evaluation.phase.has(Phase.slug == "final"))
        assert session.scalar(of_final) == 5
        teams = select(func.count(Submission.team_id.distinct())).where(Submission.phase.has(Phase.slug == "final"))
        assert session.scalar(teams) == 5


def test_a_scorer_that_ends_in_between_loses_nothing(
    api: Api, phase: Phase, organiser: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.scorer.finals.entering.PORTION", 2)
    make_final(organiser)
    for number in range(5):
        submit_scored(api, api.caller(f"team{number}"), code(number), 0.5)
    organiser.post(f"{FINAL}/start")
    final_id = only_final(api.database)
    with pytest.raises(RuntimeError, match="killed"), api.database.write() as session:
        enter_some(session, final_id)
        raise RuntimeError("killed")
    assert entries_of(api) == {}
    with api.database.write() as session:
        assert enter_some(session, final_id) == 2
    assert publish(organiser).json()["code"] == "final_not_ready"

    keep(api)

    assert len(entries_of(api)) == 5
    with api.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Team)) == 6


def only_final(database: Database) -> UUID:
    with database.read() as session:
        return session.scalars(select(Final.id)).one()
