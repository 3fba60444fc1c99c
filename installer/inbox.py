"""The manifests as the installer receives them: nothing is believed that the trusted key has not signed.

Only files that the signed index names are opened. Each is read without following a link, bounded, of the folder's
owner, verified before it is parsed, and must be the very one that the index names, by number and SHA-256.
"""

import hashlib
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from installer import keys, sealing
from installer.calendars import objections_to
from installer.files import TEMPORARY, Folder
from installer.manifests import INDEX_FILE, MOST_INDEX_BYTES, MOST_MANIFEST_BYTES
from installer.refusals import Refusal
from installer.schema import Entry, Index, Manifest

MOST_STRAYS = 50
_OWN_FILES = {INDEX_FILE, keys.PUBLIC_FILE, ".lock"}


@dataclass(frozen=True)
class Received:
    """The manifests that can be believed, by id, and the reasons against the others.

    ``strays`` are files that no index names; only some are listed, ``stray_count`` are there.
    """

    sequence: int
    manifests: dict[str, Manifest]
    refused: dict[str, Refusal] = field(default_factory=dict)
    strays: tuple[str, ...] = ()
    stray_count: int = 0


def receive(folder: Folder, key: Ed25519PublicKey, *, least_sequence: int) -> Received:
    """Read everything that is live. Raises ``Refusal`` if the index cannot be believed: then nothing can."""
    owners = frozenset({0, folder.stat.st_uid})
    index = _index(folder, key, owners, least_sequence)
    manifests: dict[str, Manifest] = {}
    refused: dict[str, Refusal] = {}
    for id_, entry in index.live.items():
        try:
            manifests[id_] = _manifest(folder, key, owners, id_, entry)
        except Refusal as refusal:
            refused[id_] = refusal
    known = _OWN_FILES | {f"{id_}.json" for id_ in index.live}
    strays = [_writable(name) for name in folder.names() if name not in known and not name.startswith(TEMPORARY)]
    return Received(index.sequence, manifests, refused, tuple(strays[:MOST_STRAYS]), len(strays))


def received_key(folder: Folder) -> Ed25519PublicKey:
    """Return the public key that lies beside the manifests; it proves nothing until somebody trusts it."""
    try:
        return keys.public_key(folder.read(keys.PUBLIC_FILE, most=keys.MOST_BYTES))
    except FileNotFoundError:
        raise Refusal("no_key", "There is no public key: the API has written no manifest yet.") from None


def _writable(name: str) -> str:
    # The name of a file may hold bytes that are no text.
    return name.encode("utf-8", "replace").decode()


def _index(folder: Folder, key: Ed25519PublicKey, owners: frozenset[int], least: int) -> Index:
    try:
        document = folder.read(INDEX_FILE, most=MOST_INDEX_BYTES, owners=owners)
    except FileNotFoundError:
        raise Refusal("no_index", f"There is no {INDEX_FILE}: nothing is installed and nothing removed.") from None
    try:
        index = msgspec.json.decode(sealing.unseal(key, sealing.INDEX, document), type=Index)
    except Refusal as refusal:
        raise Refusal(refusal.code, f"{INDEX_FILE} is refused. {refusal.message}") from None
    except msgspec.MsgspecError as error:
        raise Refusal("invalid_index", f"{INDEX_FILE} is signed, but not understood: {error}.") from error
    if index.sequence < least:
        message = f"{INDEX_FILE} has number {index.sequence}, but {least} has been seen: an old one was put back."
        raise Refusal("replayed", message)
    return index


def _manifest(folder: Folder, key: Ed25519PublicKey, owners: frozenset[int], id_: str, entry: Entry) -> Manifest:
    try:
        document = folder.read(f"{id_}.json", most=MOST_MANIFEST_BYTES, owners=owners)
    except FileNotFoundError:
        raise Refusal("missing", "The index names it, but its file is not there.") from None
    manifest = _parsed(sealing.unseal(key, sealing.MANIFEST, document))
    if manifest.id != id_:
        raise Refusal("other_id", f"The file says it is {manifest.id}.")
    if manifest.sequence < entry.sequence:
        raise Refusal("replayed", f"It has number {manifest.sequence}, and {entry.sequence} is due: an old one.")
    if hashlib.sha256(document).hexdigest() != entry.sha256:
        raise Refusal("not_in_index", "The index names another version of it; the API has to write it once more.")
    if objections := objections_to(manifest.when):
        raise Refusal(objections[0].code, objections[0].message)
    return manifest


def _parsed(content: bytes) -> Manifest:
    try:
        return msgspec.json.decode(content, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Refusal("invalid_manifest", f"It is signed, but not understood: {error}.") from error
