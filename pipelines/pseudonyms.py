"""Keyed pseudonyms: HMAC-SHA256 of the normalised identifier, over the distinct identifiers of a delivery.

`person_key` is the first 64 bits of the pseudonym as a signed integer, `bucket` its top bits. Two holders who share a
pseudonymisation domain, and so a key, get the same person key for the same person; without the key nobody does.

A chained key version re-keys: its person key is the first 64 bits of the HMAC-SHA256 of the person key before, so that
stored person keys are re-keyed without identifiers. Decision 006 says what this protects against.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from pipelines.errors import KeystoreError

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.keystore import DomainKey

NIR = re.compile(r"([1-478][0-9]{2}(?:0[1-9]|[2-9][0-9]|1[0-2])(?:[0-9]{2}|2[AB])[0-9]{6})([0-9]{2})?")
"""French national number: sex, year, month, department (2A, 2B: Corsica), commune, order; then two check digits."""


def nir(identifier: str) -> str | None:
    """The 13 characters of a French national number, ASCII digits only, without its check digits; None if they fail."""
    match = NIR.fullmatch(re.sub(r"[\s.-]", "", identifier).upper())
    if match is None:
        return None
    number, check = match[1], match[2]
    return number if check is None or int(check) == nir_check_digits(number) else None


def nir_check_digits(number: str) -> int:
    """97 minus the remainder by 97, Corsican departments counted as 19 and 18."""
    return 97 - int(number.replace("2A", "19").replace("2B", "18")) % 97


NORMALISATIONS: dict[str, Callable[[str], str | None]] = {
    "no-spaces": lambda identifier: re.sub(r"\s", "", identifier),
    "upper": str.upper,
    "alphanumeric": lambda identifier: re.sub(r"[^0-9A-Za-z]", "", identifier),
    "nir": nir,
}
"""Named steps of a plan's `normalise`, applied in order; None means the identifier is not valid."""


BLOCK = 64
"""Bytes of a block of SHA-256; our keys are shorter."""

KEY_BYTES = 8
DIGEST_BYTES = 32
MAC_BYTES = 16
"""Bytes kept of a pseudonym: eight make the person key, eight more tell a collision of keys from a repetition.

The further eight come from the first link of a chain and are carried along: they tell persons apart at every link.
"""


@dataclass(frozen=True)
class Pseudonymiser:
    """A domain's key and the declared normalisation."""

    key: "DomainKey"
    normalise: tuple[str, ...] = ()

    def pseudonyms(self, identifiers: Iterable[str]) -> list[bytes | None]:
        """MAC_BYTES for each identifier, None for one that is not valid. Linear in their number."""
        steps = [NORMALISATIONS[name] for name in self.normalise]
        first, *later = _chain(self.key)
        found = _macs(first.secret, [_normalised(identifier, steps) for identifier in identifiers])
        for link in later:
            found = [None if mac is None else _next(link, mac[:KEY_BYTES]) + mac[KEY_BYTES:] for mac in found]
        return found

    def halves(self, identifiers: "pa.Array") -> tuple[np.ndarray, np.ndarray]:
        """Person keys and check halves, int64 (valid identifiers x 2), and which of the identifiers are valid."""
        first, *later = _chain(self.key)
        if later or self.normalise or not _is_plain(identifiers):
            made = self.pseudonyms(identifiers.to_pylist())
            valid = np.fromiter((mac is not None for mac in made), dtype=bool, count=len(made))
            return _as_halves(b"".join(mac for mac in made if mac is not None), MAC_BYTES), valid
        digests = _digests(first.secret, identifiers.cast("binary").to_pylist())
        return _as_halves(b"".join(digests), DIGEST_BYTES), np.ones(len(identifiers), dtype=bool)

    def person_key(self, identifier: str) -> int | None:
        """The person key of one identifier, for opt-outs and access requests."""
        found = self.pseudonyms([identifier])[0]
        return None if found is None else _as_integer(found[:KEY_BYTES])


def rekeyed(key: "DomainKey", since: int, person_keys: Iterable[int]) -> list[int]:
    """Person keys under `key`, in order, from those under version `since` of its domain; no identifier is needed.

    Raises KeystoreError if no chain of keys leads from version `since` to `key`.
    """
    chain = _chain(key)
    if since not in {link.version for link in chain}:
        raise KeystoreError(
            f"Person keys of domain {key.domain!r} cannot be re-keyed from version {since} to {key.version}: the chain "
            "of keys does not lead from one to the other, so identifiers are needed. Ingest the delivery again."
        )
    found = [person_key.to_bytes(KEY_BYTES, "big", signed=True) for person_key in person_keys]
    for link in chain:
        if link.version > since:
            found = [_next(link, one) for one in found]
    return [_as_integer(one) for one in found]


def _chain(key: "DomainKey") -> list["DomainKey"]:
    """The key that is applied to identifiers, then each that re-keys, `key` last."""
    return [key] if key.before is None else [*_chain(key.before), key]


def _next(link: "DomainKey", person_key: bytes) -> bytes:
    return hmac.digest(link.secret, person_key, "sha256")[:KEY_BYTES]


def _as_integer(person_key: bytes) -> int:
    return int.from_bytes(person_key, "big", signed=True)


def _normalised(identifier: str, steps: Sequence[Callable[[str], str | None]]) -> str | None:
    # one person, one spelling: full-width digits or a composed accent must not make a second pseudonym
    plain = identifier if identifier.isascii() else unicodedata.normalize("NFKC", identifier)
    current: str | None = plain.strip()
    for step in steps:
        if not current:
            return None
        current = step(current)
    if not current or current.isascii():
        return current or None
    return unicodedata.normalize("NFKC", current)


def _macs(secret: bytes, identifiers: list[str | None]) -> list[bytes | None]:
    """The pseudonym of each, None for None."""
    digests = iter(_digests(secret, (i.encode() for i in identifiers if i is not None)))
    return [None if identifier is None else next(digests)[:MAC_BYTES] for identifier in identifiers]


def _digests(secret: bytes, messages: Iterable[bytes]) -> list[bytes]:
    """HMAC-SHA256 of each message, as RFC 2104 composes it of two hashes whose keyed states are made once and copied.

    The standard library's own object takes twice as long to copy, and nations have many identifiers.
    """
    key = secret.ljust(BLOCK, b"\0")
    inner, outer = sha256(bytes(b ^ 0x36 for b in key)).copy, sha256(bytes(b ^ 0x5C for b in key)).copy
    found = []
    for message in messages:
        within = inner()
        within.update(message)
        around = outer()
        around.update(within.digest())
        found.append(around.digest())
    return found


def _is_plain(identifiers: "pa.Array") -> bool:
    """True if spelling them one way changes none: ASCII, nothing empty, no control sign or space at the ends."""
    import pyarrow.compute as pc

    # Python's white space and more: Arrow's leaves out the signs that separate files, groups, records and units
    trimmed = pc.ascii_trim(identifiers, characters="".join(map(chr, range(33))))
    same = pc.and_(pc.string_is_ascii(identifiers), pc.and_(pc.equal(trimmed, identifiers), pc.not_equal(trimmed, "")))
    return bool(pc.all(same, min_count=0).as_py()) and identifiers.null_count == 0


def _as_halves(joined: bytes, width: int) -> np.ndarray:
    numbers = np.frombuffer(joined, dtype=">i8").reshape(-1, width // KEY_BYTES)
    return np.ascontiguousarray(numbers[:, :2].astype(np.int64))


def bucket_of(person_key: int, buckets: int) -> int:
    """The person's bucket: the top bits of the unsigned person key; `buckets` is a power of two."""
    bits = buckets.bit_length() - 1
    return (person_key % 2**64) >> (64 - bits) if bits else 0


def bucket_sql(buckets: int) -> str:
    """SQL that computes `bucket_of` from column person_key."""
    bits = buckets.bit_length() - 1
    return f"CAST((person_key >> {64 - bits}) & {buckets - 1} AS INTEGER)" if bits else "0"
