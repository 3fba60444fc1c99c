"""What the tests of the schedules share."""

from tests.parts import owner, rings

__all__ = ["owner", "rings"]
