"""A summary without a model: the sentences of a text that say most of what it is about. A pure function.

Each sentence is compared with the text as a whole (cosine with the sum of all, terms weighted by how few sentences
have them), the first ones and those of a usual length get a little more, and one that repeats what was chosen already
gets less. The same text always gives the same summary; a million characters take about two seconds.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jobs.summaries.sentences import sentences_of
from jobs.summaries.words import count_words, language_of, terms_of

Vector = Mapping[str, float]

CANDIDATES = 300
"""How many of the best sentences are compared with each other."""
REDUNDANCY = 0.7
"""How much a sentence loses for what it shares with those chosen before it."""
USUAL_LENGTH = (8.0, 32.0)


@dataclass(frozen=True, slots=True)
class Summary:
    """The chosen sentences in the order of the text, how many there were, and the language if it could be told."""

    sentences: tuple[str, ...]
    of: int
    language: str


def summarize(text: str, sentences: int, language: str = "") -> Summary:
    """Return at most so many sentences of a text; all of them when it has no more."""
    found = list(dict.fromkeys(sentences_of(text)))
    known = language.partition("-")[0].casefold() or language_of(text)
    if len(found) <= sentences:
        return Summary(tuple(found), len(found), known)
    vectors = _vectors([terms_of(sentence, known) for sentence in found])
    scores = _scores(found, vectors)
    chosen = _choose(scores, vectors, sentences)
    return Summary(tuple(found[number] for number in sorted(chosen)), len(found), known)


def _vectors(terms: Sequence[Sequence[str]]) -> list[Vector]:
    """Return each sentence as a vector of length 1; a term counts the more, the fewer sentences have it."""
    holding = Counter(term for of_one in terms for term in set(of_one))
    total = len(terms)
    # What a single sentence has says nothing about the others.
    weights = {term: math.log(1 + total / count) if count > 1 else 0.3 for term, count in holding.items()}
    return [_unit({term: (1 + math.log(n)) * weights[term] for term, n in Counter(each).items()}) for each in terms]


def _scores(sentences: Sequence[str], vectors: Sequence[Vector]) -> list[float]:
    centre: dict[str, float] = {}
    for vector in vectors:
        for term, weight in vector.items():
            centre[term] = centre.get(term, 0.0) + weight
    middle = _unit(centre)
    return [
        _dot(vector, middle) * _length_weight(count_words(sentence)) * _place_weight(number)
        for number, (sentence, vector) in enumerate(zip(sentences, vectors, strict=True))
    ]


def _choose(scores: Sequence[float], vectors: Sequence[Vector], wanted: int) -> list[int]:
    """Return the numbers of the sentences that are worth most together; of two as good, the earlier one."""
    left = sorted(range(len(scores)), key=lambda number: (-scores[number], number))[: max(CANDIDATES, wanted)]
    shared = dict.fromkeys(left, 0.0)
    chosen: list[int] = []
    while left and len(chosen) < wanted:
        best = max(left, key=lambda number: (scores[number] * (1 - REDUNDANCY * shared[number]), -number))
        chosen.append(best)
        left.remove(best)
        for number in left:
            shared[number] = max(shared[number], _dot(vectors[number], vectors[best]))
    return chosen


def _length_weight(words: float) -> float:
    """Return 1 for a sentence of a usual length, less for a heading or for one without end."""
    least, most = USUAL_LENGTH
    if words < least:
        return 0.9 * math.sqrt(words / least)
    return 1.0 if words <= most else max(0.5, math.sqrt(most / words))


def _place_weight(number: int) -> float:
    """Return a little more for the first sentences, which most writers give what matters."""
    return 1 + 0.35 / (1 + number / 2)


def _unit(vector: Mapping[str, float]) -> Vector:
    length = math.sqrt(sum(weight * weight for weight in vector.values()))
    return {term: weight / length for term, weight in vector.items()} if length else {}


def _dot(one: Vector, other: Vector) -> float:
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    return sum(weight * large[term] for term, weight in small.items() if term in large)
