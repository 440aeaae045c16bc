"""Announcing provisional scores while nothing else waits."""

from dataclasses import dataclass, field

import structlog

from services.scorer.judging import judge_so_far
from services.scorer.provisional import Due, find_due, tell
from services.scorer.stores import Stores

__all__ = ["Telling"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Telling:
    """The provisional scores to announce; this process does not retry one that fails."""

    stores: Stores
    _untold: set[Due] = field(default_factory=set)

    def due(self) -> list[Due]:
        """Find the provisional scores to announce, except those that failed."""
        with self.stores.database.read() as session:
            return [due for due in find_due(session) if due not in self._untold]

    def tell(self, due: Due) -> None:
        """Compute a provisional score and announce it."""
        database, blobs, settings = self.stores.database, self.stores.blobs, self.stores.settings
        try:
            card = judge_so_far(database, blobs, settings, due.evaluation_id, due.metric, models=due.models)
            with database.write() as session:
                tell(session, due, card)
        except Exception:
            self._untold.add(due)
            log.exception("provisional_score_failed", evaluation=str(due.evaluation_id), models=due.models)
