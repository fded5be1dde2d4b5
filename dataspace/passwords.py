"""Passwords as Argon2id (RFC 9106) text."""

from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher


class Argon2Passwords:
    """64 MiB, three passes, four lanes: the library's defaults, which are RFC 9106's second recommendation."""

    @cached_property
    def _hasher(self) -> PasswordHash:
        return PasswordHash((Argon2Hasher(),))

    @cached_property
    def _nobody(self) -> str:
        """What a password is compared with where there is no account: the same work, and never a match."""
        return self.hash("nobody has this password, and no comparison with it counts")

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, password: str, stored: str | None) -> bool:
        nobody = self._nobody
        try:
            matches = self._hasher.verify(password, stored or nobody)
        except UnknownHashError:
            return False
        return matches and stored is not None


ARGON2 = Argon2Passwords()
