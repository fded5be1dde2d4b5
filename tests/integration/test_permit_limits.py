"""What a permit says about each query, beside its columns and its budget: purpose and kinds of aggregate."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataspace.client import Dataspace, InvalidInput, OutOfScope
from dataspace.domain.events import EventKind
from dataspace.domain.permits import DataPermit
from dataspace.domain.proposals import Outcome, Terms
from dataspace.domain.purposes import Purpose
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
