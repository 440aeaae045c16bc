"""The steps of the contest, in order. Each does something by API and requires what follows from it."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from benches.contest.holding import Contest, open_contest, refused, require
from services.core.models import Act, AuditEvent, Score
from services.core.store.database import utc_now

__all__ = ["STEPS", "Contest", "open_contest"]

RERUN = 3  # finalists that are run again
FILE = """\
lethe: 1
slug: contest
title: A contest
visibility: public
description: Forget what the model should not know.
rules: Be honest.
prizes: Honour.
code_licence: Apache-2.0
phases:
  - {{slug: check, kind: check, benchmark: {first}, opens_at: {opened}, closes_at: {ends}, seeds: 8, quota_per_day: 5}}
  - {{slug: feedback, kind: feedback, benchmark: {first}, opens_at: {opened}, closes_at: {ends}, seeds: {seeds},
     shard_seeds: {seeds}, quota_per_day: 5}}
  - {{slug: final, kind: final, benchmark: {first}, further_benchmarks: [{second}], opens_at: {ends},
     closes_at: {later}, seeds: {seeds}, shard_seeds: {seeds}, selects: 1, draws_from: [feedback]}}
"""
ENTRY = """\
import torch


def unlearning(net, retain_loader, forget_loader, val_loader):
    scale = {scale}
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            noise = torch.randn_like(parameter)
            if parameter.ndim > 1:
                parameter.add_(noise, alpha=scale)
            else:
                parameter.add_(noise, alpha=scale / 2)
    return net
"""


def apply_file(contest: Contest) -> None:
    """A file makes the competition with its three phases; applied again it changes nothing."""
    now = utc_now()
    moments = {"opened": now - timedelta(hours=1), "ends": now + timedelta(days=1), "later": now + timedelta(days=2)}
    text = FILE.format(
        first=contest.benchmarks[0],
        second=contest.benchmarks[1],
        seeds=contest.seeds,
        **{name: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in moments.items()},
    )
    plan = contest.organiser.post("/api/competition-files/preview", {"text": text})
    body = {"text": text, "based_on": plan["token"], "confirm": False}
    done = contest.organiser.post("/api/competition-files/apply", body)
    require(done["created"], "the competition was there before")
    require(
        contest.organiser.post("/api/competition-files/preview", {"text": text})["changes"] == [], "it changes again"
    )
    contest.organiser.patch(f"{contest.path}/registration", {"registration": "approval"})


def register(contest: Contest) -> None:
    """Everybody accepts the rules and asks; nobody submits before the organiser approves."""
    path = f"{contest.path}/registration"
    for person in contest.people.values():
        version = person.get(path)["rules_version"]
        person.post(path, {"rules_version": version})
    team = next(iter(contest.people))
    require(refused(lambda: contest.submit(team, "check", _entry(0))) == 403, "a team submits before it is approved")
    waiting = list(contest.organiser.pages(f"{contest.path}/registrations", state="waiting", limit=200))
    require(len(waiting) == len(contest.people), f"{len(waiting)} registrations wait")
    contest.organiser.post(f"{contest.path}/registrations/approve", {"usernames": [one["username"] for one in waiting]})


def check(contest: Contest) -> None:
    """Every team tries its entry in the check phase."""
    for number, team in enumerate(contest.people):
        contest.submit(team, "check", _entry(number))
    contest.await_ended("check", len(contest.people))


def feedback(contest: Contest) -> None:
    """Every team submits; the last one submits a copy of the first, with a comment more."""
    *teams, copier = contest.people
    for number, team in enumerate(teams):
        contest.entries[team] = contest.submit(team, "feedback", _entry(number))
    contest.entries[copier] = contest.submit(copier, "feedback", f"# mine\n{_entry(0)}")
    contest.await_ended("feedback", len(contest.people))
    require(_teams(contest.board("feedback")) == set(contest.people), "a team is missing on the board")


def judge(contest: Contest) -> None:
    """The copy is listed, compared and read; its team is off the board until it is reinstated."""
    first, *_, copier = contest.people
    original, copy = contest.entries[first], contest.entries[copier]
    copies = [one for one in contest.organiser.pages(f"{contest.path}/copies") if one["same_code"]]
    pairs = [(one["later"]["submission_id"], one["earlier"]["team"]) for one in copies]
    require((copy, first) in pairs, f"the copy is not listed: {pairs}")
    contest.organiser.get(f"/api/submissions/{copy}/diff", other=original)
    contest.organiser.get(f"/api/submissions/{copy}/code")
    require(contest.acts(Act.CODE_READ) == 1, "reading code is not on record")
    before = contest.board("feedback")
    body = {"submission_id": copy, "reason": "It is a copy."}
    made = contest.organiser.post(f"{contest.path}/disqualifications", body)
    contest.await_true(lambda: copier not in _teams(contest.board("feedback")), "the board without the copy")
    again = f"{contest.path}/disqualifications/{made['id']}/reinstate"
    contest.organiser.post(again, {"reason": "Both are of one person."})
    contest.await_true(lambda: _scores(contest.board("feedback")) == _scores(before), "the board as it was")


def select_entries(contest: Contest) -> None:
    """Half of the teams select an entry and agree that its code is published; the others leave it to the platform."""
    for team in list(contest.people)[::2]:
        path = f"{contest.final}/selection/{contest.entries[team]}"
        shown = contest.people[team].put(path, licence="Apache-2.0")
        require([one["submission_id"] for one in shown["entries"]] == [contest.entries[team]], "another entry enters")


def run_final(contest: Contest) -> None:
    """The final runs all selected entries on both benchmarks; nobody outside sees its board."""
    contest.await_true(lambda: not contest.organiser.get(f"{contest.final}/preview")["behind"], "the preview")
    preview = contest.organiser.get(f"{contest.final}/preview")
    require(preview["runs"] == 2 * contest.seeds * len(contest.people), f"{preview['runs']} runs are announced")
    contest.organiser.post(f"{contest.final}/start")
    contest.await_true(lambda: bool(_progress(contest)["complete"]), "the runs of the final")
    require(_progress(contest)["states"] == {"scored": 2 * len(contest.people)}, "an entry of the final failed")
    _require_sealed(contest)


def publish(contest: Contest) -> None:
    """Both boards and the joint one appear at once, with the secret that was promised."""
    contest.organiser.post(f"{contest.final}/publish", {"anyway": False})
    _require_published(contest)
    shown = contest.stranger.get(contest.final)
    require(hashlib.sha256(bytes.fromhex(shown["secret"])).hexdigest() == shown["commitment"], "another secret")


def decide(contest: Contest) -> None:
    """The best are run again; two are verified and one of them refused on a second look."""
    path = f"{contest.final}/winners"
    best = [one["submission_id"] for one in list(contest.organiser.pages(path))[:RERUN]]
    for finalist in best:
        contest.organiser.post(f"{path}/{finalist}/rerun", {"same_seeds": False})

    def runs() -> list[Any]:
        found = [one for one in contest.organiser.pages(path) if one["submission_id"] in best]
        return [place["again"] for one in found for place in one["places"]]

    contest.await_true(lambda: all(run and run["difference"] is not None for run in runs()), "the new runs")
    for finalist in best[:2]:
        contest.organiser.post(f"{path}/{finalist}/verify", {"reason": "We read it and ran it again."})
    contest.organiser.post(f"{path}/{best[1]}/review", {"reason": "A question is open."})
    contest.organiser.post(f"{path}/{best[1]}/refuse", {"reason": "It was not answered."})
    states = {one["submission_id"]: one["state"] for one in contest.stranger.pages(path)}
    require([states[one] for one in best[:2]] == ["verified", "refused"], f"decisions: {states}")


def undo(contest: Contest) -> None:
    """Publishing is taken back and done again; the boards come back as they were."""
    before = _scores(contest.board("final"))
    contest.organiser.post(f"{contest.final}/seal")
    _require_sealed(contest)
    contest.organiser.post(f"{contest.final}/publish", {"anyway": False})
    _require_published(contest)
    require(_scores(contest.board("final")) == before, "the board came back as another")


def freeze(contest: Contest) -> None:
    """The archive has a receipt for every score, and proves itself without the server."""
    archive = contest.root / "contest.zip"
    done = json.loads(contest.lethe("competition", "freeze", "contest", str(archive), "--json"))
    key = contest.stranger.get("/api/receipts/key")["public_key"]
    heads = [part for head in contest.heads for part in ("--head", f"{head.number}:{head.hash}")]
    found = json.loads(contest.lethe("competition", "verify", str(archive), "--key", key, *heads, "--json"))
    require(found["problems"] == [], f"the archive has problems: {found['problems']}")
    require(found["receipts"] == done["entries"] > 0, "a score has no receipt")


def forge(contest: Contest) -> None:
    """An edited act, an edited score and a dropped act are each found, and gone once they are mended."""
    contest.check_record()
    database = contest.place.database
    with database.write() as session:
        act = session.scalars(select(AuditEvent).where(AuditEvent.act == Act.ENTRY_DISQUALIFIED)).one()
        kept, place = dict(act.details), act.id
        session.execute(update(AuditEvent).where(AuditEvent.id == place).values(details={"reason": "It lost a file."}))
    require(bool(contest.problems()), "an edited act is not found")
    with database.write() as session:
        session.execute(update(AuditEvent).where(AuditEvent.id == place).values(details=kept))
    with database.write() as session:
        score = session.scalars(select(Score).limit(1)).one()
        own, number = score.final_score, score.id
        session.execute(update(Score).where(Score.id == number).values(final_score=own + 0.01))
    require(bool(contest.problems()), "an edited score is not found")
    with database.write() as session:
        session.execute(update(Score).where(Score.id == number).values(final_score=own))
        row = session.get_one(AuditEvent, place)
        columns = {column.name: getattr(row, column.name) for column in AuditEvent.__table__.columns}
        session.delete(row)
    require(bool(contest.problems()), "a dropped act is not found")
    with database.write() as session:
        session.add(AuditEvent(**columns))
    require(contest.problems() == [], "the mended record is not whole")


# The matrix (these entries on those benchmarks, beside the contest) has its place between publishing and winners.
STEPS: dict[str, Callable[[Contest], None]] = {
    "a file is applied": apply_file,
    "teams register and are approved": register,
    "check phase": check,
    "feedback phase": feedback,
    "copy found, disqualified, reinstated": judge,
    "teams select": select_entries,
    "sealed final on two benchmarks": run_final,
    "final published": publish,
    "winners run again and decided on": decide,
    "publishing undone and repeated": undo,
    "contest frozen and verified": freeze,
    "forged rows found": forge,
}


def _entry(number: int) -> str:
    return ENTRY.format(scale=round(0.05 + 0.02 * number, 2))


def _teams(board: list[dict[str, Any]]) -> set[str]:
    return {str(one["entry"]) for one in board}


def _scores(board: list[dict[str, Any]]) -> dict[str, tuple[int | None, float]]:
    return {one["entry"]: (one["rank"], one["final_score"]) for one in board}


def _progress(contest: Contest) -> dict[str, Any]:
    shown: dict[str, Any] = contest.organiser.get(f"{contest.final}/progress")
    return shown


def _require_sealed(contest: Contest) -> None:
    for phase in ("final", "final-2"):
        path = f"{contest.path}/phases/{phase}/leaderboard"
        for outsider in (contest.stranger, next(iter(contest.people.values()))):
            require(refused(lambda who=outsider, where=path: who.get(where)) == 403, f"{phase} is not sealed")


def _require_published(contest: Contest) -> None:
    for phase in ("final", "final-2"):
        require(_teams(contest.board(phase)) == set(contest.people), f"a team is missing on the board of {phase}")
    joint = f"{contest.final}/board"
    contest.await_true(
        lambda: {one["team"] for one in contest.stranger.pages(joint)} == set(contest.people), "the joint board"
    )
