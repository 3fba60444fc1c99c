"""The least Django that can do one insert: no middleware, no apps but this one."""

import os
from pathlib import Path

SECRET_KEY = "key-of-a-benchmark"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.bench.bare.urls"
INSTALLED_APPS = ["tests.bench.bare"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# The same promise as pirunner's: what is answered is on disk.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": Path(os.environ["RUNNER_DATA_DIR"]) / "bare.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA cache_size=-8000",
        },
        "CONN_MAX_AGE": None,
    }
}
