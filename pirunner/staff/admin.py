"""The people of the admin, how they signed in, and the login form; the audit and Flower have files of their own."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm

from pirunner.admin_pages import ReadOnlyAdmin, short_moment
from pirunner.keyset_list import KeysetAdmin
from pirunner.roles import Role
from pirunner.staff import admin_audit  # noqa: F401  (registers its own)
from pirunner.staff.forms import PersonAddForm, PersonForm, SignInForm, keep_role
from pirunner.staff.models import SignIn
from pirunner.staff.people import OWNER, role_told

admin.site.login_form = SignInForm
admin.site.unregister([User, Group])

ROLE_COLOURS = {OWNER: "danger", Role.ADMIN.value: "warning", Role.OPERATOR.value: "info", Role.VIEWER.value: "success"}
OUTCOMES = {
    SignIn.Outcome.SIGNED_IN.value: "success",
    SignIn.Outcome.FAILED.value: "warning",
    SignIn.Outcome.LOCKED.value: "danger",
}


@admin.register(User)
class PersonAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[misc,type-arg]  # (unfold is untyped)
    """People: a name, a role, and whether they may log in. They are switched off, not deleted: the audit names them."""

    form = PersonForm
    add_form = PersonAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "role_shown", "is_active", "full_name", "last_seen")
    list_filter = ("is_active", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    list_select_related = ()
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("Particulars", {"fields": ("first_name", "last_name", "email")}),
        ("More", {"fields": ("is_superuser", "groups", "last_login", "date_joined"), "classes": ("collapse",)}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "password1", "password2")}),)

    @display(description="Role", label=ROLE_COLOURS)  # type: ignore[untyped-decorator]
    def role_shown(self, person: User) -> str:
        """Return the role in a word."""
        return role_told(person)

    @display(description="Name")  # type: ignore[untyped-decorator]
    def full_name(self, person: User) -> str:
        """Return the name by which people call each other."""
        return person.get_full_name()

    @display(description="Last login", ordering="last_login")  # type: ignore[untyped-decorator]
    def last_seen(self, person: User) -> str:
        """Return when the person last logged in."""
        return short_moment(person.last_login)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the people with their groups, in one query more."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what nobody edits; only an owner makes owners."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if request.user.is_superuser else (*fixed, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may change people; an owner is changed by owners only."""
        allowed = bool(super().has_change_permission(request, obj))
        return allowed and (obj is None or not obj.is_superuser or bool(request.user.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody is deleted: what they did in the audit would go with them."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep the person; everybody here is of the staff."""
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Keep the groups, and the role, which is one too."""
        super().save_related(request, form, formsets, change)
        keep_role(form)


@admin.register(Group)
class RoleAdmin(BaseGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups: the three roles, which pirunner keeps in step with its own table, and those that an owner makes."""

    list_display = ("name", "kept_by")

    @display(description="Kept by", label={"pirunner": "info", "you": "default"})  # type: ignore[untyped-decorator]
    def kept_by(self, group: Group) -> str:
        """Return who decides what the group may do."""
        return "pirunner" if _is_role(group) else "you"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may change a group; a role is changed by nobody."""
        return bool(super().has_change_permission(request, obj)) and not _is_role(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may delete a group; a role is deleted by nobody."""
        return bool(super().has_delete_permission(request, obj)) and not _is_role(obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """Return no action for many: the roles must not be among those deleted."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}


def _is_role(group: Any) -> bool:
    return group is not None and group.name in {role.value for role in Role}


@admin.register(SignIn)
class SignInAdmin(KeysetAdmin, ReadOnlyAdmin):
    """Logins, and those that failed."""

    list_display = ("when", "who", "address", "outcome_shown")
    list_filter = ("outcome",)
    search_fields = ("name", "address")
    list_before_template = "admin/audit/tabs.html"
    fields = ("when", "who", "address", "outcome_shown")

    class Media:
        css = {"all": ("pirunner/staff.css",)}

    @display(description="When")  # type: ignore[untyped-decorator]
    def when(self, tried: SignIn) -> str:
        """Return when it was, in the owner's zone."""
        return short_moment(tried.at)

    @display(description="Who")  # type: ignore[untyped-decorator]
    def who(self, tried: SignIn) -> str:
        """Return the name that was given, if somebody has it."""
        return tried.name or "nobody's name"

    @display(description="Outcome", label=OUTCOMES)  # type: ignore[untyped-decorator]
    def outcome_shown(self, tried: SignIn) -> str:
        """Return what became of it, in a colour."""
        return tried.outcome
