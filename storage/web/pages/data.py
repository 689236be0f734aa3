"""What is kept, what is missing, and the ways in and out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from storage import queries
from storage.api.access import may
from storage.exchange.intake import MOST
from storage.models import Data
from storage.operations.views import fleet_of
from storage.rights import rights_of
from storage.web.coverage import silences, strip
from storage.web.frame import Choice, look, no_meter
from storage.web.intake import intake, title
from storage.web.pages.imports import ImportForm, may_import
from storage.web.room import dump_line, kept, room, spools

_SHOWN = 50  # silences of the list; the others are asked for


class ExportForm(forms.Form):
    """What to save, as what."""

    step = forms.ChoiceField(
        label=_("What"), initial="hour",
        choices=(
            ("raw", _("readings")), ("minute", _("minutes")), ("hour", _("hours")), ("day", _("days")),
        ),
    )  # fmt: skip
    begins = forms.DateField(label=_("From"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    ends = forms.DateField(
        label=_("Until, included"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"), required=False
    )
    file = forms.ChoiceField(
        label=_("Format"),
        choices=(
            ("csv", _("CSV")), ("french", _("CSV for a French spreadsheet")), ("jsonl", _("JSON lines, for programs")),
        ),
    )  # fmt: skip
    meter = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def clean(self) -> dict[str, Any]:
        """Not backwards."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("begins") and given.get("ends") and given["ends"] < given["begins"]:
            self.add_error("ends", _("It ends before it begins."))
        return given

    def address(self) -> str:
        """Where the API gives it out."""
        given = self.cleaned_data
        asked = {"meter": given["meter"], "step": given["step"], "from": given["begins"].isoformat()}
        if given["ends"]:
            asked["to"] = given["ends"].isoformat()
        asked |= {"file": "csv", "excel_fr": "true"} if given["file"] == "french" else {"file": given["file"]}
        return f"{reverse('answer-export')}?{urlencode(asked)}"


@require_safe
@never_cache
def data(request: HttpRequest) -> HttpResponse:
    """Gaps, imports, exports, backup, and what is kept."""
    chosen = look(request).chosen
    if chosen is None and look(request).wanted is not None:
        return no_meter(request)
    return _page(request, chosen, _export_form(chosen))


@require_safe
@never_cache
def export(request: HttpRequest) -> HttpResponse:
    """To the file, or back to what is wrong with the question."""
    if not may(request.user, "view", Data):
        raise PermissionDenied
    form = ExportForm(request.GET)
    if form.is_valid() and rights_of(request).meters().filter(meter_id=form.cleaned_data["meter"]).exists():
        return redirect(form.address())
    return _page(request, look(request).chosen, form, status=400)


def _export_form(chosen: Choice | None) -> ExportForm:
    first = timezone.localdate().replace(day=1)
    return ExportForm(initial={"begins": first, "meter": chosen.meter_id if chosen else ""})


def _page(request: HttpRequest, chosen: Choice | None, form: ExportForm, status: int = 200) -> HttpResponse:
    now, meter = timezone.now(), chosen.row if chosen else None
    quiet = silences(meter, now) if meter else []
    job = intake().current() if may_import(request) else None
    storage = settings.TICBRIDGE.storage
    context = {
        "meter": meter,
        "strip": strip(meter, now) if meter else None,
        "quiet": quiet[:_SHOWN],
        "more": quiet[_SHOWN:],
        "job": job,
        "job_title": title(job) if job else "",
        "imports": queries.imports(meter)[:20] if meter else [],
        "import_form": ImportForm(chosen=chosen.meter_id if chosen else "") if may_import(request) else None,
        "most": MOST,
        "export_form": form if meter and may(request.user, "view", Data) else None,
        "may_back_up": getattr(request.user, "is_superuser", False),
        "dump": dump_line(),
        "room": room(storage, now),
        "kept": kept(storage.keep),
        "spools": spools(fleet_of(request)),
    }
    return render(request, "storage/data.html", context, status=status)
