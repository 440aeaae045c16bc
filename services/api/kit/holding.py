"""Orders that take a while, such as an archive to write: rows on which one process of the API works at a time.

A row is the whole order. Whoever works on it holds it for a while and renews that; if the process dies, another begins
anew, at most three times. The number of the attempt fences: who lost the row can change nothing more of it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from services.core.models.columns import Held
from services.core.store.database import Database, WriteSession, clock

__all__ = ["HELD", "MOST_ATTEMPTS", "Hold", "HoldLost", "Orders"]

HELD = timedelta(minutes=5)  # longer than any step between two renewals, such as storing the largest file
MOST_ATTEMPTS = 3
TELL_EVERY_S = 1.0

Row = TypeVar("Row", bound=Held)


class HoldLost(Exception):
    """The process ends, or another one has taken over."""


@dataclass(frozen=True)
class Orders(Generic[Row]):
    """The orders of one table, which this process takes until it is closed."""

    database: Database
    table: type[Row]
    since: InstrumentedAttribute[Any]  # who waits longest is the first
    state: InstrumentedAttribute[Any]
    open_states: tuple[str, ...]  # those in which an order waits or is worked on
    fail: Callable[[WriteSession, Row, str], None]  # ends a locked order, for a reason that people read
    closing: threading.Event = field(default_factory=threading.Event)

    def take(self, begin: Callable[[Row], None] = lambda row: None) -> "Hold[Row] | None":
        """Hold the order that waits longest; one whose process has died waits again. None if there is none to do."""
        with self.database.read() as session:
            if session.scalars(self._waiting(session)).one_or_none() is None:
                return None
        with self.database.write() as session:
            waiting = self._waiting(session).with_for_update(skip_locked=True)
            row = session.scalars(waiting).one_or_none()
            if row is None:
                return None
            if row.attempts >= MOST_ATTEMPTS:
                self.fail(session, row, f"It was interrupted {MOST_ATTEMPTS} times. Tell an operator.")
                return None
            row.attempts, row.leased_until = row.attempts + 1, clock(session) + HELD
            begin(row)
            return Hold(self, row.id, row.attempts)

    def _waiting(self, session: Any) -> Select[Row]:
        free = or_(self.table.leased_until.is_(None), self.table.leased_until < clock(session))
        waiting = select(self.table).where(self.state.in_(self.open_states), free)
        return waiting.order_by(self.since, self.table.id).limit(1)


@dataclass
class Hold(Generic[Row]):
    """An order that this process works on."""

    orders: Orders[Row]
    id: UUID
    attempt: int
    _told_at: float = 0.0

    def row(self, session: WriteSession) -> Row:
        """Lock the order. Raises HoldLost if it ended or another process has taken it."""
        table = self.orders.table
        mine = select(table).where(table.id == self.id, table.attempts == self.attempt, table.leased_until.is_not(None))
        busy = mine.where(self.orders.state.in_(self.orders.open_states))
        row = session.scalars(busy.with_for_update()).one_or_none()
        if row is None:
            raise HoldLost
        return row

    def renew(self, **progress: int) -> None:
        """Hold the order longer, and say how far it is. Raises HoldLost, also if this process ends."""
        if self.orders.closing.is_set():
            raise HoldLost
        with self.orders.database.write() as session:
            row = self.row(session)
            row.leased_until = clock(session) + HELD
            for name, count in progress.items():
                setattr(row, name, count)

    def tell(self, **progress: int) -> None:
        """Renew, but at most once a second. Raises HoldLost as `renew` does."""
        if self.orders.closing.is_set():
            raise HoldLost
        if time.monotonic() - self._told_at >= TELL_EVERY_S:
            self.renew(**progress)
            self._told_at = time.monotonic()

    def wait(self, seconds: float) -> None:
        """Renew, then do nothing for a while. Raises HoldLost as `renew` does."""
        self.renew()
        if self.orders.closing.wait(seconds):
            raise HoldLost

    def give_back(self, *, pause: timedelta | None = None, **columns: Any) -> None:
        """Let the order wait again, at first for a pause. This attempt does not count."""
        with suppress(HoldLost), self.orders.database.write() as session:
            row = self.row(session)
            row.attempts, row.leased_until = row.attempts - 1, clock(session) + pause if pause else None
            for name, value in columns.items():
                setattr(row, name, value)

    def fail(self, reason: str) -> None:
        """End the order for a reason that people read."""
        with suppress(HoldLost), self.orders.database.write() as session:
            self.orders.fail(session, self.row(session), reason)
