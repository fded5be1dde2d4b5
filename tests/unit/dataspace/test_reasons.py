"""Reasons are asked for in the same words everywhere."""

import pytest

from dataspace.domain.errors import InvalidInput
from dataspace.domain.reasons import check_reasons


@pytest.mark.parametrize("empty", ["", "  ", "\n\t"])
def test_empty_reasons_are_refused_with_what_becomes_of_them(empty: str) -> None:
    with pytest.raises(InvalidInput, match=r"^give the reasons; they are part of the decision$"):
        check_reasons(empty)
    with pytest.raises(InvalidInput, match=r"^give the reasons; they go on record$"):
        check_reasons(empty, kept="they go on record")


def test_reasons_are_enough() -> None:
    check_reasons("a breach")
