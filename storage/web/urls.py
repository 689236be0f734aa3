"""The pages' addresses."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from storage.web import accounts, stream, theme
from storage.web.pages import backups, data, imports, now

urlpatterns = [
    path("favicon.ico", now.icon),
    path("", now.now, name="now"),
    path("curve/", now.curve, name="curve"),
    path("data/", data.data, name="data"),
    path("data/export/", data.export, name="data_export"),
    path("data/backup/", backups.backup, name="data_backup"),
    path("data/import/", imports.send, name="data_import_send"),
    path("data/import/<slug:number>/", imports.show, name="data_import"),
    path("data/import/<slug:number>/state/", imports.state, name="data_import_state"),
    path("data/import/<slug:number>/confirm/", imports.confirm, name="data_import_confirm"),
    path("data/import/<slug:number>/discard/", imports.discard, name="data_import_discard"),
    path("live/", stream.live, name="live"),
    path("theme/", theme.set_theme, name="set_theme"),
    path("login/", accounts.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("start/<token>/", accounts.start, name="start"),
    path("enter/<uid>/<token>/", accounts.enter, name="enter"),
]
