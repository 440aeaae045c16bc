"""One transaction per request: it commits after the endpoint returns and before the response is sent.

Between its steps, a request keeps its transaction open but holds no thread. The number of open transactions is
therefore limited to less than the connections of the pool and the threads of the thread pool; without this limit,
waiting requests could take the last thread that the request they wait for needs.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends

from services.api.state import WRITERS, State
from services.core.store.database import ReadSession, WriteSession

__all__ = ["Reading", "Writing"]

READERS = 24


def read_session(state: State) -> Iterator[ReadSession]:
    """Open the read transaction of a request."""
    with state.database.read() as session:
        yield session


def write_session(state: State) -> Iterator[WriteSession]:
    """Open the write transaction of a request."""
    with state.database.write() as session:
        yield session


Reading = Annotated[ReadSession, Depends(read_session, scope="function", max_concurrency=READERS)]
Writing = Annotated[WriteSession, Depends(write_session, scope="function", max_concurrency=WRITERS)]
