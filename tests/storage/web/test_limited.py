"""Whoever is limited to groups finds no trace of another meter: every address of the site is asked.

The owner asks the same addresses, and must find each trace somewhere: so the walk is known to lead past them.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from django.urls import URLPattern, URLResolver, get_resolver

from bridge.topics import Topics
from storage.alerts.models import AlertRule
from storage.models import Meter
from storage.operations.fleet import BridgeInfo, Fleet
from storage.operations.metrics import exposition
from storage.resources import api
from storage.rights import Rights
from storage.tariffs.models import Contract, TempoDay
from storage.web.hub import Changed, Hub
from storage.web.roles import Role
from storage.web.stream import events
from tests.storage.campus import FOREIGN, OWN, TRACES, Campus, tenant, token_of
from tests.storage.web.samples import envelope

NOWHERE: Final = "041876000000"  # a meter that there never was
# What lists of the API take, and what pages and answers do.
OF_LISTS: Final = ("", "all=1&meta=1", "fields=id&order_by=-id", "count=id:n")
OF_OTHERS: Final = (
    "", f"meter={FOREIGN}", f"meter={FOREIGN}&from=2020&to=2030", f"meter={FOREIGN}&from=yesterday&n=3",
    f"meter={FOREIGN}&minutes=15", f"meter={FOREIGN}&from=yesterday&step=raw", f"meter={FOREIGN}&at=today",
    "q=laboratory", "q=hidden", "sort=power", "from=2026",
)  # fmt: skip


@pytest.fixture
def campus(db: None) -> Campus:
    return Campus()


def client_of(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


# --- every address -------------------------------------------------------------------------------


def values(campus: Campus, route: str) -> dict[str, list[str]]:
    """What may stand in an address, by the name of its place: keys of the foreign meter's rows."""
    model = next((m for m, r in api.resources.items() if route.startswith(f"/api/v1/{r.name}/")), None)
    rows = [row for row in campus.everything if model is None or type(row) is model]
    history = getattr(model, "history", None)
    records = history.values_list("history_id", flat=True)[:5] if history is not None else [1]
    return {
        "pk": sorted({str(row.pk) for row in rows}) or ["1"],
        "key": ["1", "2"], "record": [str(record) for record in records],
        "uuid": sorted({str(row.uuid) for row in campus.everything if hasattr(row, "uuid")}),
        "meter_id": [FOREIGN], "kind": ["silent"], "number": ["x"], "token": ["x"], "uid": ["x"],
    }  # fmt: skip


def addresses(campus: Campus) -> Iterator[str]:
    for route in routes(get_resolver().url_patterns, "/"):
        known = values(campus, route)
        for chosen in product(*(known[name] for name in re.findall(r"<(\w+)>", route))):
            path = route
            for value in chosen:
                path = re.sub(r"<\w+>", value, path, count=1)
            yield path


def routes(patterns: list[Any], before: str) -> Iterator[str]:
    """As `/api/v1/meters/<pk>/`; of the administration the entrance is enough, for nobody else gets further."""
    for pattern in patterns:
        route = before + plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            if route == "/admin/":
                yield from ("/admin/", "/admin/storage/meter/", "/admin/storage/data/", "/admin/jsi18n/")
            else:
                yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def plain(pattern: str) -> str:
    """Django's two ways to write a route, as one."""
    pattern = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"<\1>", pattern)
    pattern = re.sub(r"<\w+:(\w+)>", r"<\1>", pattern)
    return pattern.removeprefix("^").removesuffix("$").replace("\\Z", "").replace("\\.", ".")


def asked(path: str) -> Iterator[str]:
    """With the queries that make sense there; an address that names a row does without."""
    wanted: tuple[str, ...] = OF_OTHERS[:1]
    if not re.search(r"\d", path.removeprefix("/api/v1/")):
        wanted = OF_LISTS if any(path == f"/api/v1/{one.name}/" for one in api.resources.values()) else OF_OTHERS
    yield from (f"{path}?{query}" if query else path for query in wanted)


def body(answer: Any) -> str:
    if answer.streaming:
        return b"".join(answer.streaming_content).decode(errors="replace")
    text: str = answer.content.decode(errors="replace")
    return text


def found(text: str, address: str) -> set[str]:
    """Traces that whoever asks did not write himself, and that are no piece of something random."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    return {trace for trace in TRACES if trace in text and trace.lower() not in address.lower()}


def every_address(campus: Campus) -> Iterator[str]:
    """The stream never ends: it has tests of its own. Logging out would end the walk."""
    for path in addresses(campus):
        if not path.startswith(("/live/", "/logout/", "/metrics")):
            yield from asked(path)


@pytest.mark.slow
def test_no_address_shows_a_trace_of_another_meter_or_that_it_is_there(campus: Campus) -> None:
    client = client_of(tenant(campus, Role.CHANGE))
    strange: list[tuple[Any, ...]] = []
    for address in every_address(campus):
        answer = client.get(address)
        text = body(answer)
        assert answer.status_code < 500 or answer.status_code == 503, address
        if traces := found(text, address):
            strange.append((address, sorted(traces)))
        if FOREIGN in address:
            nowhere = client.get(address.replace(FOREIGN, NOWHERE))
            if (answer.status_code, said(text, FOREIGN)) != (nowhere.status_code, said(body(nowhere), NOWHERE)):
                strange.append((address, answer.status_code, nowhere.status_code))
    assert strange == []


@pytest.mark.long
@pytest.mark.slow
def test_the_same_walk_leads_an_owner_past_every_one_of_them(campus: Campus) -> None:
    client, met = client_of(User.objects.create_superuser("owner")), set[str]()
    for address in every_address(campus):
        met |= found(body(client.get(address)), address)
    assert met == set(TRACES)


def said(text: str, meter: str) -> str:
    """Without what differs from one request to the next."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|\d+ (s|min) ago|"age": [\d.]+', "", text)
    return re.sub(r"\d{2}:\d{2}(:\d{2})?(\.\d+)?", "", text.replace(meter, "-"))


def test_every_row_of_it_is_404_in_the_api(campus: Campus) -> None:
    client = client_of(tenant(campus))
    for row in campus.everything:
        resource = api.resources.get(type(row))
        if resource is not None:
            assert client.get(f"/api/v1/{resource.name}/{row.pk}/").status_code == 404, row
        if hasattr(row, "uuid"):
            assert client.get(f"/api/v1/uuid/{row.uuid}/").status_code == 404, row


def test_a_limited_token_of_an_owner_sees_no_more(campus: Campus) -> None:
    owner = User.objects.create_superuser("owner")
    token, header = token_of(owner, "admin")
    client = Client()
    assert client.get("/api/v1/meters/", headers=header).json()["count"] == 2
    campus.limit(campus.building, token=token)
    assert [row["meter_id"] for row in client.get("/api/v1/meters/", headers=header).json()["results"]] == [OWN]
    assert client.get(f"/api/v1/totals/?meter={FOREIGN}&from=2020", headers=header).status_code == 400
    assert client.get(f"/api/v1/now/?meter={FOREIGN}", headers=header).status_code == 400


# --- writing -------------------------------------------------------------------------------------


def test_what_belongs_to_others_is_not_changed(campus: Campus) -> None:
    client = client_of(tenant(campus))
    own, foreign = campus.own.pk, campus.foreign.pk
    rule = {"name": "mine", "kind": "silent", "value": "10"}
    contract = {"offer": campus.offer.pk, "power": 9, "start_date": "2026-01-01T00:00:00Z"}
    for method, address, sent, status in (
        ("post", "alert-rules/", {**rule, "meter": own}, 201),
        ("post", "alert-rules/", {**rule, "meter": foreign}, 400),  # in the words of a key that is none
        ("post", "alert-rules/", {**rule, "name": "of all"}, 403),  # it would watch everybody's
        ("patch", f"alert-rules/{campus.common_rule.pk}/", {"value": "1"}, 403),
        ("patch", f"alert-rules/{campus.own_rule.pk}/", {"meter": None}, 403),
        ("delete", f"alert-rules/{campus.common_rule.pk}/", {}, 403),
        ("post", "contracts/", {**contract, "meter": own,
                                "prices": [{"kind": "energy", "period": "base", "amount": "0.1"}]}, 403),
        ("post", "contracts/", {**contract, "meter": own}, 201),
        ("post", "contracts/", {**contract, "meter": foreign}, 400),
        ("patch", f"meters/{own}/", {"name": "x"}, 403),
        ("patch", f"meters/{own}/", {"group": campus.building.pk}, 403),
        ("post", "meters/", {"meter_id": FOREIGN, "name": "x"}, 403),  # and not "there is one already"
        ("post", "groups/", {"name": "Hidden building"}, 403),
        ("patch", f"groups/{campus.floor.pk}/", {"parent": None}, 403),
        ("patch", f"offers/{campus.offer.pk}/", {"name": "x"}, 403),
        ("post", "tempo-days/", {"day": "2026-01-09", "colour": "rouge", "source": "user"}, 403),
    ):  # fmt: skip
        answer = getattr(client, method)(f"/api/v1/{address}", sent, content_type="application/json")
        assert answer.status_code == status, (method, address, sent, answer.content)
        assert found(answer.content.decode(), str(sent)) == set()
    assert campus.common_rule.meter is AlertRule.objects.get(pk=campus.common_rule.pk).meter is None
    assert Contract.objects.filter(meter=campus.foreign).count() == 1


def test_the_words_for_a_key_that_is_not_seen_are_those_for_one_that_is_none(campus: Campus) -> None:
    client = client_of(tenant(campus))
    refusals = [
        client.post(
            "/api/v1/contracts/", {"meter": key, "offer": campus.offer.pk, "power": 9}, content_type="application/json"
        ).content.decode().replace(str(key), "-")
        for key in (campus.foreign.pk, 999_999)
    ]  # fmt: skip
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize(
    ("address", "sent", "status"),
    [
        ("/tempo/", {"day": "2026-11-20", "colour": "bleu"}, 403),
        (f"/settings/meters/{OWN}/", {"name": "x", "position": "1"}, 403),
        ("/meters/assign/", {"target": "none", "every": "1"}, 403),
        ("/settings/groups/", {"name": "x"}, 403),
        ("/data/import/", {}, 403),
        (f"/settings/contract/?meter={OWN}", {"what": "offer", "name": "x", "option": "base"}, 403),
        (f"/settings/contract/?meter={FOREIGN}", {"what": "end"}, 404),
        ("/alerts/rules/new/silent/", {"name": "x", "value": "20", "enabled": "on"}, 400),  # it names no meter
        ("/data/backup/", {}, 403),
    ],
)
def test_pages_let_nobody_write_for_others(campus: Campus, address: str, sent: dict[str, str], status: int) -> None:
    answer = client_of(tenant(campus)).post(address, sent)
    assert (answer.status_code, found(answer.content.decode(), address)) == (status, set())
    assert (TempoDay.objects.filter(source="user").count(), Meter.objects.filter(group=None).count()) == (0, 0)


def test_a_rule_is_made_for_a_meter_that_is_seen_and_offered_for_no_other(campus: Campus) -> None:
    client = client_of(tenant(campus))
    text = client.get("/alerts/rules/new/silent/").content.decode()
    assert ("Our office" in text, "Forbidden laboratory" in text, "every meter" in text) == (True, False, False)
    sent = {"name": "mine", "value": "20", "meter": str(campus.own.pk), "enabled": "on"}
    assert client.post("/alerts/rules/new/silent/", sent).status_code == 302
    assert client.post("/alerts/rules/new/silent/", {**sent, "meter": str(campus.foreign.pk)}).status_code == 400
    assert client.get(f"/alerts/rules/{campus.common_rule.uuid}/").status_code == 403
    assert AlertRule.objects.get(name="mine").meter == campus.own


def test_the_administration_is_closed_and_not_offered(campus: Campus) -> None:
    user = tenant(campus)
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    client = client_of(user)
    assert client.get("/admin/storage/meter/").status_code == 302
    assert 'href="/admin/"' not in client.get("/settings/").content.decode()
    assert client.get("/settings/configuration/").status_code == 403


# --- what comes live -----------------------------------------------------------------------------


def test_the_stream_tells_of_the_meters_that_are_seen() -> None:
    async def scenario() -> list[str]:
        hub = Hub()
        told = events(hub, None, "en", seen=frozenset({OWN}))
        found = [await anext(told)]
        hub.hear_reading(envelope(meter=FOREIGN), 1.0)
        hub.hear_status(FOREIGN, False)
        hub.hear_change(Changed("tariffs.contract", "5e17e700", "updated", FOREIGN))
        hub.hear_change(Changed("tariffs.contract", "own", "updated", OWN))
        hub.hear_reading(envelope(meter=OWN), 1.0)
        found += [await anext(told), await anext(told)]
        hub.hear_change(Changed("storage.meter", "any", "updated", None))
        return found + [left async for left in told]

    start, change, reading = asyncio.run(scenario())
    assert start == "retry: 2000\n\n"
    assert change.startswith('event: change\ndata: {"type":"tariffs.contract","uuid":"own"')
    assert f'"meter":"{OWN}"' in reading
    # and it ended when groups changed, so that the browser comes again


@pytest.mark.django_db(transaction=True)
def test_the_stream_of_the_site_asks_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    campus, hub = Campus(), Hub()
    user = tenant(campus)
    asked_for: list[Any] = []

    def spy(*given: Any, **named: Any) -> Any:
        asked_for.append(named["seen"])
        hub.close()
        return events(*given, **named)

    monkeypatch.setattr("storage.web.stream.events", spy)
    monkeypatch.setattr("storage.web.stream.hub_of", lambda _: hub)
    _token, header = token_of(user)
    answer = async_to_sync(AsyncClient().get)("/live/", headers=header)
    assert (answer.status_code, asked_for) == (200, [frozenset({OWN})])


def fleet() -> Fleet:
    heard = Fleet(Topics())
    counts = {"source_open": True, "frames": 1, "decoded": 1}
    info = BridgeInfo.model_validate({
        "version": "1", "started": "x", "spool": {"depth": 0, "dropped": 0},
        "meters": [{"meter": OWN, "accepted": 5, **counts}, {"meter": FOREIGN, "accepted": 31337, **counts}],
    })  # fmt: skip
    heard.hear("linky/bridge/attic/info", info.model_dump_json().encode())
    return heard


def test_metrics_name_the_meters_that_are_seen(campus: Campus) -> None:
    limited = Rights(frozenset({campus.building.pk, campus.floor.pk}))
    every, own = (exposition(fleet(), rights).decode() for rights in (Rights(), limited))
    assert {OWN in own, FOREIGN in every} == {True}
    assert [trace for trace in TRACES if trace in own] == []


def test_metrics_of_the_site_ask_who_reads_them(campus: Campus) -> None:
    client = client_of(tenant(campus))
    text = client.get("/metrics").content.decode()
    assert [trace for trace in TRACES if trace in text] == []
    assert FOREIGN in client_of(User.objects.create_superuser("owner")).get("/metrics").content.decode()


# --- the one place -------------------------------------------------------------------------------

ROOMS: Final = ("web", "answers", "operations", "api", "resources.py")
# Only who sees every meter comes there.
WHOLE: Final = {("imports.py", "queries.meters"), ("groups.py", "Meter.objects"), ("welcome.py", "Meter.objects")}


def test_nothing_that_shows_meters_looks_for_them_elsewhere() -> None:
    storage = Path(__file__).parents[3] / "storage"
    used = set()
    for room in ROOMS:
        for file in [storage / room] if room.endswith(".py") else (storage / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    name = f"{node.value.id}.{node.attr}"
                    if name in ("Meter.objects", "queries.meters", "Meter._default_manager", "Meter._base_manager"):
                        used.add((file.name, name))
    assert used == WHOLE
