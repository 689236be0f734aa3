"""Counts calls, and refuses those beyond a limit before the view is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext

from storage.tokens.authentication import TokenError, find_token
from storage.tokens.client import get_client_ip
from storage.usage.limits import Verdict, take
from storage.usage.tally import Caller, Tally

_SECOND: Final = timedelta(seconds=1)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")  # shorter than any token, should one stand in its place


class UsageMiddleware(MiddlewareMixin):
    """Behind those that know the user. Settings: SERVICE_USAGE, SERVICE_USAGE_LOG_DATA, SERVICE_USAGE_LIMIT_ONLY."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        super().__init__(get_response)
        self._tally = Tally()

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:  # Django's own signature
        """None: the view is asked."""
        caller = caller_of(request) if settings.SERVICE_USAGE else None
        route = route_of(request)
        if caller is None or route is None:
            return None
        address, now = get_client_ip(request) or None, timezone.now()
        verdict = take(caller.key, route, address, now)
        if verdict.is_refused:
            return _refused(verdict)
        names = names_of(request) if settings.SERVICE_USAGE_LOG_DATA else Counter[str]()
        if not verdict.is_limited and not settings.SERVICE_USAGE_LIMIT_ONLY:
            self._tally.add(caller, route, address, names, now)
        elif verdict.is_limited and names:
            self._tally.add(caller, route, address, names, now, number=0)
        return None


def caller_of(request: HttpRequest) -> Caller | None:
    """A token, else the user of the session; None for those who are nobody, and get nothing either."""
    try:
        token = find_token(request)
    except TokenError:
        return None
    if token is not None:
        return Caller(None, token.pk)
    user = request.user
    return Caller(user.pk, None) if user.is_authenticated else None


def route_of(request: HttpRequest) -> str | None:
    """The name of what is called, never the address itself: it holds what was asked for."""
    match = request.resolver_match
    return None if match is None else (match.view_name or match.route)[:200]


def names_of(request: HttpRequest) -> Counter[str]:
    """Names of parameters, never their values: some of those are secrets, and nobody knows which."""
    sent = [*request.GET, *(request.resolver_match.kwargs if request.resolver_match else ())]
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        sent += request.POST
    return Counter(name for name in sent if _NAME.fullmatch(name))


def _refused(verdict: Verdict) -> HttpResponse:
    response = JsonResponse({"detail": gettext("Too many calls: the limit is reached.")}, status=429)
    if verdict.wait is not None:
        response.headers["Retry-After"] = str(max(1, -(-verdict.wait // _SECOND)))
    return response
