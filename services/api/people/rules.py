"""The rules of a competition, and which version of them is in force."""

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import object_session

from services.core.models import Competition, CompetitionPage

__all__ = ["rules_of", "version_of"]


def rules_of(competition: Competition) -> str:
    """Return the text of the rules in force; empty if there are none to accept.

    The competition is attached to a session.
    """
    session = object_session(competition)
    assert session is not None
    found = select(CompetitionPage.body).where(
        CompetitionPage.competition_id == competition.id, CompetitionPage.slug == "rules"
    )
    return session.scalar(found) or ""


def version_of(competition: Competition) -> str | None:
    """Return the SHA-256 of the rules in force; None if there are none to accept."""
    text = rules_of(competition)
    return hashlib.sha256(text.encode()).hexdigest() if text.strip() else None
