"""The login form, and those of people: with a role instead of a hundred permissions."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.utils.timezone import localtime
from unfold.forms import AuthenticationForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminRadioSelectWidget

from pirunner.proxies import client_address
from pirunner.roles import MEANINGS, Role
from pirunner.staff.people import is_last_owner, put_role, role_of
from pirunner.staff.throttle import SignInLocked, begin_sign_in, locked_until, note_success

_NO_ROLE = ("", "none of these: what the groups below allow")


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # (unfold is untyped)
    """Django's login form of the admin, which after five failures in a row is shut for a while."""

    def clean(self) -> Any:
        """Look at name and password; raises ``ValidationError``, with another sentence while it is locked."""
        name = self.cleaned_data.get("username")
        if not name or not self.cleaned_data.get("password"):
            return super().clean()
        try:
            tried = begin_sign_in(name, client_address(self.request.META))
        except SignInLocked as locked:
            raise _locked(locked) from None
        try:
            cleaned = super().clean()
        except ValidationError:
            if tried.outcome == tried.Outcome.LOCKED:
                until = locked_until([tried.at] * 5, tried.at)
                raise _locked(SignInLocked(until or tried.at)) from None
            raise
        note_success(tried)
        return cleaned


def _locked(locked: SignInLocked) -> ValidationError:
    return ValidationError(
        f"Too many logins with this name failed from your address. Try again after {localtime(locked.until):%H:%M}; "
        "or have a new password set on the server: manage.py staff password NAME",
        code="locked",
    )


class RoleField(forms.ChoiceField):
    """One of the roles, or none."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [*((role.value, f"{role.value}: {MEANINGS[role]}") for role in Role), _NO_ROLE]
        widget = UnfoldAdminRadioSelectWidget(choices=choices)
        super().__init__(choices=choices, widget=widget, required=False, **kwargs)


class PersonAddForm(UserCreationForm):  # type: ignore[misc]
    """A new person: name, role, password."""

    role = RoleField(initial=Role.VIEWER.value)

    def save(self, commit: bool = True) -> User:
        """Keep the person, who may log in."""
        person: User = super().save(commit=False)
        person.is_staff = True
        if commit:
            person.save()
        return person


class PersonForm(UserChangeForm):  # type: ignore[misc]
    """A person: the role, and other groups that the owner has made."""

    role = RoleField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = role_of(self.instance)
        if "role" in self.fields:
            self.fields["role"].initial = role.value if role else ""
        if "groups" in self.fields:
            others = Group.objects.exclude(name__in=[each.value for each in Role])
            self.fields["groups"].queryset = others
            self.initial["groups"] = list(self.instance.groups.filter(pk__in=others))

    def clean(self) -> Any:
        """Refuse to leave nobody who may do everything."""
        cleaned = super().clean()
        stays = self.cleaned_data.get("is_active", True) and self.cleaned_data.get("is_superuser", True)
        if not stays and is_last_owner(User.objects.get(pk=self.instance.pk)):
            raise ValidationError("This is the last owner; make another one first.", code="last_owner")
        return cleaned


def keep_role(form: "forms.ModelForm[User]") -> None:
    """Give a person who has been saved the role that was chosen; the form's groups hold none of the roles."""
    chosen = form.cleaned_data.get("role", "")
    put_role(form.instance, Role(chosen) if chosen else None)
