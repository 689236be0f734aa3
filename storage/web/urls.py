"""The pages' addresses."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from storage.web import accounts, stream, theme
from storage.web.pages import alerts, backups, data, history, imports, meter, now, tempo
from storage.web.pages.settings import overview, tokens, users, webhooks

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
    path("settings/", overview.overview, name="settings"),
    path("settings/meters/<meter_id>/", overview.meter, name="settings_meter"),
    path("settings/configuration/", overview.configuration, name="settings_configuration"),
    path("settings/tokens/", tokens.tokens, name="settings_tokens"),
    path("settings/tokens/<int:key>/revoke/", tokens.revoke, name="settings_token_revoke"),
    path("settings/users/", users.users, name="settings_users"),
    path("settings/users/<int:key>/", users.user, name="settings_user"),
    path("settings/users/<int:key>/switch/", users.switch, name="settings_user_switch"),
    path("settings/users/<int:key>/link/", users.link, name="settings_user_link"),
    path("settings/password/", users.password, name="settings_password"),
    path("settings/webhooks/", webhooks.webhooks, name="settings_webhooks"),
    path("settings/webhooks/new/", webhooks.add, name="settings_webhook_add"),
    path("settings/webhooks/<uuid:uuid>/", webhooks.webhook, name="settings_webhook"),
    path("settings/webhooks/<uuid:uuid>/test/", webhooks.try_, name="settings_webhook_test"),
    path("settings/webhooks/<uuid:uuid>/again/", webhooks.again, name="settings_webhook_again"),
    path("settings/webhooks/<uuid:uuid>/switch/", webhooks.switch, name="settings_webhook_switch"),
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
