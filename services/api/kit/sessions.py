"""A request is one transaction: it commits after the endpoint returns and before the response is sent.

Between the steps of a request no thread is held but its transaction is, so the number of open ones is bounded below
the pool's connections and the thread pool's threads: else waiting requests would take the last thread from the one
they wait for.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends

from services.api.state import WRITERS, State
from services.core.store.database import ReadSession, WriteSession

__all__ = ["Reading", "Writing"]

READERS = 24


def read_session(state: State) -> Iterator[ReadSession]:
    with state.database.read() as session:
        yield session


def write_session(state: State) -> Iterator[WriteSession]:
    with state.database.write() as session:
        yield session


Reading = Annotated[ReadSession, Depends(read_session, scope="function", max_concurrency=READERS)]
Writing = Annotated[WriteSession, Depends(write_session, scope="function", max_concurrency=WRITERS)]
