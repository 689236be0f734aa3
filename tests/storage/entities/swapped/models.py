"""Its users, and one entity."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models

from storage.entities.models import Entity


class Person(AbstractBaseUser):
    number = models.CharField(max_length=9, primary_key=True)
    USERNAME_FIELD = "number"


class Thing(Entity):
    name = models.CharField(max_length=9)

    def __str__(self) -> str:
        return self.name
