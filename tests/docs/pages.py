"""The pages that are tested, and what stands in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: the page it stands in, its language, the words that follow that, and its text."""

    page: Path
    language: str
    words: str
    text: str

    @property
    def name(self) -> str:
        """Return a name for the report of the tests."""
        first_line = next(iter(self.text.strip().splitlines()), "")
        return f"{self.page.name}: {self.words or first_line[:40]}"


def blocks(page: Path, language: str) -> list[Block]:
    """Return the blocks of a page in one language, in order."""
    found = [_block(page, match) for match in _FENCE.finditer(page.read_text(encoding="utf-8"))]
    return [block for block in found if block.language == language]


def links(page: Path) -> list[str]:
    """Return where the links of a page lead, except to the web."""
    targets = [match["target"] for match in _LINK.finditer(prose(page))]
    return [target for target in targets if not target.startswith(("https://", "http://"))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that a page offers, one for each heading, as GitHub spells them."""
    return {_anchor(match["text"]) for match in _HEADING.finditer(prose(page))}


def prose(page: Path) -> str:
    """Return the text of a page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def _block(page: Path, match: re.Match[str]) -> Block:
    language, _, words = match["info"].strip().partition(" ")
    return Block(page, language, words, match["text"])


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
