"""The herald: it finds what happened and tells people, in portions, beside the requests of each API process.

Whoever causes something writes one row, however many people want to know of it. The herald writes a notice for each of
them, a mail for those who want mail, and a call for each webhook.
"""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, select
from sqlalchemy.exc import DataError, IntegrityError

from services.api.notices.choices import noticed
from services.api.notices.subjects import Subject, accounts_of, subjects_of
from services.core.models import (
    Account,
    Happening,
    HappeningKind,
    HookCall,
    Notice,
    OutgoingKind,
    Phase,
    Webhook,
)
from services.core.outbox import post
from services.core.settings import Settings
from services.core.store.database import Database, ReadSession, WriteSession, clock

__all__ = ["Herald"]

log = structlog.get_logger()

PORTION = 200  # people told in one transaction
AT_ONCE = 50  # phases, in one look
LOOK_FOR_PHASES_EVERY_S = 60.0
TIDY_EVERY_S = 600.0
TIDIED = 500  # rows in one transaction
DAY = timedelta(days=1)
KEPT = timedelta(days=90)


class Herald:
    """Tells people what happened."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._mails = settings.mail_configured
        self._database = database
        self._phases_at = self._tidy_at = 0.0

    def step(self) -> bool:
        """Do one thing that waits; tell whether there was one."""
        now = time.monotonic()
        if now >= self._phases_at:
            self._phases_at = now + LOOK_FOR_PHASES_EVERY_S
            self.look_for_phases()
        if self._tell():
            return True
        if now >= self._tidy_at:
            if self._tidy():
                return True
            self._tidy_at = now + TIDY_EVERY_S
        return False

    def look_for_phases(self) -> None:
        """Write down which phases have opened, or close within a day. The database lets each be told once."""
        with self._database.read() as session:
            now = clock(session)
            found = [*_phases(session, HappeningKind.OPENED, now), *_phases(session, HappeningKind.CLOSING, now)]
        for kind, phase_id, competition_id in found:
            try:
                with self._database.write() as session:
                    session.add(Happening(kind=kind, competition_id=competition_id, phase_id=phase_id))
            except IntegrityError:
                continue  # another process was faster

    def _tell(self) -> bool:
        """Tell a portion of the people who are to know of what happened first."""
        untold = select(Happening).where(Happening.told_at.is_(None)).order_by(Happening.created_at, Happening.id)
        with self._database.read() as session:
            if session.scalars(untold.limit(1)).one_or_none() is None:
                return False
        with self._database.write() as session:
            one = session.scalars(untold.limit(1).with_for_update(skip_locked=True)).one_or_none()
            if one is None:
                return False
            try:
                with session.begin_nested():
                    one.told_after = self._tell_portion(session, one)
            except (LookupError, TypeError, ValueError, DataError):
                log.exception("happening_untold", happening=str(one.id), remedy="it is left out; all others are told")
                one.told_after = None
            one.told_at = None if one.told_after else clock(session)
        return True

    def _tell_portion(self, session: WriteSession, one: Happening) -> UUID | None:
        """Tell a portion of people of all that something is about; return the last one's id if more may follow.

        Only what concerns a whole competition comes in portions, and it is one subject.
        """
        last = [self._tell_of(session, subject, one.told_after) for subject in subjects_of(session, one)]
        session.flush()
        return last[0] if last else None

    def _tell_of(self, session: WriteSession, subject: Subject, after: UUID | None) -> UUID | None:
        """Tell a portion of people; return the last one's id if more may follow."""
        people = accounts_of(session, subject, after=after, limit=PORTION)
        for account in people:
            self._notify(session, subject, account)
        for hook in _hooks(session, subject, people, first=after is None):
            _call(session, hook, subject)
        return people[-1].id if len(people) == PORTION else None

    def _notify(self, session: WriteSession, subject: Subject, account: Account) -> None:
        kind, text, path = subject.happening.kind, subject.text, subject.path
        in_app, by_mail = noticed(account, kind)
        if in_app:
            session.add(Notice(account_id=account.id, kind=kind, text=text, path=path))
        if self._mails and by_mail:
            payload: dict[str, object] = {"kind": kind, "text": text, "path": path}
            if subject.announcement is not None:
                payload["announcement"] = str(subject.announcement.id)
            post(session, OutgoingKind.NOTICE_MAIL, account_id=account.id, payload=payload)

    def _tidy(self) -> bool:
        """Remove some of what is old; tell whether more may be left."""
        with self._database.write() as session:
            old = clock(session) - KEPT
            removed = [
                _remove(session, Notice, Notice.created_at < old),
                _remove(session, Happening, and_(Happening.created_at < old, Happening.told_at.is_not(None))),
                _remove(session, HookCall, HookCall.created_at < old),
            ]
        return any(count == TIDIED for count in removed)


def _phases(session: ReadSession, kind: HappeningKind, now: datetime) -> list[tuple[HappeningKind, UUID, UUID]]:
    """List phases of which nobody was told that they opened, or that they close within a day."""
    told = exists().where(Happening.phase_id == Phase.id, Happening.kind == kind)
    if kind is HappeningKind.OPENED:
        due = (Phase.opens_at <= now, Phase.opens_at > now - DAY, Phase.closes_at > now)
    else:
        due = (Phase.closes_at > now, Phase.closes_at <= now + DAY, Phase.opens_at <= now - DAY)
    rows = session.execute(select(Phase.id, Phase.competition_id).where(*due, ~told).limit(AT_ONCE))
    return [(kind, phase_id, competition_id) for phase_id, competition_id in rows]


def _hooks(session: ReadSession, subject: Subject, people: Sequence[Account], *, first: bool) -> list[Webhook]:
    """List the webhooks of these people and, with the first of them, of the competition."""
    wanted: list[ColumnElement[bool]] = [Webhook.account_id.in_([one.id for one in people])]
    if first:
        wanted.append(Webhook.competition_id == subject.competition.id)
    found = [
        hook
        for of in wanted
        for hook in session.scalars(select(Webhook).where(of, Webhook.disabled_at.is_(None)).order_by(Webhook.id))
    ]
    return [hook for hook in found if subject.happening.kind in hook.kinds]


def _call(session: WriteSession, hook: Webhook, subject: Subject) -> None:
    happening = subject.happening
    message = {"type": happening.kind, "timestamp": happening.created_at.isoformat(), "data": subject.data}
    call = HookCall(webhook_id=hook.id, kind=happening.kind, body=json.dumps(message))
    session.add(call)
    session.flush()
    post(session, OutgoingKind.HOOK_CALL, account_id=hook.account_id, payload={"call": str(call.id)})


def _remove(session: WriteSession, table: Any, old: ColumnElement[bool]) -> int:
    ids = session.scalars(select(table.id).where(old).limit(TIDIED)).all()
    if ids:
        session.execute(delete(table).where(table.id.in_(ids)))
    return len(ids)
