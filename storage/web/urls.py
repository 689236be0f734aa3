"""The pages' addresses."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from storage.web import accounts, stream, theme
from storage.web.pages import history, now

urlpatterns = [
    path("favicon.ico", now.icon),
    path("", now.now, name="now"),
    path("curve/", now.curve, name="curve"),
    path("history/", history.history, name="history"),
    path("history/curve/", history.fine_curve, name="fine-curve"),
    path("live/", stream.live, name="live"),
    path("theme/", theme.set_theme, name="set_theme"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("start/<token>/", accounts.start, name="start"),
    path("enter/<uid>/<token>/", accounts.enter, name="enter"),
]
