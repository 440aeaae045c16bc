"""Sealed finals: what teams select, who enters, what the organiser starts, publishes and seals."""

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.core.finals.seeds import seed_key
from services.core.models import AuditEvent, Evaluation, Final, Phase, Role, Shard, Submission
from services.core.store.database import utc_now
from tests.api.finals import (
    FINAL,
    PHASES,
    add_second_benchmark,
    choose,
    chosen,
    end_runs,
    entries_of,
    keep,
    make_final,
    publish,
    start,
    take_back,
)
from tests.api.harness import MODULE, Api, Caller
from tests.api.rescoring import code, submit_scored
from tests.api.test_judging import disqualify, reinstate

BOARD = f"{PHASES}/final/leaderboard"


@pytest.fixture
def final(api: Api, phase: Phase, organiser: Caller) -> None:
    make_final(organiser)


def acts(api: Api) -> list[str]:
    with api.database.read() as session:
        return [str(one.act) for one in session.scalars(select(AuditEvent).order_by(AuditEvent.created_at))]


def names(caller: Caller) -> list[str]:
    return [item["entry"] for item in caller.get(BOARD).json()["items"]]


def test_a_final_promises_its_seeds_and_takes_no_uploads(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    made = make_final(organiser)

    assert (made["entered_by"], made["final"], made["sealed"], made["is_open"]) == ("selection", "final", True, False)
    shown = api.anonymous.get(FINAL).json()
    assert (shown["selects"], shown["draws_from"], shown["secret"]) == (1, ["feedback"], None)
    assert (shown["is_open"], len(bytes.fromhex(shown["commitment"]))) == (True, 32)
    for path in ("submissions", "submissions/check"):
        refused = participant.post(f"{PHASES}/final/{path}", content=MODULE, params={"filename": "entry.py"})
        assert (refused.status_code, refused.json()["code"]) == (409, "enters_by_selection")
        assert "lethe select" in refused.json()["detail"]
    with zipfile.ZipFile(io.BytesIO(api.anonymous.get(f"{PHASES}/final/starting-kit").content)) as kit:
        assert "lethe select SUBMISSION --phase final" in kit.read("starting_kit/README.md").decode()
    row = organiser.post(
        f"{PHASES}/final/submissions", content=MODULE, params={"filename": "entry.py", "reference": "identity"}
    )
    assert row.status_code == 201
    assert api.anonymous.get(f"{PHASES}/feedback/final").json()["code"] == "not_a_final"


def test_a_final_that_was_made_before_goes_on_taking_uploads(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    made = make_final(organiser, entered_by="upload", opens_at=(utc_now() - timedelta(hours=1)).isoformat())

    assert (made["entered_by"], made["final"], made["sealed"], made["is_open"]) == ("upload", None, False, True)
    sent = participant.post(f"{PHASES}/final/submissions", content=MODULE, params={"filename": "entry.py"})
    assert sent.status_code == 201
    assert api.anonymous.get(BOARD).status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "feedback", "entered_by": "selection"}, "only a final"),
        ({"kind": "feedback", "selects": 2}, "belong to a sealed final"),
        ({"entered_by": "upload", "draws_from": ["feedback"]}, "belong to a sealed final"),
        ({"draws_from": ["nowhere"]}, "no phase 'nowhere'"),
        ({"further_benchmarks": ["tiny"]}, "are the same"),
        ({"further_benchmarks": ["unknown"]}, "not published"),
    ],
)
def test_a_final_that_makes_no_sense_is_refused_whole(
    api: Api, phase: Phase, organiser: Caller, changes: dict[str, object], said: str
) -> None:
    body = {"slug": "final", "kind": "final", "benchmark": "tiny", "closes_at": "2999-01-01T00:00:00Z", "seeds": 8}

    refused = organiser.post(PHASES, json=body | changes)

    assert refused.status_code in (404, 422)
    assert said in refused.text
    assert [one["slug"] for one in api.anonymous.get(PHASES).json()["items"]] == ["feedback"]


def test_a_team_enters_its_best_unless_it_marks_another(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    best = submit_scored(api, participant, code(1), 0.5)
    other = submit_scored(api, participant, code(2), 0.3)
    assert chosen(participant) == [str(best)]
    assert participant.get(f"{FINAL}/selection").json()["by_default"]

    marked = choose(participant, other)

    assert (marked.status_code, marked.json()["by_default"]) == (200, False)
    assert chosen(participant) == [str(other)]
    assert choose(participant, other).status_code == 200
    full = choose(participant, best)
    assert (full.status_code, full.json()["code"]) == (409, "too_many_selected")
    shown = {one["id"]: one["finals"] for one in participant.get("/api/submissions").json()["items"]}
    assert shown[str(other)] == [
        {"phase": "final", "is_open": True, "selected": True, "entered": False, "licence": None}
    ]
    assert not shown[str(best)][0]["selected"]
    assert take_back(participant, other).status_code == 200
    assert chosen(participant) == [str(best)]
    assert acts(api)[-2:] == ["entry_selected", "entry_unselected"]


def test_only_entries_that_can_run_in_the_final_are_selected(
    api: Api, final: None, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    waiting = UUID(participant.submit(code(1)).json()["id"])
    gone = submit_scored(api, participant, code(2), 0.3)
    participant.post(f"/api/submissions/{gone}/withdraw")
    rival = submit_scored(api, api.caller("eve"), code(3), 0.4)
    row = UUID(organiser.submit(code(4), reference="identity").json()["id"])

    for caller, one, expected in (
        (participant, waiting, "not_selectable"),
        (participant, gone, "not_selectable"),
        (participant, rival, "not_found"),
        (organiser, rival, "not_in_that_team"),
        (organiser, row, "not_selectable"),
    ):
        assert choose(caller, one).json()["code"] == expected, (expected, choose(caller, one).text)


def test_the_same_code_is_entered_once(api: Api, phase: Phase, organiser: Caller, participant: Caller) -> None:
    make_final(organiser, selects=3)
    first, other = (submit_scored(api, participant, code(number), 0.1 * number) for number in (1, 2))
    again = UUID(participant.submit(b"# a comment\n" + code(1)).json()["id"])
    assert choose(participant, first).status_code == 200
    assert choose(participant, other).status_code == 200

    refused = choose(participant, again)

    assert (refused.status_code, refused.json()["code"]) == (409, "not_selectable")
    start(api, organiser)
    assert organiser.get(f"{FINAL}/progress").json()["entries"] == 2


def test_what_leaves_the_board_leaves_the_selection(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    make_final(organiser, selects=2)
    first, second, third = (submit_scored(api, participant, code(number), 0.1 * number) for number in (1, 2, 3))
    choose(participant, first)
    choose(participant, second)
    disqualify(organiser, submission_id=str(first))
    assert chosen(participant) == [str(second)]
    participant.post(f"/api/submissions/{second}/withdraw")

    shown = participant.get(f"{FINAL}/selection").json()

    assert [one["submission_id"] for one in shown["entries"]] == [str(third)]
    assert shown["by_default"]
    assert {one["submission_id"] for one in shown["left_out"]} == {str(first), str(second)}


def test_the_selection_ends_when_the_final_opens_or_starts(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    first = submit_scored(api, participant, code(1), 0.5)
    second = submit_scored(api, participant, code(2), 0.3)
    choose(participant, second)
    with api.database.write() as session:
        opened = session.scalars(select(Phase).where(Phase.slug == "final")).one()
        opened.opens_at = utc_now()
    for act, one in ((choose, first), (take_back, second)):
        assert act(participant, one).json()["code"] == "selection_closed"
    with api.database.write() as session:
        session.merge(opened).opens_at = utc_now() + timedelta(hours=1)

    start(api, organiser)

    for act, one in ((choose, first), (take_back, second)):
        refused = act(participant, one)
        assert (refused.status_code, refused.json()["code"]) == (409, "selection_closed")
    assert participant.post(f"/api/submissions/{first}/withdraw").json()["code"] == "final_started"
    assert chosen(participant) == [str(second)]
    shown = participant.get("/api/competitions/cup/phases/final/final").json()
    assert (shown["is_open"], shown["closes_at"]) == (False, shown["started_at"])  # not when the phase would open
    assert participant.get(f"/api/submissions/{second}").json()["finals"] == [
        {"phase": "final", "is_open": False, "selected": True, "entered": True, "licence": None}
    ]


def test_an_organiser_previews_a_final(api: Api, final: None, organiser: Caller, participant: Caller) -> None:
    choose(participant, submit_scored(api, participant, code(1), 0.5))
    eve = api.caller("eve")
    submit_scored(api, eve, code(2), 0.4)
    api.caller("idle").submit(code(3))
    first = organiser.get(f"{FINAL}/preview")
    assert (first.status_code, first.json()["code"]) == (503, "final_preview_not_ready")
    keep(api)

    found = organiser.get(f"{FINAL}/preview").json()

    assert (found["teams"], found["by_default"], found["left_out"], found["entries"]) == (2, 1, 1, 2)
    assert (found["runs"], found["behind"], found["hours"]) == (16, False, None)
    assert found["run_hours"] == pytest.approx(16 / 3600)
    listed = {one["team"]: one for one in organiser.get(f"{FINAL}/entries").json()["items"]}
    assert {name: (one["by_default"], len(one["entries"])) for name, one in listed.items()} == {
        "ada": (False, 1),
        "eve": (True, 1),
        "idle": (True, 0),
    }
    one, rest = organiser.get(f"{FINAL}/entries", params={"limit": 1}).json(), []
    while one["next"]:
        one = organiser.get(f"{FINAL}/entries", params={"limit": 1, "after": one["next"]}).json()
        rest += one["items"]
    assert len(rest) == 2


def test_starting_runs_the_selected_code_with_seeds_that_were_promised(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    mine = submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, api.caller("eve"), code(2), 0.4)
    before = api.anonymous.get(FINAL).json()

    started = start(api, organiser)

    assert started["started_at"]
    assert organiser.post(f"{FINAL}/start").status_code == 200
    keep(api)
    entries = entries_of(api)
    assert {name.partition("/")[0] for name in entries} == {"ada", "eve"}
    with api.database.read() as session:
        row = session.scalars(select(Final)).one()
        runs = session.get_one(Evaluation, entries["ada/entry"].evaluation_id)
        assert runs.seed_key == seed_key(row.secret, "d" * 64, mine)
        assert runs.seed_key != session.get_one(Submission, mine).evaluation.seed_key
        assert (runs.seeds, len(session.scalars(select(Shard).where(Shard.evaluation_id == runs.id)).all())) == (8, 2)
        assert hashlib.sha256(row.secret).hexdigest() == before["commitment"]
    shown = organiser.get(f"{FINAL}/progress").json()
    assert (shown["entries"], shown["states"], shown["complete"]) == (2, {"queued": 2}, False)


def test_a_final_without_entries_does_not_start(api: Api, final: None, organiser: Caller, participant: Caller) -> None:
    participant.submit(code(1))

    refused = organiser.post(f"{FINAL}/start")

    assert (refused.status_code, refused.json()["code"]) == (422, "final_empty")
    assert publish(organiser).json()["code"] == "final_not_started"


def test_publishing_shows_everything_at_once_and_is_undone(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    mine = submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, api.caller("eve"), code(2), 0.4)
    start(api, organiser)
    early = publish(organiser)
    assert (early.status_code, early.json()["code"]) == (409, "final_not_ready")
    end_runs(api, {"ada": 0.2, "eve": 0.6})
    assert names(organiser) == ["eve", "ada"]
    assert api.anonymous.get(BOARD).json()["code"] == "board_sealed"

    published = publish(organiser)

    assert published.status_code == 200, published.text
    assert names(api.anonymous) == ["eve", "ada"]
    secret = bytes.fromhex(api.anonymous.get(FINAL).json()["secret"])
    assert hashlib.sha256(secret).hexdigest() == published.json()["commitment"]
    entry = entries_of(api)["ada/entry"]
    receipt = participant.get(f"/api/submissions/{entry.id}/receipt").json()["statement"]
    assert receipt["final"] == {"commitment": published.json()["commitment"], "selected": str(mine)}
    key = seed_key(secret, receipt["benchmark"], UUID(receipt["final"]["selected"]))
    assert hashlib.sha256(key).hexdigest() == receipt["seed_key_sha256"]
    assert publish(organiser).json()["code"] == "final_published"
    assert organiser.post(f"{FINAL}/start").json()["code"] == "final_published"

    sealed = organiser.post(f"{FINAL}/seal")

    assert (sealed.status_code, sealed.json()["published_at"]) == (200, None)
    assert api.anonymous.get(BOARD).json()["code"] == "board_sealed"
    assert participant.get(f"/api/submissions/{entry.id}").status_code == 404
    assert organiser.post(f"{FINAL}/seal").json()["code"] == "final_not_published"
    assert publish(organiser).status_code == 200
    assert names(api.anonymous) == ["eve", "ada"]
    of_final = [act for act in acts(api) if act.startswith("final_")]
    assert of_final == ["final_started", "final_published", "final_sealed", "final_published"]


def test_a_final_can_be_published_although_runs_have_not_ended(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    submit_scored(api, participant, code(1), 0.5)
    start(api, organiser)

    assert publish(organiser, anyway=True).status_code == 200


def test_a_failed_entry_ends_too(api: Api, final: None, organiser: Caller, participant: Caller) -> None:
    submit_scored(api, participant, code(1), 0.5)
    start(api, organiser)
    end_runs(api, {"ada": None})

    assert organiser.get(f"{FINAL}/progress").json()["states"] == {"failed": 1}
    assert publish(organiser).status_code == 200


def test_disqualifying_what_was_uploaded_takes_the_entry_off_the_final(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    mine = submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, api.caller("eve"), code(2), 0.4)
    start(api, organiser)
    end_runs(api, {"ada": 0.6, "eve": 0.3})
    assert names(organiser) == ["ada", "eve"]

    made = disqualify(organiser, submission_id=str(mine))

    assert names(organiser) == ["eve"]
    reinstate(organiser, made)
    assert names(organiser) == ["ada", "eve"]


def test_a_team_that_comes_back_enters_by_a_second_start(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    submit_scored(api, participant, code(1), 0.5)
    submit_scored(api, api.caller("eve"), code(2), 0.4)
    made = disqualify(organiser, team="ada")
    start(api, organiser)
    assert list(entries_of(api)) == ["eve/entry"]
    reinstate(organiser, made)

    start(api, organiser)

    assert sorted(entries_of(api)) == ["ada/entry", "eve/entry"]


def test_an_entry_without_a_rank_is_not_entered_by_itself(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    slow = submit_scored(api, participant, code(1), 0.5)
    ranked = submit_scored(api, participant, code(2), 0.3)
    with api.database.write() as session:
        session.get_one(Submission, slow).evaluation.scores[0].flags = ["too_few_effective_models"]

    assert chosen(participant) == [str(ranked)]
    assert choose(participant, slow).status_code == 200


def test_only_who_runs_the_competition_handles_its_final(
    api: Api, final: None, organiser: Caller, participant: Caller
) -> None:
    other = api.caller("mallory", Role.ORGANISER)
    for method, path in (
        ("GET", "preview"),
        ("GET", "progress"),
        ("GET", "entries"),
        ("POST", "start"),
        ("POST", "publish"),
        ("POST", "seal"),
    ):
        body: dict[str, Any] = {"json": {}} if path == "publish" else {}
        for caller in (participant, other):
            assert caller.request(method, f"{FINAL}/{path}", **body).status_code == 403, path
        assert api.anonymous.request(method, f"{FINAL}/{path}", **body).status_code == 401, path
    with api.database.read() as session:
        assert session.scalars(select(Final)).one().started_at is None


def test_several_benchmarks_have_boards_of_their_own_and_a_joint_one(
    api: Api, phase: Phase, organiser: Caller, participant: Caller
) -> None:
    add_second_benchmark(api)
    make_final(organiser, further_benchmarks=["second"])
    eve, kim = api.caller("eve"), api.caller("kim")
    for number, caller in enumerate((participant, eve, kim), start=1):
        submit_scored(api, caller, code(number), 0.1 * number)
    shown = api.anonymous.get(f"{PHASES}/final-2/final").json()
    assert (shown["phase"], [one["phase"] for one in shown["phases"]]) == ("final", ["final", "final-2"])
    start(api, organiser)
    assert organiser.get(f"{FINAL}/progress").json()["entries"] == 6
    keys = {entries_of(api, slug)["ada/entry"].evaluation_id for slug in ("final", "final-2")}
    with api.database.read() as session:
        assert len({session.get_one(Evaluation, one).seed_key for one in keys}) == 2
    end_runs(api, {"ada": 0.5, "eve": 0.4, "kim": 0.3})
    assert not organiser.get(f"{FINAL}/progress").json()["complete"]
    end_runs(api, {"ada": 0.3, "eve": 0.6, "kim": None}, "final-2")
    assert api.anonymous.get(f"{FINAL}/board").json()["code"] == "board_sealed"
    assert publish(organiser).status_code == 200

    board = api.anonymous.get(f"{FINAL}/board").json()

    assert [(one["team"], one["rank"], one["mean_rank"]) for one in board["items"]] == [
        ("ada", 1, 1.5),
        ("eve", 1, 1.5),
        ("kim", None, None),
    ]
    first = board["items"][0]
    assert first["mean_low"] <= first["mean_rank"] <= first["mean_high"]
    assert [(one["phase"], one["rank"]) for one in first["places"]] == [("final", 1), ("final-2", 2)]
    assert api.anonymous.get(f"{PHASES}/final-2/leaderboard").json()["total"] == 2
    paged = api.anonymous.get(f"{FINAL}/board", params={"limit": 2}).json()
    rest = api.anonymous.get(f"{FINAL}/board", params={"limit": 2, "after": paged["next"]}).json()
    assert (paged["items"] + rest["items"], rest["next"]) == (board["items"], None)
