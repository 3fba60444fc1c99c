"""Text and facts of one PDF. Bytes from strangers in, plain values out; no network, no Django.

The reader is PDFium, which is C++: it may take the process with it. Who calls this notes beforehand what is read.
"""

import re
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.plain_text import clean_text

MOST_TEXT = 2 * 1024 * 1024
"""Characters of one file: some 1,000 pages of print."""
_SPARE_MEMORY = 160 * 1024 * 1024
"""Bytes that reading one file may take besides what the process has: a picture or stream can unpack to gigabytes."""
_SPARE_SECONDS = 120
"""Seconds of computing for one file."""
_FEW_CHARACTERS = 3
_LOOKED_FOR_PICTURES = 20
_HEAD = 1024
_FACTS = ("Title", "Author", "Subject", "Keywords", "Creator", "Producer")
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?|Z)?")
_NOT_SHOWN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0xFFFE, 0xFFFF, 0x00AD])


class PdfFault(Exception):
    """A file could not be read; ``code`` is for programs, the sentence for people. Another try would fail too."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdf:
    """What a file says. ``texts`` holds the pages that were read, ``pages`` counts all there are."""

    pages: int
    texts: tuple[str, ...]
    facts: dict[str, str] = field(default_factory=dict)
    encrypted: bool = False
    scanned: bool = False
    repaired: bool = False

    @property
    def pages_without_text(self) -> int:
        """How many of the pages that were read have no text to speak of."""
        return sum(len(text.strip()) < _FEW_CHARACTERS for text in self.texts)

    @property
    def words(self) -> int:
        """How many words were read."""
        return sum(len(text.split()) for text in self.texts)


def read_pdf(content: bytes, *, passwords: Sequence[str] = (), max_pages: int) -> Pdf:
    """Return what a PDF says on its first pages; raises ``PdfFault`` for one that cannot be read.

    Text beyond two million characters is left out, in whole pages.
    """
    if b"%PDF-" not in content[:_HEAD]:
        raise PdfFault("not_a_pdf", "The file is not a PDF.")
    with _bounded(), _opened(content, passwords) as document:
        pages = len(document)
        if pages == 0:
            raise PdfFault("damaged", "The PDF is damaged: it has no page that can be read.")
        texts = tuple(_texts(document, min(pages, max_pages)))
        return Pdf(
            pages=pages,
            texts=texts,
            facts=_facts(document),
            encrypted=_is_encrypted(document),
            scanned=not any(len(text.strip()) >= _FEW_CHARACTERS for text in texts)
            and _has_picture(document, len(texts)),
            repaired=b"%%EOF" not in content[-2048:],
        )


@contextmanager
def _opened(content: bytes, passwords: Sequence[str]) -> Iterator[Any]:
    # 30 ms and 6 MB that only the processes which read PDFs need.
    from pypdfium2 import PdfDocument, PdfiumError  # noqa: PLC0415
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY  # noqa: PLC0415

    for password in (None, *passwords):
        try:
            document = PdfDocument(content, password=password)
        except PdfiumError as error:
            if error.err_code == FPDF_ERR_PASSWORD:
                continue
            if error.err_code == FPDF_ERR_SECURITY:
                raise PdfFault("encrypted", "The PDF is encrypted in a way that cannot be opened here.") from None
            raise PdfFault("damaged", "The PDF is damaged or cut off; it cannot be opened.") from None
        try:
            yield document
        finally:
            document.close()
        return
    if passwords:
        raise PdfFault("encrypted", "The PDF is encrypted, and none of the passwords opens it.")
    raise PdfFault("encrypted", "The PDF is encrypted; send its password in passwords.")


def _texts(document: Any, count: int) -> Iterator[str]:
    size = 0
    for number in range(count):
        text = _page_text(document, number)
        size += len(text)
        if size > MOST_TEXT:
            return
        yield text


def _page_text(document: Any, number: int) -> str:
    from pypdfium2 import PdfiumError  # noqa: PLC0415  (see _opened)

    # A page that is broken by itself leaves the others readable.
    with suppress(PdfiumError):
        page = document[number]
        try:
            text_page = page.get_textpage()
            try:
                return _tidy(text_page.get_text_bounded(errors="replace"))
            finally:
                text_page.close()
        finally:
            page.close()
    return ""


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.translate(_NOT_SHOWN).replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _facts(document: Any) -> dict[str, str]:
    found = {name.lower(): clean_text(document.get_metadata_value(name), 300) for name in _FACTS}
    found["created"] = _iso_date(document.get_metadata_value("CreationDate"))
    found["modified"] = _iso_date(document.get_metadata_value("ModDate"))
    return {name: value for name, value in found.items() if value}


def _iso_date(text: str) -> str:
    """Return a date of a PDF, ``D:20250304101500+02'00'``, in ISO 8601 as far as it goes."""
    found = _DATE.match(text.strip())
    if not found:
        return ""
    year, month, day, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    stamp = f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    zone = f"{sign}{zone_hours}:{zone_minutes or '00'}" if sign else "Z" if text.strip().endswith("Z") else ""
    with suppress(ValueError):
        return datetime.fromisoformat(stamp + zone).isoformat().replace("+00:00", "Z")
    return ""


def _is_encrypted(document: Any) -> bool:
    from pypdfium2 import raw  # noqa: PLC0415  (see _opened)

    return bool(raw.FPDF_GetSecurityHandlerRevision(document) != -1)


def _has_picture(document: Any, count: int) -> bool:
    from pypdfium2 import PdfiumError, raw  # noqa: PLC0415  (see _opened)

    for number in range(min(count, _LOOKED_FOR_PICTURES)):
        with suppress(PdfiumError):
            page = document[number]
            try:
                if any(True for _ in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)):
                    return True
            finally:
                page.close()
    return False


@contextmanager
def _bounded() -> Iterator[None]:
    """Let the process take so much more memory and time, and no more: the system ends it then, and not the machine."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + _SPARE_SECONDS
    with _limited(resource.RLIMIT_DATA, _data_bytes() + _SPARE_MEMORY), _limited(resource.RLIMIT_CPU, seconds):
        yield


@contextmanager
def _limited(which: int, most: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(which)
    lowest = min((each for each in (soft, hard, most) if each != resource.RLIM_INFINITY), default=most)
    resource.setrlimit(which, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(which, (soft, hard))


def _data_bytes() -> int:
    """Return what counts against the limit: the private writable memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()
