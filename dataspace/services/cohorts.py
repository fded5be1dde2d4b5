"""Who is left out under a permit, kept in memory between its queries: reading a million persons takes seconds."""

from collections import OrderedDict
from datetime import datetime
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from dataspace.domain.opt_outs import KeyName
from dataspace.services.ports import OptOuts

MOST = 8
"""Cohorts kept; a million persons are 8 MB."""

Persons = NDArray[np.int64]


class Cohorts:
    """The cohort of an approval time is frozen, so it is read once.

    Only carrying old choices over to another key adds to it later; each use asks the register whether that happened.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[KeyName, datetime], tuple[int, Persons]] = OrderedDict()
        self._lock = Lock()

    def opted_out(self, register: OptOuts, key: KeyName, at: datetime) -> Persons:
        """Numbers of the persons under `key` whom a permit approved at `at` must not see."""
        with self._lock:
            kept = self._kept.get((key, at))
        if kept is not None and not register.grew(key, kept[0], at):
            return kept[1]
        # the last entry is asked for first: what is written in between is noticed at the next use
        last = register.last(key)
        persons = register.opted_out(key, at)
        with self._lock:
            self._kept[key, at] = (last, persons)
            self._kept.move_to_end((key, at))
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return persons
