"""What is said of the room that the database takes, before there is none left."""

from __future__ import annotations

import pytest

from storage.budget import Room, measure

REMEDY = "shorten storage.keep, raise reading.interval, or raise storage.budget"


@pytest.mark.parametrize(
    ("room", "warning"),
    [
        (Room(799_000_000, 1_000_000_000, 900_000_000), None),
        (Room(5, 1_000_000_000, None), None),
        (
            Room(800_000_000, 1_000_000_000, None),
            f"The database takes 800 MB, 80 % of storage.budget (1000 MB): {REMEDY}",
        ),
        (
            Room(5, 1_000_000_000, 199_000_000),
            "The disk of the database has 199 MB left: make room, shorten storage.keep or raise reading.interval",
        ),
    ],
)
def test_a_warning_comes_before_there_is_no_room(room: Room, warning: str | None) -> None:
    assert room.warning == warning


@pytest.mark.django_db
def test_the_database_tells_its_size() -> None:
    room = measure(5_000)
    assert room.budget == 5_000
    assert room.used >= 0
