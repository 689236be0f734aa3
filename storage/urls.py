"""Every address of the web process."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from storage.web.accounts import AdminLoginForm

admin.site.login_form = AdminLoginForm

urlpatterns = [
    path("admin/", admin.site.urls),
    # Not django.conf.urls.i18n: the login page has the switch, too.
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("", include("storage.operations.urls")),
    path("api/", include("storage.resources")),
    path("", include("storage.web.urls")),
]
