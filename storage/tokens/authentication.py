"""From a request to its token: for the REST framework, and for views of Django's own."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission

from storage.tokens.models import KIND, Scope, Token, digest_of

_WORDS: Final = ("bearer", "token")
_PREFIX: Final = re.compile(r"[0-9a-f]{12}")
_UNKNOWN: Final = "0" * 64  # what is compared when nothing is found, so that it takes as long


class TokenError(Exception):
    """A token was given, and it opens nothing."""


def find_token(request: HttpRequest) -> Token | None:
    """The token of the Authorization header; None without one, TokenError with one that will not do.

    Looked up once for each request, whoever asks.
    """
    state: Any = request  # it has no such attribute of its own
    if not hasattr(state, "_token"):
        state._token = _looked_up(request.META.get("HTTP_AUTHORIZATION", ""))
    found: Token | TokenError | None = state._token
    if isinstance(found, TokenError):
        raise found
    return found


def _looked_up(header: str) -> Token | TokenError | None:
    word, _, text = header.partition(" ")
    if word.lower() not in _WORDS:
        return None
    kind, _, rest = text.strip().partition("_")
    prefix, _, secret = rest.partition("_")
    now = timezone.now()
    known = Token.objects.select_related("user").filter(prefix=prefix)
    token = known.first() if kind == KIND and _PREFIX.fullmatch(prefix) else None
    is_it = secrets.compare_digest(digest_of(secret), token.digest if token else _UNKNOWN)
    if token is None or not is_it or not token.is_valid(now):
        return TokenError(gettext("This token opens nothing: it is unknown, revoked or over."))
    token.note_use(now)
    return token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ...`, or `Token ...`. `request.auth` is the token, `request.user` its owner."""

    def authenticate(self, request: Any) -> tuple[Any, Token] | None:  # the REST framework's request
        """As the framework wants it."""
        try:
            token = find_token(request._request)
        except TokenError as error:
            raise AuthenticationFailed(str(error)) from None
        return None if token is None else (token.user, token)

    def authenticate_header(self, request: Any) -> str:  # as above
        """It makes the answer a 401."""
        return "Bearer"


class HasScope(BasePermission):
    """What a token may do: to read, the view's `read_scope` (`history`), to change something its `write_scope`.

    Who comes with a session has no scopes: other permissions decide.
    """

    def has_permission(self, request: Any, view: Any) -> bool:  # as above
        """As the framework wants it."""
        if not isinstance(request.auth, Token):
            return True
        if request.method in SAFE_METHODS:
            return request.auth.allows(getattr(view, "read_scope", Scope.HISTORY))
        return request.auth.allows(getattr(view, "write_scope", Scope.WRITE))


_View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def token_or_login(scope: Scope) -> Callable[[_View], _View]:
    """For an asynchronous view that only reads: let in who is logged in, and programs whose token has the scope."""

    def guarded(view: _View) -> _View:
        @login_not_required
        @wraps(view)
        async def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                token = await sync_to_async(find_token)(request)
            except TokenError as error:
                return _refused(401, str(error))
            if token is None and not (await request.auser()).is_authenticated:
                return redirect_to_login(request.get_full_path())
            if token is not None:
                if not token.allows(scope):
                    return _refused(403, gettext("This token may not do that: it lacks the scope “%s”.") % scope.label)
                request.user = token.user
            return await view(request, *args, **kwargs)

        return guard

    return guarded


def _refused(status: int, sentence: str) -> HttpResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8", headers=headers)
