"""What is kept of an applied file: the file itself as a version, and an act on record."""

import hashlib
from collections.abc import Sequence

from fastapi.encoders import jsonable_encoder
from sqlalchemy import func, select

from services.api.files.changes import Change
from services.api.files.reading import ROLES
from services.api.kit.auth import Principal
from services.core.models import Act, Competition, CompetitionVersion
from services.core.record.acts import record
from services.core.store.database import WriteSession

__all__ = ["keep_version", "note", "record_applied"]


def keep_version(session: WriteSession, who: Principal, competition: Competition, text: str) -> CompetitionVersion:
    """Keep a file as the newest version of its competition."""
    newest = select(func.max(CompetitionVersion.number)).where(CompetitionVersion.competition_id == competition.id)
    number = (session.scalar(newest) or 0) + 1
    version = CompetitionVersion(competition_id=competition.id, account_id=who.account_id, number=number, text=text)
    session.add(version)
    session.flush()
    return version


def record_applied(
    session: WriteSession,
    who: Principal,
    competition: Competition,
    changes: Sequence[Change],
    version: CompetitionVersion,
    *,
    is_new: bool,
) -> None:
    """Put on record which file was applied and how it changed what is not a text. Roles are acts of their own."""
    if is_new:
        details: dict[str, object] = {
            "slug": competition.slug,
            "title": competition.title,
            "description": competition.description,
        }
        note(session, who, Act.COMPETITION_CREATED, competition, details)
    written = [
        {"path": one.path, "kind": one.kind, "before": one.before, "after": one.after}
        for one in changes
        if one.path.partition(".")[0] not in ROLES  # the record names accounts by ids
    ]
    note(
        session,
        who,
        Act.FILE_APPLIED,
        competition,
        {
            "version": version.number,
            "sha256": hashlib.sha256(version.text.encode()).hexdigest(),
            "changes": written,
            "confirmed": [change.path for change in changes if change.promise],
        },
    )


def note(session: WriteSession, who: Principal, act: Act, competition: Competition, details: dict[str, object]) -> None:
    """Put an act on a competition on record."""
    own = jsonable_encoder(details)
    record(session, act, competition_id=competition.id, account_id=who.account_id, details=own)
