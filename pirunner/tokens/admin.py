"""Tokens in the admin: made, shown once, narrowed, rotated, revoked; never deleted, because jobs name them."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from unfold.admin import ModelAdmin
from unfold.decorators import display

from pirunner.admin_pages import person_of, short_moment
from pirunner.audit import Act, note_act
from pirunner.callers import MEANINGS
from pirunner.errors import ApiError
from pirunner.tokens.forms import TokenForm
from pirunner.tokens.issuing import issue_token, limits_of, put_terms, revoke_token, rotate_token, standing_of
from pirunner.tokens.models import Standing, Token

COLOURS = {Standing.VALID.value: "success", Standing.EXPIRED.value: "warning", Standing.REVOKED.value: "danger"}
GRACE = timedelta(hours=1)


@admin.register(Token)
class TokenAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """The tokens of agents and programs."""

    form = TokenForm
    list_display = ("label", "standing_shown", "scopes_shown", "limits_shown", "hint", "last_used", "expires", "made")
    list_filter = ("own_only",)
    search_fields = ("label", "hint")
    ordering = ("label",)
    actions = ("revoke", "rotate", "rotate_slowly")
    list_before_template = "admin/tokens/explained.html"
    change_form_outer_before_template = "admin/tokens/buttons.html"
    terms = ("scopes", "job_types", "own_only", "requests_per_minute", "expires_at")
    readonly_fields = ("hint", "standing_shown", "last_used", "made")

    class Media:
        css = {"all": ("pirunner/staff.css",)}

    # -- what is shown ------------------------------------------------------------------------------------------

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def standing_shown(self, token: Token) -> str:
        """Return whether it is let in, in a colour."""
        return standing_of(token).value

    @display(description="May")  # type: ignore[untyped-decorator]
    def scopes_shown(self, token: Token) -> str:
        """Return its scopes."""
        return ", ".join(scope.value for scope in token.scope_list)

    @display(description="Limits")  # type: ignore[untyped-decorator]
    def limits_shown(self, token: Token) -> str:
        """Return what narrows it."""
        return limits_of(token)

    @display(description="Last use", ordering="last_used_at")  # type: ignore[untyped-decorator]
    def last_used(self, token: Token) -> str:
        """Return when it was last used, within a minute."""
        return short_moment(token.last_used_at) or "never"

    @display(description="Expires", ordering="expires_at")  # type: ignore[untyped-decorator]
    def expires(self, token: Token) -> str:
        """Return when it expires."""
        return short_moment(token.expires_at) or "never"

    @display(description="Made")  # type: ignore[untyped-decorator]
    def made(self, token: Token) -> str:
        """Return who made it, and when."""
        return f"{short_moment(token.created_at)} by {token.created_by}"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the form of a new token, or that of one that is there."""
        del request
        if obj is None:
            return ((None, {"fields": ("label", *self.terms)}),)
        return ((None, {"fields": ("label", *self.readonly_fields)}), ("What it may do", {"fields": self.terms}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return what nobody edits: the label is the owner of what the token made."""
        del request
        return self.readonly_fields if obj is None else ("label", *self.readonly_fields)

    # -- what can be done ---------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody deletes a token: its label must never be another's."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may change tokens; one that was revoked stays as it is."""
        return bool(super().has_change_permission(request, obj)) and (obj is None or obj.revoked_at is None)

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """Keep a token; a new one carries its text to the one page that shows it."""
        put_terms(obj, form.terms)
        if change:
            obj.save()
            return
        issued, obj.text = issue_token(obj.label, form.terms, by=person_of(request))  # type: ignore[attr-defined]
        obj.pk, obj.hint = issued.pk, issued.hint

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """Show the text, in this answer and nowhere else."""
        del post_url_continue
        return self._show_once(request, obj, obj.text)

    @method_decorator(sensitive_variables("text"))
    def _show_once(self, request: HttpRequest, token: Token, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Copy the token now",
            "token": token,
            "text": text,
            "meanings": [MEANINGS[scope] for scope in token.scope_list],
            "limits": limits_of(token),
        }
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return TemplateResponse(request, "admin/tokens/shown_once.html", context, headers=headers)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show a token, with its buttons for those who may use them."""
        may_change = ModelAdmin.has_change_permission(self, request)
        context = {**(kwargs.pop("extra_context", None) or {}), "may_change": may_change}
        return super().change_view(request, *args, extra_context=context, **kwargs)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        """Let those that are chosen in no more."""
        for token in chosen:
            revoke_token(token.label, by=person_of(request))
            note_act(request, token, Act.CHANGED, "revoked")
        self.message_user(request, f"Revoked: {', '.join(token.label for token in chosen)}.", messages.SUCCESS)

    @admin.action(description="Rotate: a new text, at once", permissions=["change"])
    def rotate(self, request: HttpRequest, chosen: QuerySet[Token]) -> HttpResponse | None:
        """Give the one that is chosen another text, and show it."""
        return self._rotate(request, chosen, timedelta(), "rotated")

    @admin.action(description="Rotate: the old text for an hour more", permissions=["change"])
    def rotate_slowly(self, request: HttpRequest, chosen: QuerySet[Token]) -> HttpResponse | None:
        """Give the one that is chosen another text, show it, and let the old one in for an hour."""
        return self._rotate(request, chosen, GRACE, "rotated; the old text is let in for an hour")

    def _rotate(
        self, request: HttpRequest, chosen: QuerySet[Token], grace: timedelta, said: str
    ) -> HttpResponse | None:
        tokens = list(chosen[:2])
        if len(tokens) != 1:
            self.message_user(request, "Choose one token: its new text is shown once.", messages.WARNING)
            return None
        try:
            token, text = rotate_token(tokens[0].label, grace=grace)
        except ApiError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        note_act(request, token, Act.CHANGED, said)
        return self._show_once(request, token, text)
