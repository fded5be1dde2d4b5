"""A stored column made of what its name and its facts say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from catalog.schema import Bounds, CodedValue, Column, ColumnType
from pipelines.draft import names
from pipelines.draft.dates import Spelling
from pipelines.draft.form import CHECK, DraftColumn, LeftOut
from pipelines.draft.measure import ColumnFacts, nearly
from pipelines.draft.rare import FEWEST, Group, may_be_listed, shared_range
from pipelines.draft.schemas import FieldSaid
from pipelines.mapping import EXACT, Family
from pipelines.plan import ColumnPlan
from pipelines.quality.rows import LONGEST_CODE

MOST_LISTED = 50
"""Codes of a closed list that a draft writes out."""

MOST_NUMBERS = 12
"""The same for whole numbers, which are quantities if there are more."""

SHARE = Decimal("0.99")
"""Share of the numbers that a step must keep exactly."""

RANGE_DIGITS = 6
"""Significant digits that a number delivered with many of them keeps."""

BROKEN = 0.02
"""Share of rows with line breaks or control characters in a column that are set aside, and the column kept."""

REPEATED = 20
"""Rows a text with blanks must have on average for each of its values, not to be taken for free text."""


@dataclass(frozen=True)
class Reading:
    """What a column is read as: a type, and formats if it is a date delivered as text; `odd` cells cannot be."""

    type: ColumnType
    spelling: Spelling | None = None
    odd: int = 0


@dataclass(frozen=True)
class Setting:
    """What the columns of a table have in common: `listed` and `classes` are groups by delivered column."""

    is_public: bool
    listed: Mapping[str, list[Group]] = field(default_factory=dict)
    classes: Mapping[str, list[Group]] = field(default_factory=dict)


def reading(facts: ColumnFacts, spelling: Spelling | None, said: FieldSaid | None) -> Reading:
    """The narrowest type that all filled cells but some odd ones can be read as: a slip must not keep dates whole."""
    wanted = facts.filled
    if spelling:
        return Reading(ColumnType.TIMESTAMP if spelling.timed else ColumnType.DATE, spelling, spelling.odd)
    # both answers must be there: a column of nothing but F is a sex, and one of nothing but N is a grade
    truths = facts.true + facts.false if facts.true and facts.false else 0
    if facts.family is Family.BOOLEAN or nearly(truths, wanted):
        return Reading(ColumnType.BOOLEAN, odd=max(0, wanted - truths) if truths else 0)
    is_text = facts.padded or (said and said.is_text)
    # some that are no whole numbers, but numbers, make it a column of decimals
    if nearly(facts.whole, wanted) and facts.number <= facts.whole and not is_text:
        return Reading(ColumnType.INTEGER, odd=wanted - facts.whole)
    if nearly(facts.number, wanted) and not is_text:
        return Reading(ColumnType.DECIMAL, odd=wanted - facts.number)
    if facts.has_decimal_comma and not is_text:
        return Reading(ColumnType.DECIMAL, odd=wanted - facts.comma - facts.whole)
    if not wanted:
        return Reading(said.type if said and said.type else _of_family(facts.family))
    return Reading(ColumnType.CODE)


def _of_family(family: Family) -> ColumnType:
    types = {
        Family.WHOLE: ColumnType.INTEGER, Family.FLOAT: ColumnType.DECIMAL, Family.EXACT: ColumnType.DECIMAL,
        Family.DATE: ColumnType.DATE, Family.TIME: ColumnType.TIMESTAMP, Family.ZONED: ColumnType.TIMESTAMP,
    }  # fmt: skip
    return types.get(family, ColumnType.CODE)


def is_countable(facts: ColumnFacts, read: Reading) -> bool:
    """True if the values may be few enough for a closed list."""
    most = {ColumnType.CODE: MOST_LISTED, ColumnType.INTEGER: MOST_NUMBERS}.get(read.type, 0)
    return 0 < facts.distinct <= most * 2 and facts.longest <= LONGEST_CODE and not facts.broken


def draft_column(
    name: str, facts: ColumnFacts, read: Reading, said: FieldSaid | None, setting: Setting
) -> DraftColumn | LeftOut:
    """The column under its stored name, or the reason why it is left out."""
    refused = _refusal(facts, read, setting)
    if refused:
        return LeftOut(facts.name, refused)
    if names.is_birth(facts.name) and read.type in (ColumnType.DATE, ColumnType.TIMESTAMP) and not setting.is_public:
        return _year_of_birth(name, facts, read, said)
    if names.is_postcode(facts.name) and read.type in (ColumnType.CODE, ColumnType.INTEGER) and not setting.is_public:
        return _shortened(name, facts, said)
    remarks: list[str] = []
    type_ = _stored_type(facts, read, setting)
    bounds, step, unit = None, Decimal(1), None
    values = _values(facts, type_, setting, remarks)
    if type_.is_number and not setting.is_public:
        bounds, unit = _number_bounds(facts, type_, setting, remarks)
    if type_ is ColumnType.DECIMAL:
        step = _step(facts, setting.classes.get(facts.name, ()), remarks)
    if type_ in (ColumnType.DATE, ColumnType.TIMESTAMP) and not setting.is_public:
        bounds = _date_bounds(facts, setting, remarks)
    column = Column(
        name=name, type=type_, title=said.title if said else "", description=said.description if said else "",
        required=_is_required(facts), code_system=_code_system(facts, type_, remarks),
        values=values, bounds=bounds, step=step, unit=unit,
    )  # fmt: skip
    remarks += [*_date_remarks(read), *_odd_remarks(read)]
    if facts.broken and type_ is not ColumnType.TEXT:
        remarks.append(f"{CHECK}some cells hold line breaks or control characters; these rows are set aside.")
    plan = ColumnPlan(
        column, facts.name, read.spelling.formats if read.spelling else (),
        decimal_comma=type_ is ColumnType.DECIMAL and facts.has_decimal_comma,
    )  # fmt: skip
    return DraftColumn(plan, tuple(remarks))


def _refusal(facts: ColumnFacts, read: Reading, setting: Setting) -> str | None:
    """Why a column cannot be kept."""
    if facts.broken > BROKEN * facts.rows and _stored_type(facts, read, setting) is not ColumnType.TEXT:
        return "some cells run over several lines or hold control characters, which the store does not keep"
    if facts.comma and facts.comma == facts.thousands and facts.comma + facts.whole == facts.filled:
        return (
            "its commas could mark decimals or thousands: if decimals, add the column as a decimal with decimal_comma ="
            " true, else deliver the numbers without them"
        )
    if setting.is_public or read.type is not ColumnType.CODE:
        return None
    if facts.longest > LONGEST_CODE:
        return "free text"
    if facts.spaced > facts.filled / 2 and facts.distinct * REPEATED > facts.filled and facts.distinct > MOST_LISTED:
        return "free text: most cells hold several words, and few are alike"
    return None


def _stored_type(facts: ColumnFacts, read: Reading, setting: Setting) -> ColumnType:
    # the lines of a public text are folded into one when it is stored
    words = facts.spaced or facts.broken or facts.longest > LONGEST_CODE
    if read.type is ColumnType.CODE and setting.is_public and words:
        return ColumnType.TEXT
    return read.type


def _is_required(facts: ColumnFacts) -> bool:
    return 0 < facts.rows == facts.filled


def _values(
    facts: ColumnFacts, type_: ColumnType, setting: Setting, remarks: list[str]
) -> tuple[CodedValue, ...] | None:
    groups = setting.listed.get(facts.name)
    if not groups or setting.is_public or type_ not in (ColumnType.CODE, ColumnType.INTEGER):
        return None
    if may_be_listed(groups, MOST_LISTED if type_ is ColumnType.CODE else MOST_NUMBERS):
        remarks.append(f"{CHECK}is this list complete? Write what each value means after it.")
        codes = sorted(int(g.key) for g in groups) if type_ is ColumnType.INTEGER else sorted(g.key for g in groups)
        return tuple(CodedValue(code, str(code)) for code in codes)
    if type_ is ColumnType.CODE and len(groups) <= MOST_LISTED:
        remarks.append(
            f"{CHECK}values = {{ … }} would make its groups known. Fewer than {FEWEST} persons share some of the "
            "values, so none is written here: take them from the documentation of the source."
        )
    return None


def _number_bounds(
    facts: ColumnFacts, type_: ColumnType, setting: Setting, remarks: list[str]
) -> tuple[Bounds | None, str | None]:
    found = shared_range(setting.classes.get(facts.name, ()))
    if found is None:
        remarks.append(f"{CHECK}bounds = [lowest, highest]: too few persons have a value to suggest them.")
        return None, None
    known = names.known_range(facts.name, float(found.low), float(found.high))
    if known or _are_years(found.low, found.high, facts, type_):
        low, high, unit = known or (1900, 2050, "year")
        return Bounds(Decimal(low), Decimal(high)), unit
    if not found.is_whole:
        remarks.append(f"{CHECK}few values lie beyond these bounds; queries count them as the nearest bound.")
    return Bounds(min(Decimal(0), found.low), max(Decimal(0), found.high)), None


def _are_years(low: Decimal, high: Decimal, facts: ColumnFacts, type_: ColumnType) -> bool:
    digits = {len(s) for s in facts.samples}
    likely = all(s[:2] in ("18", "19", "20") for s in facts.samples)
    return type_ is ColumnType.INTEGER and digits == {4} and likely and 1000 < low <= high <= 5000


def _step(facts: ColumnFacts, groups: Collection[Group], remarks: list[str]) -> Decimal:
    """The coarsest power of ten that keeps nearly all numbers, no finer than the range and the store allow."""
    digits = _digits(facts)
    size = max((abs(Decimal(g.key)) for g in groups), default=Decimal(1)) or Decimal(1)
    finest = max(Decimal(1).scaleb(size.adjusted() + 1 - RANGE_DIGITS), Decimal(1).scaleb(-6))
    step = max(Decimal(1).scaleb(-digits), finest)
    while size / step > EXACT // 4:
        step *= 10
    if step > Decimal(1).scaleb(-digits):
        remarks.append(f"{CHECK}delivered with more digits than the step keeps; is it fine enough?")
    return step.normalize() if step < 1 else step


def _digits(facts: ColumnFacts) -> int:
    total, seen = sum(facts.decimals.values()), 0
    for digits in sorted(facts.decimals):
        seen += facts.decimals[digits]
        if seen >= SHARE * total:
            return digits
    return 0


def _date_bounds(facts: ColumnFacts, setting: Setting, remarks: list[str]) -> Bounds | None:
    """Whole decades that enough persons reach, else whole centuries: rows beyond bounds would be set aside."""
    groups = setting.classes.get(facts.name, ())
    found = shared_range(groups)
    if found is None:
        remarks.append(f"{CHECK}bounds = [first day, last day]: too few persons have a date to suggest them.")
        return None
    low, high = int(found.low), int(found.high) + 9
    if not found.is_whole:
        years = [int(g.key) for g in groups]
        low = low if min(years) >= low else min(years) // 100 * 100
        high = high if max(years) <= high else max(years) // 100 * 100 + 99
        remarks.append(f"{CHECK}few dates lie far from the others; narrow the bounds, and such rows are set aside.")
    if low < 1 or high > 9999:
        return None
    return Bounds(date(low, 1, 1), date(high, 12, 31))


def _date_remarks(read: Reading) -> list[str]:
    if read.spelling is None:
        return []
    if read.spelling.is_doubtful:
        return [f"{CHECK}is this how the dates are meant? Day and month, or the century, could also be read otherwise."]
    if len(read.spelling.formats) > 1:
        return [f"{CHECK}the dates are spelt in several ways; the first format that fits is used."]
    return []


def _odd_remarks(read: Reading) -> list[str]:
    kinds = {ColumnType.DATE: "date", ColumnType.TIMESTAMP: "date", ColumnType.BOOLEAN: "yes or no"}
    kind = kinds.get(read.type, "number")
    return [f"{CHECK}some cells are no {kind}; rows with them are set aside."] if read.odd else []


def _code_system(facts: ColumnFacts, type_: ColumnType, remarks: list[str]) -> str | None:
    if type_ not in (ColumnType.CODE, ColumnType.INTEGER):
        return None
    samples = tuple(s for s in facts.samples)
    found = names.code_system(facts.name, samples)
    if found:
        remarks.append(f"{CHECK}the code system is a guess by name and shape.")
    return found


def _year_of_birth(name: str, facts: ColumnFacts, read: Reading, said: FieldSaid | None) -> DraftColumn:
    column = Column(
        name=name, type=ColumnType.INTEGER, title=said.title if said else "Year of birth",
        description="Year of the date of birth; day and month are not kept.",
        required=_is_required(facts), bounds=Bounds(Decimal(1900), Decimal(2050)), unit="year",
    )  # fmt: skip
    formats = read.spelling.formats if read.spelling else ()
    why = "only the year is kept: a day of birth helps to find a person again."
    remarks = (why, *_date_remarks(read), *_odd_remarks(read))
    return DraftColumn(ColumnPlan(column, facts.name, formats, generalise="year"), remarks)


def _shortened(name: str, facts: ColumnFacts, said: FieldSaid | None) -> DraftColumn:
    column = Column(
        name=name, type=ColumnType.CODE, title=said.title if said else "",
        description="The first two characters of the postal code.", required=_is_required(facts),
    )  # fmt: skip
    remark = "only the first two characters are kept: a whole postal code may stand for a few families."
    return DraftColumn(ColumnPlan(column, facts.name, generalise="first-2"), (remark,))
