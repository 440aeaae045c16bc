"""Orders on which one process works at a time: who holds one, who has lost it, and when it is given up."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from services.api.kit.holding import HELD, MOST_ATTEMPTS, Hold, HoldLost, Orders
from services.core.models import Freeze, FreezeState, Phase
from services.core.store.database import WriteSession, utc_now
from tests.api.harness import Api, Caller
from tests.api.test_freezer import add

OPEN = (FreezeState.QUEUED, FreezeState.RUNNING)


def _fail(session: WriteSession, row: Freeze, reason: str) -> None:
    row.state, row.reason = FreezeState.FAILED, reason


@pytest.fixture
def orders(api: Api, phase: Phase) -> Iterator[Orders[Freeze]]:
    orders = Orders(api.database, Freeze, Freeze.created_at, Freeze.state, OPEN, _fail)
    yield orders
    orders.closing.set()


def take(orders: Orders[Freeze]) -> Hold[Freeze]:
    hold = orders.take()
    assert hold is not None
    return hold


def let_die(api: Api, order: UUID) -> None:
    """Let time pass, as if the process that holds the order had died."""
    with api.database.write() as session:
        session.execute(update(Freeze).where(Freeze.id == order).values(leased_until=utc_now() - timedelta(seconds=1)))


def row_of(api: Api, order: UUID) -> Freeze:
    with api.database.read() as session:
        return session.get_one(Freeze, order)


def test_an_order_is_held_by_one_and_the_oldest_comes_first(api: Api, orders: Orders[Freeze]) -> None:
    younger = add(api)
    older = add(api, created_at=utc_now() - timedelta(minutes=1))
    assert [take(orders).id, take(orders).id] == [older.id, younger.id]
    assert orders.take() is None
    assert row_of(api, older.id).leased_until is not None


def test_who_lost_an_order_changes_nothing_of_it(api: Api, orders: Orders[Freeze]) -> None:
    order = add(api)
    slow = take(orders)
    let_die(api, order.id)
    quick = take(orders)
    quick.renew(done=1, total=2)
    with pytest.raises(HoldLost):
        slow.renew(done=5)
    with pytest.raises(HoldLost):
        slow.tell(done=5)
    with pytest.raises(HoldLost):
        slow.wait(0)
    slow.fail("Too late.")
    slow.give_back(done=5)
    row = row_of(api, order.id)
    assert (row.state, row.attempts, row.done, row.reason) == (FreezeState.QUEUED, 2, 1, None)
    quick.give_back()
    slow.fail("It waits, and nobody holds it.")
    assert row_of(api, order.id).state is FreezeState.QUEUED


def test_renewing_holds_longer_and_a_pause_lets_wait(api: Api, orders: Orders[Freeze]) -> None:
    order = add(api)
    hold = take(orders)
    let_die(api, order.id)
    hold.renew()
    assert orders.take() is None
    hold.give_back(pause=HELD)
    assert orders.take() is None
    let_die(api, order.id)
    assert take(orders).attempt == 1  # what was given back does not count


def test_an_order_that_has_ended_is_not_taken_up(api: Api, orders: Orders[Freeze]) -> None:
    add(api)
    hold = take(orders)
    hold.fail("No.")
    with pytest.raises(HoldLost):
        hold.renew()
    assert orders.take() is None


def test_three_attempts_end_an_order(api: Api, orders: Orders[Freeze]) -> None:
    order = add(api)
    for attempt in range(MOST_ATTEMPTS):
        assert take(orders).attempt == attempt + 1
        let_die(api, order.id)
    assert orders.take() is None
    assert row_of(api, order.id).reason == "It was interrupted 3 times. Tell an operator."


def test_a_process_that_ends_works_no_longer(api: Api, orders: Orders[Freeze], organiser: Caller) -> None:
    add(api)
    hold = take(orders)
    orders.closing.set()
    with pytest.raises(HoldLost):
        hold.renew()
    with pytest.raises(HoldLost):
        hold.tell()
    with pytest.raises(HoldLost):
        hold.wait(60)
