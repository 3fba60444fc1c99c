"""What a database's full text must do for the index; one class for SQLite, one for PostgreSQL."""

from collections.abc import Sequence
from typing import Protocol

from django.db import connection

from jobs.search_index.postgres import PostgresText
from jobs.search_index.query import Query
from jobs.search_index.sqlite import SqliteText


class FullText(Protocol):
    """Keeps the terms of documents by their numbers, and finds the documents that hold some."""

    def write(self, document_id: int, collection_id: int, title: Sequence[str], body: Sequence[str]) -> None:
        """Keep the terms of a document, over what was kept of it, in the current transaction."""

    def remove(self, document_ids: Sequence[int]) -> None:
        """Forget documents, in the current transaction."""

    def find(self, query: Query, collection_id: int, limit: int) -> list[tuple[int, float]]:
        """Return (document, score) of the best hits, best first; the higher a score, the better."""


def full_text() -> FullText:
    """Return the full text of the database in use."""
    return SqliteText() if connection.vendor == "sqlite" else PostgresText()
