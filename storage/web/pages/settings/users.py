"""Accounts: added by a link or a password, what each may do, switched off; and one's own password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from storage.rights import rights_of
from storage.web.accounts import login_link
from storage.web.limits import Limits, limits_of, told
from storage.web.pages.settings.asking import ask, owners_only, user_of
from storage.web.roles import Role, give, role_of


class UserForm(forms.Form):
    """A name, what it may do, and how it comes in the first time."""

    username = forms.CharField(
        label=_("Name"), max_length=150, validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip
    role = forms.ChoiceField(label=_("This account"), choices=Role.choices, initial=Role.LOOK)
    password = forms.CharField(
        label=_("Password"), required=False, strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("Empty: you get a link that logs in once; its user then chooses a password."),
    )  # fmt: skip

    def clean_username(self) -> str:
        """Nobody else's."""
        name = str(User.normalize_username(self.cleaned_data["username"]))
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("There is an account of this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        """A password that Django finds good enough."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("password"):
            try:
                validate_password(given["password"], User(username=given.get("username", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return given

    @transaction.atomic
    def create(self) -> User:
        """The account."""
        given = self.cleaned_data
        user = User.objects.create_user(given["username"], password=given["password"] or None)
        give(user, Role(given["role"]))
        return user


@owners_only
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def users(request: HttpRequest) -> HttpResponse:
    """Those that there are, and a new one."""
    form = UserForm(request.POST or None)
    if form.is_valid():
        user = form.create()
        if not user.has_usable_password():
            return _link(request, user)
        messages.success(request, gettext("The account {name} was made.").format(name=user))
        return redirect("settings_users")
    rows = User.objects.order_by("-is_active", "username").prefetch_related("groups")
    seen = told("user")
    shown = [
        {"row": user, "role": _role(user), "seen": "" if user.is_superuser else seen.get(user.pk, ""),
         "is_self": user == request.user}
        for user in rows
    ]  # fmt: skip
    return render(request, "storage/settings/users.html", {"form": form, "users": shown})


def _role(user: User) -> str:
    role = role_of(user)
    return gettext("permissions given under Administration") if role is None else str(role.label)


class RoleForm(Limits):
    """What an account may do from now on."""

    role = forms.ChoiceField(label=_("This account"), choices=Role.choices)
    field_order = ("role",)


@owners_only
@require_http_methods(["GET", "HEAD", "POST"])
def user(request: HttpRequest, key: int) -> HttpResponse:
    """What one may do."""
    row = get_object_or_404(User, pk=key)
    given = {"role": role_of(row), **limits_of(user=row)}
    form = RoleForm(request.POST or None, initial=given, rights=rights_of(request))
    if form.is_valid():
        role = Role(form.cleaned_data["role"])
        if row == request.user and role is not Role.OWNER:
            messages.error(request, gettext("You cannot take your own rights away: another owner can."))
        else:
            give(row, role)
            form.limit(request.user, user=row)
            messages.success(request, gettext("{name}: {role}.").format(name=row, role=role.label))
        return redirect("settings_users")
    return render(request, "storage/settings/user.html", {"form": form, "row": row, "is_self": row == request.user})


@owners_only
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, key: int) -> HttpResponse:
    """Off, which is asked once more, or on again."""
    row = get_object_or_404(User, pk=key)
    if row == request.user:
        messages.error(request, gettext("You cannot switch your own account off: another owner can."))
        return redirect("settings_users")
    if request.method == "POST":
        row.is_active = not row.is_active
        row.save(update_fields=["is_active"])
        text = gettext("{name} may come in again.") if row.is_active else gettext("{name} may not come in any more.")
        messages.success(request, text.format(name=row))
        return redirect("settings_users")
    if not row.is_active:
        return ask(
            request, gettext("Let {name} in again?").format(name=row), gettext("With the rights of before."),
            gettext("Let in"), reverse("settings_users"),
        )  # fmt: skip
    return ask(
        request, gettext("Switch {name} off?").format(name=row),
        gettext("The account is logged out, and its tokens open nothing. What it did stays in history."),
        gettext("Switch off"), reverse("settings_users"),
    )  # fmt: skip


@owners_only
@never_cache
@require_POST
def link(request: HttpRequest, key: int) -> HttpResponse:
    """A link that logs an account in, once."""
    return _link(request, get_object_or_404(User, pk=key, is_active=True))


def _link(request: HttpRequest, row: User) -> HttpResponse:
    context = {"row": row, "link": request.build_absolute_uri(login_link(row))}
    return render(request, "storage/settings/link_shown.html", context)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """One's own; who came by a link has no old one to give."""
    me = user_of(request)
    kind = PasswordChangeForm if me.has_usable_password() else SetPasswordForm
    form = kind(me, request.POST or None)
    if form.is_valid():
        form.save()
        update_session_auth_hash(request, me)
        messages.success(request, gettext("Your password is changed; other browsers are logged out."))
        return redirect("settings")
    return render(request, "storage/settings/password.html", {"form": form})
