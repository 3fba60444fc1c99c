"""What a file says, as plain text: HTML, PDF, Markdown and everything else that is text. Libraries come when needed."""

from collections.abc import Iterator
from pathlib import PurePath

from jobs.charsets import decode_page, decode_text
from jobs.contract import Context, ReadArtifact
from jobs.errors import DoNotRetry, JobCancelled
from jobs.pages.extraction import plain_paragraphs
from jobs.pages.fetching import Kind, kind_of
from jobs.pages.visible import is_too_deep, visible_lines

PAGES = 2000
LONGEST = 5_000_000
"""Characters of one file."""
READABLE = ("text/*", "application/pdf", "application/json", "application/xhtml+xml", "application/xml")


class UnreadableFile(DoNotRetry):
    """The file cannot be turned into text, and trying again will not help."""


def text_of(ctx: Context, artifact: ReadArtifact) -> str:
    """Return what a file says, at most ``LONGEST`` characters; raises ``UnreadableFile`` with the reason."""
    kind = kind_of(artifact.content, artifact.media_type)
    if kind is Kind.PDF:
        text = _cut("\n\n".join(pdf_pages(ctx, artifact.content, artifact.name)))
    elif kind is Kind.HTML:
        text = html_text(decode_page(artifact.content, artifact.media_type), artifact.name)
    elif kind in {Kind.PICTURE, Kind.OTHER}:
        raise UnreadableFile(f"{artifact.name} is {artifact.media_type}, which holds no text that can be read here.")
    else:
        text = decode_text(artifact.content, artifact.media_type)
        text = "\n\n".join(plain_paragraphs(text)) if _is_markdown(artifact) else text
    if not any(map(str.isalnum, text)):
        raise UnreadableFile(f"{artifact.name} holds no text{' (a scan, maybe)' if kind is Kind.PDF else ''}.")
    return _cut(text)


def html_text(html: str, name: str) -> str:
    """Return the visible text of a page, an element to a line; raises ``UnreadableFile`` for one that is a trap."""
    if is_too_deep(html):
        raise UnreadableFile(f"{name} nests its elements deeper than a page for people does.")
    return "\n".join(visible_lines(html) or [])


def pdf_pages(ctx: Context, content: bytes, name: str) -> Iterator[str]:
    """Yield the text of each page; raises ``UnreadableFile`` for what is damaged or encrypted."""
    # 15 MB that most workers never need.
    import pypdfium2  # noqa: PLC0415

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile(f"{name} is encrypted; store it without its password.") from None
        raise UnreadableFile(f"{name} is no PDF that can be read: it is damaged or cut short.") from None
    try:
        for number in range(min(len(document), PAGES)):
            if ctx.cancelled():
                raise JobCancelled
            yield _page_text(document, number)
    finally:
        document.close()


def _page_text(document: "pypdfium2.PdfDocument", number: int) -> str:  # type: ignore[name-defined]  # noqa: F821
    page = document[number]
    try:
        words = page.get_textpage()
        try:
            return str(words.get_text_bounded()).replace("\ufffe", "")  # a hyphen at the end of a line
        finally:
            words.close()
    finally:
        page.close()


def _is_markdown(artifact: ReadArtifact) -> bool:
    return "markdown" in artifact.media_type or PurePath(artifact.name).suffix.lower() in {".md", ".markdown"}


def _cut(text: str) -> str:
    return text[:LONGEST].replace("\x00", "")
