"""Order, limit and names of the released table: free, because they only touch what is released."""

from dataspace.domain.queries import SortKey
from dataspace.sql import parse_query
from tests.reference.sql_cases import DICTIONARY


def test_order_and_limit_are_kept_for_after_the_release():
    query = parse_query("SELECT sex AS s, COUNT(*) AS n FROM person GROUP BY s ORDER BY 2 DESC, s LIMIT 10", DICTIONARY)
    assert query.order == (SortKey("n", descending=True), SortKey("s"))
    assert query.limit == 10


def test_order_may_repeat_the_aggregate():
    query = parse_query(
        "SELECT sex, COUNT(*) AS n FROM person GROUP BY sex ORDER BY COUNT(*) DESC, person.sex", DICTIONARY
    )
    assert query.order == (SortKey("n", descending=True), SortKey("sex"))


def test_output_names_keep_the_order_of_the_select_list():
    query = parse_query("SELECT COUNT(*) AS n, sex, COUNT(DISTINCT person) FROM person GROUP BY sex", DICTIONARY)
    assert query.output == ("n", "sex", "persons")


def test_order_and_names_are_no_part_of_the_question():
    plain = parse_query("SELECT sex, COUNT(*) FROM person GROUP BY sex", DICTIONARY)
    dressed = parse_query("SELECT COUNT(*) AS n, sex AS s FROM person GROUP BY s ORDER BY n LIMIT 1", DICTIONARY)
    assert plain.fingerprint == dressed.fingerprint
