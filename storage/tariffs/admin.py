"""Offers, prices, contracts, what indexes mean, off-peak slots and Tempo days, for their owner to edit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.admin import MeterAdmin, ReadOnlyAdmin
from storage.buckets import zone_of
from storage.entities.admin import EntityAdmin, EntityTabularInline, PerishableEntityAdmin
from storage.entities.forms import CorrectingForm
from storage.models import Meter
from storage.tariffs.age import age_of
from storage.tariffs.models import (
    CalendarRule,
    Contract,
    DayCost,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    Origin,
    Period,
    TariffPrice,
    TempoDay,
)
from storage.tariffs.observing import USER
from storage.tariffs.seasons import may_be

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
    _Form = forms.ModelForm[Any]
else:
    _Admin, _Form = admin.ModelAdmin, forms.ModelForm

_ABOUT = frozenset({"source", "confidence", "checked_on"})  # of whom a price is known, and how well
_NOT_CONTENT = frozenset({"change_reason", "is_correction", "start_date", "end_date"})


class _PriceForm(_Form):
    """What the owner writes is his: it says no longer that it was shipped, nor who else told that amount."""

    def save(self, commit: bool = True) -> Any:
        """Sign it as the owner's first."""
        changed = set(self.changed_data)
        if changed - _NOT_CONTENT:
            self.instance.origin = Origin.USER
            if "amount" in changed and self.initial and not changed & _ABOUT:
                self.instance.source = self.instance.confidence = ""
                self.instance.checked_on = None
        return super().save(commit)


class _SignedPriceForm(_PriceForm, CorrectingForm):
    """The same, with a reason."""


class _NarrowInline(EntityTabularInline):
    """Of many columns, some of them short."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A code and an amount need little room."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name in ("period", "amount", "confidence"):
            field.widget.attrs["class"] = "vIntegerField"
        return field


class _PeriodInline(EntityTabularInline):
    model = Period
    fields = ("code", "name_fr", "name_en", "rank")
    ordering = ("rank",)


class _RuleInline(_NarrowInline):
    model = CalendarRule
    fields = ("rank", "period", "days", "hours", "begins", "ends", "season")
    ordering = ("rank",)


class _PriceInline(_NarrowInline):
    """Those that hold or will: the past has its own page, and hundreds of rows."""

    model = TariffPrice
    form = _PriceForm
    fields = (
        "kind", "period", "power", "amount", "taxed", "start_date", "end_date", "source", "confidence", "checked_on",
        "origin",
    )  # fmt: skip
    readonly_fields = ("origin",)
    ordering = ("kind", "period", "power", "start_date")
    verbose_name_plural = _("prices that hold now or will")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """As the class says."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(Q(end_date__isnull=True) | Q(end_date__gt=timezone.now()))


def warn_of_old_prices(request: HttpRequest, offers: Iterable[Offer]) -> None:
    """Say on the page which offers await a revision that is not known here."""
    old = [f"{offer} ({age})" for offer in offers if (age := age_of(offer)) is not None and age.is_overdue]
    if old:
        text = gettext("Prices may be out of date. Enter the newer ones, or import the regulator's file: %(offers)s")
        messages.warning(request, text % {"offers": "; ".join(old)})


@admin.register(Offer)
class OfferAdmin(EntityAdmin):
    """An offer, its periods and prices on one page."""

    list_display = ("name", "supplier", "option", "origin", "age")
    list_filter = ("option", "origin")
    search_fields = ("name", "supplier", "code")
    readonly_fields = ("origin", "age")
    inlines = (_PeriodInline, _PriceInline, _RuleInline)

    @admin.display(description=_("age of its prices"))
    def age(self, offer: Offer) -> str:
        """In words."""
        return str(age_of(offer) or "-")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a warning of old prices."""
        if request.method == "GET":
            warn_of_old_prices(request, Offer.objects.order_by("name"))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """With a warning if this one's are old."""
        offer = kwargs.get("obj")
        if request.method == "GET" and offer is not None:
            warn_of_old_prices(request, [offer])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


@admin.register(TariffPrice)
class TariffPriceAdmin(PerishableEntityAdmin):
    """Every price that ever held, where it comes from and how sure it is."""

    form = _SignedPriceForm
    list_display = (
        "offer", "kind", "period", "power", "amount", "start_date", "end_date", "taxed", "source", "confidence",
        "checked_on", "origin",
    )  # fmt: skip
    list_filter = ("offer", "kind", "origin", "confidence")
    list_select_related = ("offer", "current_user")
    readonly_fields = ("origin",)
    ordering = ("offer", "kind", "period", "power", "-start_date")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a warning of old prices."""
        if request.method == "GET":
            warn_of_old_prices(request, Offer.objects.order_by("name"))
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response


@admin.register(Contract)
class ContractAdmin(PerishableEntityAdmin):
    """Contracts of meters."""

    list_display = ("meter", "direction", "offer", "power")
    list_filter = ("meter", "direction")
    list_select_related = ("meter", "offer", "current_user")
    ordering = ("meter", "direction", "-start_date")


class _ContractInline(EntityTabularInline):
    model = Contract
    fields = ("direction", "offer", "power", "start_date", "end_date")
    ordering = ("direction", "-start_date")


class _MeterAdmin(MeterAdmin):
    """With its contracts, of which the page of a meter knows nothing by itself."""

    inlines = (_ContractInline,)


admin.site.unregister(Meter)
admin.site.register(Meter, _MeterAdmin)


class _IndexPeriodForm(CorrectingForm):
    """Whoever confirms what an index counts says what it counted all along."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_correction"].initial = True


@admin.register(IndexPeriod)
class IndexPeriodAdmin(PerishableEntityAdmin):
    """What the indexes of meters count."""

    form = _IndexPeriodForm
    list_display = ("meter", "index", "label", "period", "is_confirmed")
    list_filter = ("meter", "is_confirmed")
    list_select_related = ("meter", "current_user")
    ordering = ("meter", "index", "-start_date")


@admin.register(OffPeakSlot)
class OffPeakSlotAdmin(PerishableEntityAdmin):
    """Off-peak hours of meters."""

    list_display = ("meter", "begins", "ends", "season")
    list_filter = ("meter", "season")
    list_select_related = ("meter", "current_user")
    ordering = ("meter", "season", "begins", "-start_date")


@admin.register(EventDay)
class EventDayAdmin(EntityAdmin):
    """Event days, learned from the meter or entered here."""

    list_display = ("day", "offer", "is_event", "source")
    list_filter = ("offer", "is_event", "source")
    list_select_related = ("offer", "current_user")
    date_hierarchy = "day"
    ordering = ("-day",)
    readonly_fields = ("source",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What is entered here comes from the owner."""
        if form.has_changed():
            obj.source = USER
        super().save_model(request, obj, form, change)


class _TempoDayForm(_Form):
    def clean(self) -> dict[str, Any] | None:
        """Refuse a colour that no such day has."""
        cleaned = super().clean()
        day, colour = self.cleaned_data.get("day"), self.cleaned_data.get("colour")
        if day and colour and not may_be(day, colour):
            raise ValidationError(
                {"colour": gettext("Red days are working days from November to March; Sundays are blue.")}
            )
        return cleaned


@admin.register(TempoDay)
class TempoDayAdmin(_Admin):
    """Colours, from the meter or entered here."""

    form = _TempoDayForm
    list_display = ("day", "colour", "source")
    list_filter = ("colour", "source")
    date_hierarchy = "day"
    ordering = ("-day",)
    fields: ClassVar[Any] = ("day", "colour")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """What is entered here comes from the owner."""
        assert isinstance(obj, TempoDay)
        if form.has_changed():
            obj.source = USER
        super().save_model(request, obj, form, change)


@admin.register(DayCost)
class DayCostAdmin(ReadOnlyAdmin):
    """What days cost, as far as it is known."""

    list_display = ("civil_day", "meter", "direction", "period", "wh", "eur", "estimated")
    list_filter = ("meter", "direction", "period", "estimated")
    list_select_related = ("meter",)
    ordering = ("-day", "meter", "direction", "period")

    @admin.display(description=_("day"), ordering="day")
    def civil_day(self, row: DayCost) -> str:
        """In the zone of the meter."""
        return date_format(row.day.astimezone(zone_of(row.meter.timezone)), "SHORT_DATE_FORMAT")

    @admin.display(description=_("EUR"), ordering="amount")
    def eur(self, row: DayCost) -> str:
        """To the hundredth of a cent; what is not known is no amount."""
        return "-" if row.amount is None else number_format(round(row.amount, 4), 4)
