"""Shapes of deadlines, steps and messages."""

from datetime import date, datetime

from pydantic import Field

from dataspace.wire import Day, Plain, Shape, Text


class ClockExtension(Shape):
    """The one extension of a deadline, with the reason that the access body gave."""

    at: datetime
    reason: str


class ClockEntry(Shape):
    """A deadline. `last_day` is a day at the place of the access body; `due_at` the first moment that is too late.

    Both are null while the clock stands still. `item` names the dataset, holder or finding it is about, if several.
    """

    name: str
    title: str
    article: str
    subject: str
    subject_id: str
    number: str
    item: str
    state: str
    owes: str
    waits: str
    counted_from: datetime
    last_day: date | None
    due_at: datetime | None
    closed_at: datetime | None
    paused_days: int
    extension: ClockExtension | None
    extendable: bool


class ClockPage(Shape):
    """Deadlines, soonest first; `total` counts all that match."""

    clocks: list[ClockEntry]
    total: int


class ClockExtensionRequest(Shape):
    """`until` is the new last day, only where the law leaves the length to the decision."""

    name: Plain = Field(max_length=100)
    item: Plain = Field(default="", max_length=200)
    reason: Text
    until: Day | None = None


class StepRequest(Shape):
    """A step that happened: `item` is the dataset, holder or finding; `note` what the step has to say."""

    step: Plain = Field(max_length=100)
    item: Plain = Field(default="", max_length=200)
    note: Plain = Field(default="", max_length=1000)


class StepEntry(Shape):
    step: str
    subject_id: str
    item: str
    note: str
    at: datetime


class MessageEntry(Shape):
    """A message and how far it got; its text and its address are not shown."""

    id: str
    channel: str
    subject: str
    written_at: datetime
    state: str
    tries: int
    next_try_at: datetime
    fault: str
    sent_at: datetime | None
