"""Tokens: made, shown once, revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.tokens.models import Scope, Token

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
    _Form = forms.ModelForm[Token]
else:
    _Admin, _Form = admin.ModelAdmin, forms.ModelForm


class TokenForm(_Form):
    """Scopes to tick."""

    scopes = forms.MultipleChoiceField(label=_("scopes"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Token
        fields = ("user", "name", "scopes", "expires")


@admin.register(Token)
class TokenAdmin(_Admin):
    """Each sees and makes tokens of his own; those of others are for superusers, for a token may what its owner may."""

    form = TokenForm
    list_display = ("name", "user", "prefix", "scope_names", "last_used", "expires", "revoked")
    list_filter = ("revoked", "expires")
    list_select_related = ("user",)
    ordering = ("-pk",)
    actions = ("revoke",)

    @admin.display(description=_("scopes"))
    def scope_names(self, token: Token) -> str:
        """In words."""
        return ", ".join(str(scope.label) for scope in Scope if scope in token.scopes)

    @admin.action(description=_("Revoke"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        """At once, and for ever."""
        number = queryset.filter(revoked__isnull=True).update(revoked=timezone.now())
        messages.success(request, gettext("Tokens revoked: %(number)d") % {"number": number})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Token]:
        """As the class says."""
        rows: QuerySet[Token] = super().get_queryset(request)
        assert request.user.is_authenticated, "the administration lets nobody else in"
        return rows if _is_superuser(request) else rows.filter(user=request.user)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:  # Django's own types are longer
        """Fewer for a new one."""
        if obj is not None:
            return ("name", "user", "prefix", "scope_names", "created", "expires", "revoked", "last_used")
        return ("user", "name", "scopes", "expires") if _is_superuser(request) else ("name", "scopes", "expires")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """One's own, as a rule."""
        return {"user": request.user.pk}

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        """With its secret, for the page that follows."""
        assert request.user.is_authenticated, "as above"
        if not _is_superuser(request):
            obj.user = request.user
        form.text = obj.draw()
        super().save_model(request, obj, form, change)
        request.new_token = form.text  # type: ignore[attr-defined]  # for response_add, and gone with the request

    def response_add(self, request: HttpRequest, obj: Token, post_url_continue: str | None = None) -> HttpResponse:
        """Show it, here and never again: not in a message, which would wait in a cookie or in the database."""
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("The new token"),
            "opts": self.opts,
            "token": obj,
            "text": request.new_token,  # type: ignore[attr-defined]  # as above
        }
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, "tokens/shown.html", context, headers=headers)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
