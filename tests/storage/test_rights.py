"""Who sees which meters: the rule itself. That every address keeps to it is asked in `web/test_limited.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import RequestFactory
from django.utils import translation

from storage.alerts.models import AlertRule
from storage.groups import DEEPEST, MeterGroup, Sight, Tree
from storage.models import Meter
from storage.resources import api
from storage.rights import Rights, rights_of, way_to_meter
from tests.storage.campus import Campus, tenant, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Sentences are compared in the language of the sources."""
    with translation.override("en"):
        yield


@pytest.fixture
def campus() -> Campus:
    return Campus()


def rights(user: User, **headers: str) -> Rights:
    request = RequestFactory().get("/", headers=headers)
    request.user = user
    return rights_of(request)


def seen(user: User, **headers: str) -> list[Meter]:
    return list(rights(user, **headers).meters())


def test_who_is_not_limited_sees_all_as_ever(campus: Campus) -> None:
    user = User.objects.create_user("somebody")
    assert (rights(user), seen(user)) == (Rights(), [campus.foreign, campus.own])


def test_a_group_brings_the_groups_inside_it(campus: Campus) -> None:
    user = tenant(campus)
    assert rights(user).groups == frozenset({campus.building.pk, campus.floor.pk})
    assert seen(user) == [campus.own]


def test_an_owner_sees_all_whatever_was_written_of_him(campus: Campus) -> None:
    owner = User.objects.create_superuser("owner")
    campus.limit(campus.building, user=owner)
    assert rights(owner).is_whole


def test_a_token_may_see_less_than_its_owner_and_never_more(campus: Campus) -> None:
    owner, user = User.objects.create_superuser("owner"), tenant(campus)
    free, header = token_of(owner)
    assert rights(owner, **header).is_whole
    campus.limit(campus.building, token=free)
    assert seen(owner, **header) == [campus.own]
    other, header = token_of(user)
    assert seen(user, **header) == [campus.own]
    campus.limit(campus.hidden, token=other)
    assert seen(user, **header) == []


def test_a_token_that_opens_nothing_sees_nothing(campus: Campus) -> None:
    owner = User.objects.create_superuser("owner")
    assert seen(owner, authorization="Bearer tb_000000000000_x") == []


def test_a_limit_whose_groups_are_gone_shows_nothing_instead_of_everything(campus: Campus) -> None:
    user = tenant(campus)
    Meter.objects.update(group=None)
    campus.floor.delete()
    campus.building.delete()
    assert (seen(user), rights(user).is_whole) == ([], False)


def test_a_meter_that_moves_into_a_group_is_seen_from_then_on(campus: Campus) -> None:
    user = tenant(campus)
    Meter.objects.filter(pk=campus.foreign.pk).update(group=campus.building.pk)
    assert seen(user) == [campus.foreign, campus.own]


def test_a_meter_in_no_group_is_seen_by_nobody_who_is_limited(campus: Campus) -> None:
    user = tenant(campus)
    Meter.objects.filter(pk=campus.own.pk).update(group=None)
    assert seen(user) == []


def test_every_model_of_the_api_is_limited_by_the_way_that_it_has_to_a_meter() -> None:
    ways = {model.__name__: way_to_meter(model) for model in api.resources}
    assert ways == {
        "Meter": "", "MeterGroup": None, "Offer": None, "Period": None, "TariffPrice": None, "CalendarRule": None,
        "EventDay": None, "TempoDay": None, "Contract": "meter", "IndexPeriod": "meter", "OffPeakSlot": "meter",
        "DayCost": "meter", "AlertRule": "meter", "Alert": "meter", "Register": "meter", "Epoch": "meter",
        "Gap": "epoch__meter", "Import": "meter", "Rollup": "meter", "Data": "meter",
    }  # fmt: skip


def test_of_any_rows_those_of_other_meters_are_left_out(campus: Campus) -> None:
    limited = rights(tenant(campus))
    for row in campus.everything:
        rows = type(row)._default_manager.filter(pk=row.pk)
        assert (limited.of(rows).count(), Rights().of(rows).count()) == (0, 1), row


def test_a_rule_for_every_meter_is_seen_and_belongs_to_nobody_who_is_limited(campus: Campus) -> None:
    limited = rights(tenant(campus))
    assert set(limited.of(AlertRule.objects.all())) == {campus.own_rule, campus.common_rule}
    assert limited.may_write_row(campus.own_rule)
    assert not limited.may_write_row(campus.common_rule)
    assert Rights().may_write_row(campus.common_rule)


def test_who_is_not_logged_in_sees_nothing(campus: Campus) -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert rights_of(request).meters().count() == 0


# --- groups --------------------------------------------------------------------------------------


def test_a_tree_is_read_with_each_group_before_those_inside_it(campus: Campus) -> None:
    roof = MeterGroup.objects.create(name="Attic", parent=campus.building)
    tree = Tree.read()
    assert [(node.name, node.depth) for node in tree.nodes.values()] == [
        ("Building A", 0), ("Attic", 1), ("First floor", 1), ("Hidden building", 0),
    ]  # fmt: skip
    assert tree.name(roof.pk) == "Building A › Attic"
    assert tree.name(None) == ""
    only = tree.only({campus.floor.pk})
    assert [(node.name, node.depth) for node in only.nodes.values()] == [("First floor", 0)]
    assert only.name(campus.floor.pk) == "First floor"


def test_a_group_is_not_inside_itself(campus: Campus) -> None:
    campus.building.parent = campus.floor
    with pytest.raises(ValidationError, match="inside itself"):
        campus.building.clean()
    campus.building.parent = campus.building
    with pytest.raises(ValidationError, match="inside itself"):
        campus.building.clean()


def test_a_tree_grows_no_deeper_than_somebody_finds_his_way(campus: Campus) -> None:
    at = campus.floor
    for number in range(DEEPEST - 2):
        at = MeterGroup(name=f"Room {number}", parent=at)
        at.full_clean()
        at.save()
    with pytest.raises(ValidationError, match="at most 6"):
        MeterGroup(name="Cupboard", parent=at).full_clean()
    campus.building.parent = campus.hidden
    with pytest.raises(ValidationError, match="at most 6"):
        campus.building.clean()


def test_two_floors_have_the_same_name_in_two_buildings_and_not_in_one(campus: Campus) -> None:
    MeterGroup.objects.create(name="First floor", parent=campus.hidden)
    for name, parent in (("First floor", campus.building), ("Building A", None)):
        with pytest.raises(IntegrityError), transaction.atomic():
            MeterGroup.objects.create(name=name, parent=parent)


def test_a_group_that_holds_others_is_not_deleted_and_of_one_that_is_the_meters_stay(campus: Campus) -> None:
    with pytest.raises(ProtectedError):
        campus.building.delete()
    campus.floor.delete()
    campus.own.refresh_from_db()
    assert campus.own.group is None


def test_history_tells_which_group_a_meter_was_in(campus: Campus) -> None:
    Meter.objects.filter(pk=campus.own.pk).update(group=campus.building.pk)
    changed = [(one.field, one.old, one.new) for one in Meter.history.filter(id=campus.own.pk).first().differences()]
    assert changed == [("group", campus.floor.pk, campus.building.pk)]
    assert MeterGroup.history.filter(name="First floor").count() == 1


def test_a_limit_is_of_an_account_or_of_a_token(campus: Campus) -> None:
    user = tenant(campus)
    with pytest.raises(IntegrityError), transaction.atomic():
        Sight.objects.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        Sight.objects.create(user=User.objects.create_user("other"), token=token_of(user)[0])
