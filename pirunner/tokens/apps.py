"""The app of the API's tokens."""

from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from pirunner.tokens.register import register


class TokensConfig(AppConfig):
    """Configuration of the app."""

    name = "pirunner.tokens"
    label = "tokens"

    def ready(self) -> None:
        """Let a token that is changed in this process be so as soon as that is committed."""
        for changed in (post_save, post_delete):
            changed.connect(_forget, sender=self.get_model("Token"), dispatch_uid="pirunner.tokens")


def _forget(**_: Any) -> None:
    transaction.on_commit(register.forget)
