"""What changed between two versions of a text. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from itertools import takewhile

_CONTEXT = 2
_MOST_WORK = 500_000
"""Pairs of equal lines that the comparison may look at; beyond that the changed middle counts as replaced."""
_EXCERPT_LINES = 12
_EXCERPT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Change:
    """How many lines came and went, and the unified diff that shows them; empty when nothing changed."""

    added: int = 0
    removed: int = 0
    diff: str = ""

    @property
    def excerpt(self) -> list[str]:
        """The first changed lines, each with ``+`` or ``-`` before it, for a message."""
        lines = self.diff.splitlines()[2:]
        changed = [line for line in lines if line.startswith(("+", "-"))]
        return [line[:_EXCERPT_LENGTH] for line in changed[:_EXCERPT_LINES]]


def compare(before: Sequence[str], after: Sequence[str], *, names: tuple[str, str]) -> Change:
    """Return the change from one list of lines to another; ``names`` stand in the head of the diff."""
    if list(before) == list(after):
        return Change()
    head = _common_beginning(before, after)
    tail = _common_beginning(reversed(before[head:]), reversed(after[head:]))
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if _work(old, new) > _MOST_WORK:
        lines = _replaced(old, new, head, names)
    else:
        lines = list(unified_diff(before, after, *names, lineterm="", n=_CONTEXT))
    body = lines[2:]
    return Change(
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
        diff="\n".join(lines) + "\n",
    )


def _common_beginning(one: Iterable[str], other: Iterable[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _work(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many pairs of equal lines there are: what a comparison takes time for.

    Lines that make up over a hundredth of a long text are left out by difflib too.
    """
    counts = Counter(old)
    popular = len(new) // 100 + 1 if len(new) >= 200 else len(new)
    return sum(count * counts[line] for line, count in Counter(new).items() if count <= popular)


def _replaced(old: Sequence[str], new: Sequence[str], head: int, names: tuple[str, str]) -> list[str]:
    place = f"@@ -{head + 1},{len(old)} +{head + 1},{len(new)} @@"
    titles = [f"--- {names[0]}", f"+++ {names[1]}", place]
    return [*titles, *(f"-{line}" for line in old), *(f"+{line}" for line in new)]
