"""The page Settings: what there is to set, meters' names, and the configuration to look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from pydantic import BaseModel, SecretStr

from bridge.config import CONFIG_VARIABLE
from storage.api.access import may
from storage.entities.acting import acting
from storage.groups import MeterGroup, Tree
from storage.models import Meter
from storage.rights import may_write, rights_of
from storage.tokens.models import Token
from storage.web.frame import FEW
from storage.web.pages.settings.asking import allowed, user_of

MASKED: Final = "••••••"
_SECRET: Final = ("password", "token", "secret")


@require_safe
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """What there is to set."""
    user = user_of(request)
    own = list(rights_of(request).meters()[: FEW + 1])
    context = {
        "meters": own if len(own) <= FEW else own[:0],
        "many": len(own) > FEW,
        "may_group": (len(own) > 1 or bool(Tree.read().nodes)) and may_write(request, "add", MeterGroup),
        "may_name": may_write(request, "change", Meter),
        "may_tokens": may(user, "add", Token),
        "is_owner": user.is_superuser,
        "is_staff": user.is_staff and rights_of(request).is_whole,
    }
    return render(request, "storage/settings/overview.html", context)


# --- meters --------------------------------------------------------------------------------------


class MeterForm(forms.Form):
    """What a meter is called, and where it stands in lists."""

    name = forms.CharField(
        label=_("Name"), max_length=64, required=False, help_text=_("Such as Home or Workshop; empty: its number.")
    )
    position = forms.IntegerField(
        label=_("Place in lists"), min_value=0, max_value=999, help_text=_("The lowest is first, and shown first.")
    )


@require_http_methods(["GET", "HEAD", "POST"])
def meter(request: HttpRequest, meter_id: str) -> HttpResponse:
    """Name and place of one."""
    if not may_write(request, "change", Meter):
        raise PermissionDenied
    row = rights_of(request).meters().filter(meter_id=meter_id).first()
    if row is None:
        return render(request, "storage/no_meter.html", {"meter": meter_id}, status=404)
    form = MeterForm(request.POST or None, initial={"name": row.name, "position": row.position})
    if form.is_valid():
        before = str(row)
        row.name, row.position = form.cleaned_data["name"], form.cleaned_data["position"]
        if form.changed_data:
            with acting(request.user):
                row.save(update_fields=["name", "position"])
        messages.success(request, _meter_changed(form.changed_data, before, row))
        return redirect("settings")
    return render(request, "storage/settings/meter.html", {"form": form, "meter": row})


def _meter_changed(changed: list[str], before: str, row: Meter) -> str:
    if not changed:
        return gettext("Nothing was changed.")
    parts = []
    if "name" in changed:
        parts.append(gettext("{before} is called {name} now.").format(before=before, name=row))
    if "position" in changed:
        parts.append(gettext("{name} has place {place} in lists.").format(name=row, place=row.position))
    return " ".join(parts)


# --- the configuration ---------------------------------------------------------------------------


class Line(NamedTuple):
    """An option and its value."""

    key: str
    value: str


@require_safe
@never_cache
@allowed(lambda user: user.is_staff)
def configuration(request: HttpRequest) -> HttpResponse:
    """config.yaml as it is in force, without secrets."""
    if not rights_of(request).is_whole:
        raise PermissionDenied  # it names meters
    sections = [
        (name, list(_lines(name, getattr(settings.TICBRIDGE, name)))) for name in type(settings.TICBRIDGE).model_fields
    ]
    context = {"sections": sections, "file": os.environ.get(CONFIG_VARIABLE)}
    return render(request, "storage/settings/configuration.html", context)


def _lines(key: str, value: Any) -> Iterator[Line]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _lines(f"{key}.{name}", getattr(value, name))
    elif isinstance(value, list | tuple) and any(isinstance(one, BaseModel) for one in value):
        for number, one in enumerate(value):
            yield from _lines(f"{key}[{number}]", one)
    elif isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _lines(f"{key}.{name}", one)
    else:
        yield Line(key, shown(key.rpartition(".")[2], value))


def shown(name: str, value: Any) -> str:
    """A value as it may be seen; a file's name is no secret, what stands in it is."""
    if value is None or value == "":
        return "–"
    is_secret = any(word in name for word in _SECRET) and not name.endswith("_file")
    if isinstance(value, SecretStr) or is_secret:
        return MASKED
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return _without_password(str(value))


def _without_password(text: str) -> str:
    """Addresses may bear one: scheme://user:password@host, ?password=."""
    scheme, found, rest = text.partition("://")
    if not found:
        return text
    user, at, host = rest.rpartition("@")
    if at and ":" in user:
        user = f"{user.partition(':')[0]}:{MASKED}"
    address, mark, query = f"{scheme}://{user}{at}{host}".partition("?")
    pairs = [f"{key}={MASKED}" if any(word in key.lower() for word in _SECRET) else f"{key}={value}"
             for key, _, value in (pair.partition("=") for pair in query.split("&"))] if mark else []  # fmt: skip
    return f"{address}{mark}{'&'.join(pairs)}"
