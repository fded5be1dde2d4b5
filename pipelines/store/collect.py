"""Collection of snapshots that nothing names any more: records first, then the files that no other record names."""

from collections.abc import Collection
from dataclasses import dataclass

from pipelines.store.change import note_change
from pipelines.store.reader import Store
from pipelines.store.record import Snapshot, snapshots
from pipelines.store.writer import recover


@dataclass(frozen=True)
class Collected:
    """Snapshots removed (or to be, on a dry run), and the files and bytes of data that go with them."""

    snapshots: tuple[str, ...]
    files: int
    size: int


def collect(store: Store, dataset: str, keep: Collection[str], *, dry_run: bool = False) -> Collected:
    """Remove the snapshots that are neither current nor in `keep`: those that permits and releases still name.

    Raises SnapshotNotFound for a dataset without a current snapshot, and StoreBusy. A run that ends early is finished
    by whatever takes the dataset's lock next.
    """
    store.current(dataset)
    folder = store.folder(dataset)
    with folder.lock():
        current = store.current(dataset).id
        if not dry_run:
            recover(folder)
        known = snapshots(folder)
        gone = [s for s in known if s.id not in {current, *keep}]
        found = _weigh(gone, [s for s in known if s not in gone])
        if gone and not dry_run:
            note_change(folder, {s.id: None for s in gone})
            recover(folder)
    return found


def _weigh(gone: list[Snapshot], kept: list[Snapshot]) -> Collected:
    named = {(t.name, f.path) for s in kept for t in s.tables for f in t.files}
    sizes = {(t.name, f.path): f.size for s in gone for t in s.tables for f in t.files}
    free = {place: size for place, size in sizes.items() if place not in named}
    return Collected(tuple(s.id for s in gone), len(free), sum(free.values()))
