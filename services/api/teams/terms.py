"""What a competition says about teams: how large they may be, and until when they may merge."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select

from services.api.announcements.promises import announce_broken
from services.api.competitions.finding import find_writable
from services.api.competitions.promises import breaks, in_words, is_relied_on, require_confirmation
from services.api.kit.auth import Principal
from services.core.models import Act, Competition, Phase
from services.core.record.acts import record
from services.core.store.database import ReadSession, WriteSession, utc_now

__all__ = ["change_terms"]

COLUMNS = {"size": "team_size", "merge_until": "merge_until"}


def change_terms(
    session: WriteSession, who: Principal, slug: str, change: dict[str, Any], *, confirm: bool
) -> Competition:
    """Change the terms. No team loses anybody. Raises ConfirmationNeeded if an open phase's participants lose by it."""
    competition = find_writable(session, slug, who)
    before = {name: getattr(competition, COLUMNS[name]) for name in change}
    relied = _is_relied_on(session, competition)
    broken = [name for name in change if relied and breaks(f"teams.{name}", before[name], change[name])]
    require_confirmation([f"teams.{name}" for name in broken], confirm=confirm)
    for name, value in change.items():
        setattr(competition, COLUMNS[name], value)
    session.flush()
    details = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in change.items()}
    record(session, Act.TEAM_TERMS_CHANGED, competition_id=competition.id, account_id=who.account_id, details=details)
    if broken:
        told = [in_words(f"teams.{name}", before[name], change[name]) for name in broken]
        announce_broken(session, who, competition, told)
    return competition


def _is_relied_on(session: ReadSession, competition: Competition) -> bool:
    now = utc_now()
    opened = exists().where(Phase.competition_id == competition.id, Phase.opens_at <= now)
    return bool(session.scalar(select(opened))) and is_relied_on(competition.visibility, now, now)
