"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A whole pirunner that has been started and is stopped at the end."""
    with Stack(tmp_path) as running:
        yield running
