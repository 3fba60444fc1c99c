"""Model fields shared by the apps."""

import json
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _TextField = models.Field[Any, Any]
else:
    _TextField = models.TextField


def same_json(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON, whatever the order of keys; Python alone takes true for 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


class JsonTextField(_TextField):
    """A JSON value kept as ASCII text, the same on SQLite and PostgreSQL.

    PostgreSQL's own JSON type refuses NUL, reorders keys and rewrites numbers; a client must read back what
    it sent. None is kept as NULL.
    """

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        """Turn the stored text into a Python value."""
        return None if value is None else json.loads(value)

    def to_python(self, value: Any) -> Any:
        """Leave Python values alone; there is no form for this field."""
        return value

    def get_prep_value(self, value: Any) -> str | None:
        """Turn a Python value into the stored text."""
        return None if value is None else json.dumps(value, separators=(",", ":"), allow_nan=False)
