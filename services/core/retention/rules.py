"""The rules of a competition on what is kept after its end, and when each is due."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select

from services.core.finals.sealed import phases_of
from services.core.models import Competition, Final, Phase
from services.core.store.database import ReadSession

__all__ = ["DAYS", "DueDate", "Rule", "dues_of", "end_of"]

DAYS = re.compile(r"^(\d{1,5}) days?$")


class Rule(StrEnum):
    """What may be deleted."""

    LOGS = "logs"  # what submissions printed
    NOTEBOOKS = "notebooks"  # as they were executed, with their outputs
    CODE_OF_LOSERS = "code_of_losers"  # of all but verified finalists and reference rows
    MEASUREMENTS = "measurements"
    PICTURES = "pictures"  # of forget examples, such as faces, with the losses that they illustrate


@dataclass(frozen=True, slots=True)
class DueDate:
    """When a rule is due; None if the competition has not ended."""

    rule: Rule
    kept: str
    at: datetime | None

    def is_past(self, now: datetime) -> bool:
        """Tell whether what the rule speaks of may be deleted."""
        return self.at is not None and self.at <= now


def end_of(session: ReadSession, competition: Competition) -> datetime | None:
    """Find when a competition ended: its last phase closed and its finals were published. None if one is sealed."""
    closed = session.scalar(select(func.max(Phase.closes_at)).where(Phase.competition_id == competition.id))
    moments = [] if closed is None else [closed]
    for final in session.scalars(select(Final).where(Final.competition_id == competition.id)):
        if final.published_at is None or not phases_of(session, final):
            return None
        moments.append(final.published_at)
    return max(moments, default=None)


def dues_of(session: ReadSession, competition: Competition) -> list[DueDate]:
    """List the rules of a competition with the moments from which on they may be carried out."""
    ended, wanted = end_of(session, competition), competition.retention or {}
    return [DueDate(rule, wanted[rule], _after(ended, wanted, rule)) for rule in Rule if wanted.get(rule)]


def _after(ended: datetime | None, wanted: Mapping[str, str], rule: Rule) -> datetime | None:
    days = DAYS.match(wanted[rule])
    return None if ended is None or days is None else ended + timedelta(days=int(days[1]))
