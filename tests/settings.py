"""The settings under which the tests run: pirunner's own, with a secret where the owner has not made one yet."""

import os

os.environ.setdefault("SECRET_KEY", "for tests only: it protects nothing")

from pirunner.settings import *  # noqa: F403  (the secret must be there before)

# Passwords of tests need not take a second each to be looked at.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
