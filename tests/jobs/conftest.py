"""What the tests of the jobs share."""

from tests.jobs.children import child
from tests.parts import api, owner, rings

__all__ = ["api", "child", "owner", "rings"]
