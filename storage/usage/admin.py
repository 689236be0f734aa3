"""Who polls the API, and limits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from storage.usage.models import Usage

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin

_COUNTED = ("calls", "last", "address", "data", "used", "resets")


@admin.register(Usage)
class UsageAdmin(_Admin):
    """Those who call most, first. Calls without a limit may appear ten seconds late."""

    list_display = ("user", "token", "route", "calls", "last", "address", "limit", "reset", "used", "resets")
    list_display_links = ("route",)
    list_filter = ("user", "token", "route")
    list_select_related = ("user", "token")
    ordering = ("-calls",)
    fields = ("user", "token", "route", "limit", "reset", *_COUNTED)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> Any:  # Django's own types are longer
        """Whose row it is stays."""
        return _COUNTED if obj is None else ("user", "token", "route", *_COUNTED)

    def save_model(self, request: HttpRequest, obj: Usage, form: Any, change: bool) -> None:
        """What is counted meanwhile is not written over; another limit is counted anew."""
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            obj.used, obj.resets = 0, None
            obj.save(update_fields=["limit", "reset", "used", "resets"])
