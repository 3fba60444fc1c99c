"""The key pair of the manifests: the private half for the API alone, the public one for whoever verifies."""

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from installer.files import Folder, make_folder
from installer.refusals import Refusal

PRIVATE_FOLDER = "systemd-key"
PRIVATE_FILE = "private.pem"
PUBLIC_FILE = "public.pem"
MOST_BYTES = 4096


def signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """Return the private key below a data folder, made at first use; the folder is 0700 and the file 0600.

    Raises ``Refusal`` if others can read it or it is no key, ``OSError`` if it cannot be read or written.
    """
    with make_folder(data_dir / PRIVATE_FOLDER, 0o700) as folder, folder.locked():
        if folder.stat.st_mode & 0o077:
            raise Refusal("key_exposed", f"{folder.path} must be its owner's alone: chmod 700 {folder.path}.")
        folder.sweep()
        try:
            return _private_key(folder)
        except FileNotFoundError:
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            folder.write(PRIVATE_FILE, pem, mode=0o600)
            return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key as it is written."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_key(pem: bytes) -> Ed25519PublicKey:
    """Return the public key of a PEM text. Raises ``Refusal`` if there is none of Ed25519 in it."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Refusal("no_key", f"{PUBLIC_FILE} holds no public key of Ed25519.")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """Return the short name of a public key: the first 128 bits of the SHA-256 of its raw bytes."""
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:32]


def _private_key(folder: Folder) -> Ed25519PrivateKey:
    content = folder.read(PRIVATE_FILE, most=MOST_BYTES, owners=frozenset({os.geteuid()}))
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        path = folder.path / PRIVATE_FILE
        raise Refusal("no_key", f"{path} holds no private key of Ed25519; remove it, and a new one is made.")
    return key
