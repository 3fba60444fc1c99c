"""Collections of documents: the same on SQLite and on PostgreSQL."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.search_index import collections
from jobs.search_index.collections import (
    Document,
    Tally,
    count_documents,
    find_collection,
    remove_collection,
    remove_documents,
    search,
    write_documents,
)

pytestmark = pytest.mark.usefixtures("committed_db")
NOTES = {
    "harbour": "The harbour fee rises in March.",
    "tea": "The mayor likes tea, and the harbour.",
    "crane": "A crane fell at the pier. The fee for cranes is new.",
    "beijing": "今天北京天气晴朗。",
    "cafe": "Das Café an der Straße.",
    "quoted": "It's the captain's 'old' \"boat\" \\ with: a | colon & more.",
}


@pytest.fixture
def notes() -> Any:
    """The collection ``notes`` of bootstrap."""
    write_documents("bootstrap", "notes", [document(doc_id, text) for doc_id, text in NOTES.items()])
    return find_collection("bootstrap", "notes")


def document(doc_id: str, text: str, title: str = "") -> Document:
    return Document(doc_id=doc_id, title=title, text=text)


def ids(notes: Any, query: str) -> list[str]:
    """Return what is found, in the order of the names."""
    return sorted(hit.document.doc_id for hit in search(notes, query, 10).hits)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("harbour", ["harbour", "tea"]),
        ("harbour fee", ["harbour"]),
        ("HARBOUR -mayor", ["harbour"]),
        ('"harbour fee"', ["harbour"]),
        ('"fee harbour"', []),
        ("cran*", ["crane"]),
        ("cran", []),
        ("tea OR crane", ["crane", "tea"]),
        ('"the f"*', ["crane"]),
        ("北京", ["beijing"]),
        ("京北", []),
        ("cafe strasse", ["cafe"]),
        ("captain's", ["quoted"]),
        ("-fee", []),
        ("!!!", []),
    ],
)
def test_what_is_found(notes: Any, query: str, found: list[str]) -> None:
    assert ids(notes, query) == found


def test_when_no_document_has_all_those_with_some_are_shown(notes: Any) -> None:
    found = search(notes, "mayor crane", 10)

    assert (found.all_words, [hit.document.doc_id for hit in found.hits]) != (True, [])
    assert sorted(hit.document.doc_id for hit in found.hits) == ["crane", "tea"]
    assert not found.all_words


def test_the_title_counts_more_and_the_limit_holds(notes: Any) -> None:
    write_documents("bootstrap", "notes", [document("titled", "Nothing to see.", title="Harbour")])

    (first,) = search(notes, "harbour", 1).hits

    assert first.document.doc_id == "titled"


@given(query=st.text(max_size=40) | st.text("\"'*-()OR AND:^&|!<>\\{}+ ab", max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_an_error(notes: Any, query: str) -> None:
    search(notes, query, 3)


def test_the_same_document_again_changes_nothing_and_another_version_replaces_it(notes: Any) -> None:
    same = [document("tea", NOTES["tea"])]
    other = [document("tea", "Now it is coffee.")]

    assert write_documents("bootstrap", "notes", same) == Tally(unchanged=1)
    assert write_documents("bootstrap", "notes", other) == Tally(updated=1)
    assert (ids(notes, "tea"), ids(notes, "coffee")) == ([], ["tea"])
    assert count_documents(notes) == len(NOTES)


def test_documents_and_whole_collections_are_removed(notes: Any) -> None:
    assert remove_documents("bootstrap", "notes", ["tea", "tea", "unknown"]) == 1
    assert ids(notes, "harbour") == ["harbour"]

    assert remove_collection("bootstrap", "notes", batch=2) == len(NOTES) - 1
    assert find_collection("bootstrap", "notes") is None
    assert ids(notes, "harbour") == []


def test_every_owner_and_every_collection_is_apart(notes: Any) -> None:
    write_documents("ana", "notes", [document("mine", "The harbour of Ana.")])
    write_documents("bootstrap", "other", [document("other", "Another harbour.")])

    assert ids(notes, "harbour") == ["harbour", "tea"]
    assert ids(find_collection("ana", "notes"), "harbour") == ["mine"]
    assert remove_documents("ana", "notes", ["tea"]) == 0


def test_a_huge_document_is_kept_up_to_its_limit() -> None:
    text = "first " + " ".join(f"word{number}" for number in range(60_000)) + " last"
    write_documents("bootstrap", "big", [document("big", text)])
    big = find_collection("bootstrap", "big")

    assert len(text) > collections.LONGEST_TEXT
    assert (ids(big, "first"), ids(big, "word30000"), ids(big, "last")) == (["big"], ["big"], [])
