"""Releases, one under each charge, found again by the question and the snapshots it was asked of."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Connection, insert, select

from dataspace.db import release_codec
from dataspace.db import tables as t
from dataspace.domain.chain import canonical_bytes
from dataspace.domain.errors import NotFound
from dataspace.domain.events import AuditEvent
from dataspace.domain.releases import Release
from dataspace.services.ports import AuditTrail


class SqlReleases:
    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection, self._audit = connection, audit

    def add(self, charge_id: str, release: Release, event: AuditEvent) -> Release:
        self._check_charge(charge_id, release)
        stored = self.of_charge(charge_id)
        if stored is not None:
            return stored
        body = release_codec.dumps(release)
        self._connection.execute(
            insert(t.releases).values(
                id=release.id,
                charge=charge_id,
                permit=release.permit_id,
                question=_question(release.fingerprint, release.snapshots),
                loss_pico_rho=release.loss.pico_rho,
                loss_atto_delta=release.loss.atto_delta,
                released_at=release.released_at,
                body=body,
            )
        )
        # The trail's hash chain then covers the release itself.
        proof = {"release": release.id, "sha256": _digest(body)}
        self._audit.append(replace(event, details={**event.details, **proof}))
        return release

    def find(self, permit_id: str, fingerprint: str, snapshots: Mapping[str, str]) -> Release | None:
        c = t.releases.c
        same = (c.permit == permit_id, c.question == _question(fingerprint, snapshots))
        best = c.loss_pico_rho.desc(), c.released_at, c.id
        body = self._connection.execute(select(c.body).where(*same).order_by(*best).limit(1)).scalar_one_or_none()
        return release_codec.loads(body) if body is not None else None

    def of_charge(self, charge_id: str) -> Release | None:
        c = t.releases.c
        body = self._connection.execute(select(c.body).where(c.charge == charge_id)).scalar_one_or_none()
        return release_codec.loads(body) if body is not None else None

    def of_permit(self, permit_id: str) -> list[Release]:
        c = t.releases.c
        query = select(c.body).where(c.permit == permit_id).order_by(c.released_at, c.id)
        return [release_codec.loads(body) for body in self._connection.execute(query).scalars()]

    def snapshots(self, dataset_id: str) -> frozenset[str]:
        bodies = self._connection.execute(select(t.releases.c.body)).scalars()
        measured = (release_codec.snapshots_of(body).get(dataset_id) for body in bodies)
        return frozenset(snapshot for snapshot in measured if snapshot is not None)

    def digests(self) -> dict[str, str]:
        rows = self._connection.execute(select(t.releases.c.id, t.releases.c.body))
        return {row.id: _digest(row.body) for row in rows}

    def _check_charge(self, charge_id: str, release: Release) -> None:
        """A release that its charge does not pay for is a defect and must not leave."""
        c = t.charges.c
        # Locked, so that two draws under one charge come one after another and the second finds the first.
        charge = self._connection.execute(select(t.charges).where(c.id == charge_id).with_for_update()).one_or_none()
        if charge is None:
            raise NotFound(f"there is no charge {charge_id}")
        paid = (charge.permit, charge.fingerprint, charge.loss_pico_rho, charge.loss_atto_delta)
        loss = release.loss
        if paid != (release.permit_id, release.fingerprint, loss.pico_rho, loss.atto_delta):
            raise ValueError("the release is not what the charge paid for")


def _digest(body: str) -> str:
    return sha256(body.encode()).hexdigest()


def _question(fingerprint: str, snapshots: Mapping[str, str]) -> str:
    return sha256(canonical_bytes({"fingerprint": fingerprint, "snapshots": dict(snapshots)})).hexdigest()
