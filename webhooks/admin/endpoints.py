"""Receivers with a secret of their own in the admin: the secret is written, and never shown."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from pirunner.admin_pages import short_moment
from webhooks.endpoints import EndpointRefused, canonical_prefix, checked_secret
from webhooks.hosts import short_host_of
from webhooks.models import Endpoint


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # (generic for the checker only)
    """A prefix, and a secret that can be written and not read."""

    new_secret = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="It is not shown again. Left empty, an existing one stays.",
    )

    class Meta:
        model = Endpoint
        fields = ("prefix",)

    def clean_prefix(self) -> str:
        """Return the prefix as it is compared."""
        try:
            return canonical_prefix(self.cleaned_data["prefix"])
        except EndpointRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def clean_new_secret(self) -> str:
        """Return a secret that can sign."""
        secret = str(self.cleaned_data["new_secret"])
        if not secret and self.instance.pk:
            return ""
        try:
            return checked_secret(secret)
        except EndpointRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Receivers with a secret of their own."""

    form = EndpointForm
    list_display = ("prefix", "secrets_shown", "created")
    fields = ("prefix", "new_secret", "previous_until", "created_at")
    readonly_fields = ("previous_until", "created_at")
    ordering = ("prefix",)
    empty_template = "admin/webhooks/endpoint/empty.html"

    @display(description="Secret")  # type: ignore[untyped-decorator]
    def secrets_shown(self, endpoint: Endpoint) -> str:
        """Return that there is one, and whether the one before it still signs."""
        until = endpoint.previous_until
        if until is None or until <= timezone.now():
            return "set"
        return f"set; the previous one signs too until {timezone.localtime(until):%Y-%m-%d %H:%M}"

    @display(description="Made", ordering="created_at")  # type: ignore[untyped-decorator]
    def created(self, endpoint: Endpoint) -> str:
        """Return when it was made."""
        return short_moment(endpoint.created_at)

    def save_model(self, request: HttpRequest, endpoint: Endpoint, form: Any, change: bool) -> None:
        """Keep the endpoint, with the new secret if there is one; the old one ends at once."""
        secret = form.cleaned_data["new_secret"]
        if secret:
            endpoint.secret, endpoint.previous_secret, endpoint.previous_until = secret, "", None
        if not change:
            endpoint.created_at = timezone.now()
        endpoint.host = short_host_of(endpoint.prefix)
        super().save_model(request, endpoint, form, change)
