"""JSON shapes of forms: what a form asks, what an applicant writes under it, what was returned, what differs."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from dataspace.wire import STORABLE, Amount, Guarantee, Moment, Shape, Slug, Text

Kind = Literal["access-application", "data-request"]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=STORABLE)]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Address = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,199}$")]
Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000, pattern=STORABLE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$")]


def _storable(answer: JsonValue) -> JsonValue:
    texts = [answer]
    while texts:
        match texts.pop():
            case str() as text:
                if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in text):
                    raise ValueError("an answer holds a NUL or half a surrogate pair, which cannot be kept; remove it")
            case list() as values:
                texts += values
            case dict() as members:
                texts += [*members, *members.values()]
    return answer


Given = Annotated[JsonValue, AfterValidator(_storable)]
"""The answer to a question of a form."""


class Said(Shape):
    """One text in each language."""

    en: str
    fr: str


class Condition(Shape):
    """Holds if the answer of `field` is, or has among it, one of `among`; if that is empty, if there is none."""

    field: str
    among: list[str]


class FormField(Shape):
    """One question. With `core` it is answered by the member of that name beside `answers` (`scope` by `columns`,
    `guarantee` by `requested`, `period` by `valid_from` and `valid_until`); otherwise in `answers`, by section."""

    id: str
    kind: str
    label: Said
    help: Said
    mandatory: bool
    when: list[Condition]
    public: bool
    article: str
    core: str
    words: int | None
    choices: dict[str, Said] | None
    entry: list["FormField"]


class FormSection(Shape):
    id: str
    title: Said
    help: Said
    article: str
    fields: list[FormField]


class FormEntry(Shape):
    """One version of a form, named only."""

    name: str
    version: int
    article: str
    title: Said


class Form(FormEntry):
    """One version of a form, in full."""

    sections: list[FormSection]


class PlannedTable(Shape):
    """One table of a tabulation plan (Art. 69(2)(d)): a query, and exactly one price as for a query under a permit."""

    name: Slug
    sql: str = Field(min_length=1, max_length=65_536, pattern=STORABLE)
    epsilon: Amount | None = None
    rho: Amount | None = None
    accuracy: Amount | None = None
    description: Line = ""

    @model_validator(mode="after")
    def _one_price(self) -> "PlannedTable":
        if sum(price is not None for price in (self.epsilon, self.rho, self.accuracy)) != 1:
            raise ValueError("give exactly one of epsilon, rho and accuracy")
        return self


class Content(Shape):
    """All that an applicant writes; a draft may leave anything out.

    The members beside `answers` are those of an application filed in one step; `answers` holds the rest, section by
    section, under version `form_version` of the form named `kind` (the newest, if it is not said). Of an access
    application the applicant is added to `persons`.
    """

    kind: Kind = "access-application"
    form_version: int | None = Field(default=None, ge=1, le=1000)
    title: Line = ""
    purposes: list[Literal["a", "b", "c", "d", "e", "f"]] = Field(default=[], max_length=6)
    columns: list[tuple[Slug, Slug, Name]] = Field(default=[], max_length=5000)
    justification: Long = ""
    lay_summary: Long = ""
    legal_basis: Literal["a", "c", "e", "f"] | None = None
    persons: list[Name] = Field(default=[], max_length=100)
    acting_for: Line = ""
    requested: Guarantee | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    tabulation: list[PlannedTable] = Field(default=[], max_length=100)
    answers: dict[Key, dict[Key, Given]] = Field(default={}, max_length=50)


class Kept(Content):
    """What was written, as the node keeps it; an old case may have any period."""

    valid_from: datetime | None = None
    valid_until: datetime | None = None


class FieldFault(Shape):
    """What is missing or does not fit in a field, and what to do about it."""

    field: str
    text: str


class Return(Shape):
    """The access body's notice that a submitted version is not complete (Art. 68(4))."""

    version: int
    missing: list[FieldFault]
    returned_at: datetime


class AttachmentEntry(Shape):
    """A file of an application; `field` is the question that it answers."""

    id: str
    field: str
    name: str
    kind: str
    size: int
    sha256: str
    added_at: datetime


class DraftEntry(Shape):
    """A case as its applicant works on it; `version` is what an edit names in If-Match."""

    id: str
    number: str
    state: str
    version: int
    content: Kept
    missing: list[FieldFault]
    returned: Return | None
    attachments: list[AttachmentEntry]


class EditionEntry(Shape):
    """A submitted version of the form, for good."""

    version: int
    submitted_at: datetime
    submitted_by: str
    content: Kept


class Difference(Shape):
    """One field whose answer differs between two submitted versions; null where there is none."""

    field: str
    label: Said
    before: JsonValue
    after: JsonValue


class ReturnRequest(Shape):
    """What is missing, by `section.field` (of a short application, by its member)."""

    missing: dict[Address, Text] = Field(min_length=1, max_length=200)
