"""The pages' addresses."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from storage.web import accounts, stream, views

urlpatterns = [
    path("favicon.ico", views.icon),
    path("", views.now, name="now"),
    path("curve/", views.curve, name="curve"),
    path("live/", stream.live, name="live"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("start/<token>/", accounts.start, name="start"),
    path("enter/<uid>/<token>/", accounts.enter, name="enter"),
]
