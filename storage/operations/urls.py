"""The addresses for machines that watch."""

from __future__ import annotations

from django.urls import path

from storage.operations import views

urlpatterns = [
    path("healthz", views.ready, name="healthz"),
    path("healthz/live", views.live, name="healthz-live"),
    path("metrics", views.metrics, name="metrics"),
]
