"""The tables as the owner may look at them. What meters said is only read here: the store alone writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from storage.entities.admin import EntityAdmin
from storage.models import Data, DeadLetter, Epoch, Gap, Import, Meter, Register, Rollup
from storage.web.accounts import AdminLoginForm

admin.site.site_header = admin.site.site_title = "ticbridge"
admin.site.index_title = _("Administration")
admin.site.login_form = AdminLoginForm

if TYPE_CHECKING:  # generic to the type checker only
    _Paginator = Paginator[Any]
    _Admin = admin.ModelAdmin[Any]
else:
    _Paginator, _Admin = Paginator, admin.ModelAdmin


class _ShortCount(_Paginator):
    """Counts no further than anybody pages: a year of readings is twenty million rows."""

    most: ClassVar[int] = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list  # a query set, or the list of a filtered page
        return len(rows[: self.most].values_list("pk")) if hasattr(rows, "values_list") else len(rows)


class _ReadOnly(_Admin):
    show_full_result_count = False
    paginator = _ShortCount
    ordering = ("-pk",)  # the order of arrival; any other would sort the whole table

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Meter)
class MeterAdmin(EntityAdmin):
    """A meter makes itself known; its owner gives it a name."""

    list_display = ("meter_id", "name", "mode", "phases", "power", "timezone")
    readonly_fields = ("meter_id", "mode", "made", "phases", "power")

    @admin.display(description=_("maker, year, type"))
    def made(self, meter: Meter) -> str:
        """As its address tells; what it does not is left out."""
        made = meter.identity
        return "-" if made is None else ", ".join(filter(None, (made.maker, str(made.year), made.model or made.code)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Meter | None = None) -> bool:
        return False  # it would take millions of readings with it, one by one


@admin.register(Data)
class DataAdmin(_ReadOnly):
    """Readings."""

    list_display = ("at", "meter", "sinsts", "ltarf", "east", "seq")
    list_filter = ("meter",)
    list_select_related = ("meter",)

    @admin.display(description=_("received"))
    def at(self, reading: Data) -> str:
        """To the second: readings come closer than a minute apart."""
        return date_format(timezone.localtime(reading.dateTime), "j N Y H:i:s")


@admin.register(Epoch)
class EpochAdmin(_ReadOnly):
    """Starts of bridges."""

    list_display = ("meter", "bridge", "uuid", "handled", "floor")
    list_filter = ("meter",)
    list_select_related = ("meter",)


@admin.register(Gap)
class GapAdmin(_ReadOnly):
    """What is missing, and since when that is known."""

    list_display = ("noticed", "reason", "epoch", "first", "last", "begins", "ends")
    list_select_related = ("epoch__meter",)


@admin.register(Register)
class RegisterAdmin(_ReadOnly):
    """The newest indexes."""

    list_display = ("meter", "name", "value", "at")
    list_filter = ("meter",)
    list_select_related = ("meter",)


@admin.register(Rollup)
class RollupAdmin(_ReadOnly):
    """Minutes, hours, days."""

    list_display = ("start", "meter", "step", "origin", "east", "eait", "sinsts_max", "readings", "estimated")
    list_filter = ("meter", "step", "origin")
    list_select_related = ("meter",)


@admin.register(Import)
class ImportAdmin(_ReadOnly):
    """Files that were taken in."""

    list_display = ("made", "meter", "layout", "name", "rows", "begins", "ends")
    list_filter = ("meter",)
    list_select_related = ("meter",)


@admin.register(DeadLetter)
class DeadLetterAdmin(_ReadOnly):
    """Messages that could not become rows."""

    list_display = ("received", "topic", "reason", "seq")
    fields = ("received", "topic", "reason", "epoch", "seq", "text")
    readonly_fields = ("text",)

    @admin.display(description=_("message"))
    def text(self, letter: DeadLetter) -> str:
        """The message, as far as it is text."""
        return bytes(letter.body).decode(errors="replace")
