"""Full text in SQLite: an FTS5 table beside the documents, with their terms as blanks divide them.

What is between blanks is a token to it: our terms are made of letters, digits and marks alone.
"""

from collections.abc import Sequence

from django.db import connection

from jobs.search_index.query import Phrase, Query


class SqliteText:
    """``jobs.search_index.engine.FullText`` with FTS5; ranked by BM25, a word of the title counts four times."""

    def write(self, document_id: int, collection_id: int, title: Sequence[str], body: Sequence[str]) -> None:
        """Keep the terms of a document, over what was kept of it."""
        values: list[int | str] = [document_id, _scope(collection_id), " ".join(title), " ".join(body)]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM jobs_fulltext WHERE rowid = %s", [document_id])
            cursor.execute("INSERT INTO jobs_fulltext (rowid, scope, title, body) VALUES (%s, %s, %s, %s)", values)

    def remove(self, document_ids: Sequence[int]) -> None:
        """Forget documents."""
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM jobs_fulltext WHERE rowid = %s", [[number] for number in document_ids])

    def find(self, query: Query, collection_id: int, limit: int) -> list[tuple[int, float]]:
        """Return the best hits, best first."""
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [f"scope : {_quoted([_scope(collection_id)])} AND {match_of(query)}", limit])
            return [(int(number), round(-rank, 4)) for number, rank in cursor.fetchall()]


def match_of(query: Query) -> str:
    """Return a query in FTS5's language; every term is quoted, so nothing in it is an operator."""
    wanted = " AND ".join(_any_of(alternatives) for alternatives in query.wanted)
    match = f"({wanted})"
    return f"({match} NOT {_any_of(query.unwanted)})" if query.unwanted else match


def _any_of(phrases: Sequence[Phrase]) -> str:
    return f"({{title body}} : ({' OR '.join(map(_phrase, phrases))}))"


def _phrase(phrase: Phrase) -> str:
    return _quoted(phrase.terms) + (" *" if phrase.prefix else "")


def _quoted(terms: Sequence[str]) -> str:
    return '"' + " ".join(terms).replace('"', '""') + '"'


def _scope(collection_id: int) -> str:
    return f"c{collection_id}"


_FIND = """
SELECT rowid, bm25(jobs_fulltext, 0.0, 4.0, 1.0) AS rank FROM jobs_fulltext
 WHERE jobs_fulltext MATCH %s ORDER BY rank, rowid LIMIT %s
"""
