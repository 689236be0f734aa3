"""A file from the owner's computer: looked at, confirmed, taken in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from bridge.topics import is_level
from storage import queries
from storage.api.access import may
from storage.exchange.errors import ExchangeError
from storage.exchange.intake import MOST, BusyError, Job, State, Wish
from storage.models import Data
from storage.queries import zone_of
from storage.rights import rights_of
from storage.web.intake import intake, parts, refusal, title

_View = Callable[..., HttpResponse]


def may_import(request: HttpRequest) -> bool:
    """Whether somebody may add readings; of any meter, for a file may name another one than he thinks."""
    return may(request.user, "add", Data) and rights_of(request).is_whole


def importers_only(view: _View) -> _View:
    """403 for everybody else."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_import(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


class ImportForm(forms.Form):
    """A file, and what it cannot say itself."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("What your account at Enedis lets you download (CSV or XLSX), or the tutorial's db.sqlite3."),
    )
    meter = forms.CharField(label=_("Meter"), max_length=64)
    way = forms.ChoiceField(
        label=_("It holds"),
        required=False,
        choices=(
            ("", _("what the file says")), ("consumption", _("consumption")), ("production", _("production")),
        ),
    )  # fmt: skip
    clock = forms.ChoiceField(
        label=_("Its times are"),
        required=False,
        choices=(("", _("what the file says")), ("UTC", _("UTC")), ("LOCAL", _("local time"))),
        help_text=_("Of the tutorial's database alone, and only if it is asked for."),
    )

    def __init__(self, *args: Any, chosen: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(meter.meter_id, str(meter)) for meter in queries.meters()]
        if known:
            self.fields["meter"] = forms.ChoiceField(label=_("Meter"), choices=known, initial=chosen)
        else:
            self.fields["meter"].help_text = _("Its 12 digits: they stand on the meter, and on each bill.")

    def clean_meter(self) -> str:
        """A number, or the id of the configuration."""
        meter: str = self.cleaned_data["meter"]
        if not is_level(meter):
            raise forms.ValidationError(_("Expected the 12 digits of the meter."))
        return meter

    def clean_file(self) -> Any:  # Django's UploadedFile
        """Not too large."""
        sent = self.cleaned_data["file"]
        if sent.size > MOST:
            raise forms.ValidationError(too_large())
        return sent


def too_large() -> str:
    """Of a file for the command line."""
    text = gettext("The file has more than {most} MB. On the machine itself there is no limit: ticbridge import")
    return text.format(most=MOST // 2**20)


@importers_only
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Keep the file and begin to look at it."""
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "storage/import_form.html", {"form": form, "most": MOST}, status=400)
    sent = form.cleaned_data["file"]
    wish = Wish(
        form.cleaned_data["meter"], request.user.get_username(), form.cleaned_data["way"], form.cleaned_data["clock"]
    )
    try:
        job = intake().begin(sent.name, sent.chunks(), wish)
    except BusyError:
        messages.error(request, gettext("Another file is on its way: one at a time."))
        job_there = intake().current()
        return redirect("data") if job_there is None else redirect("data_import", job_there.number)
    except (ExchangeError, OSError) as error:
        messages.error(request, gettext("The file could not be kept: {why}").format(why=error))
        return redirect("data")
    return redirect("data_import", job.number)


@importers_only
@require_safe
@never_cache
def show(request: HttpRequest, number: str) -> HttpResponse:
    """Where the file stands, and what it holds."""
    job = _job(number)
    meter = queries.meters().filter(meter_id=job.wish.meter_id).first()
    zone = zone_of(meter.timezone if meter else "Europe/Paris")
    context = {
        "job": job, "title": title(job), "parts": parts(job, zone), "refusal": refusal(job),
        "whose": str(meter) if meter else job.wish.meter_id, "ready": job.state is State.READY,
        "stopped": job.state is State.STOPPED, "failed": job.state is State.FAILED,
        "script": {"state": reverse("data_import_state", args=[job.number]), "shown": job.state.value},
    }  # fmt: skip
    return render(request, "storage/import.html", context)


@importers_only
@require_safe
@never_cache
def state(request: HttpRequest, number: str) -> HttpResponse:
    """The same for the script."""
    job = _job(number)
    return JsonResponse({"state": job.state.value, "percent": job.percent})


@importers_only
@require_POST
def confirm(request: HttpRequest, number: str) -> HttpResponse:
    """Take it in."""
    try:
        intake().confirm(number)
    except BusyError:
        messages.error(request, gettext("This file is no longer there to be taken in: send it again."))
        return redirect("data")
    return redirect("data_import", number)


@importers_only
@require_POST
def discard(request: HttpRequest, number: str) -> HttpResponse:
    """Forget it."""
    if intake().discard(number):
        messages.success(request, gettext("The file is gone, and nothing of it was written."))
    else:
        messages.warning(request, gettext("Nothing was discarded: the file is being worked on, or gone already."))
    return redirect("data")


def _job(number: str) -> Job:
    job = intake().current()
    if job is None or job.number != number:
        raise Http404
    return job
