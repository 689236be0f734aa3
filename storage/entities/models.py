"""All that another app needs to declare its entities; and the tables of this one."""

from __future__ import annotations

from storage.entities.acting import acting
from storage.entities.bases import CommonModel, Entity
from storage.entities.fields import DecimalField
from storage.entities.metadata import Metadata
from storage.entities.natural import NaturalQuerySet, natural
from storage.entities.periods import NoOverlap, periods
from storage.entities.perishable import PerishableEntity
from storage.entities.preferences import GroupMetadata, UserMetadata

__all__ = [
    "CommonModel", "DecimalField", "Entity", "GroupMetadata", "Metadata", "NaturalQuerySet", "NoOverlap",
    "PerishableEntity", "UserMetadata", "acting", "natural", "periods",
]  # fmt: skip
