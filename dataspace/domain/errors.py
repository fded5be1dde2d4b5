"""The error tree of the dataspace.

    DataspaceError
    ├── InvalidInput            what was sent cannot be used
    │   ├── InvalidQuery        the SQL is outside of what can be answered privately
    │   ├── InvalidPrice        an epsilon, rho or accuracy that makes no sense
    │   ├── PurposeNotStated    the permit is for several purposes, and the query does not say which it serves
    │   ├── InvalidApplication  an application or decision with missing or contradicting fields
    │   │   └── InvalidAnswers  answers of a form that are missing or do not fit; `fields` says which and why
    │   ├── WrongAttachment     a file that is not of an allowed kind, or not what its name says
    │   └── TooLarge            a file, or the whole of what was sent, is above its limit
    ├── NotAuthenticated        no credential, or one that is unknown or expired
    ├── TooManyAttempts         wrong credentials too often; wait as long as it says
    ├── NotPermitted            this actor may not do this
    │   └── OutOfScope          the permit does not cover what the query touches, its purpose or its kind of aggregate
    ├── NotFound                no such thing, or none that this actor may see
    ├── WrongState              the thing exists, but in a state that does not allow this
    │   └── StaleEdit           it was changed since it was read; read it again and repeat the edit
    ├── InsufficientBudget      the permit or the dataset has not enough privacy budget left
    ├── TooManyRequests         this address asked too often without signing in; nothing was recorded
    ├── Busy                    a lock was not free in time; nothing was charged
    └── Unavailable             the node cannot answer now; the charge, if any, stands and a retry is free

Each class has a stable `code`, part of the API contract. Messages say what happened, why, and what to do next; they
never contain anything read from the data.
"""

from typing import ClassVar


class DataspaceError(Exception):
    """Base of all errors a person may see."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DataspaceError):
    code = "invalid-input"


class InvalidQuery(InvalidInput):
    """A construct outside of the query language; `line` and `column` count from 1, `hint` is a rewriting that works."""

    code = "invalid-query"

    def __init__(
        self, message: str, *, line: int | None = None, column: int | None = None, hint: str | None = None
    ) -> None:
        where = f"line {line}, column {column}: " if line is not None and column is not None else ""
        super().__init__(f"{where}{message}" + (f" {hint}" if hint else ""))
        self.line, self.column, self.hint = line, column, hint


class InvalidPrice(InvalidInput):
    code = "invalid-price"


class PurposeNotStated(InvalidInput):
    code = "purpose-not-stated"


class InvalidApplication(InvalidInput):
    code = "invalid-application"


class InvalidAnswers(InvalidApplication):
    """Carries each fault by the field it is in, so that a form can show it there."""

    code = "invalid-answers"

    def __init__(self, message: str, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__(message)
        self.fields = fields


class WrongAttachment(InvalidInput):
    code = "wrong-attachment"


class TooLarge(InvalidInput):
    code = "too-large"


class NotAuthenticated(DataspaceError):
    code = "not-authenticated"


class TooManyAttempts(DataspaceError):
    """`seconds` until the next attempt is looked at."""

    code = "too-many-attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many attempts to sign in; wait {seconds} seconds, then try again")
        self.seconds = seconds


class NotPermitted(DataspaceError):
    code = "not-permitted"


class OutOfScope(NotPermitted):
    code = "out-of-scope"


class NotFound(DataspaceError):
    code = "not-found"


class WrongState(DataspaceError):
    code = "wrong-state"


class StaleEdit(WrongState):
    code = "stale-edit"


class InsufficientBudget(DataspaceError):
    """Carries the three amounts so that a person sees how much is missing."""

    code = "insufficient-budget"

    def __init__(self, message: str, *, requested: str, remaining: str, missing: str) -> None:
        super().__init__(message)
        self.requested, self.remaining, self.missing = requested, remaining, missing


class TooManyRequests(DataspaceError):
    code = "too-many-requests"


class Busy(DataspaceError):
    code = "busy"


class Unavailable(DataspaceError):
    code = "unavailable"
