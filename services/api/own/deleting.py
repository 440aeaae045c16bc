"""Deleting the own account: what is about the person goes, and what others rely on stays under a pseudonym.

Boards, receipts and the record speak of ids, so they stay what they are. The row of the account stays, too, because
they point to it.
"""

import secrets

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from services.api.accounts.roles import LastOperator, lock_operators
from services.api.kit.auth import Principal
from services.api.own.passwords import WrongPassword, confirm_password
from services.api.own.schemas import DeletionOut
from services.api.teams import seats
from services.api.teams.departing import depart
from services.core.errors import Conflict
from services.core.finals.sealed import hidden_entries
from services.core.models import (
    Account,
    AccountLink,
    Act,
    BenchmarkUpload,
    BenchmarkUploadState,
    Competition,
    Evaluation,
    HookCall,
    Identity,
    Member,
    Notice,
    Outgoing,
    Registration,
    Role,
    SharedSubmission,
    Submission,
    SubmissionNote,
    Team,
    Theme,
    Token,
    UploadKey,
    Visibility,
    Webhook,
)
from services.core.names import PSEUDONYM, skeleton
from services.core.record.acts import record
from services.core.store.database import Database, ReadSession, WriteSession, clock, utc_now

__all__ = ["OwnsCompetitions", "delete_account", "foresee"]

MOST_NAMED = 20
UNDECIDED = (BenchmarkUploadState.UPLOADING, BenchmarkUploadState.VERIFYING, BenchmarkUploadState.WAITING)
GOES = [
    "your username, password, sign-ins with other providers, e-mail address, profile and preferences",
    "your sessions, tokens, notices and webhooks: whatever uses one of them stops",
    "public pages of submissions that you shared",
    "benchmarks that you uploaded and on which nobody has decided",
    "your roles in competitions that others own, and your places in teams that have other members",
    "the names of teams in which you are alone, and notes on their submissions",
]
REMAINS = [
    "teams that have other members; if you lead one, the member who has been there longest leads it then",
    "your submissions, their files, scores and places on leaderboards, under a pseudonym such as deleted-3f9a1c",
    "submissions that wait or run: they go on; cancel them first if you do not want that",
    "names that you gave to submissions and files, and texts that you wrote as an organiser",
    "the record of acts, which names accounts by ids only, and receipts that somebody downloaded",
]


class OwnsCompetitions(Conflict):
    code = "owns_competitions"


def foresee(session: ReadSession, who: Principal) -> DeletionOut:
    """Say what a deletion would do, and what stands in its way. Entries of a sealed final are not counted."""
    mine = (Submission.account_id == who.account_id, ~hidden_entries())
    submissions = select(func.count()).select_from(Submission).where(*mine)
    open_ones = submissions.join(Evaluation, Evaluation.id == Submission.evaluation_id).where(~Evaluation.has_ended)
    return DeletionOut(
        goes=GOES,
        remains=REMAINS,
        submissions=session.scalars(submissions).one(),
        submissions_open=session.scalars(open_ones).one(),
        owned_competitions=_owned(session, who),
        is_last_operator=who.is_operator and _operators(session) == 1,
    )


def delete_account(session: WriteSession, database: Database, who: Principal, password: str | None) -> str:
    """Delete the caller's account; return its pseudonym. Raises WrongPassword, LastOperator or OwnsCompetitions.

    Locks are taken in the order of an upload: teams, registrations, account.
    """
    known = confirm_password(database, who, password)
    teams = _lock_teams(session, who)
    registered = select(Registration).where(Registration.account_id == who.account_id)
    registrations = session.scalars(registered.order_by(Registration.competition_id).with_for_update()).all()
    if who.is_operator and lock_operators(session) == [who.account_id]:
        raise LastOperator("You are the last operator. Make somebody else an operator first.")
    account = session.get_one(Account, who.account_id, with_for_update=True, populate_existing=True)
    if account.password_hash != known.password_hash or account.deleted_at is not None:
        raise WrongPassword("The account was changed meanwhile. Log in again.")
    _refuse_owner(session, who)
    pseudonym = _free_pseudonym(session)
    for place, team in enumerate(teams):
        team.rename(pseudonym if place == 0 else _free_pseudonym(session), clock(session))
        session.flush()
    written = select(Submission.id).where(Submission.team_id.in_([team.id for team in teams]))
    session.execute(delete(SubmissionNote).where(SubmissionNote.submission_id.in_(written)))
    for registration in registrations:
        registration.username = pseudonym
    _forget(session, account, pseudonym)
    details = {"account": str(account.id)}
    record(session, Act.ACCOUNT_DELETED, competition_id=None, account_id=account.id, details=details)
    return pseudonym


def _lock_teams(session: WriteSession, who: Principal) -> list[Team]:
    """Lock the caller's teams and leave those that others are in; return the rest, the own team first."""
    seats.lock_teams(session, set(session.scalars(seats.teams_of(who.account_id))))
    own = seats.own_teams(session, who.account_id)
    return [*own, *(team for team in depart(session, who.account_id) if team not in own)]


def _forget(session: WriteSession, account: Account, pseudonym: str) -> None:
    account.username, account.password_hash, account.role = pseudonym, "", Role.PARTICIPANT
    account.email = account.email_verified_at = None
    account.display_name = account.affiliation = account.link = account.time_zone = ""
    account.mail_wanted, account.theme = False, Theme.SYSTEM
    account.notice_kinds = account.mail_kinds = None
    account.shown_in_teams = account.publishes_benchmarks = False
    account.deleted_at = utc_now()
    own = (BenchmarkUpload.account_id == account.id, BenchmarkUpload.state.in_(UNDECIDED))
    given_up = {"state": BenchmarkUploadState.REFUSED, "reason": "The account was deleted.", "moved_at": utc_now()}
    session.execute(update(BenchmarkUpload).where(*own).values(**given_up))
    hooks = select(Webhook.id).where(Webhook.account_id == account.id)
    session.execute(delete(HookCall).where(HookCall.webhook_id.in_(hooks)))
    for table in (Token, AccountLink, Identity, Outgoing, Member, Notice, SharedSubmission, UploadKey, Webhook):
        session.execute(delete(table).where(table.account_id == account.id))
    session.flush()


def _free_pseudonym(session: ReadSession) -> str:
    """Choose a pseudonym that no account and no team has, nor one that looks like it."""
    while True:
        name = PSEUDONYM + secrets.token_hex(3)
        taken = exists().where(Team.skeleton == skeleton(name)) | exists().where(Account.username == name)
        if not session.scalars(select(taken)).one():
            return name


def _refuse_owner(session: ReadSession, who: Principal) -> None:
    if owned := _owned(session, who):
        raise OwnsCompetitions(
            f"You own {', '.join(owned)}, and a competition needs an owner. Hand each over first: run "
            f"`lethe competition people hand-over {owned[0]} USERNAME`.",
            competitions=owned,
        )


def _owned(session: ReadSession, who: Principal) -> list[str]:
    own: list[ColumnElement[bool]] = [
        Competition.owner_id == who.account_id,
        Competition.visibility != Visibility.DELETED,
    ]
    return list(session.scalars(select(Competition.slug).where(*own).order_by(Competition.slug).limit(MOST_NAMED)))


def _operators(session: ReadSession) -> int:
    operators = (Account.role == Role.OPERATOR, Account.role != Role.PARTICIPANT)
    return session.scalars(select(func.count()).select_from(Account).where(*operators)).one()
