"""Entries and teams taken off the board and put back: by organisers, with a reason, and by teams themselves."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from services.core.board import counting, pointers
from services.core.models import AuditEvent, Phase, PhaseKind, Role
from services.core.store.database import utc_now
from tests.api.harness import BOARD, Api, Caller
from tests.api.rescoring import (
    CAMPAIGNS,
    begin,
    code,
    go_live,
    names,
    run_all_again,
    score_submitted,
    shown_scores,
    submit_scored,
)

CUP = "/api/competitions/cup"
OFF = f"{CUP}/disqualifications"


def disqualify(organiser: Caller, reason: str = "It reads the clock.", **body: Any) -> dict[str, Any]:
    answer = organiser.post(OFF, json={"reason": reason, **body})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def reinstate(organiser: Caller, made: dict[str, Any], reason: str = "A mistake of ours.") -> dict[str, Any]:
    answer = organiser.post(f"{OFF}/{made['id']}/reinstate", json={"reason": reason})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def as_wanted(api: Api, phase: Phase) -> bool:
    """Whether pointers stand where the board's function says."""
    with api.database.read() as session:
        row = session.get_one(Phase, phase.id)
        wanted = counting.best_entries(session, row, row.metric, counting.runs_of(session, row))
        found = {key: entry.score_id for key, entry in pointers.current(session, row).items()}
        return found == {key: best.score.id for key, best in wanted.items()}


def acts(api: Api) -> list[str]:
    with api.database.read() as session:
        return [str(one.act) for one in session.scalars(select(AuditEvent).order_by(AuditEvent.created_at))]


def open_final(api: Api, phase: Phase, opens_in: timedelta) -> None:
    """Add a final phase that opens after a while."""
    with api.database.write() as session:
        row = session.get_one(Phase, phase.id)
        values = {column.key: getattr(row, column.key) for column in Phase.__table__.columns}
        opens_at = utc_now() + opens_in
        changes = {"slug": "final", "kind": PhaseKind.FINAL, "opens_at": opens_at, "board_moved_at": None}
        values |= changes | {"closes_at": opens_at + timedelta(days=1)}
        del values["id"]
        session.add(Phase(**values))


def test_a_disqualified_entry_leaves_the_board_and_comes_back(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    best = submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, participant, code(2), 0.3)
    submit_scored(api, api.caller("eve"), code(3), 0.4)
    before = api.anonymous.get(BOARD).json()

    made = disqualify(organiser, submission_id=str(best))

    assert (made["kind"], made["team"], made["submission_id"]) == ("disqualified", "ada", str(best))
    assert (names(api), shown_scores(api)) == (["eve", "ada"], [0.4, 0.3])
    seen = participant.get(f"/api/submissions/{best}").json()
    assert [(one["kind"], one["reason"]) for one in seen["exclusions"]] == [("disqualified", "It reads the clock.")]
    assert (seen["on_board"], seen["score"]["final_score"]) == (False, 0.5)
    assert api.anonymous.get(BOARD, params={"as_of": before["as_of"]}).json()["items"] == before["items"]

    ended = reinstate(organiser, made)

    assert (ended["ended_at"] is not None, ended["ended_reason"]) == (True, "A mistake of ours.")
    assert (names(api), shown_scores(api)) == (["ada", "eve"], [0.5, 0.4])
    seen = participant.get(f"/api/submissions/{best}").json()
    assert (seen["exclusions"], seen["reinstatements"]) == ([], [ended])
    assert acts(api) == ["entry_disqualified", "entry_reinstated"]


def test_a_disqualified_team_leaves_every_board_and_submits_no_more(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    submit_scored(api, participant, code(1), 0.5)
    late = UUID(participant.submit(code(2)).json()["id"])
    submit_scored(api, api.caller("eve"), code(3), 0.4)

    made = disqualify(organiser, "Two accounts.", team="ada")
    score_submitted(api, late, 0.6)

    assert names(api) == ["eve"]
    refused = participant.submit(code(4))
    assert (refused.status_code, refused.json()["code"]) == (403, "team_disqualified")
    assert "Two accounts." in refused.json()["detail"]
    assert participant.get(f"/api/submissions/{late}").json()["exclusions"][0]["submission_id"] is None

    reinstate(organiser, made)

    assert (names(api), shown_scores(api)) == (["ada", "eve"], [0.6, 0.4])
    assert participant.submit(code(4)).status_code == 201


def test_a_team_that_was_disqualified_does_not_go_on_as_another(api: Api, phase: Phase, organiser: Caller) -> None:
    root = api.caller("root", Role.OPERATOR)
    assert root.post("/api/teams", json={"name": "fresh"}).status_code == 201
    disqualify(organiser, team="root")

    assert root.submit(code(1), team="fresh").json()["code"] == "team_disqualified"
    assert root.submit(code(1), team="fresh", reference="identity").status_code == 201


def test_disqualified_code_does_not_come_back_under_another_name(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    first = submit_scored(api, participant, code(1), 0.5)
    disqualify(organiser, submission_id=str(first))

    again = participant.submit(code(1), name="renamed").json()

    assert names(api) == []
    assert again["exclusions"][0]["submission_id"] == str(first)


def test_an_entry_that_is_scored_after_it_was_disqualified_stays_off(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    waiting = participant.submit(code(1)).json()["id"]
    made = disqualify(organiser, submission_id=waiting)
    score_submitted(api, UUID(waiting), 0.5)
    assert names(api) == []

    reinstate(organiser, made)

    assert names(api) == ["ada"]


def test_a_team_withdraws_an_entry_and_enters_it_again(api: Api, phase: Phase, participant: Caller) -> None:
    best = submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, participant, code(2), 0.3)

    shown = participant.post(f"/api/submissions/{best}/withdraw").json()

    assert [one["kind"] for one in shown["exclusions"]] == ["withdrawn"]
    assert shown_scores(api) == [0.3]
    twice = participant.post(f"/api/submissions/{best}/withdraw")
    assert (twice.status_code, twice.json()["code"]) == (409, "already_off_board")

    assert participant.post(f"/api/submissions/{best}/reenter").json()["exclusions"] == []
    assert shown_scores(api) == [0.5]
    assert participant.post(f"/api/submissions/{best}/reenter").json()["code"] == "not_off_board"
    assert acts(api) == ["entry_withdrawn", "entry_reentered"]


def test_entries_are_fixed_once_a_final_has_opened(api: Api, phase: Phase, participant: Caller) -> None:
    kept, withdrawn = (submit_scored(api, participant, code(number), 0.1 * number) for number in (1, 2))
    open_final(api, phase, timedelta(hours=1))
    assert participant.post(f"/api/submissions/{withdrawn}/withdraw").status_code == 200
    with api.database.write() as session:
        session.scalars(select(Phase).where(Phase.slug == "final")).one().opens_at = utc_now()

    for act, one in (("withdraw", kept), ("reenter", withdrawn)):
        answer = participant.post(f"/api/submissions/{one}/{act}")
        assert (answer.status_code, answer.json()["code"]) == (409, "final_started")
    assert not participant.get(f"/api/submissions/{kept}").json()["rights"]["withdraws"]


def test_only_the_team_withdraws_and_only_the_organiser_judges(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    own = submit_scored(api, participant, code(1), 0.5)
    rival, other = api.caller("eve"), api.caller("mallory", Role.ORGANISER)
    assert rival.post(f"/api/submissions/{own}/withdraw").status_code == 404
    assert organiser.post(f"/api/submissions/{own}/withdraw").json()["code"] == "not_in_that_team"
    for caller in (rival, participant, other):
        answer = caller.post(OFF, json={"team": "ada", "reason": "A rival."})
        assert answer.status_code == 403
        assert caller.get(OFF).status_code == 403
    made = disqualify(organiser, submission_id=str(own))
    assert participant.post(f"/api/submissions/{own}/reenter").json()["code"] == "not_off_board"
    assert other.post(f"{OFF}/{made['id']}/reinstate", json={"reason": "x"}).status_code == 403
    assert rival.get(f"/api/submissions/{own}").status_code == 404
    assert names(api) == []


def test_a_withdrawal_does_not_hide_a_disqualification(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    own = submit_scored(api, participant, code(1), 0.5)
    participant.post(f"/api/submissions/{own}/withdraw")
    disqualify(organiser, submission_id=str(own))
    participant.post(f"/api/submissions/{own}/reenter")

    assert names(api) == []
    listed = organiser.get(OFF).json()["items"]
    assert [(one["kind"], one["ended_at"] is None) for one in listed] == [("disqualified", True), ("withdrawn", False)]
    assert [one["kind"] for one in organiser.get(OFF, params={"current": True}).json()["items"]] == ["disqualified"]


def test_refusals_say_why(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    own = submit_scored(api, participant, code(1), 0.5)
    made = disqualify(organiser, submission_id=str(own))
    for body, status, expected in (
        ({"submission_id": str(own)}, 409, "already_off_board"),
        ({"submission_id": str(phase.id)}, 404, "not_found"),
        ({"team": "nobody"}, 404, "not_found"),
        ({}, 422, "bad_input"),
        ({"team": "ada", "submission_id": str(own)}, 422, "bad_input"),
        ({"team": "ada", "reason": "\u202e"}, 422, "invalid_request"),
        ({"team": "ada", "reason": " "}, 422, "invalid_request"),
    ):
        answer = organiser.post(OFF, json={"reason": "Because.", **body})
        assert (answer.status_code, answer.json()["code"]) == (status, expected), body
    reinstate(organiser, made)
    again = organiser.post(f"{OFF}/{made['id']}/reinstate", json={"reason": "Again."})
    assert (again.status_code, again.json()["code"]) == (409, "not_off_board")


def test_reference_rows_of_a_disqualified_team_stay(api: Api, phase: Phase, organiser: Caller) -> None:
    floor = UUID(organiser.submit(code(1), reference="identity").json()["id"])
    score_submitted(api, floor, 0.1)
    disqualify(organiser, team="organiser")
    assert names(api) == ["organiser"]
    disqualify(organiser, submission_id=str(floor))
    assert names(api) == []


def test_an_entry_that_was_off_during_a_re_run_has_no_older_score_when_it_comes_back(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    """Otherwise a team would withdraw a lucky score before its entries run again, and enter it afterwards."""
    lucky = submit_scored(api, participant, code(1), 0.9)
    submit_scored(api, participant, code(2), 0.3)
    participant.post(f"/api/submissions/{lucky}/withdraw")
    run_all_again(api, organiser, 0.2)
    assert shown_scores(api) == [0.2]

    participant.post(f"/api/submissions/{lucky}/reenter")

    assert shown_scores(api) == [0.2]
    assert as_wanted(api, phase)


def test_a_reinstated_team_has_its_new_run(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    submit_scored(api, participant, code(1), 0.9)
    made = disqualify(organiser, team="ada")
    run_all_again(api, organiser, 0.2)

    reinstate(organiser, made)

    assert (names(api), shown_scores(api)) == (["ada"], [0.2])


def test_an_undone_rescoring_keeps_what_is_off(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    own = submit_scored(api, participant, code(1), 0.9, **{"lethe-1": 0.5})
    submit_scored(api, api.caller("eve"), code(2), 0.4, **{"lethe-1": 0.6})
    campaign = begin(organiser)
    disqualify(organiser, submission_id=str(own))
    shown = organiser.get(f"{CAMPAIGNS}/{campaign['id']}").json()
    assert shown["preview"]["entries"] == 1
    assert go_live(organiser, campaign).status_code == 200
    assert names(api) == ["eve"]
    assert organiser.post(f"{CUP}/phases/feedback/undo").status_code == 200
    assert (names(api), shown_scores(api)) == (["eve"], [0.4])
    assert as_wanted(api, phase)
