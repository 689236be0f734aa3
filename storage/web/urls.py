"""The pages' addresses."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from storage.web import accounts, stream, theme
from storage.web.pages import (
    alerts,
    backups,
    contract,
    costs,
    data,
    history,
    imports,
    meter,
    now,
    tempo,
    welcome,
)
from storage.web.pages.settings import overview, tokens, users, webhooks

urlpatterns = [
    path("favicon.ico", now.icon),
    path("", now.now, name="now"),
    path("curve/", now.curve, name="curve"),
from storage.web.pages import (
    alerts,
    backups,
    contract,
    costs,
    data,
    history,
    imports,
    meter,
    now,
    tempo,
    welcome,
)
from storage.web.pages.settings import overview, tokens, users, webhooks
    path("history/", history.history, name="history"),
    path("history/curve/", history.fine_curve, name="fine-curve"),
    path("today/", now.today, name="today"),
    path("tempo/", tempo.tempo, name="tempo"),
    path("meter/", meter.meter, name="meter"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/test/", alerts.test_message, name="test_message"),
    path("alerts/rules/new/<slug:kind>/", alerts.new_rule, name="new_rule"),
    path("alerts/rules/<uuid:uuid>/", alerts.change_rule, name="change_rule"),
    path("alerts/rules/<uuid:uuid>/switch/", alerts.switch_rule, name="switch_rule"),
    path("alerts/rules/<uuid:uuid>/delete/", alerts.delete_rule, name="delete_rule"),
    path("live/", stream.live, name="live"),
    path("theme/", theme.set_theme, name="set_theme"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("start/<token>/", accounts.start, name="start"),
    path("enter/<uid>/<token>/", accounts.enter, name="enter"),
]
