"""The app of the API's tokens."""

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save

from pirunner.tokens.register import register


class TokensConfig(AppConfig):
    """Configuration of the app."""

    name = "pirunner.tokens"
    label = "tokens"

    def ready(self) -> None:
        """Let a token that is changed in this process be so at once."""
        for changed in (post_save, post_delete):
            changed.connect(register.forget, sender=self.get_model("Token"), dispatch_uid="pirunner.tokens")
