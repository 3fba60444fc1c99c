"""The form of a token: what it may do."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldBooleanSwitchWidget,
)

from jobs.catalog import allowed
from pirunner.callers import MEANINGS, Scope
from pirunner.tokens.issuing import Terms, faults_of, label_faults
from pirunner.tokens.models import Token

_FIELDS = {
    "scopes": "scopes",
    "ownOnly": "own_only",
    "requestsPerMinute": "requests_per_minute",
    "expiresAt": "expires_at",
}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # (generic for the checker only)
    """Label, scopes and limits; the label of a token that exists stays."""

    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.value}: {MEANINGS[scope]}") for scope in Scope],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    job_types = forms.MultipleChoiceField(
        label="Only these job types",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Which it may have run. None chosen: all.",
    )
    own_only = forms.BooleanField(
        label="Limited to its own",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="It sees and changes only the jobs and schedules that it made itself.",
    )
    requests_per_minute = forms.IntegerField(
        label="Requests a minute",
        required=False,
        min_value=1,
        max_value=100_000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Beyond it requests are answered with 429. Empty: as many as it likes.",
    )
    expires_at = forms.SplitDateTimeField(
        label="Expires", required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="Empty: never."
    )

    class Meta:
        model = Token
        fields = ("label",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept: Token = self.instance
        types = sorted({*allowed(), *kept.job_types.split()})
        self.fields["job_types"].choices = [(name, name) for name in types]  # type: ignore[attr-defined]
        if kept.pk is None:
            self.initial["scopes"] = [Scope.JOBS_READ.value, Scope.JOBS_WRITE.value]
            return
        self.initial.update(scopes=kept.scopes.split(), job_types=kept.job_types.split())
        self.initial.update({name: getattr(kept, name) for name in ("own_only", "requests_per_minute", "expires_at")})

    def clean_label(self) -> str:
        """Return a label that can be an owner."""
        label = str(self.cleaned_data["label"])
        for fault in label_faults(label):
            raise ValidationError(fault.message, code=fault.code)
        return label

    def clean(self) -> Any:
        """Look at what the token is to be allowed, as a whole."""
        super().clean()
        if not self.errors:
            for fault in faults_of(self.terms):
                self.add_error(_FIELDS[str(fault.path[0])], fault.message)
        return self.cleaned_data

    @property
    def terms(self) -> Terms:
        """What the token is to be allowed."""
        given = self.cleaned_data
        return Terms(
            scopes=[Scope(value) for value in given["scopes"]],
            job_types=given["job_types"],
            requests_per_minute=given["requests_per_minute"],
            own_only=given["own_only"],
            expires_at=given["expires_at"],
        )
