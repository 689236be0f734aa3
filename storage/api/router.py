"""`create_api`: addresses, views and serializers of any models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import DefaultRouter

from storage.api.directory import choices_view, uuid_view
from storage.api.past import EntityViewSet, HistoryMixin
from storage.api.resource import Resource, ResourceError
from storage.api.schema import documented
from storage.api.serializers import create_serializer
from storage.api.sight import Everything, Sight
from storage.api.viewsets import ReadViewSet, WriteViewSet
from storage.entities.bases import Entity


@dataclass(frozen=True, slots=True)
class Api:
    """What `create_api` makes: put `urls` below an address."""

    resources: dict[type[models.Model], Resource]
    viewsets: dict[type[models.Model], type[ReadViewSet]] = field(repr=False)
    urls: list[URLPattern | URLResolver] = field(repr=False)


def create_api(*given: type[models.Model] | Resource, sight: Sight | None = None) -> Api:
    """Lists, rows, history and choices of these models under `<name>/`, any entity under `uuid/<uuid>/`.

    A model alone shows all its columns, secrets excepted, and follows no relation; a `Resource` says more. `sight`
    says which rows somebody sees, where that is not all of them.
    """
    sight = sight or Everything()
    resources: dict[type[models.Model], Resource] = {}
    for one in given:
        resource = one if isinstance(one, Resource) else Resource(one)
        if resource.model in resources or resource.name in {other.name for other in resources.values()}:
            raise ResourceError(f"{resource.label} is given twice, or its name {resource.name!r} is")
        resources[resource.model] = resource
    for resource in resources.values():
        for relation in resource.related:
            target: Any = resource.model._meta.get_field(relation).related_model
            if target not in resources:
                raise ResourceError(f"{resource.label}.{relation} leads to a model that is not in this API")
    viewsets = {model: create_viewset(resource, resources, sight) for model, resource in resources.items()}
    router = DefaultRouter()
    router.include_format_suffixes = False
    for model, viewset in viewsets.items():
        router.register(resources[model].name, viewset, basename=resources[model].name)
    extra = [
        path("choices/", choices_view(resources), name="choices"),
        path("uuid/<str:uuid>/", uuid_view(resources, sight), name="uuid"),
    ]
    return Api(resources, viewsets, [*extra, *router.urls])


def create_viewset(
    resource: Resource, resources: dict[type[models.Model], Resource], sight: Sight
) -> type[ReadViewSet]:
    """The views of one resource."""
    is_entity = issubclass(resource.model, Entity)
    base: type[ReadViewSet] = ReadViewSet if resource.read_only else WriteViewSet
    if is_entity:
        base = HistoryMixin if resource.read_only else EntityViewSet
    inside: dict[str, Any] = {
        "__doc__": f"{str(resource.model.__doc__).strip()}",
        "resource": resource,
        "resources": resources,
        "sight": sight,
        "queryset": resource.model._default_manager.none(),  # for DRF, which asks it for the model
        "serializer_class": create_serializer(resource, resources),
    }
    if resource.permissions:
        inside["permission_classes"] = [*base.permission_classes, *resource.permissions]
    made: type[ReadViewSet] = type(f"{resource.model.__name__}ViewSet", (base,), inside)
    shown: type[ReadViewSet] = documented(made)
    return shown
