"""One table."""

from django.db import models


class Row(models.Model):
    """What a request brought."""

    content = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return f"row {self.pk}"
