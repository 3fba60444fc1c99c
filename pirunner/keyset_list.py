"""Lists of the admin for tables that may be huge: pages by a key, newest first, without COUNT and OFFSET.

    class ThingAdmin(KeysetAdmin):
        keyset_field = "pk"        # what the rows are ordered by; an index must give that order

The list shows "Newest" and "Older" instead of page numbers, and does not sort by other columns.
"""

from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

BEFORE = "before"
"""The name of the query's cursor: only rows whose key is below are shown."""


class KeysetChangeList(ChangeList):  # type: ignore[misc]  # (unfold is untyped)
    """One page of rows below a cursor."""

    older_query = ""
    newest_query = ""

    def get_filters_params(self, params: Any = None) -> Any:
        """Return the filters of the query; the cursor is none."""
        found = super().get_filters_params(params)
        found.pop(BEFORE, None)
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """Return the order of the key, whatever the query asks for."""
        del queryset
        return [f"-{self.model_admin.keyset_of(request)}"]

    def get_results(self, request: HttpRequest) -> None:
        """Fetch one page, and one row more to know whether there are older ones."""
        name = self.model_admin.keyset_of(request)
        rows = self._below(request.GET.get(BEFORE, ""), name)
        found = list(rows[: self.list_per_page + 1])
        self.result_list: Any = found[: self.list_per_page]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count, self.show_admin_actions = False, bool(found)
        self.can_show_all, self.multi_page = False, False
        self.paginator = InfinitePaginator(self.result_list, self.list_per_page)
        self.paginator.template_name = "admin/keyset_pages.html"
        if len(found) > self.list_per_page:
            self.older_query = self.get_query_string({BEFORE: _written(getattr(self.result_list[-1], name))})
        if BEFORE in request.GET:
            self.newest_query = self.get_query_string() or "?"

    def _below(self, cursor: str, name: str) -> QuerySet[Any]:
        if not cursor:
            return self.queryset  # type: ignore[no-any-return]
        field = self.model._meta.pk if name == "pk" else self.model._meta.get_field(name)  # noqa: SLF001
        try:
            return self.queryset.filter(**{f"{name}__lt": field.to_python(cursor)})  # type: ignore[no-any-return]
        except (ValidationError, ValueError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error


class KeysetAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """A list by a key; for what is shown of a row see Django's ``ModelAdmin``."""

    keyset_field = "pk"
    sortable_by: Any = ()
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count
    list_per_page = 50

    def keyset_of(self, request: HttpRequest) -> str:  # noqa: ARG002  (some lists have another one when narrowed)
        """Return the field that the rows are ordered by, descending."""
        return self.keyset_field

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[KeysetChangeList]:  # noqa: ARG002
        """Return the list by a key."""
        return KeysetChangeList


def _written(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
