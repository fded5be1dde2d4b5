"""How often an address may do what needs no sign-in. In this process's memory alone: nothing of it is kept."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from dataspace.domain.errors import TooManyRequests

MOST_ADDRESSES = 10_000


@dataclass
class Limiter:
    """At most `each` times an address and `all_together` times in `seconds`."""

    each: int
    all_together: int
    seconds: float
    _seen: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)
    _all: deque[float] = field(default_factory=deque)
    _lock: Lock = field(default_factory=Lock)

    def check(self, address: str) -> None:
        """Count one more. Raises TooManyRequests beyond the limit, and then does not count it."""
        now = monotonic()
        with self._lock:
            own = self._seen.setdefault(address, deque())
            self._seen.move_to_end(address)
            for times in (own, self._all):
                while times and times[0] <= now - self.seconds:
                    times.popleft()
            if len(own) >= self.each or len(self._all) >= self.all_together:
                raise TooManyRequests(
                    f"too many of these were sent lately; nothing was recorded, try again in"
                    f" {self.seconds / 60:.0f} minutes or write to the access body"
                )
            own.append(now)
            self._all.append(now)
            while len(self._seen) > MOST_ADDRESSES:
                self._seen.popitem(last=False)
