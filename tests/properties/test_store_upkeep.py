"""What upkeep does to stored rows: an erasure leaves others bit for bit, re-keying renames persons and no more."""

import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.ingest import ingest
from pipelines.keystore import Keystore, Rotation
from pipelines.plan_file import load_plan
from pipelines.pseudonyms import Pseudonymiser
from pipelines.rekey import rekey
from pipelines.store.erase import erase
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot
from pipelines.store.verify import verify

PLAN = """
[dataset]
id = "{name}"
title = "Events"
[source]
format = "parquet"
location = "{name}/events.parquet"
[pseudonyms]
domain = "{domain}"
[quarantine]
threshold = 1
[tables.events]
kind = "events"
person = "who"
rows_per_person = 50
dimensions = [["kind"]]
[tables.events.columns.number]
type = "integer"
[tables.events.columns.share]
type = "decimal"
step = 0.25
[tables.events.columns.kind]
type = "code"
values = {{ a = "A", b = "B", c = "C" }}
"""

PERSONS = "abcdefgh"
ROW = st.tuples(
    st.sampled_from(PERSONS),
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.one_of(st.none(), st.integers(-(2**40), 2**40).map(lambda n: n / 4)),
    st.one_of(st.none(), st.sampled_from("abc")),
)
ROWS = st.lists(ROW, max_size=40)
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Stored = list[dict[str, object]]


class Node:
    """A store and a keystore, and deliveries of rows to datasets of a domain."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store, self.keys = folder, Store(folder / "store"), Keystore(folder / "keys")

    def deliver(
        self, rows: list[tuple[object, ...]], name: str, domain: str = "tests", bucket_rows: int = 4
    ) -> Snapshot:
        types = [pa.string(), pa.int64(), pa.float64(), pa.string()]
        columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(types)]
        names = ["who", "number", "share", "kind"]
        (self.folder / name).mkdir(exist_ok=True)
        pq.write_table(pa.table(dict(zip(names, columns, strict=True))), self.folder / name / "events.parquet")
        file = self.folder / f"{name}.toml"
        file.write_text(PLAN.format(name=name, domain=domain), encoding="utf-8")
        return ingest(load_plan(file), self.store, self.keys, validate=False, bucket_rows=bucket_rows).snapshot

    def person(self, identifier: str, version: int | None = None, domain: str = "tests") -> int:
        found = Pseudonymiser(self.keys.key(domain, version, purpose="test")).person_key(identifier)
        assert found is not None
        return found

    def rows(self, snapshot: Snapshot) -> Stored:
        """All columns of all rows as stored now, in their order."""
        table = self.store.snapshot(snapshot.dataset, snapshot.id).table["events"]
        folder = self.store.folder(snapshot.dataset).table("events")
        return [row for f in table.files for row in pq.ParquetFile(folder / f.path).read().to_pylist()]


def with_node(check: Callable[[Node], None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        check(Node(Path(name)))


def by_person(rows: Stored) -> dict[object, Counter[tuple[object, ...]]]:
    """Each person's multiset of delivered values."""
    values = itemgetter("number", "share", "kind")
    return {person: Counter(map(values, own)) for person, own in groupby(rows, itemgetter("person_key"))}


@QUICK
@given(ROWS, ROWS, st.sets(st.sampled_from(PERSONS), min_size=1, max_size=3), st.sampled_from([1, 4, 1000]))
def test_an_erasure_leaves_the_rows_of_others_as_they_are(
    first: list[tuple[object, ...]], second: list[tuple[object, ...]], gone: set[str], bucket_rows: int
) -> None:
    def check(node: Node) -> None:
        snapshots = [node.deliver(rows, "events", bucket_rows=bucket_rows) for rows in (first, second)]
        keys = {node.person(identifier) for identifier in gone}
        before = [node.rows(s) for s in snapshots]
        done = erase(node.store, "events", {snapshots[0].key.id: keys}, "request 17")
        # in their order, with ranks and contribution indexes
        after = [[row for row in rows if row["person_key"] not in keys] for rows in before]
        assert [node.rows(s) for s in snapshots] == after
        taken = {s.id: len(b) - len(a) for s, b, a in zip(snapshots, before, after, strict=True)}
        assert (done.rows, set(done.snapshots)) == (sum(taken.values()), {name for name, n in taken.items() if n})
        assert [verify(node.store, "events", s.id) for s in snapshots] == [[], []]

    with_node(check)


@QUICK
@given(ROWS, st.integers(1, 2), st.sampled_from([1, 4, 1000]))
def test_re_keying_renames_persons_and_changes_nothing_else(
    rows: list[tuple[object, ...]], links: int, bucket_rows: int
) -> None:
    def check(node: Node) -> None:
        old = node.deliver(rows, "events", bucket_rows=bucket_rows)
        for _ in range(links):
            node.keys.rotate("tests", Rotation.CHAINED)
        new = rekey(node.store, "events", node.keys)
        renamed = {node.person(p, 1): node.person(p) for p in PERSONS}
        before = by_person(node.rows(old))
        assert by_person(node.rows(new)) == {renamed[person]: own for person, own in before.items()}  # type: ignore[index]
        assert verify(node.store, "events", new.id, node.keys) == []
        # the name follows from every byte: it is the snapshot that an ingestion under this version makes
        assert node.deliver(rows, "events", bucket_rows=bucket_rows).id == new.id

    with_node(check)


@QUICK
@given(ROWS, ROWS)
def test_datasets_of_one_domain_join_as_before_and_of_two_never(
    left: list[tuple[object, ...]], right: list[tuple[object, ...]]
) -> None:
    def check(node: Node) -> None:
        pair = [node.deliver(left, "left"), node.deliver(right, "right")]
        strange = node.deliver(right, "strange", "elsewhere")
        node.keys.rotate("tests", Rotation.CHAINED)
        node.keys.rotate("elsewhere", Rotation.CHAINED)
        # one is re-keyed, the other delivered anew
        new = [rekey(node.store, "left", node.keys), node.deliver(right, "right")]
        moved = rekey(node.store, "strange", node.keys)
        assert joined(node, *new) == joined(node, *pair)
        persons = [{row["person_key"] for row in node.rows(s)} for s in (*pair, *new)]
        for outside in (strange, moved):
            assert not set().union(*persons) & {row["person_key"] for row in node.rows(outside)}

    with_node(check)


def joined(node: Node, left: Snapshot, right: Snapshot) -> Counter[tuple[object, ...]]:
    """Rows of both that meet on the person, without the person."""
    mine, others = by_person(node.rows(left)), by_person(node.rows(right))
    return Counter((a, b) for person in mine.keys() & others.keys() for a in mine[person] for b in others[person])
