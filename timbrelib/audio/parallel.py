"""Blocks of frames, several at a time: most of the work on them is done outside the interpreter's lock.

Notebook: 08_timbre_transfer.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def thread_count() -> int:
    """Count the threads to use: ``OMP_NUM_THREADS``, which numpy and torch obey too, else as many as processors."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return int(limit) if limit.isdecimal() and int(limit) > 0 else os.cpu_count() or 1


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Apply a function to items, in several threads if `thread_count` allows it.

    Parameters
    ----------
    function : callable
    items : iterable
        Taken only a few ahead of the results, to bound the memory.

    Yields
    ------
    object
        The results, in the order of the items.
    """
    n_threads = thread_count()
    if n_threads == 1:
        yield from map(function, items)
        return
    running: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for item in items:
            running.append(pool.submit(function, item))
            if len(running) > n_threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
