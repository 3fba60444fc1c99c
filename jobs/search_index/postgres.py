"""Full text in PostgreSQL: a table of ``tsvector`` beside the documents, made of our terms and not by its parser."""

from collections.abc import Sequence

from django.db import connection

from jobs.search_index.query import Phrase, Query

POSITIONS = 16_383
"""Beyond that a tsvector tells no positions apart: phrases are not found any more, single words are."""
PER_TERM = 255


class PostgresText:
    """``jobs.search_index.engine.FullText`` with ``tsvector``; a word of the title counts more."""

    def write(self, document_id: int, collection_id: int, title: Sequence[str], body: Sequence[str]) -> None:
        """Keep the terms of a document, over what was kept of it."""
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [document_id, vector_of(_scope(collection_id), title, body)])

    def remove(self, document_ids: Sequence[int]) -> None:
        """Forget documents."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM jobs_fulltext WHERE document_id = ANY(%s)", [list(document_ids)])

    def find(self, query: Query, collection_id: int, limit: int) -> list[tuple[int, float]]:
        """Return the best hits, best first."""
        with connection.cursor() as cursor:
            words = match_of(query)
            cursor.execute(_FIND, [words, f"{_quoted(_scope(collection_id))} & {words}", limit])
            return [(int(number), round(float(rank), 4)) for number, rank in cursor.fetchall()]


def vector_of(scope: str, title: Sequence[str], body: Sequence[str]) -> str:
    """Return the text form of a ``tsvector``: each term with its places, those of the title with weight A."""
    places: dict[str, list[str]] = {}
    for number, term in enumerate(title):
        _add(places, term, number + 1, "A")
    # A phrase does not reach from the title into the body.
    first = min(len(title) + 2, POSITIONS)
    for number, term in enumerate(body):
        _add(places, term, first + number, "")
    words = [f"{_quoted(term)}:{','.join(found)}" for term, found in places.items()]
    return " ".join([_quoted(scope), *words])


def match_of(query: Query) -> str:
    """Return a query as the text form of a ``tsquery``; every term is quoted, so nothing in it is an operator."""
    wanted = " & ".join(_any_of(alternatives) for alternatives in query.wanted)
    return f"({wanted}) & !{_any_of(query.unwanted)}" if query.unwanted else f"({wanted})"


def _add(places: dict[str, list[str]], term: str, position: int, weight: str) -> None:
    found = places.setdefault(term, [])
    if len(found) < PER_TERM and (position <= POSITIONS or not found):
        found.append(f"{min(position, POSITIONS)}{weight}")


def _any_of(phrases: Sequence[Phrase]) -> str:
    return f"({' | '.join(map(_phrase, phrases))})"


def _phrase(phrase: Phrase) -> str:
    *before, last = map(_quoted, phrase.terms)
    return "(" + " <-> ".join([*before, f"{last}:*" if phrase.prefix else last]) + ")"


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _scope(collection_id: int) -> str:
    """Return the term of a collection, which no text can hold."""
    return f"\u00a7{collection_id}"


_WRITE = """
INSERT INTO jobs_fulltext (document_id, vector) VALUES (%s, %s::tsvector)
ON CONFLICT (document_id) DO UPDATE SET vector = excluded.vector
"""
_FIND = """
SELECT document_id, ts_rank_cd(vector, %s::tsquery, 1) AS rank FROM jobs_fulltext
 WHERE vector @@ %s::tsquery ORDER BY rank DESC, document_id LIMIT %s
"""
