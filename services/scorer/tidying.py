"""Tidying the readings of evaluations while nothing else waits: packing them, and removing what packing left."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from services.core.bundle import packing
from services.scorer.retries import Retries
from services.scorer.stores import Stores

__all__ = ["Tidying"]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tidying:
    """The evaluations whose readings are to be packed, or were packed long ago."""

    stores: Stores
    retries: Retries

    def next(self) -> UUID | None:
        """Find one that has not failed a moment ago."""
        with self.stores.database.read() as session:
            return packing.next_untidy(session, self.retries.later())

    def tidy(self, evaluation_id: UUID) -> bool:
        """Tidy one, or put it off; return whether it was tidied."""
        try:
            packing.tidy(self.stores.database, self.stores.blobs, evaluation_id)
        except Exception:
            tries = self.retries.put_off(evaluation_id)
            log.exception("tidying_failed", evaluation=str(evaluation_id), tries=tries)
            return False
        self.retries.forget(evaluation_id)
        return True
