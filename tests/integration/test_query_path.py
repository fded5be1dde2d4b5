"""The order of the steps from a question to a release, and what a failure at each of them leaves behind."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from dataspace.bootstrap import check_books
from dataspace.domain.errors import InsufficientBudget, InvalidQuery, NotFound, OutOfScope, Unavailable, WrongState
from dataspace.domain.events import EventKind
from dataspace.domain.ledger import Budget
from dataspace.domain.privacy import NOTHING, ByEpsilon, ByRho
from dataspace.dp.noise import ZeroNoise
from dataspace.services import permits
from dataspace.services.ledger import verify
from dataspace.services.queries import Answered, Question, estimate_query, run_query
from tests.api_node import ApiNode, make_api_node

BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex"


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


def question(sql: str = BY_SEX, epsilon: str = "0.2") -> Question:
    return Question(sql, ByEpsilon(Decimal(epsilon)))


def ask(api: ApiNode, asked: Question | None = None, key: str = "key-0001", by: str = "researcher") -> Answered:
    uow, actor = api.people.uow, getattr(api.people, by)
    return run_query(uow, api.people.clock, actor, api.permit.id, asked or question(), key, api.node.engine)


def budget(api: ApiNode) -> Budget:
    with api.people.uow.reading() as uow:
        return uow.ledger.budget(api.permit.id)


def events(api: ApiNode) -> list[EventKind]:
    with api.people.uow.reading() as uow:
        return [entry.event.kind for entry in uow.audit.entries(api.permit.id)]


def test_an_answer_is_paid_and_stored(api: ApiNode) -> None:
    answered = ask(api)
    shown = [(row.keys[0], row.estimates[0].value) for row in answered.table.rows]
    assert shown == [("F", 200.0), ("M", 200.0), (None, 0.0)]
    assert (budget(api).spent, budget(api).releases) == (answered.release.loss, 1)
    assert events(api)[-2:] == [EventKind.QUERY_CHARGED, EventKind.RELEASE_STORED]


def test_the_charge_is_durable_before_any_data_are_opened(api: ApiNode) -> None:
    seen: list[Budget] = []
    # another connection sees only what was committed
    api.store.before_opening = lambda: seen.append(budget(api))
    answered = ask(api)
    assert [(b.spent, b.releases) for b in seen] == [(answered.release.loss, 0)]


def test_only_the_columns_of_the_question_are_opened(api: ApiNode) -> None:
    ask(api)
    assert api.store.asked == [frozenset({("registry", "person", "sex"), ("registry", "person", "")})]


def test_the_same_question_in_other_words_is_free(api: ApiNode) -> None:
    first = ask(api)
    again = ask(
        api, question("select p.sex as s, count(distinct p.person) n from person p group by 1 limit 1"), "key-2"
    )
    assert (again.repeated, again.charged, api.store.opened) == (True, NOTHING, 1)
    assert (again.table.output, len(again.table.rows)) == (("s", "n"), 1)
    assert again.table.rows[0].estimates == first.table.rows[0].estimates
    assert len(ask(api, key="key-3").table.rows) == 3
    assert budget(api).spent == first.release.loss


def test_the_same_question_for_more_accuracy_is_paid_again(api: ApiNode) -> None:
    first, better = ask(api), ask(api, question(epsilon="0.5"), "key-0002")
    assert not better.repeated
    assert budget(api).spent == first.release.loss + better.release.loss
    cheaper = ask(api, question(epsilon="0.1"), "key-0003")
    assert (cheaper.repeated, cheaper.release.id) == (True, better.release.id)


def test_an_estimate_costs_nothing_and_opens_nothing(api: ApiNode) -> None:
    people = api.people
    outlook = estimate_query(people.uow, people.clock, people.researcher, api.permit.id, question(), api.store)
    assert (outlook.affordable, outlook.already_released, api.store.opened) == (True, False, 0)
    assert ask(api).release.loss == outlook.plan.loss
    outlook = estimate_query(people.uow, people.clock, people.researcher, api.permit.id, question(), api.store)
    assert outlook.already_released


def test_a_failure_after_the_charge_keeps_it_and_the_same_key_finishes_it(api: ApiNode) -> None:
    def fail() -> None:
        raise ValueError("row 17: Müller, 1951")

    api.store.before_opening = fail
    with pytest.raises(Unavailable) as failure:
        ask(api)
    assert "Müller" not in failure.value.message
    assert failure.value.__cause__ is None
    charged = budget(api).spent
    assert charged != NOTHING
    api.store.before_opening = lambda: None
    finished = ask(api)
    assert (finished.repeated, finished.release.loss, budget(api).spent) == (False, charged, charged)


def test_a_question_over_the_budget_is_refused_uncharged(api: ApiNode) -> None:
    with pytest.raises(InsufficientBudget) as refusal:
        ask(api, Question(BY_SEX, ByRho(api.permit.limit.rho * 2)))
    assert (budget(api).spent, api.store.opened) == (NOTHING, 0)
    assert "missing" in refusal.value.message
    assert events(api)[-1] is EventKind.QUERY_REFUSED


@pytest.mark.parametrize("sql", ["SELECT * FROM person", "SELECT sex FROM nowhere", "DROP TABLE person", "", "SELECT"])
def test_bad_sql_is_refused_uncharged(api: ApiNode, sql: str) -> None:
    with pytest.raises(InvalidQuery):
        ask(api, question(sql))
    assert (budget(api).spent, api.store.opened) == (NOTHING, 0)


def test_a_column_outside_of_the_permit_is_refused(tmp_path: Path) -> None:
    api = make_api_node(tmp_path, ZeroNoise())
    form = api.people.form()
    narrow = api.people.permit(
        form=type(form)(**{**vars(form), "scope": type(form.scope).of(("registry", "visit", "kind"))})
    )
    api.permit = narrow
    with pytest.raises(OutOfScope, match=r"registry\.person"):
        ask(api)
    assert api.store.opened == 0


def test_a_stranger_learns_nothing_of_the_permit(api: ApiNode) -> None:
    with pytest.raises(NotFound):
        ask(api, by="colleague")


def test_revocation_stops_the_very_next_query(api: ApiNode) -> None:
    ask(api)
    permits.revoke_permit(api.people.uow, api.people.clock, api.people.decision_maker, api.permit.id, reasons="misuse")
    with pytest.raises(WrongState, match="revoked"):
        ask(api, question(epsilon="0.3"), "key-0002")
    with pytest.raises(WrongState, match="revoked"):
        ask(api)


def test_an_expired_permit_answers_nothing(api: ApiNode) -> None:
    api.people.clock.forward(days=400)
    with pytest.raises(WrongState, match="expired"):
        ask(api)


def test_parallel_questions_never_spend_more_than_the_limit(tmp_path: Path) -> None:
    api = make_api_node(tmp_path, ZeroNoise())
    share = ByRho(api.permit.limit.rho * 2 / 7)
    thresholds = range(1941, 1953)

    def attempt(year: int) -> bool:
        sql = f"SELECT COUNT(DISTINCT person) FROM person WHERE birth_year > {year}"
        try:
            ask(api, Question(sql, share), f"key-{year}")
        except InsufficientBudget:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        answered = sum(pool.map(attempt, thresholds))
    assert answered == 3
    assert budget(api).spent.fits_in(api.permit.limit)
    assert verify(api.people.uow).sound


def test_one_key_sent_many_times_at_once_is_charged_once_and_gives_one_number(tmp_path: Path) -> None:
    api = make_api_node(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(api), range(8)))
    assert len({answer.release.id for answer in answers}) == 1
    assert len({answer.table.rows for answer in answers}) == 1
    assert (budget(api).charges, budget(api).spent) == (1, answers[0].release.loss)


def test_a_node_with_a_tampered_ledger_does_not_start(api: ApiNode) -> None:
    check_books(api.node)
    with api.people.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE permits SET spent_pico_rho = spent_pico_rho + 1")
    with pytest.raises(Unavailable, match="audit verify"):
        check_books(api.node)
