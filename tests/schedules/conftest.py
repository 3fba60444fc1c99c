"""What the tests of the schedules share."""

from tests.parts import api, owner, rings

__all__ = ["api", "owner", "rings"]
