"""The stores that every task of the scorer reads from and writes to."""

from dataclasses import dataclass

from services.core.settings import Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database

__all__ = ["Stores"]


@dataclass(frozen=True, slots=True)
class Stores:
    """The database, the blobs, and the settings of both."""

    database: Database
    blobs: Blobs
    settings: Settings
