"""The chain: each act gets a number, and a hash over itself and the hash before it.

Acts are written in their own transactions, side by side. The scorer numbers them within seconds, one after another; so
nobody who acts waits for anybody else. Whoever keeps a number and its hash can tell later whether anything up to there
was edited, dropped, added or swapped.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from sqlalchemy import func, select, update

from services.core.models import AuditEvent
from services.core.store.database import ReadSession, WriteSession

__all__ = ["PORTION", "ChainReport", "Head", "Link", "canonical", "check_chain", "head_of", "link", "links"]

START = "0" * 64  # the hash before the first
PORTION = 1000
LOCK = 0x6C657468  # among Postgres' advisory locks, held by whoever numbers


@dataclass(frozen=True, slots=True)
class Head:
    """A number of the chain and its hash."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """One act in the chain. An export for everybody leaves out the body of what not everybody may read."""

    number: int
    hash: str
    body: dict[str, Any] | None


@dataclass(slots=True)
class ChainReport:
    """What a check of the chain found."""

    head: Head = Head(0, START)
    links: int = 0
    hidden: int = 0  # links without a body, whose hash cannot be computed
    problems: list[str] = field(default_factory=list)


def canonical(value: object) -> bytes:
    """Write JSON in the one way that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def link(session: WriteSession) -> int:
    """Number the acts that wait, at most a portion; return how many."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    head = head_of(session)
    waiting = select(AuditEvent).where(AuditEvent.number.is_(None))
    found = []
    for event in session.scalars(waiting.order_by(AuditEvent.created_at, AuditEvent.id).limit(PORTION)):
        head = Head(head.number + 1, _hash(head, _body(event)))
        found.append({"id": event.id, "number": head.number, "hash": head.hash})
        session.expunge(event)
    if found:
        session.execute(update(AuditEvent), found)
    return len(found)


def head_of(session: ReadSession) -> Head:
    """Return the newest number and its hash."""
    newest = select(AuditEvent.number, AuditEvent.hash).where(AuditEvent.number.is_not(None))
    row = session.execute(newest.order_by(AuditEvent.number.desc()).limit(1)).one_or_none()
    return Head(0, START) if row is None else Head(row.number or 0, row.hash or "")


def links(session: ReadSession) -> Iterator[Link]:
    """Read the chain from its beginning."""
    last = 0
    while True:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.number > last).order_by(AuditEvent.number).limit(PORTION)
        ).all()
        for row in rows:
            yield Link(row.number or 0, row.hash or "", _body(row))
        if not rows:
            return
        last = rows[-1].number or 0
        session.expunge_all()


def check_chain(chain: Iterable[Link], known: Iterable[Head] = ()) -> ChainReport:
    """Check that nothing was edited, dropped, added or swapped, and that heads which somebody kept are still there."""
    report, wanted = ChainReport(), {head.number: head.hash for head in known}
    for one in chain:
        before = report.head
        if one.number != before.number + 1:
            report.problems.append(f"After number {before.number} comes {one.number}: acts are missing or swapped.")
        if one.body is None:
            report.hidden += 1
        elif one.hash != _hash(Head(one.number - 1, before.hash), one.body):
            report.problems.append(f"Number {one.number} does not have the hash of its content: it was changed.")
        if wanted.pop(one.number, one.hash) != one.hash:
            report.problems.append(f"Number {one.number} has another hash than the one that was kept.")
        report.head, report.links = Head(one.number, one.hash), report.links + 1
    report.problems += [f"Number {number}, whose hash was kept, is not there any more." for number in sorted(wanted)]
    return report


def _hash(before: Head, body: dict[str, Any]) -> str:
    return hashlib.sha256(canonical([before.hash, before.number + 1, body])).hexdigest()


def _body(event: AuditEvent) -> dict[str, Any]:
    """Return all that the chain covers of an act."""
    return {
        "id": str(event.id),
        "act": str(event.act),
        "competition": event.competition_id and str(event.competition_id),
        "account": event.account_id and str(event.account_id),
        "subject": event.subject_id and str(event.subject_id),
        "details": event.details,
        "at": event.created_at.astimezone(UTC).isoformat(),
    }
