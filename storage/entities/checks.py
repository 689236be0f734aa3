"""What a model of entities must declare, said at start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register

from storage.entities.periods import NoOverlap
from storage.entities.perishable import PerishableEntity


def connect() -> None:
    """Let `manage check` ask."""
    register(series_are_declared)


def series_are_declared(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Each perishable model says of which rows one at most holds."""
    return [
        Error(
            f"{model._meta.label} is perishable and has no series.",
            hint='Write constraints = periods("field", ...) in its Meta.',
            obj=model,
            id="entities.E001",
        )
        for model in (m for config in app_configs or apps.get_app_configs() for m in config.get_models())
        if issubclass(model, PerishableEntity)
        and not any(isinstance(constraint, NoOverlap) for constraint in model._meta.constraints)
    ]
