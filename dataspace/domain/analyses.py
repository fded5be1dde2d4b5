"""Statistical analyses as the last step of a query, in place of its aggregates.

An analysis reads one row of each person: the values `v0`, `v1`, … of `Query.rows` that its variables name. It answers
with a small table for each group of the query, whose columns are its own.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from catalog.schema import Bounds, Scalar


class AnalysisKind(StrEnum):
    KAPLAN_MEIER = "kaplan_meier"
    INCIDENCE = "incidence"
    CHI_SQUARE = "chi_square"
    LINEAR_REGRESSION = "linear_regression"
    LOGISTIC_REGRESSION = "logistic_regression"


@dataclass(frozen=True)
class Variable:
    """One argument: value column `value` of `Query.rows`; numbers are clamped to `bounds`, dates are days since 1970.

    A condition is 1, 0 or NULL. An argument with a public list of values is the position in that list (`levels`).
    """

    name: str
    value: int
    bounds: Bounds | None = None


@dataclass(frozen=True)
class Analysis:
    """What to compute of each group.

    | kind | variables | levels | step |
    |---|---|---|---|
    | KAPLAN_MEIER | time (bounds 0 to the horizon), event | - | width of a time bin |
    | INCIDENCE | first day, last day, day of the event or NULL | first days of the periods, and the day after | - |
    | CHI_SQUARE | two positions | the values of the first, of the second | - |
    | …_REGRESSION | outcome, then up to ten covariates | - | - |

    `keys` name the label columns of its answer, `columns` the estimates, in that order.
    """

    kind: AnalysisKind
    variables: tuple[Variable, ...]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    levels: tuple[tuple[Scalar, ...], ...] = ()
    step: Decimal | None = None
