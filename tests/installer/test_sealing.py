"""Signed documents: any other byte, key or purpose is refused, and nothing is parsed before."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer.refusals import Refusal
from installer.sealing import INDEX, MANIFEST, seal, unseal

KEY = Ed25519PrivateKey.generate()
CONTENT = b'{"id":"x","number":1}'
DOCUMENT = seal(KEY, MANIFEST, CONTENT)


def test_a_sealed_document_is_json_and_gives_its_content_back() -> None:
    assert json.loads(DOCUMENT)["signed"] == json.loads(CONTENT)
    assert unseal(KEY.public_key(), MANIFEST, DOCUMENT) == CONTENT


@pytest.mark.parametrize("position", range(len(DOCUMENT)))
def test_no_byte_can_be_another(position: int) -> None:
    changed = bytearray(DOCUMENT)
    changed[position] ^= 1

    with pytest.raises(Refusal):
        unseal(KEY.public_key(), MANIFEST, bytes(changed))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        CONTENT,
        DOCUMENT[:-1],
        DOCUMENT + b"\n",
        b" " + DOCUMENT,
        DOCUMENT[1:],
        b'{"signed":' + DOCUMENT[-105:],
        DOCUMENT.replace(b'"}\n', b'","x":"y"}\n'),
    ],
)
def test_it_has_one_form_only(document: bytes) -> None:
    with pytest.raises(Refusal):
        unseal(KEY.public_key(), MANIFEST, document)


def test_another_key_is_not_trusted() -> None:
    with pytest.raises(Refusal, match="trusted key"):
        unseal(Ed25519PrivateKey.generate().public_key(), MANIFEST, DOCUMENT)


def test_a_manifest_is_no_index() -> None:
    with pytest.raises(Refusal, match="trusted key"):
        unseal(KEY.public_key(), INDEX, DOCUMENT)
