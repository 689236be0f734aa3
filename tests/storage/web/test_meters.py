"""Many meters on pages: the list, its search, groups and what they take together, and who may put what where."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from storage.groups import MeterGroup, Sight, Tree
from storage.models import Data, Epoch, Meter, Register, Rollup
from storage.rights import Rights
from storage.tokens.models import Token
from storage.web.frame import FEW, Look
from storage.web.hub import Hub
from storage.web.meterlist import ONLINE, Line, Wanted, lines
from storage.web.roles import Role, give
from tests.storage.web.samples import envelope, stored_meter

pytestmark = pytest.mark.django_db


def midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def many(number: int, *, group: MeterGroup | None = None, wh: int = 1000) -> list[Meter]:
    """Meters that were heard this minute, and drew so much today."""
    before = Meter.objects.count()
    made = [
        stored_meter(f"0421{before + n:08}", name=f"Room {before + n}", group=group) for n in range(number)
    ]  # fmt: skip
    now = datetime.now(UTC)
    epochs = Epoch.objects.bulk_create(
        Epoch(meter=one, uuid=UUID(int=one.pk), bridge="pi", handled=1, floor=1) for one in made
    )
    Data.objects.bulk_create(
        Data(meter=one, epoch=epoch, seq=1, dateTime=now, sinsts=100 + n)
        for n, (one, epoch) in enumerate(zip(made, epochs, strict=True))
    )
    Rollup.objects.bulk_create(
        Rollup(meter=one, step=86_400, start=midnight(), readings=1, east=wh + n) for n, one in enumerate(made)
    )
    Register.objects.bulk_create(
        Register(meter=one, name="east", since=now - timedelta(days=400), at=now, value=1) for one in made
    )
    return made


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def names(page: str) -> list[str]:
    """Of the meters in the list."""
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]+)</a>', page)


# --- the list ------------------------------------------------------------------------------------


def test_a_meter_is_a_line_with_what_one_wants_to_know(browser: Client) -> None:
    floor = MeterGroup.objects.create(name="Floor 1", parent=MeterGroup.objects.create(name="House"))
    [meter] = many(1, group=floor, wh=12_340)
    page = text(browser, "/meters/")
    assert names(page) == [str(meter)]
    assert f'href="/?meter={meter.meter_id}"' in page
    for part in ("…0000 · House › Floor 1", "online", "100 VA", "12.3 kWh", "1 meter, 1 online · 100 VA"):
        assert part in page
    assert "not known" not in page


def test_a_silent_meter_shows_no_power_and_since_when(browser: Client) -> None:
    meter, _other = many(2)
    Data.objects.filter(meter=meter).update(dateTime=datetime.now(UTC) - timedelta(hours=30))
    Register.objects.filter(meter=meter).update(at=datetime.now(UTC) - timedelta(hours=30))
    page = text(browser, "/meters/?sort=state")
    assert names(page) == ["Room 0", "Room 1"]
    assert "1 d ago" in page
    assert "2 meters, 1 online · 101 VA" in page
    assert "not known" in page
    stored_meter("042199999999", name="New")
    assert names(text(browser, "/meters/?state=never")) == ["New"]
    assert names(text(browser, "/meters/?state=offline")) == ["Room 0"]


def test_what_is_heard_live_counts_before_what_is_stored() -> None:
    meter, silent = many(2)
    hub = Hub()
    hub.hear_reading(envelope({"papp": 777}, meter=meter.meter_id), 1.0)
    hub.hear_status(silent.meter_id, False)
    first, second = lines(Rights(), Tree.read(), Wanted(), hub, timezone.now())
    assert (first.state, first.power, second.state, second.power) == (ONLINE, 777, "offline", None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=room+1", ["Room 1", "Room 10", "Room 11"]), ("q=00000003", ["Room 3"]), ("q=ETE", ["Room 12"]),
        ("q=nothing", []), ("group={house}", ["Room 12"]), ("group=nonsense&q=room+2", ["Room 2"]),
        ("sort=power&q=room+1", ["Room 11", "Room 10", "Room 1"]),
        ("sort=today&q=room+1", ["Room 11", "Room 10", "Room 1"]),
        ("sort=month&q=room+1", ["Room 11", "Room 10", "Room 1"]), ("sort=group&q=room+2", ["Room 2"]),
        ("sort=nonsense&page=99&q=room+3", ["Room 3"]),
    ],
)  # fmt: skip
def test_it_is_searched_and_sorted(browser: Client, asked: str, found: list[str]) -> None:
    house = MeterGroup.objects.create(name="Résidence d’été")
    many(12)
    many(1, group=house)
    page = text(browser, f"/meters/?{asked.format(house=house.uuid)}")
    assert [name for name in names(page) if name != "Room 12" or "Room 12" in found] == found
    assert ("No meter is like that." in page) is (found == [])


def test_a_page_has_fifty_and_leads_to_the_next_with_the_same_question(browser: Client) -> None:
    many(60)
    page = text(browser, "/meters/?q=room&sort=power")
    assert (len(names(page)), "page 1 of 2" in page) == (50, True)
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following is not None
    rest = names(text(browser, "/meters/" + following[1].replace("&amp;", "&")))
    assert len(rest) == 10
    assert not set(rest) & set(names(page))


def test_a_name_leads_to_the_page_that_one_came_from_and_to_no_other_site(browser: Client) -> None:
    [meter] = many(1)
    assert f'href="/history/?meter={meter.meter_id}"' in text(browser, "/meters/?to=history")
    assert f'href="/?meter={meter.meter_id}"' in text(browser, "/meters/?to=https://elsewhere.example/")


def test_the_number_of_queries_does_not_grow_with_the_meters(browser: Client) -> None:
    house = MeterGroup.objects.create(name="House")
    paths = ("/meters/", "/meters/?sort=month", f"/meters/groups/{house.uuid}/", "/", "/settings/")
    asked: list[list[int]] = []
    for number in (20, 980):  # both more than stand beside each other
        many(number, group=house)
        asked.append([])
        for path in paths:
            browser.get(path)
            with CaptureQueriesContext(connection) as caught:
                browser.get(path)
            asked[-1].append(len(caught))
    assert asked[0] == asked[1]


def test_who_may_not_view_is_refused() -> None:
    client = Client()
    client.force_login(User.objects.create_user("stranger"))
    house = MeterGroup.objects.create(name="House")
    assert [client.get(path).status_code for path in ("/meters/", f"/meters/groups/{house.uuid}/")] == [403, 403]


# --- the way to a meter --------------------------------------------------------------------------


def test_one_meter_sees_nothing_new(browser: Client) -> None:
    many(1)
    for path in ("/", "/settings/", "/history/"):
        page = text(browser, path)
        assert "/meters/" not in page.replace("/settings/meters/", "")
        assert "/settings/groups/" not in page


def test_a_few_stand_beside_each_other_and_of_many_one_is_searched_for(browser: Client) -> None:
    many(3)
    page = text(browser, "/history/")
    assert page.count("?meter=0421") >= 3
    assert 'href="/meters/"' in page
    many(FEW)
    page = text(browser, "/history/?meter=042100000014")
    assert re.search(r'<input type="search" name="q"[^>]*>\s*<input type="hidden" name="to" value="history">', page)
    assert "Room 14" in page
    assert "Room 3" not in page


def test_every_meter_of_many_can_be_chosen() -> None:
    made, hub = many(FEW + 3), Hub()
    hub.hear_reading(envelope(meter="042188888888"), 1.0)
    for wanted, name in ((None, "Room 0"), (made[-1].meter_id, f"Room {FEW + 2}"), ("042188888888", "042188888888")):
        chosen = Look(Rights(), hub, wanted).chosen
        assert chosen is not None
        assert chosen.name == name
    assert Look(Rights(), hub, "042177777777").chosen is None
    assert Look(Rights(frozenset()), hub, None).chosen is None


# --- a group -------------------------------------------------------------------------------------


def test_a_group_tells_what_its_parts_take_and_what_is_missing(browser: Client) -> None:
    house = MeterGroup.objects.create(name="House")
    floor = MeterGroup.objects.create(name="Floor", parent=house)
    many(2, group=floor, wh=1000)
    [lift] = many(1, group=house, wh=500)
    many(1, wh=9_000)  # of nobody
    Data.objects.filter(meter=lift).update(dateTime=datetime.now(UTC) - timedelta(days=2))
    page = text(browser, f"/meters/groups/{house.uuid}/")
    assert names(page) == ["Floor", str(lift)]
    assert '<p class="total">201 VA</p>' in page
    for part in ("3 meters, 2 online", "1 is silent: its power is not in the sum", "2.0 kWh", "0.5 kWh", "2.5 kWh"):
        assert part in page, part
    assert "9.0 kWh" not in page
    Register.objects.filter(meter=lift).update(since=datetime.now(UTC), at=datetime.now(UTC))
    assert "h not known" in text(browser, f"/meters/groups/{house.uuid}/")
    assert browser.get(f"/meters/groups/{UUID(int=1)}/").status_code == 404


def test_of_many_meters_in_a_group_those_that_draw_most_are_named_and_the_others_together(browser: Client) -> None:
    house = MeterGroup.objects.create(name="House")
    many(53, group=house, wh=1000)
    page = text(browser, f"/meters/groups/{house.uuid}/")
    assert (len(names(page)), "3 other meters" in page) == (50, True)
    assert "Room 52" in page
    assert "Room 0" not in page
    assert "54.4 kWh" in page  # 53 of them, and 0 + 1 + ... + 52 Wh


def test_an_empty_group_says_so(browser: Client) -> None:
    house = MeterGroup.objects.create(name="House")
    assert "No meter is in this group yet." in text(browser, f"/meters/groups/{house.uuid}/")


# --- putting meters into groups ------------------------------------------------------------------


def test_ticked_meters_are_put_into_a_group_with_history(browser: Client, owner: User) -> None:
    house = MeterGroup.objects.create(name="House")
    made = many(3)
    sent = {"target": str(house.uuid), "meter": [str(one.pk) for one in made[:2]]}
    answer = browser.post("/meters/assign/?q=room", sent, follow=True)
    assert "2 meters are in House now." in answer.content.decode()
    assert answer.redirect_chain == [("/meters/?q=room", 302)]
    assert list(Meter.objects.filter(group=house).order_by("pk")) == made[:2]
    assert made[0].history.first().history_user == owner
    again = browser.post("/meters/assign/", sent, follow=True)
    assert "Nothing was changed" in again.content.decode()
    assert made[0].history.count() == 2


def test_all_that_were_found_are_put_into_a_group_or_into_none(browser: Client) -> None:
    house = MeterGroup.objects.create(name="House")
    many(70)
    browser.post("/meters/assign/?q=room+1", {"target": str(house.uuid), "every": "1"})
    assert Meter.objects.filter(group=house).count() == 11
    browser.post(f"/meters/assign/?group={house.uuid}&q=room+10", {"target": "none", "every": "1"})
    assert Meter.objects.filter(group=house).count() == 10
    assert browser.post("/meters/assign/", {"target": "nowhere", "every": "1"}).status_code == 404


def test_groups_are_made_changed_and_deleted(browser: Client) -> None:
    assert "None yet." in text(browser, "/settings/groups/")
    browser.post("/settings/groups/", {"name": "House", "parent": ""})
    house = MeterGroup.objects.get(name="House")
    browser.post("/settings/groups/", {"name": "Floor", "parent": str(house.pk)})
    floor = MeterGroup.objects.get(name="Floor")
    assert floor.parent == house
    twice = browser.post("/settings/groups/", {"name": "Floor", "parent": str(house.pk)})
    assert twice.status_code == 400
    wrong = browser.post(f"/settings/groups/{house.uuid}/", {"name": "House", "parent": str(floor.pk)})
    assert wrong.status_code == 400
    renamed = browser.post(f"/settings/groups/{floor.uuid}/", {"name": "First", "parent": str(house.pk)}, follow=True)
    assert "The group is called House › First." in renamed.content.decode()
    held = browser.post(f"/settings/groups/{house.uuid}/delete/", follow=True)
    assert "has groups inside it" in held.content.decode()
    for group in (floor, house):
        assert "Delete the group" in text(browser, f"/settings/groups/{group.uuid}/delete/")
        browser.post(f"/settings/groups/{group.uuid}/delete/")
    assert MeterGroup.objects.count() == 0


def test_who_may_change_meters_groups_them_and_who_may_look_does_not() -> None:
    house = MeterGroup.objects.create(name="House")
    [meter] = many(1)
    for role, status, offered in ((Role.CHANGE, 302, True), (Role.LOOK, 403, False)):
        user = User.objects.create_user(role)
        give(user, role)
        client = Client(headers={"accept-language": "en"})
        client.force_login(user)
        assert ("meters/assign/" in text(client, "/meters/")) is offered
        assert client.get("/settings/groups/").status_code == (200 if offered else 403)
        sent = {"target": str(house.uuid), "meter": str(meter.pk)}
        assert client.post("/meters/assign/", sent).status_code == status


# --- who sees which ------------------------------------------------------------------------------


def limited(**whose: Any) -> list[MeterGroup] | None:
    found = Sight.objects.filter(**whose).first()
    return None if found is None else list(found.groups.order_by("name"))


def test_an_account_is_limited_and_let_see_everything_again(browser: Client) -> None:
    house = MeterGroup.objects.create(name="House")
    user = User.objects.create_user("tenant")
    url = f"/settings/users/{user.pk}/"
    assert "Sees only the groups" in text(browser, url)
    browser.post(url, {"role": "look", "is_limited": "on", "groups": [str(house.pk)]})
    assert limited(user=user) == [house]
    assert "sees only: House" in text(browser, "/settings/users/")
    assert re.search(rf'value="{house.pk}"[^>]* checked', text(browser, url))
    refused = browser.post(url, {"role": "look", "groups": [str(house.pk)]})
    assert (limited(user=user), "tick this, too" in refused.content.decode()) == ([house], True)
    browser.post(url, {"role": "look", "is_limited": "on"})
    assert (limited(user=user), "sees no meter" in text(browser, "/settings/users/")) == ([], True)
    browser.post(url, {"role": "look"})
    assert limited(user=user) is None


def test_without_groups_nothing_is_asked(browser: Client) -> None:
    user = User.objects.create_user("somebody")
    assert "Sees only" not in text(browser, f"/settings/users/{user.pk}/") + text(browser, "/settings/tokens/")
    browser.post(f"/settings/users/{user.pk}/", {"role": "look"})
    assert limited(user=user) is None


def test_a_token_is_limited_to_groups_that_its_owner_sees() -> None:
    house, other = (MeterGroup.objects.create(name=name) for name in ("House", "Other"))
    user = User.objects.create_user("tenant")
    give(user, Role.CHANGE)
    Sight.objects.create(user=user).groups.set([house])
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    page = text(client, "/settings/tokens/")
    assert ("House" in page, "Other" in page) == (True, False)
    sent = {"name": "grafana", "scopes": ["history"], "is_limited": "on", "groups": [str(house.pk)]}
    client.post("/settings/tokens/", {**sent, "groups": [str(other.pk)]})
    assert Token.objects.count() == 0
    client.post("/settings/tokens/", sent)
    assert limited(token=Token.objects.get()) == [house]
    assert "sees only: House" in text(client, "/settings/tokens/")


def test_the_end_of_a_number_is_four_digits() -> None:
    meter = Meter(meter_id="042161234567")
    assert Line(meter, 0, "", ONLINE, None, None).last4 == "4567"
