"""How people signed in, or did not; and what may be permitted although it has no table."""

from django.db import models

LONGEST_NAME = 150


class SignIn(models.Model):
    """One try at the admin's login form.

    It is written as failed before the password is looked at, so that many tries at once count as many. ``key`` is what
    failures are counted by: a hash of the name and the address. The name itself is kept only if somebody has it:
    people type passwords into the wrong field.
    """

    class Outcome(models.TextChoices):
        """What became of it."""

        SIGNED_IN = "signed in"
        FAILED = "failed"
        LOCKED = "failed, and locked"

    at = models.DateTimeField()
    key = models.CharField(max_length=64)
    name = models.CharField(max_length=LONGEST_NAME, blank=True, default="", help_text="Empty: nobody's.")
    address = models.CharField(max_length=64)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.FAILED)

    class Meta:
        verbose_name = "sign-in"
        indexes = [models.Index(fields=["key", "id"], name="signin_key")]

    def __str__(self) -> str:
        return f"{self.name or 'somebody'} from {self.address}: {self.outcome}"


class Flower(models.Model):
    """Celery Flower, so that there are permissions to look at it and to command with it. It has no rows."""

    class Meta:
        managed = False
        default_permissions = ("view", "change")
        verbose_name_plural = "Flower"

    def __str__(self) -> str:
        return "Flower"
