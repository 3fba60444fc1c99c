"""Articles as files for people and programs: Markdown, plain text, lines of JSON. No network, no Django."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from jobs.pages.extraction import Article, plain_paragraphs
from jobs.plain_text import clean_link, markdown_link, markdown_text, short_address

_NOT_IN_NAME = re.compile(r"[^a-z0-9]+")
_NAME_LENGTH = 60


def article_markdown(article: Article) -> str:
    """Return an article as a page of its own: heading, where it is from, content."""
    title = _title(article)
    facts = [markdown_text(fact) for fact in (article.author, article.date) if fact]
    link = clean_link(article.url)
    facts.append(markdown_link(article.site or short_address(article.url), link) if link else "")
    body = _without_heading(article.markdown, title)
    return f"# {markdown_text(title)}\n\n{' · '.join(filter(None, facts))}\n\n{body.strip()}\n"


def article_text(article: Article) -> str:
    """Return an article as plain text: its title, its address, its paragraphs."""
    paragraphs = plain_paragraphs(_without_heading(article.markdown, _title(article)))
    return "\n\n".join([_title(article), article.url, *paragraphs]) + "\n"


def joined_markdown(articles: Sequence[Article]) -> str:
    """Return several articles as one page with a list of them at its beginning."""
    listed = "\n".join(f"{number}. {markdown_text(_title(article))}" for number, article in enumerate(articles, 1))
    return f"{listed}\n\n---\n\n" + "\n---\n\n".join(map(article_markdown, articles))


def joined_text(articles: Sequence[Article]) -> str:
    """Return several articles as one plain text."""
    return f"\n{'=' * 40}\n\n".join(map(article_text, articles))


def json_line(article: Article) -> str:
    """Return an article as one line of JSON."""
    return json.dumps(article_document(article) | {"markdown": article.markdown}, ensure_ascii=False) + "\n"


def article_document(article: Article) -> dict[str, Any]:
    """Return what is known about an article, its content left out; what is unknown is null."""
    fields = {
        name: value or None for name, value in asdict(article).items() if name not in {"markdown", "url", "whole"}
    }
    return {"url": article.url, **fields, "words": article.words, "mainContent": not article.whole}


def file_stem(number: int, article: Article) -> str:
    """Return the name of an article's file without its ending, such as ``03-house-by-the-lake``."""
    plain = unicodedata.normalize("NFKD", _title(article)).encode("ascii", "ignore").decode().lower()
    words = _NOT_IN_NAME.sub("-", plain).strip("-")[:_NAME_LENGTH].rstrip("-")
    return f"{number:02}-{words}" if words else f"{number:02}"


def _title(article: Article) -> str:
    return article.title or short_address(article.url)


def _without_heading(markdown: str, title: str) -> str:
    """Leave out a first heading that says the title again."""
    first, _, rest = markdown.lstrip().partition("\n")
    said = first.lstrip("#").strip() if first.startswith("#") else None
    return rest if said and _letters(said) == _letters(title) else markdown


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
