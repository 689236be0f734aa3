"""Metadata of users and groups."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User

from storage.entities.models import GroupMetadata, UserMetadata

TREE = Path(__file__).parents[3]

pytestmark = pytest.mark.django_db


def test_a_new_user_has_metadata_at_once(ann: User) -> None:
    assert UserMetadata.objects.count() == 0  # nothing is written for those whom nobody asks about
    mine = UserMetadata.of(ann)
    assert (mine.merged(), mine.get("theme"), mine.get("theme", "light")) == ({}, None, "light")
    assert UserMetadata.of(ann) == mine


def test_values_are_kept_and_forgotten(ann: User) -> None:
    UserMetadata.of(ann).set(theme="dark", units={"energy": "kWh"})
    mine = UserMetadata.of(ann)
    assert mine.merged() == {"theme": "dark", "units": {"energy": "kWh"}}
    mine.remove("theme")
    mine.remove("theme")
    assert UserMetadata.of(ann).merged() == {"units": {"energy": "kWh"}}


def test_what_two_pages_write_does_not_overwrite_the_other(ann: User) -> None:
    one, other = UserMetadata.of(ann), UserMetadata.of(ann)
    one.set(theme="dark")
    other.set(language="fr")
    assert UserMetadata.of(ann).merged() == {"theme": "dark", "language": "fr"}


def test_a_user_overrides_what_groups_say(ann: User, bob: User) -> None:
    first, second = Group.objects.create(name="a"), Group.objects.create(name="b")
    GroupMetadata.of(first).set(theme="dark", units={"energy": "kWh", "power": "kVA"}, start="now")
    GroupMetadata.of(second).set(start="history")
    ann.groups.add(second, first)
    UserMetadata.of(ann).set(theme="light", units={"energy": "Wh"})
    assert UserMetadata.of(ann).merged() == {
        "theme": "light", "units": {"energy": "Wh", "power": "kVA"}, "start": "history",
    }  # fmt: skip
    assert UserMetadata.of(ann).get("start") == "history"
    assert UserMetadata.of(bob).merged() == {}
    assert UserMetadata.of(ann).data == {"theme": "light", "units": {"energy": "Wh"}}  # groups' values are not copied


def test_metadata_goes_with_its_owner(ann: User) -> None:
    group = Group.objects.create(name="a")
    GroupMetadata.of(group).set(k=1)
    UserMetadata.of(ann).set(k=1)
    ann.delete()
    group.delete()
    assert (UserMetadata.objects.count(), GroupMetadata.objects.count()) == (0, 0)


def test_each_is_named_after_its_owner(ann: User) -> None:
    assert str(UserMetadata.of(ann)) == "ann"
    assert str(GroupMetadata.of(Group.objects.create(name="readers"))) == "readers"


def test_another_user_model_serves_as_well(tmp_path: Path) -> None:
    """In a project of its own: one that has neither `auth.User` nor groups of users."""
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.storage.entities.swapped.settings",
        "SWAPPED_DATABASE": str(tmp_path / "db.sqlite3"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.entities.swapped"],
        cwd=TREE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "{'theme': 'dark'} + person\n"), done.stderr[-2000:]
