"""What a permit says about each query beside its columns and budget: purpose, kinds of aggregate, smallest cell."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataspace.cli.decisions import _show_answers
from dataspace.client import Dataspace, DataspaceError, InvalidInput, OutOfScope, Unavailable
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.permits import DataPermit
from dataspace.domain.proposals import Outcome, Terms
from dataspace.domain.purposes import Purpose
from dataspace.domain.releases import Estimate
from dataspace.domain.tabulations import Tabulation, TabulationPlan
from dataspace.dp.noise import ZeroNoise
from dataspace.services import decisions, permits
from tests.api_node import ApiNode, make_api_node
from tests.integration.test_api_client import connect

BY_SEX = "SELECT sex, COUNT(DISTINCT person) AS patients FROM person GROUP BY sex"
BOTH = frozenset({Purpose.RESEARCH, Purpose.EDUCATION})


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path, ZeroNoise())


def limited(api: ApiNode, purposes: frozenset[Purpose] = frozenset({Purpose.RESEARCH}), **terms: Any) -> DataPermit:
    """A permit under these terms, beside the node's first."""
    return api.people.permit(form=replace(api.people.form(), purposes=purposes), terms=Terms(**terms))


def researcher(api: ApiNode, permit: DataPermit) -> Dataspace:
    return connect(api, api.people.researcher, permit.id)


def amended(api: ApiNode, permit: DataPermit, **changes: Any) -> DataPermit:
    """The permit's next version; no request for a change can ask for these terms, a later law might."""
    changed = replace(permit, version=permit.version + 1, **changes)
    event = AuditEvent(EventKind.PERMIT_AMENDED, "tests", permit.id, api.people.clock.now())
    with api.people.uow as uow:
        uow.permits.save(changed, event)
        uow.commit()
    return changed


def events(api: ApiNode, permit: DataPermit) -> list[tuple[EventKind, dict[str, str]]]:
    with api.people.uow.reading() as uow:
        return [(entry.event.kind, dict(entry.event.details)) for entry in uow.audit.entries(permit.id)]


def refused(
    api: ApiNode, permit: DataPermit, sql: str, said: str, error: type[Exception] = OutOfScope, **how: Any
) -> None:
    """Estimate and query refuse in the same words, charge nothing, open nothing; the refusal is on record."""
    client = researcher(api, permit)
    for ask in (client.estimate, client.query):
        with pytest.raises(error, match=said):
            ask(sql, epsilon="0.1", **how)
    assert (client.budget().releases, client.budget().spent.rho, api.store.opened) == (0, 0, 0)
    assert events(api, permit)[-1][0] is EventKind.QUERY_REFUSED


class TestKinds:
    @pytest.mark.parametrize(
        ("sql", "kinds"),
        [
            ("SELECT COUNT(*) AS n FROM visit", "rows"),
            ("SELECT COUNT(days) AS n FROM visit", "rows"),
            ("SELECT HISTOGRAM(days, 0, 20, 5) FROM visit", "rows"),
            ("SELECT SUM(CLAMP(days, 0, 20)) AS s FROM visit", "sum"),
            ("SELECT SUM(CLAMP(days, 0, 20)) / COUNT(*) AS m FROM visit", "rate"),
            ("SELECT SUM(CLAMP(days, 0, 20)) / SUM(CLAMP(days, 1, 9)) AS r FROM visit", "rate"),
            ("SELECT MEDIAN(CLAMP(days, 0, 20)) AS q FROM visit", "quantile"),
            ("SELECT STDDEV(CLAMP(days, 0, 20)) AS d FROM visit", "stddev"),
            ("SELECT PROPORTION(days > 3) AS p FROM visit", "proportion"),
            ("SELECT AVG(CLAMP(days, 0, 20)) AS m, COUNT(*) AS n FROM visit", "mean, rows"),
            ("SELECT COUNT(DISTINCT person) AS p, COUNT(*) AS n FROM visit ORDER BY COUNT(*)", "persons, rows"),
            ("SELECT CHI_SQUARE(sex, birth_year > 1960) FROM person", "chi_square"),
        ],
    )
    def test_a_kind_that_is_not_allowed_is_refused_by_name(self, api: ApiNode, sql: str, kinds: str) -> None:
        permit = limited(api, aggregates=frozenset({"persons", "mean"}))
        refused(api, permit, sql, f"allows the kinds of aggregate mean, persons; this query asks for {kinds}")

    @pytest.mark.parametrize(
        "sql",
        [
            BY_SEX,
            "SELECT AVG(CLAMP(days, 0, 20)) AS mean FROM visit",
            "SELECT COUNT(DISTINCT person) FILTER (WHERE days > 3) AS n FROM visit",
            # sums and counts of one person's rows are never released
            "SELECT AVG(CLAMP(n, 0, 9)) AS m FROM (SELECT person, COUNT(*) AS n, SUM(days) AS s FROM visit"
            " GROUP BY person HAVING COUNT(*) > 1) v",
            "SELECT kind, COUNT(DISTINCT person) AS n FROM visit WHERE kind IN ('a', 'b') GROUP BY 1 ORDER BY n DESC",
        ],
    )
    def test_a_mean_needs_no_sums_and_counts(self, api: ApiNode, sql: str) -> None:
        permit = limited(api, aggregates=frozenset({"persons", "mean"}))
        assert len(researcher(api, permit).query(sql, epsilon="0.1")) > 0

    def test_a_permit_that_names_none_allows_all(self, api: ApiNode) -> None:
        assert len(researcher(api, limited(api)).query("SELECT COUNT(*) AS n FROM visit", epsilon="0.1")) == 1


class TestPurpose:
    def test_one_purpose_needs_not_be_stated_and_is_on_record(self, api: ApiNode) -> None:
        permit = limited(api)
        researcher(api, permit).query(BY_SEX, epsilon="0.1")
        researcher(api, permit).query(BY_SEX, epsilon="0.1", purpose="e")
        charged, stored, repeated = events(api, permit)[-3:]
        assert [kind for kind, _ in (charged, stored, repeated)] == [
            EventKind.QUERY_CHARGED, EventKind.RELEASE_STORED, EventKind.QUERY_REPEATED,
        ]  # fmt: skip
        assert [details["purpose"] for _, details in (charged, stored, repeated)] == ["e", "e", "e"]

    def test_one_of_several_is_stated(self, api: ApiNode) -> None:
        permit = limited(api, BOTH)
        refused(api, permit, BY_SEX, r"state which of \(d\), \(e\)", InvalidInput)
        assert events(api, permit)[-1][1]["code"] == "purpose-not-stated"

    def test_it_is_a_problem_document_of_its_own(self, api: ApiNode) -> None:
        permit = limited(api, BOTH)
        path, asked = f"/api/v1/permits/{permit.id}/estimate", {"sql": BY_SEX, "epsilon": "0.1"}
        response = api.client.post(path, json=asked, headers=api.token(api.people.researcher))
        assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
        assert response.json()["code"] == "purpose-not-stated"
        stated = api.client.post(path, json=asked | {"purpose": "d"}, headers=api.token(api.people.researcher))
        assert stated.status_code == 200

    def test_a_purpose_that_the_permit_has_not(self, api: ApiNode) -> None:
        refused(api, limited(api), BY_SEX, r"for the purposes \(e\) of Art. 53\(1\), not for \(d\)", purpose="d")

    def test_a_letter_that_is_none(self, api: ApiNode) -> None:
        with pytest.raises(InvalidInput, match="purpose"):
            researcher(api, limited(api)).query(BY_SEX, epsilon="0.1", purpose="z")

    def test_the_same_answer_for_another_purpose_of_the_permit_is_free(self, api: ApiNode) -> None:
        permit = limited(api, BOTH)
        client = researcher(api, permit)
        first, again = (client.query(BY_SEX, epsilon="0.1", purpose=letter) for letter in "de")
        assert (again.release.repeated, again.release.release_id) == (True, first.release.release_id)
        assert events(api, permit)[-1] == (
            EventKind.QUERY_REPEATED, {"release": first.release.release_id, "purpose": "e"},
        )  # fmt: skip

    def test_a_session_has_a_purpose_and_a_query_another(self, api: ApiNode) -> None:
        permit = limited(api, BOTH)
        client = researcher(api, permit)
        client._purpose = Dataspace("http://testserver", purpose="d")._purpose
        client.query(BY_SEX, epsilon="0.1")
        client.query(BY_SEX, epsilon="0.1", purpose="e")
        assert [details.get("purpose") for _, details in events(api, permit)[-3:]] == ["d", "d", "e"]

    def test_the_command_line_states_it(self, api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> None:
        from dataspace.cli import app

        permit = limited(api, BOTH)
        monkeypatch.setattr("dataspace.cli.asking.connect", lambda *_: researcher(api, permit))
        asked = ["query", BY_SEX, "--token", "t", "--epsilon", "0.1"]
        missing = CliRunner().invoke(app, asked)
        assert missing.exit_code != 0
        assert CliRunner().invoke(app, [*asked, "--purpose", "d"]).exit_code == 0
        assert events(api, permit)[-1][1]["purpose"] == "d"


class TestMinimumCell:
    """`registry` has 200 F, 200 M and nobody of another sex; seven or six persons were born in each year."""

    SMALL = "SELECT birth_year, AVG(CLAMP(birth_year, 1900, 2000)) AS m FROM person WHERE birth_year IN (1940, 1999)"

    def test_a_small_cell_keeps_its_key_and_loses_its_numbers(self, api: ApiNode) -> None:
        permit = limited(api, min_cell=5)
        answer = researcher(api, permit).query(BY_SEX, epsilon="0.1")
        assert answer["sex"].fillna("none").tolist() == ["F", "M", "none"]
        assert answer["patients"].tolist()[:2] == [200, 200]
        assert answer[["patients", "patients_low", "patients_high"]].isna().all(axis=1).tolist() == [False, False, True]
        assert answer.withheld["patients"].tolist() == [False, False, True]
        assert any("fewer than 5 persons" in note for note in answer.notes)

    def test_what_is_withheld_is_stored_nowhere(self, api: ApiNode) -> None:
        permit = limited(api, min_cell=7)
        researcher(api, permit).query(f"{self.SMALL} GROUP BY 1", epsilon="0.1")
        with api.people.uow.reading() as uow:
            [stored] = uow.releases.of_permit(permit.id)
            [estimates] = {row.keys[0]: row.estimates for row in stored.table.rows if row.keys[0] == 1999}.values()
        assert estimates == (Estimate(None, None, None, None, withheld=True),)

    def test_the_count_is_in_the_price_that_the_estimate_names(self, api: ApiNode) -> None:
        permit, free = limited(api, min_cell=5), limited(api)
        mean = f"{self.SMALL} GROUP BY 1"
        client = researcher(api, permit)
        outlook = client.estimate(mean, epsilon="0.1")
        assert any("counted for that" in note for note in outlook.notes)
        assert client.query(mean, epsilon="0.1").charged == outlook.price
        days = "SELECT kind, SUM(CLAMP(days, 0, 20)) AS s FROM visit WHERE kind IN ('a', 'b') GROUP BY kind"
        dearer, cheaper = (researcher(api, p).estimate(days, accuracy=2000).price.rho for p in (permit, free))
        assert float(dearer / cheaper) == pytest.approx(2, rel=1e-3)

    def test_groups_that_have_to_be_found_are_left_out(self, api: ApiNode) -> None:
        asked = "SELECT kind, COUNT(DISTINCT person) AS n FROM visit GROUP BY kind"
        assert len(researcher(api, limited(api, min_cell=5)).query(asked, epsilon="0.3")) == 2
        assert len(researcher(api, limited(api, min_cell=500)).query(asked, epsilon="0.3")) == 0

    def test_a_larger_size_does_not_give_back_what_a_smaller_one_released(self, api: ApiNode) -> None:
        permit = limited(api, min_cell=5)
        client = researcher(api, permit)
        small = client.query(BY_SEX, epsilon="0.1")
        larger = amended(api, permit, min_cell=300)
        assert not client.estimate(BY_SEX, epsilon="0.1").already_released
        again = client.query(BY_SEX, epsilon="0.1")
        assert not again.release.repeated
        assert again.withheld["patients"].all()
        amended(api, larger, min_cell=5)
        assert client.query(BY_SEX, epsilon="0.1").release.release_id == small.release.release_id

    def test_the_same_key_does_not_finish_a_charge_under_another_size(self, api: ApiNode) -> None:
        permit = limited(api, min_cell=5)
        client = researcher(api, permit)

        def fail() -> None:
            raise OSError

        api.store.before_opening = fail
        with pytest.raises(Unavailable):
            client.query(BY_SEX, epsilon="0.1", idempotency_key="key-0001")
        api.store.before_opening = lambda: None
        amended(api, permit, min_cell=300)
        with pytest.raises(DataspaceError, match="key"):
            client.query(BY_SEX, epsilon="0.1", idempotency_key="key-0001")

    def test_an_analysis(self, api: ApiNode) -> None:
        asked = "SELECT sex, LOGISTIC_REGRESSION(birth_year > 1970, CLAMP(birth_year, 1940, 2000)) FROM person"
        answer = researcher(api, limited(api, min_cell=5)).query(f"{asked} GROUP BY sex", epsilon="0.5")
        hidden = answer.withheld["coefficient"].groupby(answer["sex"].fillna("none")).agg(["all", "any"])
        assert hidden.loc["none"].tolist() == [True, True]
        assert hidden.loc[["F", "M"]].to_numpy().tolist() == [[False, False]] * 2


class TestTabulations:
    """The plan of a data request runs by itself, under the terms of its approval."""

    def approved(self, api: ApiNode, *questions: str, purposes: frozenset[Purpose] = BOTH, **terms: Any) -> DataPermit:
        """A statistical answer instead of access, accepted by the applicant, issued and run."""
        people = api.people
        plan = TabulationPlan(tuple(Tabulation(f"t{i}", sql, Decimal("0.1")) for i, sql in enumerate(questions)))
        form = replace(people.form(), purposes=purposes)
        case = people.proposed(form, outcome=Outcome.STATISTICAL_ANSWER, plan=plan, terms=Terms(**terms))
        decisions.offer(people.uow, people.clock, people.decision_maker, case.id)
        decisions.accept_offer(people.uow, people.clock, people.researcher, case.id)
        permit = permits.grant_permit(
            people.uow, people.clock, people.decision_maker, case.id, to_limit=people.to_limit
        )
        api.node.answer_requests()
        return permit

    def test_serves_every_purpose_of_the_request(self, api: ApiNode) -> None:
        permit = self.approved(api, BY_SEX)
        assert [run.state for run in researcher(api, permit).tabulations(permit.id)] == ["answered"]
        [charged] = [details for kind, details in events(api, permit) if kind is EventKind.QUERY_CHARGED]
        assert charged["purpose"] == "d,e"

    def test_answers_the_kinds_that_are_allowed(self, api: ApiNode) -> None:
        permit = self.approved(api, BY_SEX, "SELECT COUNT(*) AS n FROM visit", aggregates=frozenset({"persons"}))
        runs = researcher(api, permit).tabulations(permit.id)
        assert [(run.state, run.code) for run in runs] == [("answered", ""), ("failed", "out-of-scope")]

    def test_withholds_what_the_approval_says(self, api: ApiNode, capsys: pytest.CaptureFixture[str]) -> None:
        permit = self.approved(api, BY_SEX, min_cell=5)
        [answer] = found = researcher(api, permit).tabulations(permit.id)
        assert [row.estimates[0].withheld for row in answer.rows] == [False, False, True]
        _show_answers(found)
        assert "None  withheld" in capsys.readouterr().out
