"""The number of days by which a person's dates move: the same for all their dates, known only to the key.

Intervals between a person's dates stay true; what time of year it was does not, beyond the width of the shift.
"""

from collections.abc import Callable
from hmac import digest

import numpy as np

from pipelines.keystore import DomainKey
from pipelines.plan import Plan


def shift_of(key: DomainKey, plan: Plan) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pseudonyms' second halves to days, uniform from -`shift_days` to `shift_days`; 0 if none shift.

    Two datasets of one pseudonymisation domain that shift as far shift a person alike, so they still link. The second
    half and the first link's key are those of every later link of a chain, so a re-keyed person's dates agree too.
    """
    days = plan.shift_days
    if not any(c.shift for t in plan.tables for c in t.columns):
        return lambda halves: np.zeros(len(halves), dtype=np.int32)
    secret = key.first.derive(f"date shift by {days}")

    def shifted(halves: np.ndarray) -> np.ndarray:
        macs = b"".join(digest(secret, half.tobytes(), "sha256")[:8] for half in halves.astype(">i8"))
        # 64 bits against a few thousand days: the remainder is uniform to one part in 10^15
        return (np.frombuffer(macs, dtype=">u8") % (2 * days + 1)).astype(np.int32) - days

    return shifted
