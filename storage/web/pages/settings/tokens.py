"""Keys of programs: made, shown once, revoked."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from storage.api.access import may
from storage.rights import rights_of
from storage.tokens.models import Scope, Token
from storage.web.limits import Limits, told
from storage.web.pages.settings.asking import allowed, ask, user_of

users_only = allowed(lambda user: may(user, "add", Token))


class TokenForm(Limits):
    """What for, what it may do, until when."""

    name = forms.CharField(label=_("What for"), max_length=80, help_text=_("Such as Grafana."))
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.HISTORY]
    )
    expires = forms.DateField(
        label=_("Valid until, included"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Empty: until it is revoked."),
    )  # fmt: skip

    field_order = ("name", "scopes", "expires")

    def clean_expires(self) -> datetime | None:
        """The end of that day."""
        day = self.cleaned_data["expires"]
        if day is None:
            return None
        if day < timezone.localdate():
            raise forms.ValidationError(_("This day is over."))
        return timezone.make_aware(datetime.combine(day, time.max))


@users_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def tokens(request: HttpRequest) -> HttpResponse:
    """Those that there are, and a new one; its text is shown here and never again."""
    form = TokenForm(request.POST or None, rights=rights_of(request))
    if form.is_valid():
        given = form.cleaned_data
        with transaction.atomic():  # it is never there without its limit
            token, text = Token.issue(request.user, given["name"], given["scopes"], given["expires"])
            form.limit(request.user, token=token)
        return render(request, "storage/settings/token_shown.html", {"token": token, "text": text})
    seen = told("token")
    context = {"form": form, "tokens": [{**_shown(one), "seen": seen.get(one.pk, "")} for one in _visible(request)]}
    return render(request, "storage/settings/tokens.html", context)


@users_only
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, key: int) -> HttpResponse:
    """At once, and for ever."""
    token = get_object_or_404(_visible(request), pk=key)
    if request.method == "POST":
        _visible(request).filter(pk=key, revoked__isnull=True).update(revoked=timezone.now())
        messages.success(request, gettext("The token “{name}” opens nothing any more.").format(name=token))
        return redirect("settings_tokens")
    return ask(
        request,
        gettext("Revoke the token “{name}”?").format(name=token),
        gettext("Programs that use it are refused at once. It cannot be brought back."),
        gettext("Revoke it"),
        reverse("settings_tokens"),
    )


def _visible(request: HttpRequest) -> QuerySet[Token]:
    """One's own; an owner sees all."""
    rows = Token.objects.select_related("user").order_by("revoked", "-pk")
    user = user_of(request)
    return rows if user.is_superuser else rows.filter(user=user)


def _shown(token: Token) -> dict[str, Any]:
    return {
        "row": token,
        "scopes": ", ".join(str(scope.label) for scope in Scope if scope in token.scopes),
        "is_valid": token.is_valid(timezone.now()),
    }
