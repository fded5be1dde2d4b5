"""From a draft to a withdrawal by way of a return: over HTTP, from Python, on the command line; by role and state."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from dataspace.cli import app
from dataspace.cli import drafting as cli
from dataspace.client import InvalidInput
from dataspace.client.errors import StaleEdit
from dataspace.client.forms import Forms, content_of
from dataspace.domain.applications import (
    AccessApplication,
    ApplicationKind,
    ApplicationState,
    PlannedTable,
    Written,
)
from dataspace.domain.errors import (
    InvalidAnswers,
    InvalidApplication,
    NotFound,
    NotPermitted,
    WrongState,
)
from dataspace.domain.errors import (
    InvalidInput as Refused,
)
from dataspace.domain.events import EventKind
from dataspace.domain.forms import newest, public_part
from dataspace.domain.privacy import ByEpsilon, ByRho
from dataspace.services import applications, attachments, forms
from dataspace.web.api.contents import content_of as shape_of
from dataspace.wire.forms import Content
from tests.api_node import ApiNode, make_api_node
from tests.factories import Node, make_node
from tests.form_answers import SQL, complete, request_heart, with_answer
from tests.integration.test_api_client import connect

PDF = b"%PDF-1.7 a plan"


@pytest.fixture
def api(tmp_path: Path) -> ApiNode:
    return make_api_node(tmp_path)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = make_node(tmp_path)
    made.dataset()
    return made


def whole(node: Node) -> Written:
    return complete(newest(ApplicationKind.ACCESS), node.form(), data__cohort="criteria")


def request(node: Node, *tables: PlannedTable) -> Written:
    planned = tables or (PlannedTable("by_sex", SQL, ByEpsilon(Decimal("0.1"))),)
    return complete(newest(ApplicationKind.REQUEST), request_heart(node.form(), *planned), data__cohort="criteria")


def begun(node: Node, written: Written | None = None) -> AccessApplication:
    return forms.begin_draft(node.uow, node.clock, node.researcher, ApplicationKind.ACCESS, written or whole(node))


def submitted(node: Node, written: Written | None = None) -> AccessApplication:
    return applications.submit_application(node.uow, node.clock, node.researcher, begun(node, written).id)


def returned(node: Node) -> AccessApplication:
    asked = {"purpose.benefit": "say for whom"}
    return forms.return_application(node.uow, node.clock, node.assessor, submitted(node).id, missing=asked)


def send(api: ApiNode, person: str, method: str, path: str, **options: Any) -> httpx2.Response:
    headers = api.token(getattr(api.people, person)) | options.pop("headers", {})
    return api.client.request(method, f"/api/v1{path}", headers=headers, **options)


def body(api: ApiNode) -> dict[str, Any]:
    written = whole(api.people)
    return shape_of(ApplicationKind.ACCESS, written).model_dump(mode="json")


def test_the_journey_over_http(api: ApiNode) -> None:
    begin = send(api, "researcher", "POST", "/applications/drafts", json={"title": "Readmissions"})
    assert (begin.status_code, begin.headers["etag"]) == (201, '"1"')
    case = begin.json()["id"]
    lacking = {fault["field"] for fault in begin.json()["missing"]}
    assert {"sources.variables", "purpose.benefit", "confirmation.truth"} <= lacking
    assert "public.project_name" not in lacking
    refused = send(api, "researcher", "POST", f"/applications/{case}/submission")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-answers")
    assert {fault["field"] for fault in refused.json()["fields"]} == lacking
    edit = send(api, "researcher", "PUT", f"/applications/{case}/draft", json=body(api), headers={"If-Match": '"1"'})
    assert (edit.status_code, edit.json()["missing"], edit.headers["etag"]) == (200, [], '"2"')
    stale = send(api, "researcher", "PUT", f"/applications/{case}/draft", json=body(api), headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale-edit")
    file = {"field": "purpose.plan_file", "name": "../my plan.pdf"}
    added = send(api, "researcher", "POST", f"/applications/{case}/attachments", params=file, content=PDF)
    assert (added.status_code, added.json()["name"], added.headers["etag"]) == (201, "my plan.pdf", '"3"')
    assert send(api, "assessor", "GET", f"/applications/{case}/draft").status_code == 404
    assert send(api, "researcher", "POST", f"/applications/{case}/submission").json()["state"] == "submitted"
    shown = send(api, "assessor", "GET", f"/applications/{case}/attachments/{added.json()['id']}")
    assert shown.content == PDF
    assert shown.headers["content-disposition"] == "attachment; filename*=UTF-8''my%20plan.pdf"
    assert shown.headers["content-type"] == "application/octet-stream"
    assert shown.headers["x-content-type-options"] == "nosniff"
    asked = {"missing": {"purpose.benefit": "say for whom"}}
    back = send(api, "assessor", "POST", f"/applications/{case}/return", json=asked)
    assert (back.status_code, back.json()["state"]) == (200, "incomplete")
    draft = send(api, "researcher", "GET", f"/applications/{case}/draft")
    assert draft.json()["returned"]["missing"] == [{"field": "purpose.benefit", "text": "say for whom"}]
    content = draft.json()["content"]
    content["answers"]["purpose"]["benefit"] = "for those who bled before"
    path, etag = f"/applications/{case}/draft", draft.headers["etag"]
    assert send(api, "researcher", "PUT", path, json=content, headers={"If-Match": etag}).status_code == 200
    seen = send(api, "assessor", "GET", path).json()["content"]["answers"]["purpose"]["benefit"]
    assert seen == "some words", "what is written since the return is the applicant's own until it is submitted"
    assert send(api, "researcher", "POST", f"/applications/{case}/submission").json()["state"] == "submitted"
    told = send(api, "assessor", "GET", f"/applications/{case}/differences").json()
    assert [(one["field"], one["before"], one["after"]) for one in told] == [
        ("purpose.benefit", "some words", "for those who bled before")
    ]
    versions = send(api, "assessor", "GET", f"/applications/{case}/versions").json()
    assert [one["version"] for one in versions] == [1, 2]
    assert send(api, "assessor", "GET", f"/applications/{case}/versions/1").json() == versions[0]
    assert send(api, "assessor", "GET", f"/applications/{case}/versions/3").status_code == 404
    assert send(api, "researcher", "POST", f"/applications/{case}/withdrawal").json()["state"] == "withdrawn"
    assert send(api, "researcher", "POST", f"/applications/{case}/submission").status_code == 409
    with api.people.uow.reading() as uow:
        kinds = [entry.event.kind for entry in uow.audit.entries() if entry.event.subject == case]
    assert kinds == [
        EventKind.APPLICATION_FILED,
        EventKind.APPLICATION_EDITED,
        EventKind.ATTACHMENT_ADDED,
        EventKind.APPLICATION_EDITED,
        EventKind.APPLICATION_SUBMITTED,
        EventKind.APPLICATION_RETURNED,
        EventKind.APPLICATION_EDITED,
        EventKind.APPLICATION_RESUBMITTED,
        EventKind.APPLICATION_WITHDRAWN,
    ]


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], int, str, str]] = {
    "unknown section": (lambda b: b["answers"].update(nowhere={"x": 1}), 422, "invalid-answers", "nowhere.x"),
    "unknown field": (lambda b: b["answers"]["purpose"].update(x=1), 422, "invalid-answers", "purpose.x"),
    "unknown member": (lambda b: b.update(x=1), 422, "invalid-input", "x"),
    "a fact twice": (
        lambda b: b["answers"]["public"].update(project_name="again"), 422, "invalid-answers", "written as `title`"),
    "of another kind": (
        lambda b: b["answers"]["payment"].update(invoice="fax"), 422, "invalid-answers", "electronic, paper"),
    "over ten years": (lambda b: b.update(valid_until="2040-01-01T00:00:00Z"), 422, "invalid-application", "ten years"),
    "half a period": (lambda b: b.update(valid_until=None), 422, "invalid-application", "valid_from and valid_until"),
    "ends first": (lambda b: b.update(valid_until="2020-01-01T00:00:00Z"), 422, "invalid-application", "before"),
    "a plan": (
        lambda b: b.update(tabulation=[{"name": "t", "sql": SQL, "epsilon": "1"}]), 422, "invalid-answers", "leave it"),
    "another form": (
        lambda b: b.update(kind="data-request", persons=[], valid_from=None, valid_until=None),
        422, "invalid-application", "begin another"),
    "no such version": (lambda b: b.update(form_version=9), 404, "not-found", "no such version"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_kept_changes_nothing(api: ApiNode, case: str) -> None:
    spoil, status, code, text = BAD[case]
    draft = send(api, "researcher", "POST", "/applications/drafts", json=body(api)).json()
    path, wrong = f"/applications/{draft['id']}/draft", body(api)
    spoil(wrong)
    response = send(api, "researcher", "PUT", path, json=wrong, headers={"If-Match": '"1"'})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert text in response.json()["detail"]
    assert send(api, "researcher", "GET", path).json() == draft


ODD = {
    "half a character": '{"answers": {"purpose": {"benefit": "\\ud800"}}}',
    "a null character": '{"answers": {"purpose": {"benefit": "a\\u0000b"}}}',
    "in a title": '{"title": "a\\u0000b"}',
    "in a name": '{"persons": ["\\u0000"]}',
    "in a column": '{"columns": [["a", "b", "\\ud800"]]}',
    "in a field": '{"answers": {"purpose": {"\\ud800": "x"}}}',
    "in a section": '{"answers": {"\\ud800": {"x": "x"}}}',
    "in an entry": '{"answers": {"data": {"periods": [{"\\ud800": 1}]}}}',
    "in a file": '{"answers": {"purpose": {"plan_file": ["\\ud800"]}}}',
    "not a number": '{"answers": {"data": {"size": NaN}}}',
    "nested": '{"answers": {"data": {"size": ' + "[" * 900 + "]" * 900 + "}}}",
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_bodies_are_refused_and_never_break_the_node(api: ApiNode, odd: str) -> None:
    json = {"Content-Type": "application/json"}
    response = send(api, "researcher", "POST", "/applications/drafts", content=ODD[odd].encode(), headers=json)
    assert response.status_code == 422, response.text


def test_an_edit_names_the_version_it_read(api: ApiNode) -> None:
    draft = send(api, "researcher", "POST", "/applications/drafts", json=body(api)).json()
    path = f"/applications/{draft['id']}/draft"
    assert "if-match" in send(api, "researcher", "PUT", path, json=body(api)).json()["detail"].lower()
    wrong = send(api, "researcher", "PUT", path, json=body(api), headers={"If-Match": "*"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize(
    ("params", "content", "status", "code"),
    [
        ({"field": "purpose.plan_file", "name": "a.pdf"}, b"%PDF-" + b"x" * 999_996, 413, "too-large"),
        ({"field": "purpose.plan_file", "name": "a.html"}, b"<p>", 415, "wrong-attachment"),
        ({"field": "purpose.plan_file", "name": "a.pdf"}, b"<p>", 415, "wrong-attachment"),
        ({"field": "purpose.benefit", "name": "a.pdf"}, PDF, 422, "invalid-input"),
    ],
)
def test_files_that_are_not_taken(api: ApiNode, params: dict[str, str], content: bytes, status: int, code: str) -> None:
    draft = send(api, "researcher", "POST", "/applications/drafts", json=body(api)).json()
    path = f"/applications/{draft['id']}"
    response = send(api, "researcher", "POST", f"{path}/attachments", params=params, content=content)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert send(api, "researcher", "GET", f"{path}/draft").json() == draft


def test_a_request_is_another_case_with_a_plan(node: Node) -> None:
    case = forms.begin_draft(node.uow, node.clock, node.researcher, ApplicationKind.REQUEST, request(node))
    assert case.number == "HDR-2026-0001"
    done = applications.submit_application(node.uow, node.clock, node.researcher, case.id, to_limit=node.to_limit)
    again = applications.get_application(node.uow, node.assessor, done.number)
    assert again == done
    assert (again.kind, again.form.tabulation[0].name) == (ApplicationKind.REQUEST, "by_sex")
    assert again.form.persons == frozenset()


NARROW = "SELECT kind, COUNT(DISTINCT person) AS n FROM registry.visit GROUP BY kind"


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ([PlannedTable("t", "SELECT * FROM registry.person", ByEpsilon(Decimal("0.1")))], "table t of the tabulation"),
        ([PlannedTable("t", SQL, ByEpsilon(Decimal("0.1")))] * 2, "the same name"),
        ([PlannedTable("t", SQL, ByEpsilon(Decimal(9)))], "cost"),
        ([PlannedTable("t", SQL, ByRho(Fraction(1)))], "is an epsilon"),
        ([PlannedTable("t", NARROW, ByEpsilon(Decimal("0.1")))], "which you do not ask for"),
    ],
)
def test_a_plan_that_cannot_be_run_is_not_submitted(node: Node, tables: list[PlannedTable], reason: str) -> None:
    written = request(node, *tables)
    if "do not ask" in reason:
        only = frozenset(ref for ref in written.form.scope.columns if ref[1] == "person")
        written = replace(written, form=replace(written.form, scope=replace(written.form.scope, columns=only)))
    case = forms.begin_draft(node.uow, node.clock, node.researcher, ApplicationKind.REQUEST, written)
    with pytest.raises(InvalidApplication, match=reason):
        applications.submit_application(node.uow, node.clock, node.researcher, case.id, to_limit=node.to_limit)
    assert applications.get_application(node.uow, node.researcher, case.id) == case


def test_submitting_checks_more_than_the_form(node: Node) -> None:
    over = replace(node.form(), period=None)
    with pytest.raises(InvalidAnswers, match=r"processing\.period"):
        submitted(node, complete(newest(ApplicationKind.ACCESS), over, data__cohort="criteria"))
    written = whole(node)
    case = begun(node, written)
    node.clock.forward(days=400)
    with pytest.raises(InvalidApplication, match="already over"):
        applications.submit_application(node.uow, node.clock, node.researcher, case.id)
    unknown = with_answer(whole(node), "purpose.plan_file", ["att_of_another_case"])
    with pytest.raises(InvalidApplication, match="were not uploaded"):
        submitted(node, unknown)


def test_returned_twice_and_never_completed(node: Node) -> None:
    case = returned(node)
    assert (case.state, case.returned_at) == (ApplicationState.INCOMPLETE, node.clock.now())
    due = node.clock.now() + timedelta(weeks=4)
    with pytest.raises(WrongState, match="may be completed until"):
        forms.lapse_application(node.uow, node.clock, node.assessor, case.id, due=due)
    node.clock.forward(weeks=1)
    again = applications.submit_application(node.uow, node.clock, node.researcher, case.id)
    assert again.submitted_at == case.submitted_at
    assert again.completed_at == node.clock.now()
    forms.return_application(node.uow, node.clock, node.assessor, case.id, missing={"data.size": "still unclear"})
    node.clock.forward(weeks=4)
    lapsed = forms.lapse_application(node.uow, node.clock, node.assessor, case.id, due=node.clock.now())
    assert lapsed.state is ApplicationState.LAPSED
    with pytest.raises(WrongState):
        applications.submit_application(node.uow, node.clock, node.researcher, case.id)
    with node.uow.reading() as uow:
        assert [one.edition for one in uow.submissions.returns(case.id)] == [1, 2]


@pytest.mark.parametrize("missing", [{}, {"purpose.benefit": "  "}, {"purpose.other": "x"}, {"title": "x"}])
def test_a_return_names_fields_of_the_form(node: Node, missing: dict[str, str]) -> None:
    case = submitted(node)
    with pytest.raises(InvalidApplication):
        forms.return_application(node.uow, node.clock, node.assessor, case.id, missing=missing)
    assert applications.get_application(node.uow, node.assessor, case.id) == case


def test_what_is_public_is_what_was_submitted(node: Node) -> None:
    case = returned(node)
    changed = replace(whole(node), form=replace(node.form(), title="Another"))
    reworked = forms.rewrite_draft(
        node.uow, node.clock, node.researcher, case.id, changed, version=case.version
    )  # fmt: skip
    assert public_part(reworked.on_file)["public.project_name"] == node.form().title
    assert public_part(reworked.written)["public.project_name"] == "Another"


ACTS: dict[str, Callable[[Node, Any, AccessApplication], object]] = {
    "edit": lambda n, by, c: forms.rewrite_draft(n.uow, n.clock, by, c.id, whole(n), version=c.version),
    "submit": lambda n, by, c: applications.submit_application(n.uow, n.clock, by, c.id),
    "return": lambda n, by, c: forms.return_application(n.uow, n.clock, by, c.id, missing={"data.size": "x"}),
    "withdraw": lambda n, by, c: applications.withdraw_application(n.uow, n.clock, by, c.id),
    "attach": lambda n, by, c: attachments.add_attachment(
        n.uow, n.clock, by, c.id, field="purpose.plan_file", name="a.pdf", content=PDF),
    "read": lambda n, by, c: forms.get_draft(n.uow, by, c.id),
    "versions": lambda n, by, c: forms.list_editions(n.uow, by, c.id),
    "files": lambda n, by, c: attachments.list_attachments(n.uow, by, c.id),
}  # fmt: skip
READING = {"read", "versions", "files"}
MAY = {
    ("researcher", "draft"): READING | {"edit", "submit", "withdraw", "attach"},
    ("researcher", "submitted"): READING | {"withdraw"},
    ("researcher", "incomplete"): READING | {"edit", "submit", "withdraw", "attach"},
    ("assessor", "submitted"): READING | {"return"},
    ("assessor", "incomplete"): READING,
    ("decision_maker", "submitted"): READING,
    ("decision_maker", "incomplete"): READING,
}
STATES: dict[str, Callable[[Node], AccessApplication]] = {
    "draft": begun,
    "submitted": submitted,
    "incomplete": returned,
}


@pytest.mark.parametrize("person", ["researcher", "colleague", "assessor", "decision_maker", "holder", "desk"])
@pytest.mark.parametrize("state", STATES)
def test_who_may_do_what_in_which_state(node: Node, person: str, state: str) -> None:
    done = set()
    for name, act in ACTS.items():
        case = STATES[state](node)
        try:
            act(node, getattr(node, person), case)
        except (NotFound, NotPermitted, WrongState):
            assert applications.get_application(node.uow, node.researcher, case.id) == case
        else:
            done.add(name)
    assert done == MAY.get((person, state), set())


def test_files_are_seen_with_the_submission_they_came_with(node: Node) -> None:
    case = returned(node)
    add = dict(field="purpose.plan_file", name="a.pdf", content=PDF)  # noqa: C408
    file, _ = attachments.add_attachment(node.uow, node.clock, node.researcher, case.id, **add)  # type: ignore[arg-type]
    assert attachments.list_attachments(node.uow, node.assessor, case.id) == ()
    with pytest.raises(NotFound):
        attachments.read_attachment(node.uow, node.assessor, case.id, file.id)
    applications.submit_application(node.uow, node.clock, node.researcher, case.id)
    assert attachments.read_attachment(node.uow, node.assessor, case.id, file.id) == (file, PDF)
    other = submitted(node)
    with pytest.raises(NotFound):
        attachments.read_attachment(node.uow, node.researcher, other.id, file.id)
    forms.return_application(node.uow, node.clock, node.assessor, case.id, missing={"data.size": "x"})
    attachments.remove_attachment(node.uow, node.clock, node.researcher, case.id, file.id)
    assert attachments.read_attachment(node.uow, node.assessor, case.id, file.id)[1] == PDF, "it was submitted"
    second, _ = attachments.add_attachment(node.uow, node.clock, node.researcher, case.id, **add)  # type: ignore[arg-type]
    attachments.remove_attachment(node.uow, node.clock, node.researcher, case.id, second.id)
    assert attachments.list_attachments(node.uow, node.researcher, case.id) == (file,)


def test_a_case_takes_so_many_files(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST", 1)
    case = begun(node)
    add = dict(field="purpose.plan_file", name="a.pdf", content=PDF)  # noqa: C408
    attachments.add_attachment(node.uow, node.clock, node.researcher, case.id, **add)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="at most 1 attachments"):
        attachments.add_attachment(node.uow, node.clock, node.researcher, case.id, **add)  # type: ignore[arg-type]


def test_every_method_of_the_client(api: ApiNode, tmp_path: Path) -> None:
    (tmp_path / "plan.pdf").write_bytes(PDF)
    with connect(api, api.people.researcher) as mine, connect(api, api.people.assessor) as official:
        assert {form.name for form in mine.forms()} == {"access-application", "data-request"}
        assert len(mine.form("access-application").sections) == 10
        assert mine.form("data-request", 1).article == "69"
        draft = mine.begin_draft(Content.model_validate(body(api)))
        file = mine.attach(draft.id, "purpose.plan_file", tmp_path / "plan.pdf")
        assert mine.attachments(draft.id) == [file]
        assert mine.download(draft.id, file.id) == PDF
        mine.detach(draft.id, file.id)
        with pytest.raises(StaleEdit):
            mine.rewrite_draft(draft.id, draft.content, version=draft.version)
        now = mine.draft(draft.id)
        mine.rewrite_draft(draft.id, now.content.model_copy(update={"title": "First"}), version=now.version)
        assert mine.submit(draft.id).state == "submitted"
        assert official.return_for_completion(draft.id, {"purpose.benefit": "x"}).state == "incomplete"
        now = mine.draft(draft.id)
        mine.rewrite_draft(draft.id, now.content.model_copy(update={"title": "Second"}), version=now.version)
        assert mine.submit(draft.id).state == "submitted"
        told = [(one.field, one.before, one.after) for one in official.differences(draft.id)]
        assert told == [("public.project_name", "First", "Second")]
        assert official.differences(draft.id, 2, 1)[0].after == "First"
        assert [one.version for one in official.versions(draft.id)] == [1, 2]
        assert draft.id in {case.id for case in official.applications(state="submitted")}
        assert official.applications(state="lapsed") == []


def test_no_public_method_is_left_out() -> None:
    walk = inspect.getsource(test_every_method_of_the_client)
    methods = {name for name in vars(Forms) if not name.startswith("_")}
    assert methods - set(re.findall(r"\.(\w+)\(", walk)) == set()


@pytest.fixture
def run(api: ApiNode, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command of `dataspace application`, as a person of the node."""

    def as_person(person: str, *words: str) -> Result:
        monkeypatch.setattr(cli, "connect", lambda *_: connect(api, getattr(api.people, person)))
        return CliRunner().invoke(app, ["application", *words, *(["--token", "t"] if words[0] != "form" else [])])

    return as_person


FILE = """
kind = "access-application"
title = "Readmissions"
valid_from = 2026-12-01T00:00:00Z
valid_until = 2027-12-01T00:00:00Z

[answers.data]
size = 200
[[answers.data.periods]]
from = 2020-01-01
to = 2025-12-31
"""


def test_the_commands(api: ApiNode, run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "draft.toml").write_text(FILE)
    (tmp_path / "plan.pdf").write_bytes(PDF)
    begun = run("researcher", "draft", str(tmp_path / "draft.toml"))
    assert "missing    purpose.benefit: say: Expected benefit" in begun.output
    assert "data.periods" not in begun.output
    case = begun.output.split()[0]
    attached = run("researcher", "attach", case, "purpose.plan_file", str(tmp_path / "plan.pdf"))
    assert attached.exit_code == 0
    full = shape_of(ApplicationKind.ACCESS, whole(api.people)).model_dump_json()
    (tmp_path / "full.json").write_text(full)
    assert "complete: submit it" in run("researcher", "edit", case, str(tmp_path / "full.json")).output
    assert run("researcher", "submit", case).output == "submitted\n"
    returned = run("assessor", "return", case, "--missing", "purpose.benefit=say for whom")
    assert returned.output == "incomplete\n"
    assert "asked for  purpose.benefit: say for whom" in run("researcher", "missing", case).output
    (tmp_path / "full.json").write_text(full.replace("to estimate", "to know"))
    assert run("researcher", "edit", case, str(tmp_path / "full.json")).exit_code == 0
    assert run("researcher", "submit", case).exit_code == 0
    told = run("assessor", "differences", case).output
    assert told.splitlines()[1:] == ["  - to estimate readmission by age", "  + to know readmission by age"]
    assert len(run("assessor", "versions", case).output.splitlines()) == 2
    saved = tmp_path / "saved.pdf"
    assert run("assessor", "download", case, attached.output.split()[0], str(saved)).exit_code == 0
    assert saved.read_bytes() == PDF


@pytest.mark.parametrize("name", ["access-application", "data-request"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_form_as_a_file_to_fill_in(run: Callable[..., Result], name: str, language: str) -> None:
    import tomllib

    printed = run("researcher", "form", name, "--language", language).output
    content = content_of(tomllib.loads(printed))
    assert (content.kind, content.form_version) == (name, 1)
    offered = "\n".join(re.sub(r"^# (?=[a-z_]+ = )", "", line) for line in printed.splitlines())
    filled = tomllib.loads(offered)
    assert {f"{section}.{field}" for section, fields in filled["answers"].items() for field in fields} == {
        address
        for address, field in newest(ApplicationKind(name)).fields()
        if not field.core and field.kind.value != "derived"
    }
    assert content_of(filled).kind == name


def test_what_is_written_wrong_is_said_before_it_is_sent(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text('purposes = ["z"]')
    assert isinstance(run("researcher", "draft", str(tmp_path / "wrong.toml")).exception, InvalidInput)
    assert isinstance(run("assessor", "return", "x", "--missing", "nothing").exception, InvalidInput)


def test_a_short_application_is_read_and_completed_like_any_other(api: ApiNode) -> None:
    """Filed in one step, with a title as long as that allows: returned, completed, compared."""
    long = ("A long title\n" * 300).strip()
    case = api.people.submitted(replace(api.people.form(), title=long))
    assert send(api, "assessor", "GET", f"/applications/{case.id}/draft").json()["content"]["title"] == long
    asked = {"missing": {"title": "shorten it"}}
    assert send(api, "assessor", "POST", f"/applications/{case.id}/return", json=asked).status_code == 200
    read = send(api, "researcher", "GET", f"/applications/{case.id}/draft")
    shorter, etag = read.json()["content"] | {"title": "Short"}, read.headers["etag"]
    path = f"/applications/{case.id}/draft"
    assert send(api, "researcher", "PUT", path, json=shorter, headers={"If-Match": etag}).json()["missing"] == []
    assert send(api, "researcher", "POST", f"/applications/{case.id}/submission").status_code == 200
    told = send(api, "assessor", "GET", f"/applications/{case.id}/differences").json()
    assert [(one["field"], one["after"]) for one in told] == [("title", "Short")]
