"""Commands on stored snapshots and keys: erase, collect, re-key, rotate, and the log of key use.

`add_upkeep` mounts them. An identifier is asked for, or read from a file, and never stands on the command line.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from pipelines.options import KeyFolder, PlanFile, StoreFolder, Version, Yes, err, out, refusals

if TYPE_CHECKING:
    from pipelines.keystore import Keystore
    from pipelines.store.reader import Store


PersonsFile = Annotated[
    Path | None, typer.Option("--persons", help="File with an identifier a line; asked for unless given.")
]


def add_upkeep(app: typer.Typer) -> None:
    """Mount the commands of this module."""
    app.command("erase")(erase_command)
    app.command("readmit")(readmit_command)
    app.command("collect")(collect_command)
    app.command("rekey")(rekey_command)
    app.command("rotate-key")(rotate_command)
    app.command("key-log")(key_log_command)


def erase_command(
    plan: PlanFile,
    reason: Annotated[str, typer.Option("--reason", help="Reference of the file; it stays in the record.")],
    store: StoreFolder,
    keys: KeyFolder = None,
    persons: PersonsFile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
) -> None:
    """Take persons out of every kept snapshot of a dataset. It cannot be undone."""
    from pipelines.errors import StoreError
    from pipelines.keystore import open_keystore
    from pipelines.plan_file import load_plan
    from pipelines.store.erase import erase
    from pipelines.store.reader import Store

    with refusals():
        loaded, opened, keystore = load_plan(plan), Store(store), open_keystore(keys)
        identifiers = _identifiers(persons)
        found = person_keys(opened, loaded.dataset, loaded.normalise, keystore, identifiers)
        if not yes:
            kept = len(opened.snapshots(loaded.dataset))
            question = f"Take {len(identifiers)} identifiers out of all {kept} snapshots of {loaded.dataset}, for good?"
            typer.confirm(question, abort=True)
        done = erase(opened, loaded.dataset, found, reason, keystore)
        if not done.rows:
            raise StoreError(
                "No kept snapshot holds a row of these identifiers, and nothing was changed. Are they spelled as in the"
                " delivery?"
            )
        out.print(f"{done.rows:,} rows taken out of {len(done.snapshots)} snapshots, {done.files} files rewritten.")


def readmit_command(
    plan: PlanFile,
    store: StoreFolder,
    keys: KeyFolder = None,
    persons: PersonsFile = None,
) -> None:
    """Let persons who were erased by mistake come back with the next delivery."""
    from pipelines.keystore import open_keystore
    from pipelines.plan_file import load_plan
    from pipelines.store.erase import keys_in_use
    from pipelines.store.erased import readmit
    from pipelines.store.reader import Store

    with refusals():
        loaded, opened, keystore = load_plan(plan), Store(store), open_keystore(keys)
        found = person_keys(opened, loaded.dataset, loaded.normalise, keystore, _identifiers(persons))
        folder, known = opened.folder(loaded.dataset), 0
        with folder.lock():
            for used in keys_in_use(opened, loaded.dataset):
                key = keystore.key(used.domain, used.version, purpose="readmit", dataset=loaded.dataset)
                known += readmit(folder, key, found[key.id])
        out.print(f"{known:,} person keys are no longer kept away from {loaded.dataset}.")


def person_keys(
    store: "Store", dataset: str, normalise: tuple[str, ...], keystore: "Keystore", identifiers: Iterable[str]
) -> dict[str, set[int]]:
    """Person keys of identifiers under every key that a kept snapshot uses, by the key's id; raises StoreError.

    Snapshots of one key may spell identifiers differently: a person then has several person keys under it.
    `normalise` is tried, beside every usual spelling, where a record does not say which it was.
    """
    from pipelines.errors import StoreError
    from pipelines.pseudonyms import Pseudonymiser
    from pipelines.store.erase import keys_in_use
    from pipelines.store.spelling import rules_of

    texts, found = list(identifiers), dict[str, set[int]]()
    for used in keys_in_use(store, dataset):
        key = keystore.key(used.domain, used.version, purpose="erase", dataset=dataset)
        rules = {normalise, *rules_of(used)} if used.normalise is None else rules_of(used)
        spelled = [Pseudonymiser(key, rule) for rule in rules]
        made = [{one for how in spelled if (one := how.person_key(text)) is not None} for text in texts]
        if not all(made):
            raise StoreError(
                f"{made.count(set())} of {len(made)} identifiers are not valid as a kept snapshot's plan normalises"
                " them."
            )
        found.setdefault(key.id, set()).update(*made)
    return found


def collect_command(
    dataset: str,
    store: StoreFolder,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="Snapshot that a permit or release names; once for each.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Remove snapshots that are neither current nor named."""
    from pipelines.store.collect import collect
    from pipelines.store.reader import Store

    with refusals():
        done = collect(Store(store), dataset, keep or (), dry_run=not yes)
        for snapshot in done.snapshots:
            out.print(snapshot)
        does = "removed" if yes else "would be removed"
        out.print(f"{len(done.snapshots)} snapshots, {done.files} files, {done.size:,} bytes {does}.")


def rekey_command(
    dataset: str,
    store: StoreFolder,
    keys: KeyFolder = None,
    version: Version = None,
) -> None:
    """Re-key the current snapshot to a chained key version, without identifiers."""
    from pipelines.keystore import open_keystore
    from pipelines.rekey import rekey
    from pipelines.store.reader import Store

    with refusals():
        snapshot = rekey(Store(store), dataset, open_keystore(keys), version)
        out.print(f"Snapshot {snapshot.id} of {dataset}, under key version {snapshot.key.version}, is current.")


def rotate_command(
    domain: str,
    keys: KeyFolder = None,
    chained: Annotated[
        bool, typer.Option("--chained", help="Stored snapshots can be re-keyed; without it, a fresh start.")
    ] = False,
) -> None:
    """Make a new version of a pseudonymisation domain's key."""
    from pipelines.keystore import Rotation, open_keystore

    with refusals():
        version = open_keystore(keys).rotate(domain, Rotation.CHAINED if chained else Rotation.FRESH)
        out.print(f"Domain {domain} has key version {version}; the next ingestion uses it.")
        follow = "Re-key its datasets" if chained else "Ingest its deliveries again"
        out.print(f"{follow}: datasets link on the person only under one version.")


def key_log_command(
    keys: KeyFolder = None,
    seen: Annotated[str | None, typer.Option("--seen", help="Hash of an event noted earlier, elsewhere.")] = None,
) -> None:
    """Check the log of key use, and print its last hash, to be noted elsewhere."""
    from pipelines.keystore import open_keystore, read_key_log, verify_key_log

    with refusals():
        folder = open_keystore(keys).folder
        problems = verify_key_log(folder, seen)
        for problem in problems:
            err.print(problem, soft_wrap=True, markup=False)
        if problems:
            raise typer.Exit(1)
        events = list(read_key_log(folder))
        out.print(f"{len(events):,} uses of keys; the last is {events[-1].hash if events else 'none'}", soft_wrap=True)


def _identifiers(file: Path | None) -> list[str]:
    from pipelines.errors import StoreError

    if file is None:
        # a pipe echoes nothing that would have to be hidden
        asked = typer.prompt("Identifier", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
        return [asked] if asked else _none("standard input")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise StoreError(f"{file}: the identifiers cannot be read from this file.") from None
    found = [line.strip() for line in lines if line.strip()]
    return found or _none(str(file))


def _none(source: str) -> NoReturn:
    from pipelines.errors import StoreError

    raise StoreError(f"{source}: there is no identifier.")
