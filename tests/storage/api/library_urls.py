"""An API of three lines over the models of another project."""

from __future__ import annotations

from django.urls import include, path

from storage.api.resource import Resource
from storage.api.router import create_api
from tests.storage.entities.library.models import Author, Book, Edition, Fee, Loan, Opening, Plain

api = create_api(Author, Fee, Opening, Plain)

shelf = create_api(
    Author,
    Resource(Book, "books", related=("author",), nested=("author",), prefetch=("tags",), fixed=("pages",)),
    Resource(Edition, "editions", related=("book",)),
    Resource(Loan, "loans"),
)
urlpatterns = [path("three/", include(api.urls)), path("shelf/", include((shelf.urls, "shelf")))]
