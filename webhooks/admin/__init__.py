"""Callbacks in the admin: deliveries and dead letters to read and replay, and the secrets of endpoints to write."""

from webhooks.admin import deliveries, endpoints  # noqa: F401  (each registers its own)
from webhooks.relay import admin  # noqa: F401  (the messages of the relay)
