"""The history pages of the administration, with buttons that restore."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from simple_history.admin import SimpleHistoryAdmin

MOST_DELETED = 200  # shown, the newest first


class HistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # simple-history has no types
    """simple-history's pages. Its own way back writes no note of where the values came from, so ours replaces it."""

    object_history_list_template = "entities/history_list.html"
    change_list_template = "entities/change_list.html"

    def get_urls(self) -> list[Any]:
        """With the pages that restore."""
        view, info = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("deleted/", view(self.deleted_view), name=f"{info}_deleted"),
            path("<path:object_id>/restore/<int:history_id>/", view(self.restore_view), name=f"{info}_restore"),
            *super().get_urls(),
        ]

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """Always: see the class."""
        return True

    def history_view_title(self, request: HttpRequest, obj: Any) -> str:
        """The library's own is no French sentence."""
        return str(_("History: %s") % obj)

    def history_form_view(self, request: HttpRequest, object_id: str, version_id: str, **given: Any) -> HttpResponse:
        """A version, to be looked at. The library would save what is posted here, even by one who may only view."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response: HttpResponse = super().history_form_view(request, object_id, version_id, **given)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The versions, each with its differences and, for those who may, its button."""
        key = unquote(object_id)
        context = {"may_restore": self._may_restore(request, self._living(key)), **(extra_context or {})}
        response: HttpResponse = super().history_view(request, object_id, context)
        return response

    def restore_view(self, request: HttpRequest, object_id: str, history_id: int) -> HttpResponse:
        """Restore one version, or undo that."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = unquote(object_id)
        if not self._may_restore(request, self._living(key)):
            raise PermissionDenied
        record = self.model.history.filter(history_id=history_id).first()
        if record is None or str(record.entity_pk) != key:
            raise Http404
        rollback = "rollback" in request.POST
        try:
            record.restore(rollback=rollback, _current_user=request.user)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            done = _("The restore was undone.") if rollback else _("The version was restored.")
            self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(self._page("history", object_id))

    def deleted_view(self, request: HttpRequest) -> HttpResponse:
        """What was deleted and can be restored."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        pk = self.opts.pk.attname
        gone = self.model.history.filter(history_type="-")
        gone = gone.exclude(**{f"{pk}__in": self.model._base_manager.values("pk")}).order_by("-history_id")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Deleted: %s") % self.opts.verbose_name_plural,
            "opts": self.opts,
            "records": [
                (record, self._page("history", record.entity_pk), self._page("restore", record.entity_pk, record.pk))
                for record in gone[:MOST_DELETED]
            ],
            "may_restore": self._may_restore(request, None),
        }
        return TemplateResponse(request, "entities/deleted.html", context)

    def _living(self, key: str) -> Any:
        try:
            return self.model._base_manager.filter(pk=key).first()
        except ValueError:  # no key of this model
            raise Http404 from None

    def _may_restore(self, request: HttpRequest, living: Any) -> bool:
        """A change of what is there, an addition of what is deleted."""
        if living is None:
            return bool(self.has_add_permission(request))
        return bool(self.has_change_permission(request, living))

    def _page(self, name: str, *arguments: Any) -> str:
        view = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{name}"
        return reverse(view, args=arguments)
