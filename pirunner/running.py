"""Whether pirunner runs on the data folder of this configuration."""

import http.client
import json
from pathlib import Path
from typing import Any

from django.conf import settings

from pirunner.locks import is_held
from pirunner.up.banner import local_address

PATIENCE_SECONDS = 5.0


def up_lock() -> Path:
    """Return the lock file that ``manage.py up`` holds."""
    return Path(settings.RUNNER_DATA_DIR) / "run" / "up.lock"


def is_up() -> bool:
    """Return whether ``manage.py up`` runs."""
    return is_held(up_lock())


def health() -> dict[str, Any] | None:
    """Return what the API on our port says of itself; None if nobody answers, or not as pirunner does."""
    address = local_address(settings.HOST, settings.PORT).removeprefix("http://")
    client = http.client.HTTPConnection(address, timeout=PATIENCE_SECONDS)
    try:
        client.request("GET", "/health")
        told = json.loads(client.getresponse().read(100_000))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        client.close()
    return told if isinstance(told, dict) and told.get("service") == "api" else None
