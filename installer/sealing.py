"""Signed documents: JSON whose signed bytes are verified before anything parses them.

A sealed document is ``{"signed":<JSON>,"signature":"<base64>"}`` and a line feed, with exactly these bytes around the
two parts. So it can be read with any JSON tool, and its reader cuts it at fixed places without parsing it. The
signature is Ed25519's over a domain and the bytes of ``<JSON>``: what was signed as a manifest is no index.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from installer.refusals import Refusal

MANIFEST = b"pirunner systemd manifest v1\0"
INDEX = b"pirunner systemd index v1\0"

_HEAD = b'{"signed":'
_MIDDLE = b',"signature":"'
_TAIL = b'"}\n'
_SIGNATURE = 88  # base64 of 64 bytes
_AFTER = len(_MIDDLE) + _SIGNATURE + len(_TAIL)


def seal(key: Ed25519PrivateKey, domain: bytes, content: bytes) -> bytes:
    """Return the sealed document of some JSON."""
    signature = base64.b64encode(key.sign(domain + content))
    return _HEAD + content + _MIDDLE + signature + _TAIL


def unseal(key: Ed25519PublicKey, domain: bytes, document: bytes) -> bytes:
    """Return the JSON of a sealed document. Raises ``Refusal`` unless its signature is this key's."""
    content, ending = document[len(_HEAD) : -_AFTER], document[-_AFTER:]
    framed = document.startswith(_HEAD) and ending.startswith(_MIDDLE) and ending.endswith(_TAIL)
    if not framed or len(document) < len(_HEAD) + _AFTER:
        raise Refusal("not_signed", "It has not the form of a signed document.")
    try:
        signature = base64.b64decode(ending[len(_MIDDLE) : -len(_TAIL)], validate=True)
        key.verify(signature, domain + content)
    except (binascii.Error, InvalidSignature):
        raise Refusal("bad_signature", "Its signature is not one of the trusted key for these bytes.") from None
    return content
