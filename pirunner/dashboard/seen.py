"""What the browser shows already: a short digest, so that a panel that has not changed is not sent again."""

import hashlib
import re

_PASSING = re.compile(r'csrfmiddlewaretoken" value="[^"]*"')


def digest_of(html: str) -> str:
    """Return a short digest of what a panel shows; tokens that differ each time do not count."""
    return hashlib.sha256(_PASSING.sub("", html).encode()).hexdigest()[:16]
