"""Ways in: the first account by a link that the terminal shows, and a login link for an account that exists."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, UserCreationForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import LoginView
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import TextInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from storage.web.pages.welcome import after_login

if TYPE_CHECKING:  # generic to the type checker only
    _CreationForm = UserCreationForm[User]
else:
    _CreationForm = UserCreationForm

START_LIFE: Final = timedelta(minutes=15)

_start = signing.TimestampSigner(salt="storage.web.accounts.start")
_FIRST: Final = "first"


class _LoginTokens(PasswordResetTokenGenerator):
    """Tokens that the login itself makes worthless, even within the same second."""

    key_salt = "storage.web.accounts.enter"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{user.pk} {user.password} {user.last_login} {user.is_active} {timestamp}"


class LoginForm(AuthenticationForm):
    """Says when there were too many guesses, and for how long."""

    @property
    def wait(self) -> int | None:
        """Seconds; None when there were not."""
        return getattr(self.request, "login_wait", None)

    def get_invalid_login_error(self) -> ValidationError:
        """Django's own, unless nobody looked at the password."""
        if self.wait is None:
            return super().get_invalid_login_error()
        text = gettext("Too many attempts. Try again later; minutes to wait: {minutes}.")
        return ValidationError(text.format(minutes=-(-self.wait // 60)))


class AdminLoginForm(LoginForm, AdminAuthenticationForm):
    """The same for the administration."""


class Login(LoginView):
    """The usual way in."""

    form_class = LoginForm
    template_name = "storage/login.html"
    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """The first time, where there is something to enter yet."""
        return reverse(after_login(self.request.user))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # Django's own signature
        """Says where the first account comes from, as long as there is none."""
        return super().get_context_data(nobody=not User.objects.exists(), **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """429 when it was not even looked at."""
        response = super().form_invalid(form)
        wait = form.wait if isinstance(form, LoginForm) else None
        if wait is not None:
            response.status_code = 429
            response.headers["Retry-After"] = str(wait)
        return response


# --- the first account ---------------------------------------------------------------------------


def start_link() -> str | None:
    """The path that makes the first account, good for `START_LIFE`; None once there is an account."""
    if get_user_model().objects.exists():
        return None
    return reverse("start", args=[_start.sign(_FIRST)])


class FirstAccountForm(_CreationForm):
    """A name, and a password twice."""

    class Meta:
        model = User
        fields = ("username",)
        widgets: ClassVar = {"username": TextInput({"autocomplete": "username"})}

    def create(self) -> User | None:
        """Make the account; None if somebody else made the first one meanwhile."""
        with transaction.atomic():
            # A row that always exists, as the lock of a table that is empty.
            ContentType.objects.select_for_update().get(app_label="auth", model="user")
            if User.objects.exists():
                return None
            user: User = self.save(commit=False)
            user.is_staff = user.is_superuser = True
            user.save()
            return user


@sensitive_post_parameters("password1", "password2")
@never_cache
@login_not_required
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, token: str) -> HttpResponse:
    """Make the first account."""
    if not _may_start(token):
        return render(request, "storage/link_over.html", {"first": not User.objects.exists()}, status=410)
    form = FirstAccountForm(request.POST or None)
    if form.is_valid():
        user = form.create()
        if user is None:
            return render(request, "storage/link_over.html", {"first": False}, status=410)
        login(request, user)
        return redirect(after_login(user))
    return render(request, "storage/start.html", {"form": form})


def _may_start(token: str) -> bool:
    try:
        _start.unsign(token, max_age=START_LIFE)
    except signing.BadSignature:
        return False
    return not User.objects.exists()


# --- a login without a password ------------------------------------------------------------------


def login_link(user: User) -> str:
    """The path that logs `user` in, once."""
    return reverse("enter", args=[urlsafe_base64_encode(str(user.pk).encode()), _LoginTokens().make_token(user)])


@never_cache
@login_not_required
@require_GET
def enter(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Use a login link."""
    user = _redeem(uid, token)
    if user is None:
        return render(request, "storage/link_over.html", {"first": False}, status=410)
    login(request, user)
    return redirect(after_login(user))


def _redeem(uid: str, token: str) -> User | None:
    try:
        user = User.objects.get(pk=int(urlsafe_base64_decode(uid)), is_active=True)
    except (ValueError, OverflowError, User.DoesNotExist):
        return None
    if not _LoginTokens().check_token(user, token):
        return None
    # Of two browsers with the same link, one changes the row and the other finds it changed.
    claimed = User.objects.filter(pk=user.pk, last_login=user.last_login).update(last_login=timezone.now())
    return user if claimed else None
