"""Rows as objects and back, checked by the model itself before the database is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models, transaction
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from storage.api.kinds import instant
from storage.api.problems import said
from storage.api.resource import Resource
from storage.entities.bases import CommonModel
from storage.entities.fields import decimal_to_str
from storage.entities.merging import merge_validation_errors
from storage.entities.perishable import PerishableEntity

METADATA: Final = "metadata"
_MOST_NOTES: Final = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """How a row is shown, by the switches of the question."""

    simple: bool = False  # relations as keys, whatever the resource nests
    meta: bool = False  # with metadata
    display: bool = False  # with the words of choices
    correct: bool = False  # a write corrects a version in place
    notes: Mapping[Any, dict[str, Any]] | None = None  # metadata that was fetched for many rows at once
    may_view: Callable[[type[models.Model]], bool] = lambda _: True


class PlainDecimalField(serializers.DecimalField):
    """Written as people write it, without needless zeros."""

    def to_representation(self, value: Any) -> Any:
        """The text."""
        return None if value is None else decimal_to_str(Decimal(value))


class InstantSerializerField(serializers.DateTimeField):
    """Instants that every database can hold."""

    def to_internal_value(self, value: Any) -> Any:
        """An aware datetime."""
        found = super().to_internal_value(value)
        try:
            instant(found.isoformat())
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return found


@extend_schema_field({"type": "string", "pattern": r"^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?$"})
class LocalTimeField(serializers.TimeField):
    """A time of the day without a zone, which OpenAPI's own `time` would want."""


class RelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """A key. What is nested is shown as an object and taken as its key, or as the object that was shown."""

    def __init__(self, *, nested: type[CommonModelSerializer] | None = None, **options: Any) -> None:
        self.nested = nested
        super().__init__(**options)

    def get_queryset(self) -> Any:  # as DRF has it
        """What is not seen cannot be named."""
        rows, view = super().get_queryset(), self.context.get("view")
        return rows if rows is None or view is None else view.seen(rows)

    def use_pk_only_optimization(self) -> bool:
        """Of a nested row more is needed than its key."""
        return self._nested() is None

    def to_representation(self, value: Any) -> Any:
        """The key, or the object."""
        nested = self._nested()
        return super().to_representation(value) if nested is None else nested.to_representation(value)

    def to_internal_value(self, data: Any) -> Any:
        """The row that it names."""
        if self.nested is not None and isinstance(data, Mapping):
            data = data.get(self.nested.resource.model._meta.pk.name)
        try:
            return super().to_internal_value(data)
        except OverflowError:
            self.fail("incorrect_type", data_type=type(data).__name__)

    def _nested(self) -> CommonModelSerializer | None:
        shown = _shown(self.context)
        if self.nested is None or shown.simple or not shown.may_view(self.nested.resource.model):
            return None
        inner = replace(shown, simple=True, meta=False)
        return self.nested(context={**self.context, "shown": inner})


def _shown(context: Mapping[str, Any]) -> Shown:
    found = context.get("shown")
    return found if isinstance(found, Shown) else Shown()


class NotesField(serializers.DictField):
    """Metadata: any JSON value under each key."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The notes."""
        notes: dict[str, Any] = super().to_internal_value(data)
        if len(notes) > _MOST_NOTES or any(not 0 < len(key) <= 255 or not key.isprintable() for key in notes):
            raise serializers.ValidationError(f"expected at most {_MOST_NOTES} keys of 1 to 255 characters")
        return notes


class CommonModelSerializer(serializers.ModelSerializer[Any]):
    """One resource's rows. `create_api` makes a class for each."""

    resource: ClassVar[Resource]
    nested: ClassVar[Mapping[str, type[CommonModelSerializer]]] = {}

    serializer_related_field = RelatedField
    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DecimalField: PlainDecimalField,
        models.DateTimeField: InstantSerializerField,
        models.TimeField: LocalTimeField,
    }

    # --- fields ----------------------------------------------------------------------------------

    def get_fields(self) -> dict[str, Any]:
        """Those of the model, and metadata where there are any."""
        fields = super().get_fields()
        if issubclass(self.resource.model, CommonModel):
            fields[METADATA] = NotesField(required=False, write_only=self.resource.read_only)
        return fields

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """DRF's; a field that keeps instants as numbers is one of instants."""
        made, options = super().build_standard_field(field_name, model_field)
        if hasattr(model_field, "as_datetime"):
            kept = ("read_only", "required", "allow_null", "label", "help_text")
            return InstantSerializerField, {name: options[name] for name in kept if name in options}
        return made, options

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        """DRF's, with the object to show."""
        made, options = super().build_relational_field(field_name, relation_info)
        if field_name in self.nested:
            options["nested"] = self.nested[field_name]
        return made, options

    # --- reading ---------------------------------------------------------------------------------

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The object, with what the switches ask for."""
        shown = _shown(self.context)
        row: dict[str, Any] = {}
        for field in self._readable_fields:
            if field.field_name == METADATA:
                continue
            value = field.get_attribute(instance)
            key = getattr(value, "pk", value) if isinstance(field, serializers.PrimaryKeyRelatedField) else value
            name = str(field.field_name)
            row[name] = None if key is None else field.to_representation(value)
            if shown.display and (display := getattr(instance, f"get_{name}_display", None)):
                row[f"{name}_display"] = str(display())
        if shown.meta and isinstance(instance, CommonModel):
            row[METADATA] = instance.get_metadata() if shown.notes is None else shown.notes.get(instance.pk, {})
        return row

    # --- writing ---------------------------------------------------------------------------------

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What the model says of the row as it would be: its fields, its own rules, its constraints."""
        model = self.resource.model
        columns = {name: value for name, value in attrs.items() if name in self._columns()}
        row = model() if self.instance is None else copy(self.instance)
        for name, value in columns.items():
            setattr(row, name, value)
        checks: list[Callable[[], None]] = [
            lambda: row.clean_fields(exclude=set(self._columns()) - set(columns) - set(self._required())),
            row.validate_unique,
            row.validate_constraints,
        ]
        if not _shown(self.context).correct:  # a correction in place is what `clean` would refuse
            checks.insert(1, row.clean)
        errors = []
        for check in checks:
            try:
                check()
            except DjangoValidationError as error:
                errors.append(error)
        if errors:
            raise serializers.ValidationError(said(_without_doubles(merge_validation_errors(*errors))))
        return attrs

    def _columns(self) -> set[str]:
        return {field.name for field in self.resource.model._meta.concrete_fields}

    def _required(self) -> set[str]:
        """Columns that a new row must bring, or PUT replaces."""
        if self.partial:
            return set()
        return {name for name, field in self.fields.items() if not field.read_only and field.required}

    @transaction.atomic
    def create(self, validated_data: dict[str, Any]) -> Any:
        """A new row, with its metadata."""
        notes = validated_data.pop(METADATA, {})
        row = super().create(validated_data)
        _note(row, notes)
        return row

    @transaction.atomic
    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        """The changed row; of a perishable entity, the version that follows."""
        notes = validated_data.pop(METADATA, {})
        columns = self._columns()
        many = {name: value for name, value in validated_data.items() if name not in columns}
        plain = {name: value for name, value in validated_data.items() if name in columns}
        for name, value in plain.items():
            setattr(instance, name, value)
        in_place = isinstance(instance, PerishableEntity) and _shown(self.context).correct
        if plain:
            instance.save(update_fields=list(plain), **({"force_update": True} if in_place else {}))
        for name, value in many.items():
            getattr(instance, name).set(value)
        _note(instance, notes)
        return instance


def _note(row: Any, notes: Mapping[str, Any]) -> None:
    for key, value in notes.items():
        row.set_metadata(key, value)


def _without_doubles(error: DjangoValidationError) -> DjangoValidationError:
    """A unique field is complained of as a field and as a constraint."""
    return DjangoValidationError({name: list(dict.fromkeys(texts)) for name, texts in error.message_dict.items()})


def create_serializer(
    resource: Resource, resources: Mapping[type[models.Model], Resource], *, depth: int = 1
) -> type[CommonModelSerializer]:
    """The serializer of a resource; nested rows show their own relations as keys."""
    base = resource.serializer or CommonModelSerializer
    nested = {}
    for name in resource.nested if depth else ():
        related: Any = resource.model._meta.get_field(name).related_model
        target = resources[related]
        nested[name] = create_serializer(replace(target, serializer=None, nested=()), resources, depth=0)
    fixed = resource.fields if resource.read_only else resource.fixed
    meta = type("Meta", (), {
        "model": resource.model,
        "fields": [*resource.fields, *getattr(base, "extra_fields", ())],
        "read_only_fields": list(fixed),
        "validators": [],  # the model's own rules are asked: see `validate`
    })  # fmt: skip
    name = f"{resource.model.__name__}{'' if depth else 'Row'}Serializer"
    made: Any = type(name, (base,), {"Meta": meta, "resource": resource, "nested": nested})
    serializer: type[CommonModelSerializer] = made
    return serializer
