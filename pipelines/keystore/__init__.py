"""Pseudonymisation keys, apart from the data: one for each domain and version, wrapped at rest, every use on record.

keys        a key, and how it follows from the version before
wrapping    what wraps keys: the interface, a key file, a passphrase
vault       the same by HashiCorp Vault or OpenBao
folder      the keystore: wrapped keys in a folder, rotation
log         who opened which key when, and for what
opening     the keystore that the environment names
"""

from pipelines.keystore.folder import Keystore
from pipelines.keystore.keys import DOMAIN, KEY_BYTES, REGISTER_DOMAIN, DomainKey, Rotation
from pipelines.keystore.log import KeyEvent, read_key_log, verify_key_log
from pipelines.keystore.opening import open_keystore
from pipelines.keystore.wrapping import KeyFileWrapping, PassphraseWrapping, Wrapping

__all__ = [
    "DOMAIN",
    "KEY_BYTES",
    "REGISTER_DOMAIN",
    "DomainKey",
    "KeyEvent",
    "KeyFileWrapping",
    "Keystore",
    "PassphraseWrapping",
    "Rotation",
    "Wrapping",
    "open_keystore",
    "read_key_log",
    "verify_key_log",
]
