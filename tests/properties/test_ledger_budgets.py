"""Whatever is done in whatever order: no permit over its limit, no dataset over its capacity, and the books add up.

A plain dictionary is the twin: it says what must be accepted, and what must be left.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from dataspace.domain.errors import InsufficientBudget, InvalidInput, WrongState
from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.ledger import Charge
from dataspace.domain.permits import DataPermit
from dataspace.domain.privacy import NOTHING, PrivacyLoss
from dataspace.services import ledger, permits
from tests.factories import Node, make_charge, make_node, renewed, to_limit

DATASETS = {"wide": "2", "narrow": "0.7"}
# Of the budget of a permit of epsilon 0.3, in hundredths.
SHARES = st.integers(min_value=1, max_value=60)
STEP = 3 * 10**10 // 100


@dataclass
class Twin:
    """What the ledger must hold, kept the obvious way."""

    limits: dict[str, int] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    by_dataset: dict[tuple[str, str], int] = field(default_factory=dict)

    def left(self, permit: str) -> int:
        return 0 if permit in self.closed else self.limits[permit] - self.spent[permit]

    def allocated(self, dataset: str) -> int:
        held = [p for p, d in self.by_dataset if d == dataset]
        return sum(self.by_dataset[p, dataset] if p in self.closed else self.limits[p] for p in held)


class Budgets(RuleBasedStateMachine):
    granted = Bundle("granted")
    orders = Bundle("orders")

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.node: Node = make_node(Path(self.folder.name))
        self.twin = Twin()
        for name, epsilon in DATASETS.items():
            self.node.dataset(name, epsilon=epsilon)

    def teardown(self) -> None:
        if hasattr(self, "node"):
            self.node.engine.dispose()
            self.folder.cleanup()

    def capacity(self, dataset: str) -> int:
        with self.node.uow.reading() as uow:
            return uow.ledger.allotment(dataset).capacity.pico_rho

    @rule(target=granted, names=st.sets(st.sampled_from(sorted(DATASETS)), min_size=1))
    def grant(self, names: set[str]) -> DataPermit | None:
        node = self.node
        application = node.proposed(node.form(*sorted(names), epsilon="0.3"))
        limit = 3 * 10**10
        fits = all(self.twin.allocated(name) + limit <= self.capacity(name) for name in names)
        try:
            permit = permits.grant_permit(node.uow, node.clock, node.decision_maker, application.id, to_limit=to_limit)
        except InsufficientBudget:
            assert not fits
            return None
        assert fits
        self.twin.limits[permit.id], self.twin.spent[permit.id] = limit, 0
        self.twin.by_dataset |= {(permit.id, name): 0 for name in names}
        return permit

    @rule(target=orders, permit=granted, share=SHARES, part=st.sampled_from([slice(None), slice(1), slice(-1, None)]))
    def charge(self, permit: DataPermit | None, share: int, part: slice) -> Charge | None:
        if permit is None:
            return None
        order = self.node.order(permit, share * STEP)
        order = replace(order, datasets=permit.datasets[part])
        try:
            charge = make_charge(self.node.uow, order)
        except InsufficientBudget:
            assert permit.id not in self.twin.closed
            assert order.loss.pico_rho > self.twin.left(permit.id)
            return None
        except WrongState:
            assert permit.id in self.twin.closed
            return None
        assert order.loss.pico_rho <= self.twin.left(permit.id)
        self.twin.spent[permit.id] += order.loss.pico_rho
        for dataset in order.datasets:
            self.twin.by_dataset[permit.id, dataset] += order.loss.pico_rho
        return charge

    @rule(charge=orders)
    def send_again(self, charge: Charge | None) -> None:
        if charge is not None:
            assert make_charge(self.node.uow, renewed(charge)) == charge

    @rule(charge=orders)
    def misuse_a_key(self, charge: Charge | None) -> None:
        if charge is not None:
            try:
                make_charge(self.node.uow, replace(charge, id="chg_other", fingerprint="other"))
            except InvalidInput:
                return
            raise AssertionError("a used key paid for another question")

    @rule(charge=orders)
    def release(self, charge: Charge | None) -> None:
        if charge is not None:
            assert self.node.release(charge) == self.node.release(charge)

    @rule(permit=consumes(granted), twice=st.booleans())
    def revoke(self, permit: DataPermit | None, twice: bool) -> None:
        node = self.node
        if permit is None or permit.id in self.twin.closed:
            return
        permits.revoke_permit(node.uow, node.clock, node.decision_maker, permit.id, reasons="misuse")
        self.twin.closed.add(permit.id)
        if twice:
            event = AuditEvent(EventKind.BUDGET_RETURNED, node.holder.id, permit.id, node.clock.now())
            with node.uow as uow:
                assert uow.ledger.release_allocation(permit.id, event) == NOTHING
                uow.commit()

    @rule(days=st.integers(min_value=100, max_value=200))
    def expire(self, days: int) -> None:
        node = self.node
        node.clock.forward(days=days)
        with node.uow.reading() as uow:
            over = {p.id for p in uow.permits.all() if p.valid_until <= node.clock.now()}
        permits.return_expired_budgets(node.uow, node.clock, node.holder)
        self.twin.closed |= over

    @invariant()
    def the_books_are_sound_and_agree_with_the_twin(self) -> None:
        if not hasattr(self, "node"):
            return
        assert ledger.verify(self.node.uow).findings == ()
        with self.node.uow.reading() as uow:
            for permit, limit in self.twin.limits.items():
                budget = uow.ledger.budget(permit)
                assert budget.spent.pico_rho == self.twin.spent[permit] <= limit
                assert budget.remaining.pico_rho == self.twin.left(permit)
            for dataset in DATASETS:
                allotment = uow.ledger.allotment(dataset)
                assert allotment.allocated.pico_rho == self.twin.allocated(dataset) <= allotment.capacity.pico_rho
                assert allotment.allocated.fits_in(allotment.capacity)
                assert PrivacyLoss(0).fits_in(allotment.free)


# Every step writes to disk, so shrinking a failure would take minutes; the steps printed are few enough to read.
Budgets.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
TestBudgets = Budgets.TestCase
