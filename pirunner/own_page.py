"""Rows of the admin that are looked at on a page of our own, in the place of Django's form."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import ModelAdmin


class OwnPageAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Shows ``page_of`` a row to those who may see it; for a row that is gone, ``gone`` is said above the list."""

    gone: ClassVar[str]

    def page_of(self, request: HttpRequest, row: Any) -> HttpResponse:
        """Return the page of a row."""
        raise NotImplementedError

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002
        extra_context: Any = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Show the page of a row; nothing is sent to it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        row = self.get_object(request, object_id)
        if row is None:
            messages.warning(request, self.gone)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
        return self.page_of(request, row)
