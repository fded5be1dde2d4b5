"""The register's answers for a whole domain equal a slow, obvious twin that walks every person's history."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataspace.domain.events import AuditEvent, EventKind
from dataspace.domain.opt_outs import Channel, Choice, KeyName, OptOutEntry, PersonKey, is_opted_out, status_at
from dataspace.services.cohorts import Cohorts
from tests.factories import Node, make_node

START = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = (KeyName("a", "k1"), KeyName("a", "k2"), KeyName("b", "k3"))
PERSONS = (-(2**63), -1, 0, 1, 2**63 - 1)
INSTANTS = [START + timedelta(microseconds=n) for n in range(5)]

ENTRIES = st.lists(
    st.builds(
        lambda key, person, choice, at: OptOutEntry(PersonKey(key, person), choice, at, Channel.SELF, "OO"),
        st.sampled_from(KEYS),
        st.sampled_from(PERSONS),
        st.sampled_from(Choice),
        st.sampled_from(INSTANTS),
    ),
    max_size=30,
)


def slow_status(history: list[OptOutEntry], at: datetime) -> OptOutEntry | None:
    """Walks the entries as they were written; a later time, or the same time written later, replaces what stood."""
    standing: OptOutEntry | None = None
    for entry in history:
        if entry.at > at:
            continue
        if standing is None or entry.at >= standing.at:
            standing = entry
    return standing


@settings(max_examples=300, derandomize=True)
@given(history=ENTRIES, at=st.sampled_from(INSTANTS))
def test_the_status_at_a_time_is_the_slow_twins(history: list[OptOutEntry], at: datetime) -> None:
    assert status_at(history, at) is slow_status(history, at)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return make_node(Path(tmp_path_factory.mktemp("register")))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(entries=ENTRIES, at=st.sampled_from(INSTANTS), cut=st.integers(0, 30))
def test_the_persons_of_a_domain_are_those_whose_own_history_says_so(
    node: Node, entries: list[OptOutEntry], at: datetime, cut: int
) -> None:
    cohorts = Cohorts()
    # left without commit, so that every example meets an empty register
    with node.uow as uow:
        for part, written in ((entries[:cut], entries[:cut]), (entries[cut:], entries)):
            uow.opt_outs.add(part, AuditEvent(EventKind.OPT_OUT_RECORDED, "desk", "OO", START))
            for key in KEYS:
                own = [e for e in written if e.person.key == key]
                persons = {e.person for e in own}
                expected = sorted(p.number for p in persons if is_opted_out([e for e in own if e.person == p], at))
                assert uow.opt_outs.opted_out(key, at).tolist() == expected
                # read again out of memory: noticed what was written since
                assert cohorts.opted_out(uow.opt_outs, key, at).tolist() == expected
                for person in persons:
                    assert uow.opt_outs.history(person) == [e for e in own if e.person == person]
