"""Light or dark: as the system says, unless this browser was told otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

SYSTEM: Final = "system"
_THEMES: Final = (SYSTEM, "light", "dark")
_COOKIE: Final = "theme"
_LIFE: Final = timedelta(days=365)


def theme_of(request: HttpRequest) -> str:
    """`system`, `light` or `dark`."""
    said = request.COOKIES.get(_COOKIE, SYSTEM)
    return said if said in _THEMES else SYSTEM


@login_not_required  # the login page has the switch, too
@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember it in this browser, and go back to `next`."""
    wanted = request.POST.get("theme")
    if wanted not in _THEMES:
        return HttpResponseBadRequest("theme: expected system, light or dark\n", content_type="text/plain")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = redirect(back if safe else "now")
    response.set_cookie(
        _COOKIE, wanted, max_age=_LIFE, samesite="Lax", httponly=True, secure=settings.SESSION_COOKIE_SECURE
    )
    return response
