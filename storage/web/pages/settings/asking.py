"""A step that cannot be taken back is asked once more, on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_View = Callable[..., HttpResponse]


def ask(request: HttpRequest, question: str, consequence: str, answer: str, back: str) -> HttpResponse:
    """The page; it posts to its own address."""
    context = {"question": question, "consequence": consequence, "answer": answer, "back": back}
    return render(request, "storage/settings/ask.html", context)


def user_of(request: HttpRequest) -> User:
    """Who is logged in: the middleware lets nobody else in."""
    return cast(User, request.user)


def allowed(may: Callable[[User], bool]) -> Callable[[_View], _View]:
    """403 for everybody else."""

    def guarded(view: _View) -> _View:
        @wraps(view)
        def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(user_of(request)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guard

    return guarded


def is_owner(user: User) -> bool:
    """Whether he may do everything."""
    return user.is_superuser


owners_only = allowed(is_owner)
