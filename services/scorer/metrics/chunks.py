"""Work on examples in chunks: they are independent, so two threads share them if there is much to do."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ascending", "in_chunks"]

MAX_THREADS = 2
CHUNK = 32  # examples per task: a few milliseconds, so that no thread waits long for the last one
FEW = 250_000  # confidences, below which starting threads costs more than it saves


def in_chunks(job: Callable[[slice], None], examples: int, *, models: int) -> None:
    """Call a job, which holds no lock of the interpreter, for every chunk of the examples; `models` of all sides."""
    parts = [slice(first, first + CHUNK) for first in range(0, examples, CHUNK)]
    threads = min(MAX_THREADS, os.cpu_count() or 1, len(parts))
    if threads == 1 or examples * models < FEW:
        for part in parts:
            job(part)
        return
    with ThreadPoolExecutor(threads) as pool:  # only ours, and joined here, so a process may fork before and after
        list(pool.map(job, parts))


def ascending(side: NDArray[np.floating[Any]], part: slice) -> NDArray[np.float64]:
    """Sort each example's confidences of a part of a side [N, S]: [part, N], with an example's values side by side."""
    rows: NDArray[np.float64] = np.array(side[:, part].T, dtype=np.float64, order="C")
    rows.sort(axis=1)
    return rows
