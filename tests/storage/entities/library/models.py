"""Authors, books, their tags, and what they cost to borrow."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.utils import timezone

from storage.entities.models import CommonModel, DecimalField, Entity, PerishableEntity, periods


class Author(Entity):
    name = models.CharField("name", max_length=50, unique=True)
    favourite: models.ForeignKey[Book | None, Book | None] = models.ForeignKey(
        "Book", models.SET_NULL, null=True, blank=True, related_name="fans"
    )

    def __str__(self) -> str:
        return self.name


class Tag(CommonModel):
    word = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.word


class Book(Entity):
    class Cover(models.TextChoices):
        HARD = "h", "hardback"
        SOFT = "s", "paperback"

    title = models.CharField("book's title", max_length=50)
    author = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True)
    pages = models.IntegerField(default=100)
    cover = models.CharField(max_length=1, choices=Cover, default=Cover.SOFT)
    printed = models.DateField(null=True, blank=True)
    weight = DecimalField(max_digits=12, decimal_places=8, null=True, blank=True)
    shelf_mark = models.CharField(max_length=10, blank=True, editable=False)
    tags = models.ManyToManyField(Tag, blank=True, related_name="books")

    def __str__(self) -> str:
        return self.title

    def summary(self) -> str:
        return f"{self.title}, {self.pages} pages"

    @property
    def is_long(self) -> bool:
        return self.pages > 300


class Note(CommonModel):
    """On an author, without history; its key is a uuid."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    author = models.ForeignKey(Author, models.SET_NULL, null=True)
    text = models.TextField()

    def __str__(self) -> str:
        return self.text


class Edition(Entity):
    """Goes with its book."""

    book = models.ForeignKey(Book, models.CASCADE)
    number = models.IntegerField()
    foreword_by = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.book} {self.number}"


class Loan(Entity):
    """Holds its edition fast, and the book as long as that goes alone."""

    edition = models.ForeignKey(Edition, models.PROTECT)
    book = models.ForeignKey(Book, models.RESTRICT, null=True)

    def __str__(self) -> str:
        return f"loan of {self.edition}"


class Fee(PerishableEntity):
    """What a day costs, for one kind of reader."""

    kind = models.CharField(max_length=10)
    amount = DecimalField(max_digits=10, decimal_places=5)
    tags = models.ManyToManyField(Tag, blank=True)

    class Meta:
        constraints = periods("kind")

    def __str__(self) -> str:
        return f"{self.kind}: {self.amount}"


class Opening(PerishableEntity):
    """The hours of the house: one series for all."""

    hours = models.CharField(max_length=20)

    class Meta:
        constraints = periods()

    def __str__(self) -> str:
        return self.hours


class Plain(models.Model):
    """What Django alone makes of a book: the measure of cost."""

    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=100)

    def __str__(self) -> str:
        return self.title


class Wide(models.Model):
    """The same with an entity's columns, and nothing else of it."""

    uuid = models.UUIDField(default=uuid4, unique=True)
    creation_date = models.DateTimeField(default=timezone.now)
    modification_date = models.DateTimeField(auto_now=True)
    current_user = models.ForeignKey("auth.User", models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=100)

    def __str__(self) -> str:
        return self.title


class Light(CommonModel):
    """The same with metadata."""

    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=100)

    def __str__(self) -> str:
        return self.title


class Heavy(Entity):
    """The same with history."""

    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=100)

    def __str__(self) -> str:
        return self.title
