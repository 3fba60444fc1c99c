"""A tiny writer of PDFs: text, pictures without text, encryption (RC4, 40 bits), and streams that unpack to a lot."""

import hashlib
import zlib
from collections.abc import Sequence

_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_ID = b"0123456789abcdef"
_ALLOWED = -4
PICTURE = b"q 200 0 0 200 100 400 cm /Im1 Do Q"


def text_page(*lines: str) -> bytes:
    """Return the content of a page with these lines."""
    shown = b"".join(b"(%s) Tj 0 -14 Td\n" % line.encode("latin-1") for line in lines)
    return b"BT /F1 12 Tf 72 740 Td\n" + shown + b"ET"


def make_pdf(pages: Sequence[bytes], *, title: str = "", password: str | None = None) -> bytes:
    """Return a PDF with these page contents; with ``password`` it opens with that one only."""
    secret = _Encryption(password) if password is not None else None
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    objects.append(
        _stream(
            4,
            b"\x80",
            b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
            secret,
        )
    )
    objects.append(_info(title, secret))
    kids = []
    for content in pages:
        number = len(objects) + 1
        packed = zlib.compress(content)
        objects.append(_stream(number, packed, b"/Filter /FlateDecode", secret))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> /XObject << /Im1 4 0 R >> >> >>" % number
        )
        kids.append(b"%d 0 R" % (number + 1))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    return _file(objects, secret)


def _file(objects: Sequence[bytes], secret: "_Encryption | None") -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    more = b" /Encrypt %s" % secret.dictionary if secret else b""
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R /ID [<%s> <%s>]%s >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, _ID.hex().encode(), _ID.hex().encode(), more, start,
    )  # fmt: skip
    return bytes(out)


def _info(title: str, secret: "_Encryption | None") -> bytes:
    text = title.encode("latin-1")
    shown = secret.encrypt(5, text) if secret else text
    return b"<< /Title <%s> /CreationDate <%s> >>" % (
        shown.hex().encode(),
        (secret.encrypt(5, b"D:20250304101500Z") if secret else b"D:20250304101500Z").hex().encode(),
    )


def _stream(number: int, content: bytes, entries: bytes, secret: "_Encryption | None") -> bytes:
    body = secret.encrypt(number, content) if secret else content
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), entries, body)


class _Encryption:
    """The standard security handler, revision 2 (ISO 32000-1, 7.6.3)."""

    def __init__(self, password: str) -> None:
        padded = (password.encode("latin-1") + _PADDING)[:32]
        owner = _rc4(_md5(padded)[:5], padded)
        permissions = (_ALLOWED & 0xFFFFFFFF).to_bytes(4, "little")
        self._key = _md5(padded + owner + permissions + _ID)[:5]
        user = _rc4(self._key, _PADDING)
        self.dictionary = b"<< /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P %d >>" % (
            owner.hex().encode(), user.hex().encode(), _ALLOWED,
        )  # fmt: skip

    def encrypt(self, number: int, content: bytes) -> bytes:
        key = _md5(self._key + number.to_bytes(3, "little") + b"\0\0")[:10]
        return _rc4(key, content)


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _rc4(key: bytes, content: bytes) -> bytes:
    box = list(range(256))
    j = 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out = bytearray()
    i = j = 0
    for byte in content:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)
