"""One transaction per request: it commits after the endpoint returns and before the response is sent.

Between its steps, a request keeps its transaction open but holds no thread. The number of open transactions is
therefore limited to less than the connections of the pool and the threads of the thread pool; without this limit,
waiting requests could take the last thread that the request they wait for needs.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from anyio import CancelScope
from fastapi import Depends
from starlette.concurrency import run_in_threadpool

from services.api.state import WRITERS, State
from services.core.store.database import ReadSession, WriteSession

__all__ = ["Reading", "Writing"]

READERS = 24


async def read_session(state: State) -> AsyncIterator[ReadSession]:
    """Give a request its read transaction, which begins with its first statement and needs no thread until then."""
    session = state.database.reader()
    try:
        yield session
    finally:
        if session.in_transaction():
            with CancelScope(shield=True):  # also of a request that is ended early
                await run_in_threadpool(session.close)


def write_session(state: State) -> Iterator[WriteSession]:
    """Open the write transaction of a request."""
    with state.database.write() as session:
        yield session


Reading = Annotated[ReadSession, Depends(read_session, scope="function", max_concurrency=READERS)]
Writing = Annotated[WriteSession, Depends(write_session, scope="function", max_concurrency=WRITERS)]
