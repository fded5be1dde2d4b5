"""A stranger's cross-check: everything a node publishes about permits and budgets, recomputed from its public files.

    python -m dataspace.client.crosscheck http://127.0.0.1:8000     downloads, then checks
    python -m dataspace.client.crosscheck public-files              checks what was downloaded

The node is not trusted, only its published signing keys are; `--keys` names a set that came another way.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from dataspace import jose, wire
from dataspace.client import books
from dataspace.client.errors import DataspaceError
from dataspace.client.ledger import verify
from dataspace.client.public_files import PublicFiles, digest, download
from dataspace.client.statements import CheckpointClaims, PermitFacts, RegisterRow, Statement, StatusClaims

S = TypeVar("S", bound=Statement)
FOLDER = Path("public-files")


@dataclass(frozen=True)
class Report:
    """What was checked, and everything that does not agree; the node's word holds if there is no mismatch."""

    checked: tuple[str, ...]
    mismatches: tuple[str, ...]


@dataclass(frozen=True)
class _Evidence:
    checkpoint: CheckpointClaims
    status: StatusClaims
    postings: list[wire.Posting]
    register: list[RegisterRow]
    files: PublicFiles
    earlier: CheckpointClaims | None


def cross_check(files: PublicFiles, trusted: str | None = None, earlier: str | None = None) -> Report:
    """Recompute all of it. `trusted` is a JWKS that came another way than from the node, `earlier` a checkpoint that
    was downloaded before: the node must not have another past since.
    """
    try:
        evidence = _evidence(files, trusted, earlier)
    except ValueError as fault:
        return Report((), (str(fault),))
    checked, mismatches = [], list[str]()
    for what, check in CHECKS.items():
        found = list(check(evidence))
        checked.append(f"{what.format(**_counts(evidence))}: {'agrees' if not found else f'{len(found)} mismatches'}")
        mismatches += found
    return Report(tuple(checked), tuple(mismatches))


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if everything agrees, 1 if something does not, 2 if the files cannot be had."""
    parser = argparse.ArgumentParser(
        prog="dataspace cross-check", description=__doc__.split("\n")[0] if __doc__ else ""
    )
    parser.add_argument("source", help="address of a node, or a folder that was downloaded into")
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder to download into (%(default)s)")
    parser.add_argument("--keys", type=Path, help="the node's keys (JWKS) from a source you trust")
    parser.add_argument("--earlier", type=Path, help="a checkpoint.jws of an earlier download")
    given = parser.parse_args(arguments)
    try:
        return run(given.source, given.into, given.keys, given.earlier, lambda line: sys.stdout.write(line + "\n"))
    except (DataspaceError, OSError) as fault:
        sys.stderr.write(f"dataspace: {fault}\n")
        return 2


def run(source: str, into: Path, keys: Path | None, earlier: Path | None, print_line: Callable[[str], object]) -> int:
    """Download if `source` is an address, check, print what was checked and every mismatch; the exit code."""
    if source.startswith(("http://", "https://")):
        download(source).write(into)
        print_line(f"public files of {source} in {into}")
        source = str(into)
    trusted, before = (None if file is None else file.read_text(encoding="utf-8") for file in (keys, earlier))
    report = cross_check(PublicFiles.read(Path(source)), trusted, before)
    for line in report.checked:
        print_line(line)
    for line in report.mismatches:
        print_line(f"MISMATCH  {line}")
    print_line("everything agrees" if not report.mismatches else f"{len(report.mismatches)} mismatches")
    return 1 if report.mismatches else 0


def _evidence(files: PublicFiles, trusted: str | None, earlier: str | None) -> _Evidence:
    """Everything read and every signature verified; raises ValueError with what cannot be."""
    keys = jose.read_keys(files.keys if trusted is None else trusted)
    checkpoint = _signed("checkpoint", files.checkpoint, keys, jose.Typ.CHECKPOINT, CheckpointClaims)
    before = None
    if earlier is not None:
        before = _signed("earlier checkpoint", earlier, keys, jose.Typ.CHECKPOINT, CheckpointClaims)
    status = _signed("status list", files.status, keys, jose.Typ.STATUS, StatusClaims)
    try:
        postings = TypeAdapter(list[wire.Posting]).validate_json(files.postings, strict=True)
        register = TypeAdapter(list[RegisterRow]).validate_json(files.register)
    except ValidationError as fault:
        raise ValueError(f"register or postings are not as a node publishes them: {_first(fault)}") from None
    return _Evidence(checkpoint, status, postings, register, files, before)


def _signed(what: str, token: str, keys: jose.Keys, typ: jose.Typ, shape: type[S]) -> S:
    try:
        return shape.model_validate(jose.verify(token, keys, typ))
    except jose.Refused as refused:
        raise ValueError(f"the {what} cannot be relied on: {refused.message}") from None
    except ValidationError as fault:
        raise ValueError(f"the {what} does not say what it should: {_first(fault)}") from None


def _one_node(evidence: _Evidence) -> Iterator[str]:
    checkpoint, status = evidence.checkpoint, evidence.status
    if checkpoint.iss != status.iss:
        yield f"the checkpoint is of {checkpoint.iss}, the status list of {status.iss}"
    if checkpoint.iat > status.iat or checkpoint.ledger.seq > status.ledger.seq:
        yield "the checkpoint is newer than the status list: these files are not of one download"
    if digest(evidence.files.register) != status.register_sha256:
        yield "the register is not the one that the status list vouches for"
    if digest(evidence.files.keys) != status.keys_sha256:
        yield "the published keys are not those that the status list vouches for"


def _chain(evidence: _Evidence) -> Iterator[str]:
    heads = [evidence.checkpoint.ledger, evidence.status.ledger]
    heads += [evidence.earlier.ledger] if evidence.earlier is not None else []
    if len(evidence.postings) > evidence.status.ledger.seq:
        yield f"entries after {evidence.status.ledger.seq} are not what the status list vouches for"
    faults = {fault: None for head in heads for fault in verify(evidence.postings, head.seq, head.hash)}
    yield from faults
    yield from books.uneven_charges(evidence.postings)


def _datasets(evidence: _Evidence) -> Iterator[str]:
    at = evidence.checkpoint.ledger.seq
    added = books.datasets(books.balances(evidence.postings[:at]))
    said = {
        name: (figures.capacity.quanta, figures.allocated.quanta, figures.spent.quanta)
        for name, figures in evidence.checkpoint.datasets.items()
    }
    yield from books.differences("dataset", "the checkpoint", said, added)


def _permits(evidence: _Evidence) -> Iterator[str]:
    permits = evidence.status.permits
    added = books.permits(evidence.postings[: evidence.status.ledger.seq])
    said = {facts.id: _stated(facts) for facts in permits.values()}
    yield from books.differences("permit", "the status list", said, added)
    for number, facts in permits.items():
        amounts = zip(facts.spent.quanta, facts.returned.quanta, facts.limit.quanta, strict=True)
        if any(spent + returned > limit for spent, returned, limit in amounts):
            yield f"permit {number} spent and gave back more than it was granted"


def _stated(facts: PermitFacts) -> books.PermitBooks:
    datasets = tuple(sorted((name, amount.quanta) for name, amount in facts.datasets.items()))
    return books.PermitBooks(datasets, facts.limit.quanta, facts.spent.quanta, facts.returned.quanta)


def _periods(evidence: _Evidence) -> Iterator[str]:
    number_of = {facts.id: number for number, facts in evidence.status.permits.items()}
    for posting, permit in books.permit_charges(evidence.postings[: evidence.status.ledger.seq]):
        number = number_of.get(permit)
        if number is None:
            continue
        facts, at = evidence.status.permits[number], books.time(posting)
        if at is None or not facts.valid_from <= at < facts.valid_until:
            yield f"entry {posting.seq} charges permit {number} outside of its period"
        elif facts.state in ("revoked", "suspended") and int(at.timestamp()) > facts.since:
            yield f"entry {posting.seq} charges permit {number}, which was {facts.state} by then"


def _register(evidence: _Evidence) -> Iterator[str]:
    permits = evidence.status.permits
    registered = {row.permit_number: row for row in evidence.register if row.permit_number is not None}
    yield from (
        f"permit {number} is in no row of the register" for number in sorted(permits.keys() - registered.keys())
    )
    yield from (
        f"permit {number} of the register is not listed" for number in sorted(registered.keys() - permits.keys())
    )
    for number in sorted(permits.keys() & registered.keys()):
        row, facts = registered[number], permits[number]
        period = (row.valid_from, row.valid_until) == (facts.valid_from, facts.valid_until)
        # a register may leave the state to the status list
        if not period or row.permit_state not in (None, facts.state):
            yield f"permit {number}: state or period in the register are not those of the status list"
        if not facts.datasets.keys() <= set(row.datasets):
            yield f"permit {number} covers datasets that the register does not name"


CHECKS: dict[str, Callable[[_Evidence], Iterator[str]]] = {
    "one node, one moment; register and keys as vouched for": _one_node,
    "hash chain and double entry of {postings} postings, against every signed head": _chain,
    "capacity, allocated and spent of {datasets} datasets": _datasets,
    "budget, spent and returned of {permits} permits, by dataset; none over its budget": _permits,
    "every charge within its permit's period and state": _periods,
    "the register's {rows} rows against the permits": _register,
}


def _counts(evidence: _Evidence) -> dict[str, int]:
    return {
        "postings": len(evidence.postings),
        "datasets": len(evidence.checkpoint.datasets),
        "permits": len(evidence.status.permits),
        "rows": len(evidence.register),
    }


def _first(fault: ValidationError) -> str:
    error = fault.errors()[0]
    return f"{'.'.join(map(str, error['loc']))} {error['msg']}".strip()


if __name__ == "__main__":
    sys.exit(main())
