"""All data of one's own account as a zip, written while it is sent.

It holds what the account may see through the API and nothing else: each submission as the API shows it to its team, so
what a sealed final or a phase with hidden data keeps back is kept back here, too.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import select

from services.api.accounts.showing import me_of
from services.api.kit.auth import Principal
from services.api.kit.pages import newest_first
from services.api.state import ApiState
from services.api.submissions import service
from services.api.submissions.schemas import SubmissionOut
from services.core.models import (
    Account,
    BenchmarkUpload,
    Competition,
    Identity,
    Member,
    Notice,
    Registration,
    Seat,
    Submission,
    Team,
    Token,
    Webhook,
)
from services.core.store.blobs import BlobMissing
from services.core.store.database import ReadSession

__all__ = ["export"]

PORTION = 20  # submissions that are read at a time
LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)  # the first moment that a zip can name


class _Sink:
    """What a zip is written to and taken from; it cannot be sought, so nothing is kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def export(state: ApiState, who: Principal) -> Iterator[bytes]:
    """Yield the zip part by part. No transaction is open between parts."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, content in _account_files(state, who):
            _write(archive, name, json.dumps(content, indent=2))
        yield sink.take()
        for submission, blob in _submissions(state, who):
            folder, made = f"submissions/{submission.id}", submission.submitted_at
            _write(archive, f"{folder}/submission.json", submission.model_dump_json(indent=2), made)
            try:
                _write(archive, f"{folder}/{submission.filename}", state.blobs.get(blob), made)
            except BlobMissing as error:
                _write(archive, f"{folder}/missing.txt", error.message, made)
            yield sink.take()
    yield sink.take()


def _write(archive: ZipFile, name: str, content: str | bytes, at: datetime = LONG_AGO) -> None:
    """Add a file. Its time is that of what it holds, so that the same data give the same zip."""
    archive.writestr(ZipInfo(name, at.timetuple()[:6]), content, ZIP_DEFLATED)


def _account_files(state: ApiState, who: Principal) -> list[tuple[str, Any]]:
    with state.database.read() as session:
        account = session.get_one(Account, who.account_id)
        return [
            ("account.json", me_of(session, account).model_dump(mode="json")),
            ("identities.json", _identities(session, who)),
            ("tokens.json", _tokens(session, who)),
            ("competitions.json", _competitions(session, who)),
            ("teams.json", _teams(session, who)),
            ("notices.json", _notices(session, who)),
            ("webhooks.json", _webhooks(session, who)),
            ("benchmark-uploads.json", _benchmark_uploads(session, who)),
        ]


def _identities(session: ReadSession, who: Principal) -> list[dict[str, Any]]:
    rows = session.scalars(select(Identity).where(Identity.account_id == who.account_id).order_by(Identity.created_at))
    return [{"issuer": row.issuer, "subject": row.subject, "created_at": row.created_at.isoformat()} for row in rows]


def _tokens(session: ReadSession, who: Principal) -> list[dict[str, Any]]:
    rows = session.scalars(select(Token).where(Token.account_id == who.account_id).order_by(Token.created_at))
    return [
        {
            "kind": row.kind,
            "name": row.name,
            "scopes": row.scopes,
            "created_at": row.created_at.isoformat(),
            "expires_at": row.expires_at.isoformat(),
            "revoked_at": row.revoked_at and row.revoked_at.isoformat(),
        }
        for row in rows
    ]


def _competitions(session: ReadSession, who: Principal) -> dict[str, Any]:
    slugs = select(Competition.slug, Registration).join(Competition, Competition.id == Registration.competition_id)
    registered = session.execute(slugs.where(Registration.account_id == who.account_id).order_by(Competition.slug))
    helped = select(Competition.slug, Member).join(Competition, Competition.id == Member.competition_id)
    members = session.execute(helped.where(Member.account_id == who.account_id).order_by(Competition.slug))
    owned = select(Competition.slug).where(Competition.owner_id == who.account_id).order_by(Competition.slug)
    return {
        "registrations": [
            {
                "competition": slug,
                "state": row.state,
                "reason": row.reason,
                "rules_version": row.rules_version,
                "rules_accepted_at": row.rules_accepted_at and row.rules_accepted_at.isoformat(),
                "created_at": row.created_at.isoformat(),
            }
            for slug, row in registered
        ],
        "roles": [
            {"competition": slug, "role": row.role, "since": row.created_at.isoformat()} for slug, row in members
        ],
        "owned": list(session.scalars(owned)),
    }


def _teams(session: ReadSession, who: Principal) -> list[dict[str, Any]]:
    seated = select(Competition.slug, Team.name, Seat).join(Competition, Competition.id == Seat.competition_id)
    seated = seated.join(Team, Team.id == Seat.team_id).where(Seat.account_id == who.account_id)
    return [
        {
            "competition": slug,
            "team": team,
            "role": seat.role,
            "joined_at": seat.joined_at.isoformat(),
            "left_at": seat.left_at and seat.left_at.isoformat(),
        }
        for slug, team, seat in session.execute(seated.order_by(Competition.slug))
    ]


def _notices(session: ReadSession, who: Principal) -> list[dict[str, Any]]:
    rows = session.scalars(select(Notice).where(Notice.account_id == who.account_id).order_by(Notice.created_at))
    return [
        {"kind": row.kind, "text": row.text, "path": row.path, "created_at": row.created_at.isoformat()} for row in rows
    ]


def _webhooks(session: ReadSession, who: Principal) -> list[dict[str, Any]]:
    rows = session.scalars(select(Webhook).where(Webhook.account_id == who.account_id).order_by(Webhook.created_at))
    return [{"url": row.url, "kinds": row.kinds, "created_at": row.created_at.isoformat()} for row in rows]


def _benchmark_uploads(session: ReadSession, who: Principal) -> list[dict[str, Any]]:
    own = select(BenchmarkUpload).where(BenchmarkUpload.account_id == who.account_id)
    return [
        {
            "filename": row.filename,
            "size_bytes": row.size_bytes,
            "state": row.state,
            "reason": row.reason,
            "created_at": row.created_at.isoformat(),
        }
        for row in session.scalars(own.order_by(BenchmarkUpload.created_at))
    ]


def _submissions(state: ApiState, who: Principal) -> Iterator[tuple[SubmissionOut, str]]:
    """Read one's own submissions in portions, newest first, each with the blob of its file."""
    after: str | None = None
    while True:
        own = service.own_submissions(who, None, None, ended=None).where(Submission.account_id == who.account_id)
        with state.database.read() as session:
            rows, after = newest_first(
                session,
                own,
                Submission,
                cursors=state.cursors,
                listing=f"export:{who.account_id}",
                limit=PORTION,
                after=after,
            )
            found = list(zip(service.show(session, who, rows), [row.blob for row in rows], strict=True))
        yield from found
        if after is None:
            return
