"""A meter is an entity: it has a uuid, notes and history, and became so with all that it had."""

from __future__ import annotations

import pytest

from bridge.topics import Topics
from storage.entities.registry import find_by_uuid
from storage.ingest import Incoming, ingest
from storage.models import Meter
from tests.storage.scratch import Scratch
from tests.storage.test_upgrades import old
from tests.storage.web.samples import METER, STANDARD, envelope

_METERS = "SELECT id, meter_id, name, mode, timezone, raw_since FROM storage_meter ORDER BY id"


def take(seq: int, **changes: object) -> Meter:
    """A reading comes."""
    body = envelope({**STANDARD, **changes}, seq=seq).model_dump_json().encode()
    assert ingest(Topics("linky"), [Incoming(f"linky/{METER}/reading", body)]).stored == 1
    return Meter.objects.get(meter_id=METER)


@pytest.mark.django_db
def test_a_reading_fills_in_what_its_meter_is_and_history_tells_when_that_changes() -> None:
    meter = take(1)
    assert (meter.phases, meter.power, meter.mode) == (1, 9, "standard")
    rows = meter.history.count()
    assert take(2).history.count() == rows  # nothing new
    meter = take(3, pref=12)
    assert [(d.field, d.old, d.new) for d in meter.history.first().differences()] == [("power", 9, 12)]
    found = find_by_uuid(meter.uuid)
    assert found is not None
    assert found.entity == meter


@pytest.mark.django_db
def test_a_name_goes_back_and_what_retention_did_does_not() -> None:
    meter = Meter.objects.create(meter_id=METER, mode="standard", timezone="Europe/Paris", name="House")
    first = meter.history.first()
    meter.name = "Shed"
    meter.raw_since = meter.creation_date
    meter.save()
    first.restore()
    meter.refresh_from_db()
    assert (meter.name, meter.raw_since is None) == ("House", False)


@pytest.mark.slow
def test_meters_that_were_there_get_a_uuid_each_and_are_there_since_their_first_reading(scratch: Scratch) -> None:
    old(scratch, "0002_handover")
    scratch.migrate("storage", "0006")
    before = scratch.query(_METERS)
    readings = scratch.query("SELECT count(*) FROM storage_data")
    scratch.migrate()
    assert scratch.query(_METERS) == before
    assert len({uuid for (uuid,) in scratch.query("SELECT uuid FROM storage_meter")}) == 2
    created = [str(at)[:19] for (at,) in scratch.query("SELECT creation_date FROM storage_meter ORDER BY id")]
    assert created == ["2026-07-01 09:00:00", "2026-07-01 09:30:00"]
    told = "SELECT id, name, history_type FROM storage_historicalmeter ORDER BY id"
    assert scratch.query(told) == [(1, "Maison", "+"), (2, "", "+")]
    assert scratch.query("SELECT phases, power FROM storage_meter") == [(None, None)] * 2  # until a reading says it
    scratch.migrate("storage", "0006")
    assert scratch.query(_METERS) == before
    scratch.migrate()
    assert scratch.query("SELECT count(*) FROM storage_data") == readings
