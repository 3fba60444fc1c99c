"""Collections of documents, each its owner's: writing, removing, searching."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from jobs.models import SearchCollection, SearchDocument
from jobs.search_index.engine import full_text
from jobs.search_index.query import Query, parse
from jobs.search_index.snippets import Snippet, snippet_of
from jobs.search_index.tokens import terms_of
from pirunner.bulk import unsynced
from pirunner.turns import take_turns

LONGEST_TEXT = 400_000
"""Characters of one document; what is beyond is not searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as a client gives it: its id says whether it is new or another version."""

    doc_id: str
    title: str
    text: str
    url: str = ""

    @property
    def content_sha256(self) -> str:
        """What tells two versions apart."""
        content = f"{self.title}\x00{self.url}\x00{self.text}"
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of documents."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.added + other.added, self.updated + other.updated, self.unchanged + other.unchanged)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found: where, how well, and what of it to show."""

    document: SearchDocument
    score: float
    snippet: Snippet


@dataclass(frozen=True, slots=True)
class Found:
    """The best hits; ``all_words`` is false when no document had all and those with any are shown."""

    hits: tuple[Hit, ...]
    all_words: bool


def write_documents(owner: str, collection: str, documents: Sequence[Document]) -> Tally:
    """Write documents in one transaction; one that is there already as it is costs nothing but a look.

    A power cut may take it back: the job that wrote it has not ended then, and writes it again.
    """
    with unsynced(), transaction.atomic():
        take_turns(f"collection {owner} {collection}")
        home = SearchCollection.objects.get_or_create(owner=owner, name=collection)[0]
        return sum((_write(home, document) for document in documents), start=Tally())


def remove_documents(owner: str, collection: str, doc_ids: Sequence[str]) -> int:
    """Remove documents by their ids; return how many there were."""
    of_owner = SearchDocument.objects.filter(collection__owner=owner, collection__name=collection)
    with unsynced(), transaction.atomic():
        numbers = [
            number
            for doc_id in set(doc_ids)
            for number in of_owner.filter(digest=_digest(doc_id)).values_list("pk", flat=True)
        ]
        full_text().remove(numbers)
        SearchDocument.objects.filter(pk__in=numbers).delete()
    return len(numbers)


def remove_collection(owner: str, collection: str, *, batch: int = 500) -> int:
    """Remove a collection with all its documents, a batch at a time; return how many documents there were."""
    of_owner = SearchDocument.objects.filter(collection__owner=owner, collection__name=collection)
    removed = 0
    while numbers := list(of_owner.order_by("pk").values_list("pk", flat=True)[:batch]):
        with unsynced(), transaction.atomic():
            full_text().remove(numbers)
            SearchDocument.objects.filter(pk__in=numbers).delete()
        removed += len(numbers)
    SearchCollection.objects.filter(owner=owner, name=collection, documents__isnull=True).delete()
    return removed


def find_collection(owner: str, collection: str) -> SearchCollection | None:
    """Return a collection of an owner, None if there is none."""
    return SearchCollection.objects.filter(owner=owner, name=collection).first()


def names_of_collections(owner: str) -> list[str]:
    """Return the names of an owner's collections, at most 20."""
    return list(SearchCollection.objects.filter(owner=owner).order_by("name").values_list("name", flat=True)[:20])


def count_documents(collection: SearchCollection) -> int:
    """Return how many documents a collection holds."""
    return SearchDocument.objects.filter(collection=collection).count()


def search(collection: SearchCollection, text: str, limit: int) -> Found:
    """Return the documents that fit a query best: those with all of it, or if there are none, with any of it."""
    query = parse(text)
    if not query.wanted:
        return Found((), all_words=True)
    numbers = full_text().find(query, collection.pk, limit)
    if numbers or len(query.wanted) == 1:
        return Found(_hits(query, numbers), all_words=True)
    return Found(_hits(query, full_text().find(query.loosened(), collection.pk, limit)), all_words=False)


def _hits(query: Query, numbers: Sequence[tuple[int, float]]) -> tuple[Hit, ...]:
    documents = SearchDocument.objects.in_bulk([number for number, _ in numbers])
    return tuple(
        Hit(documents[number], score, snippet_of(documents[number].text, query.phrases))
        for number, score in numbers
        if number in documents  # it may have been removed between the two looks
    )


def _write(home: SearchCollection, document: Document) -> Tally:
    digest, sha256 = _digest(document.doc_id), document.content_sha256
    known = SearchDocument.objects.filter(collection=home, digest=digest)
    before = known.values_list("pk", "content_sha256").first()
    if before and before[1] == sha256:
        return Tally(unchanged=1)
    text = document.text[:LONGEST_TEXT]
    fields = {
        "title": document.title,
        "text": text,
        "url": document.url,
        "content_sha256": sha256,
        "indexed_at": timezone.now(),
    }
    if before:
        known.update(**fields)
        number = before[0]
    else:
        number = SearchDocument.objects.create(collection=home, doc_id=document.doc_id, digest=digest, **fields).pk
    full_text().write(number, home.pk, terms_of(document.title), terms_of(text))
    return Tally(updated=1) if before else Tally(added=1)


def _digest(doc_id: str) -> str:
    return hashlib.sha256(doc_id.encode("utf-8", "surrogatepass")).hexdigest()
