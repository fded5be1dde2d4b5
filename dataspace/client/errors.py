"""What can go wrong when asking a node: one class per stable `code` worth telling apart."""

from typing import Any, ClassVar


class DataspaceError(Exception):
    """The node refused or could not be reached; `code` is stable, the message is for people."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.problem = problem or {}


class Unreachable(DataspaceError):
    code = "unreachable"


class InvalidInput(DataspaceError):
    """What was asked for cannot be sent, or the node cannot use it; the message says what to mend."""

    code = "invalid-input"


class InvalidQuery(InvalidInput):
    code = "invalid-query"


class NotAuthenticated(DataspaceError):
    code = "not-authenticated"


class NotPermitted(DataspaceError):
    code = "not-permitted"


class OutOfScope(NotPermitted):
    code = "out-of-scope"


class NotFound(DataspaceError):
    code = "not-found"


class InsufficientBudget(DataspaceError):
    """`problem` holds requested, remaining and missing."""

    code = "insufficient-budget"


class StaleEdit(DataspaceError):
    """It was changed since it was read: read it again and repeat the edit."""

    code = "stale-edit"


class Unavailable(DataspaceError):
    """The node could not finish; asking again with the same key costs nothing more."""

    code = "unavailable"


BY_CODE: dict[str, type[DataspaceError]] = {
    kind.code: kind
    for kind in (
        InvalidInput,
        InvalidQuery,
        NotAuthenticated,
        NotPermitted,
        OutOfScope,
        NotFound,
        InsufficientBudget,
        Unavailable,
    )
}
BY_CODE |= {"invalid-price": InvalidInput, "purpose-not-stated": InvalidInput}
BY_CODE |= {"invalid-application": InvalidInput, "invalid-answers": InvalidInput}
BY_CODE |= {"wrong-attachment": InvalidInput, "too-large": InvalidInput, "stale-edit": StaleEdit}


def from_problem(problem: dict[str, Any]) -> DataspaceError:
    """The exception for a problem document."""
    kind = BY_CODE.get(str(problem.get("code")), DataspaceError)
    return kind(str(problem.get("detail", "the node gave no reason")), problem)
