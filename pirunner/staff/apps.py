"""The app of the people of the admin."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from pirunner import roles


class StaffConfig(AppConfig):
    """Configuration of the app."""

    name = "pirunner.staff"
    label = "staff"

    def ready(self) -> None:
        """Keep the roles in step with their table whenever the database is brought up to date."""
        post_migrate.connect(roles.after_migration, dispatch_uid="pirunner.roles")
