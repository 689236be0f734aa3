"""The administration of entities: signed, dated, with validity and history; and of the tables that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from storage.entities.acting import acting
from storage.entities.admin_history import HistoryAdmin
from storage.entities.bases import CommonModel, Entity
from storage.entities.forms import CorrectingForm, SignedForm
from storage.entities.metadata import Metadata
from storage.entities.perishable import PerishableEntity
from storage.entities.preferences import GroupMetadata, UserMetadata

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
    _Tabular = admin.TabularInline[Any, Any]
    _Stacked = admin.StackedInline[Any, Any]
    _Inline = admin.options.InlineModelAdmin[Any, Any]
else:
    _Admin, _Tabular, _Stacked = admin.ModelAdmin, admin.TabularInline, admin.StackedInline
    _Inline = object

DATES = ("creation_date", "modification_date")


class CommonAdmin(_Admin):
    """Dates and author shown and never edited, dates filterable, metadata shown; whoever saves is the author."""

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> Any:  # Django's own types are longer than these lines
        """With what the program fills in, once there is something."""
        own = () if obj is None else (*DATES, "current_user", "uuid", "metadata_shown")
        return (*super().get_readonly_fields(request, obj), *own)

    def get_list_display(self, request: HttpRequest) -> Any:  # Django's own types are longer than these lines
        """With who changed it, and when."""
        return (*super().get_list_display(request), "modification_date", "current_user")

    def get_list_filter(self, request: HttpRequest) -> Any:  # Django's own types are longer than these lines
        """By date too."""
        return (*super().get_list_filter(request), *DATES)

    @admin.display(description=_("metadata"))
    def metadata_shown(self, obj: Any) -> str:
        """Key and value, line by line."""
        return format_html_join("\n", "<div>{}: {}</div>", obj.get_metadata().items()) or "-"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the user of the request, for the reason that the form says."""
        with acting(request.user, getattr(form, "given_reason", None)):
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Links and inlines likewise."""
        with acting(request.user, getattr(form, "given_reason", None)):
            super().save_related(request, form, formsets, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """As the user of the request."""
        with acting(request.user):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """As the user of the request."""
        with acting(request.user):
            super().delete_queryset(request, queryset)


class EntityAdmin(CommonAdmin, HistoryAdmin):  # type: ignore[misc]  # simple-history has no types
    """With a reason for each change, history and restore."""

    form = SignedForm


class ValidFilter(admin.SimpleListFilter):
    """Versions that hold now, or those that do not."""

    title = _("validity")
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices beside "all"."""
        return [("1", _("valid now")), ("0", _("not valid now"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any] | None:
        """The rows of a choice."""
        valid = {"1": True, "0": False}.get(self.value() or "")
        return None if valid is None else queryset.select_valid(valid=valid)


class PerishableEntityAdmin(EntityAdmin):
    """A save makes a version, a deletion closes it."""

    form = CorrectingForm

    def get_list_display(self, request: HttpRequest) -> Any:  # Django's own types are longer than these lines
        """With the time of validity."""
        first, *others = super().get_list_display(request)
        return (first, *(name for name in ("start_date", "end_date") if name not in others), *others)

    def get_list_filter(self, request: HttpRequest) -> Any:  # Django's own types are longer than these lines
        """By validity too."""
        return (ValidFilter, "start_date", "end_date", *super().get_list_filter(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Nothing goes with it: it is only closed."""
        may = all(self.has_delete_permission(request, obj) for obj in objs)
        told = [_("%(version)s: ends now and is kept") % {"version": obj} for obj in objs]
        return told, {self.opts.verbose_name_plural: len(told)}, set() if may else {self.opts.verbose_name}, []


class _CommonInline(_Inline):
    extra = 0
    show_change_link = True

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> Any:  # Django's own types are longer than these lines
        return (*super().get_readonly_fields(request, obj), "modification_date", "current_user")


class EntityTabularInline(_CommonInline, _Tabular):
    """Entities as rows of their owner's page; perishable ones make versions there too."""


class EntityStackedInline(_CommonInline, _Stacked):
    """Entities as boxes of their owner's page."""


def create_admin(*models: type[Model], site: admin.AdminSite = admin.site, **options: Any) -> list[type[Any]]:
    """Register each model with the class that fits it; the options become attributes of the classes made."""
    made = []
    for model in models:
        kind: type[Any] = type(f"{model.__name__}Admin", (_fitting(model),), options)
        site.register(model, kind)
        made.append(kind)
    return made


def _fitting(model: type[Model]) -> type[Any]:
    fitting = ((PerishableEntity, PerishableEntityAdmin), (Entity, EntityAdmin), (CommonModel, CommonAdmin))
    return next((kind for base, kind in fitting if issubclass(model, base)), admin.ModelAdmin)


@admin.register(Metadata)
class MetadataAdmin(_Admin):
    """Notes on objects of any kind."""

    list_display = ("key", "value", "content_type", "object_id", "expires")
    list_filter = ("content_type", "expires")
    search_fields = ("key", "object_id")
    list_select_related = ("content_type",)


@admin.register(UserMetadata)
class UserMetadataAdmin(_Admin):
    """Preferences of users."""

    list_display = ("user",)


@admin.register(GroupMetadata)
class GroupMetadataAdmin(_Admin):
    """Defaults of groups."""

    list_display = ("group",)
