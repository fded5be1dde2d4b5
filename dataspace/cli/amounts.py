"""What a person writes for a number or a name, checked before it goes further."""

from decimal import Decimal, InvalidOperation

from dataspace.domain.actors import Organisation
from dataspace.domain.errors import InvalidInput
from dataspace.domain.privacy import Guarantee


def guarantee(epsilon: str, delta: str) -> Guarantee:
    """Raises InvalidInput for what is no number or out of range."""
    try:
        return Guarantee(Decimal(epsilon), Decimal(delta))
    except InvalidOperation:
        raise InvalidInput("epsilon and delta are numbers, like 3 and 0.000001") from None
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def organisation(name: str, public_body: bool) -> Organisation:
    """Raises InvalidInput for one without a name."""
    try:
        return Organisation(name.strip(), public_body)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
