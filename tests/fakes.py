"""Stand-ins for what the node takes from outside."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dataspace.domain.errors import InvalidInput
from dataspace.domain.opt_outs import KeyName, PersonKey, Pseudonymised

REGISTRY_KEY = KeyName("tests", "key1")
"""What made the person keys of the in-memory dataset `registry`."""

REGISTER_KEY = KeyName("opt-out-register", "reg1")


@dataclass
class FakeClock:
    """A clock that stands until it is moved."""

    time: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(frozen=True)
class FakePseudonyms:
    """Person number n is known as "P n"; domain `ids` takes only numbers of one digit."""

    register_key: KeyName = REGISTER_KEY

    def of(self, identifier: str) -> Pseudonymised:
        spelled = identifier.replace(" ", "").upper()
        if not spelled.removeprefix("P").isdecimal():
            raise InvalidInput("the identifier holds no letter or digit")
        number = int(spelled.removeprefix("P"))
        known = {PersonKey(REGISTRY_KEY, number)}
        strict = {PersonKey(KeyName("ids", "key7"), number)} if number < 10 else set()
        refused = () if strict else ("ids (one digit)",)
        return Pseudonymised(PersonKey(self.register_key, -number), frozenset(known | strict), refused)
