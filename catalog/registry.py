"""Where records are kept: the Registry protocol, and a folder with one Turtle file per dataset."""

import builtins
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from catalog.catalogue import Catalogue, catalogue_graph
from catalog.dataset import Dataset
from catalog.errors import MalformedRecord, RecordNotFound, RecordNotValid, RefusedIdentifier
from catalog.findings import Finding
from catalog.healthdcat import parse_record, to_turtle
from catalog.rdf_text import MAX_BYTES, RdfFormat, write_text
from catalog.validation import Checker, violations
from catalog.values import is_slug


class Registry(Protocol):
    """The published records of a catalogue. Identifiers are slugs; any other text is refused (`RefusedIdentifier`)."""

    def publish(self, dataset: Dataset) -> Path: ...

    def withdraw(self, id: str) -> None: ...  # noqa: A002 - the word of the contract

    def get(self, id: str) -> Dataset: ...  # noqa: A002

    def list(self) -> builtins.list[Dataset]: ...

    def turtle(self, id: str) -> str: ...  # noqa: A002


class FolderRegistry:
    """Records as files `<root>/<id>.ttl`: written whole or not at all, read again only when they change.

    `publish` refuses a record with violations (`RecordNotValid`) and one that would replace another dataset's. The
    check is our own, or the official shapes where `shapes` names their folder (`catalog.validation.shapes_folder`).
    """

    def __init__(self, root: Path, shapes: Path | None = None) -> None:
        self._root = root
        self._checker = Checker(shapes)
        self._read: dict[str, tuple[tuple[int, int, int], Dataset]] = {}

    def publish(self, dataset: Dataset) -> Path:
        """Write or replace the record. Raises `RecordNotValid` with the findings; the published one then stays."""
        path = self._path(dataset.id)
        if path.exists() and self.get(dataset.id).iri != dataset.iri:
            raise RefusedIdentifier(f"the identifier {dataset.id!r} belongs to another dataset; choose another address")
        found = violations(self._checker.check(dataset))
        if found:
            raise RecordNotValid(_refusal(dataset, found), found)
        text = to_turtle(dataset)
        if len(text.encode()) > MAX_BYTES:
            raise MalformedRecord(
                f"the record {dataset.id!r} has more than {MAX_BYTES:,} bytes; shorten its code lists"
            )
        self._root.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
        return path

    def withdraw(self, id: str) -> None:  # noqa: A002
        """Remove the record. Raises `RecordNotFound`."""
        try:
            self._path(id).unlink()
        except FileNotFoundError:
            raise _not_found(id) from None
        self._read.pop(id, None)

    def get(self, id: str) -> Dataset:  # noqa: A002
        """Raises `RecordNotFound`, or `MalformedRecord` if the file was changed by hand and cannot be read."""
        path = self._path(id)
        try:
            stamp = _stamp(path)
            known = self._read.get(id)
            if known is not None and known[0] == stamp:
                return known[1]
            dataset = parse_record(path.read_bytes())
        except FileNotFoundError:
            raise _not_found(id) from None
        except MalformedRecord as exc:
            raise MalformedRecord(f"{path.name}: {exc}", line=exc.line) from exc
        if dataset.id != id:
            raise MalformedRecord(f"{path.name} describes the dataset {dataset.id!r}; name the file after its dataset")
        self._read[id] = (stamp, dataset)
        return dataset

    def list(self) -> builtins.list[Dataset]:
        """All records, by identifier. One withdrawn in the meantime is left out."""
        records = []
        for each in self._ids():
            with suppress(RecordNotFound):
                records.append(self.get(each))
        return records

    def turtle(self, id: str) -> str:  # noqa: A002
        """The record as it is published."""
        try:
            return self._path(id).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise _not_found(id) from None

    def catalogue_turtle(self, catalogue: Catalogue) -> str:
        """The whole catalogue: dcat:Catalog, one dcat:CatalogRecord a dataset, and every record in full."""
        return self.catalogue_text(catalogue, RdfFormat.TURTLE)

    def catalogue_text(self, catalogue: Catalogue, form: RdfFormat) -> str:
        """The whole catalogue in any of the three forms."""
        return write_text(catalogue_graph(catalogue, self._dated()), form)

    def _dated(self) -> Mapping[Dataset, datetime]:
        dated = {}
        for dataset in self.list():
            with suppress(FileNotFoundError):
                dated[dataset] = datetime.fromtimestamp(self._path(dataset.id).stat().st_mtime, UTC)
        return dated

    def _ids(self) -> tuple[str, ...]:
        if not self._root.is_dir():
            return ()
        return tuple(sorted(p.stem for p in self._root.glob("*.ttl") if is_slug(p.stem)))

    def _path(self, id: str) -> Path:  # noqa: A002
        if not is_slug(id):
            raise RefusedIdentifier(
                "an identifier is 1 to 64 lower-case letters, digits, '-' and '_', with a letter or digit at both ends"
            )
        return self._root / f"{id}.ttl"


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by `text`, whole or not at all, also if the machine stops in the middle."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can open a folder."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _not_found(id: str) -> RecordNotFound:  # noqa: A002
    return RecordNotFound(f"the catalogue has no record {id!r}; see the list of datasets")


def _refusal(dataset: Dataset, found: tuple[Finding, ...]) -> str:
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"the record {dataset.id!r} is not complete: {first.field}: {first.message.en} {first.mend.en}{more}"
