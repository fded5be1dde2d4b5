"""The commands of `dataspace application`, `permit` and `exclusion` for decisions and what follows them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from dataspace.cli.remote import LOCAL, Token, Url, connect, read_fields
from dataspace.cli.shown import intended, wanted
from dataspace.client import InvalidInput
from dataspace.wire import decisions as shapes

exclusions = typer.Typer(no_args_is_help=True, help="The exclusion list (Art. 63(3)).")

UNSAID = "as the application shows"
"""The reason of a verdict given without one."""

Verdicts = Annotated[list[str], typer.Argument(help="CRITERION=VERDICT[=REASON], as 1a=met=teaching; see `criteria`")]


def add_decisions(applications: typer.Typer, permits: typer.Typer) -> None:
    """Hang the commands into the groups that exist."""
    _hang(applications, criteria, find, show, propose, send_back, offer, read_offer, accept, decline, declare_interest)
    _hang(permits, suspend, resume, amend, extend, changes, propose_change, send_back_change, decide_change)
    _hang(permits, withdraw_change, versions, answers, retry)


def _hang(group: typer.Typer, *commands: Callable[..., None]) -> None:
    for command in commands:
        group.command(command.__name__.replace("_", "-"))(command)


def criteria() -> None:
    """The criteria of Art. 68(1) and (2) with their codes."""
    from dataspace.domain.assessments import CRITERIA

    for code, rule in CRITERIA.items():
        may_not_apply = ", or not-applicable" if rule.may_not_apply else ""
        typer.echo(f"{code.value:<13} {rule.article:<15} {rule.text} (met, not-met{may_not_apply})")


def find(application: str, verdicts: Verdicts, token: Token, url: Url = LOCAL) -> None:
    """Write verdicts on criteria; `all=met=REASON` stands for every one that has none yet."""
    session = connect(url, token)
    given = [_verdict(text) for text in verdicts]
    rows = {code: said for code, said in given if code != "all"}
    rest = [said for code, said in given if code == "all"]
    if rest:
        rows = dict.fromkeys(session.case_file(application).unassessed, rest[-1]) | rows
    if not rows:
        raise InvalidInput("every criterion has a verdict; name those that are to have another one")
    _show(session.record_findings(application, rows))


def show(application: str, token: Token, url: Url = LOCAL) -> None:
    """Findings, proposal and steps of a case."""
    _show(connect(url, token).case_file(application))


def propose(
    application: str,
    outcome: Annotated[str, typer.Argument(help="grant, grant-in-part, refuse or statistical-answer")],
    reasons: str,
    token: Token,
    file: Annotated[Path | None, typer.Option(help="terms, fee and plan, .toml or .json")] = None,
    criterion: Annotated[list[str], typer.Option(help="of a refusal: a criterion that is not met")] = [],  # noqa: B006
    url: Url = LOCAL,
) -> None:
    """Propose a decision to the decision maker.

    Of the file's terms, every query is checked against purposes (letters), aggregates (kinds), min_cell (persons) and
    population ("dataset.table WHERE condition": only persons with such a row count).
    """
    more: dict[str, Any] = read_fields(file) if file else {}
    unknown = set(more) - {"terms", "fee", "plan"}
    if unknown:
        raise InvalidInput(f"a proposal's file holds terms, fee and plan, not {', '.join(sorted(unknown))}")
    _show(connect(url, token).propose(application, outcome, reasons, criteria=criterion, **more))


def send_back(application: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Send a proposal back to its assessor."""
    typer.echo(connect(url, token).send_back(application, reasons).state)


def offer(application: str, token: Token, url: Url = LOCAL) -> None:
    """Offer what is proposed, with its fee, to the applicant."""
    typer.echo(connect(url, token).make_offer(application).state)


def read_offer(application: str, token: Token, url: Url = LOCAL) -> None:
    """The intended decision on your application, and its fee."""
    for line in intended(connect(url, token).offer(application)):
        typer.echo(line)


def accept(application: str, token: Token, url: Url = LOCAL) -> None:
    """Accept the offer: the fee, and the kind of answer."""
    typer.echo(connect(url, token).accept_offer(application).state)


def decline(application: str, token: Token, reasons: str = "", url: Url = LOCAL) -> None:
    """Decline the offer."""
    typer.echo(connect(url, token).decline_offer(application, reasons).state)


def declare_interest(application: str, interest: str, token: Token, url: Url = LOCAL) -> None:
    """Stand aside from a case for good."""
    connect(url, token).declare_interest(application, interest)
    typer.echo("you act on this case no more")


def suspend(permit: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Stop a permit's queries for the time being."""
    typer.echo(connect(url, token).suspend(permit, reasons).state)


def resume(permit: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """End a suspension."""
    typer.echo(connect(url, token).resume(permit, reasons).state)


def amend(permit: str, reasons: str, file: Path, token: Token, url: Url = LOCAL) -> None:
    """Ask for the change in FILE: columns, persons, persons_leaving, conditions."""
    _show_change(connect(url, token).amend(permit, reasons, **read_fields(file)))


def extend(permit: str, until: datetime, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Ask for a longer period, until a day in UTC; once, a month before expiry."""
    _show_change(connect(url, token).extend(permit, until.replace(tzinfo=UTC), reasons))


def changes(permit: str, token: Token, url: Url = LOCAL) -> None:
    """Amendments and extensions asked for."""
    for change in connect(url, token).changes(permit):
        _show_change(change)


def propose_change(
    change: str, reasons: str, token: Token, approve: bool = typer.Option(..., "--approve/--reject"), url: Url = LOCAL
) -> None:
    """Propose to approve or reject a change."""
    _show_change(connect(url, token).propose_change(change, reasons, favourable=approve))


def send_back_change(change: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Send the proposal on a change back."""
    _show_change(connect(url, token).send_back_change(change, reasons))


def decide_change(change: str, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Adopt what is proposed on a change."""
    _show_change(connect(url, token).decide_change(change, reasons))


def withdraw_change(change: str, token: Token, url: Url = LOCAL) -> None:
    """Withdraw your own request for a change."""
    _show_change(connect(url, token).withdraw_change(change))


def versions(permit: str, token: Token, url: Url = LOCAL) -> None:
    """Every version of a permit: its contents by the letters of Art. 68(10)."""
    for version in connect(url, token).permit_versions(permit):
        typer.echo(f"version {version.version}, {version.at:%Y-%m-%d %H:%M} UTC  {version.reasons}".rstrip())
        for letter, text in version.contents.items():
            typer.echo(f"  ({letter}) {text}")


def answers(permit: str, token: Token, url: Url = LOCAL) -> None:
    """The answers of your approved data request."""
    _show_answers(connect(url, token).tabulations(permit))


def retry(permit: str, token: Token, url: Url = LOCAL) -> None:
    """Try again what failed of your data request; nothing is charged twice."""
    _show_answers(connect(url, token).retry_tabulations(permit))


@exclusions.command("add")
def exclude(person: str, until: datetime, reasons: str, token: Token, url: Url = LOCAL) -> None:
    """Exclude a person from access until a day in UTC, at most five years ahead."""
    entry = connect(url, token).exclude(person, until.replace(tzinfo=UTC), reasons)
    typer.echo(f"{entry.id}  {entry.person}  until {entry.until:%Y-%m-%d}")


@exclusions.command("list")
def list_exclusions(token: Token, url: Url = LOCAL) -> None:
    """Who is or was excluded."""
    for entry in connect(url, token).exclusions():
        state = "in force" if entry.in_force else "ended"
        typer.echo(f"{entry.id}  {state:<8}  {entry.person}  until {entry.until:%Y-%m-%d}  {entry.reasons}")


def _verdict(text: str) -> tuple[str, tuple[str, str]]:
    code, _, rest = text.partition("=")
    verdict, _, reason = rest.partition("=")
    if verdict == "not-met" and not reason.strip():
        raise InvalidInput(f"{code} is not met: say why, as {code}=not-met=REASON; the applicant reads it (Art. 68(9))")
    return code, (verdict, reason or UNSAID)


def _show(file: shapes.CaseFile) -> None:
    typer.echo(f"{file.number}  {file.state}  version {file.version}")
    for found in file.findings:
        typer.echo(f"  {found.criterion:<13} {found.verdict:<14} {found.reason}")
    for code in file.unassessed:
        typer.echo(f"  {code:<13} no verdict yet")
    for line in intended(file.proposal) if file.proposal else ():
        typer.echo(f"  {line}" if line.startswith(" ") else f"  proposed: {line}")
    for step in file.steps:
        typer.echo(f"  {step.at:%Y-%m-%d %H:%M} {step.step:<10} {step.by} {step.reasons}".rstrip())


def _show_change(change: shapes.PermitChange) -> None:
    for line in wanted(change):
        typer.echo(line)


def _show_answers(found: list[shapes.TabulationAnswer]) -> None:
    for answer in found:
        typer.echo(f"{answer.name}  {answer.state}  {answer.message}".rstrip())
        for row in answer.rows:
            labels = "  ".join(str(key) for key in row.keys)
            numbers = "  ".join("withheld" if e.withheld else f"{e.value} [{e.low}, {e.high}]" for e in row.estimates)
            typer.echo(f"  {labels}  {numbers}")
