"""Answers leave on a time grid, so that how long a query took says almost nothing about the data.

What remains is which multiple of the grid an answer falls on; `deploy/privacy-notes.md` describes that channel.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil


@contextmanager
def on_the_grid(grid_ms: int) -> Iterator[None]:
    """Wait after the body, whether it succeeded or failed, until the next multiple of `grid_ms` since its start."""
    start = time.monotonic()
    try:
        yield
    finally:
        if grid_ms > 0:
            step = grid_ms / 1000
            taken = time.monotonic() - start
            time.sleep(max(1, ceil(taken / step)) * step - taken)
