"""What the tests of the schedules' admin share."""

from tests.schedules.admin.people import ana, ben, people

__all__ = ["ana", "ben", "people"]
