"""Messages that leave the node: to a person's address, or to a webhook. They say numbers and links, never content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dataspace.domain.errors import InvalidInput

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)


class Channel(StrEnum):
    EMAIL = "email"
    WEBHOOK = "webhook"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"  # tried often enough: an operator looks, mends the cause and sends it again


@dataclass(frozen=True)
class Message:
    """`id` stays the same over every try, so that a receiver can tell a second copy; `key` forbids a second message.

    `recipient` is a person's identifier, or a webhook's address. `facts` is what a webhook gets as JSON.
    """

    id: str
    key: str
    channel: Channel
    recipient: str
    subject: str
    text: str
    facts: Mapping[str, str]
    at: datetime


@dataclass(frozen=True)
class Delivery:
    """How far a message got. `fault` is the kind of failure, never a text that a server wrote."""

    message: str
    state: DeliveryState
    tries: int
    next_try_at: datetime
    fault: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Claimed:
    """A message that one worker may send now, for the `tries`-th time. `address` is where to, as of now."""

    message: Message
    tries: int
    address: str


class NotDelivered(Exception):
    """A try failed; `fault` names the kind."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def wait_after(tries: int) -> timedelta:
    """How long to wait after the `tries`-th failure: a minute, then twice as long each time, at most six hours."""
    doublings: int = 2 ** min(tries - 1, 20)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


def check_address(email: str) -> None:
    """Raises InvalidInput for what cannot be an e-mail address; none at all is fine. The text does not repeat it."""
    if email and (len(email) > 254 or not ADDRESS.fullmatch(email)):
        raise InvalidInput("this is not an e-mail address: write name@example.eu, without a display name")
